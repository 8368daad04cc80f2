/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frontend in memory, for tests: rings and buffers in the fake platform's RAM, with real grants
 * and event channels. It does what it is told, right or wrong.
 *
 * A frame's grant reference is its number.
 */
#ifndef HOST_BACKEND_NET_FAKE_FRONT_H
#define HOST_BACKEND_NET_FAKE_FRONT_H

#include "host/backend/net/engine.h"
#include "shim/fake_events.h"
#include "shim/fake_grants.h"

#define FRONT_QUEUES   2u
#define FRONT_TX_PAGES 0x28u /* buffers, each a page */
#define FRONT_RX_PAGES 0x60u
#define FRONT_CTRL_REF 0x50u
#define FRONT_DATA_REF 0x51u  /* a page for arguments on the control ring */
#define FRONT_READONLY 0x52u  /* a page that may not be written */
#define FRONT_BAD_REF  0x1f0u /* a grant that is none */

struct front_ring {
	struct net_ring_head *head;
	uint8_t *entries;
	unsigned nr, size;
	RING_IDX req_prod, rsp_cons;
};

struct front_queue {
	struct front_ring tx, rx;
	unsigned tx_page, rx_page; /* the next buffer */
	grant_ref_t rx_refs[256];  /* by slot */
};

struct fake_front {
	struct fake *fake;
	struct net_guest guest;
	struct front_queue queues[FRONT_QUEUES];
	struct front_ring ctrl;
};

/* Rings and event channels for so many queues, everything that can be offered. */
void fake_front_init(struct fake_front *ff, struct fake *fake, unsigned nr_queues);

/* The page of a grant. */
uint8_t *fake_front_page(struct fake_front *ff, grant_ref_t ref);

/* Put a request of any content; it is shown by push (true: the backend wants to be told). */
void front_put(struct front_ring *r, const void *request, size_t size);
bool front_push(struct front_ring *r);
/* Take the next response. false: there is none. */
bool front_take(struct front_ring *r, void *response, size_t size);

/* Send a frame as Linux does: its slots, `gso_size` > 0 with an extra info. Not pushed. */
void front_put_frame(struct fake_front *ff, unsigned queue, const uint8_t *data, uint32_t len,
		     uint16_t flags, uint8_t gso, uint16_t gso_size);
/* The responses of one frame of that many slots: all alike (extras aside), or -100. */
int front_status(struct fake_front *ff, unsigned queue, unsigned slots);

/* Offer n pages to receive into. Pushed. */
void front_offer(struct fake_front *ff, unsigned queue, unsigned n);

struct front_packet {
	uint8_t data[NET_FRAME_MAX];
	uint32_t len;
	unsigned slots;
	uint16_t flags; /* of the first response */
	int error;      /* a response's negative status */
	struct netif_extra_info extra[XEN_NETIF_EXTRA_TYPE_MAX];
};
/* The next packet received; false: there is none. */
bool front_receive(struct fake_front *ff, unsigned queue, struct front_packet *p);

/* One request on the control ring, pushed. */
void front_control(struct fake_front *ff, uint16_t type, uint32_t a, uint32_t b, uint32_t c);

#endif
