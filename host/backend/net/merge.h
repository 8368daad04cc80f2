/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many TCP segments that follow each other become one large one (as an interface with LRO, or
 * Linux's GRO, does it): for a guest that takes these, which costs it and us one packet instead of
 * forty. Checksums of what comes in are known to be right.
 */
#ifndef HOST_BACKEND_NET_MERGE_H
#define HOST_BACKEND_NET_MERGE_H

#include "host/backend/net/headers.h"

struct net_merge {
	struct net_frame frame; /* grows in place */
	struct net_headers headers;
	uint32_t next_seq;
	uint16_t piece; /* payload of each segment but the last */
	unsigned count;
	bool open; /* another may follow */
};

/* Begin with a frame; `can`: NET_CAN_* of the receiver. m->open: it may grow. */
void net_merge_begin(struct net_merge *m, const struct net_frame *f, unsigned can);

/*
 * Append the payload of a frame that lies behind the merged one in the same buffer (they may
 * overlap then). false: it does not belong to it.
 */
bool net_merge_add(struct net_merge *m, const uint8_t *data, uint32_t len);

/* What has come of it. */
void net_merge_end(struct net_merge *m, struct net_frame *f);

#endif
