/* SPDX-License-Identifier: BSD-2-Clause */
/* A link in memory, for tests of the engine: what comes in is put here, what goes out is kept. */
#ifndef HOST_BACKEND_NET_FAKE_LINK_H
#define HOST_BACKEND_NET_FAKE_LINK_H

#include "host/backend/net/link.h"

#define FAKE_LINK_FRAMES 256u

struct fake_link_frame {
	struct net_frame frame;
	uint8_t data[NET_FRAME_MAX];
};

struct fake_link {
	struct net_link link;
	struct fake_link_frame *in, *out; /* FAKE_LINK_FRAMES of each */
	unsigned in_next, in_nr, out_nr;
	unsigned room; /* frames that it still takes; then it is full */
	int ended;     /* receive and flush fail so, when not 0 */
	unsigned receiver_can;
};

/* NULL: no memory. Closed by net_link_close(). */
struct fake_link *fake_link_create(void);
/* A frame to be received; *f without data. */
void fake_link_put(struct fake_link *l, const struct net_frame *f, const uint8_t *data,
		   uint32_t len);

#endif
