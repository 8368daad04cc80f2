/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One large TCP segment becomes many, as an interface with TSO does it: for a side that does not
 * take large ones. Checksums of what comes out are complete.
 */
#ifndef HOST_BACKEND_NET_SEGMENT_H
#define HOST_BACKEND_NET_SEGMENT_H

#include "host/backend/net/headers.h"

struct net_segmenter {
	struct net_frame frame; /* stays in place until the last segment is out */
	struct net_headers headers;
	uint32_t next;  /* offset of the payload that is not out yet */
	uint16_t index; /* of the next segment */
	bool active;
};

/* false: the frame is no whole TCP packet of f->gso's kind with payload. */
bool net_segment_begin(struct net_segmenter *s, const struct net_frame *f);

/*
 * The next segment, written to `out` (NET_FRAME_MAX bytes), as *f. false: there is none. After the
 * last one, s->active is false.
 */
bool net_segment_next(struct net_segmenter *s, uint8_t *out, struct net_frame *f);

#endif
