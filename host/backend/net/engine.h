/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The netback protocol between one connected frontend and a link. Everything but net_engine_start,
 * _stop and the atomics happens on the engine's own thread; the guest's notifications only wake it.
 *
 * What a frontend may get wrong is answered as Linux's netback answers it: a request that asks for
 * what cannot be done gets an error response; rings or chains that make no sense end the connection
 * (net_engine_fail), never the process.
 */
#ifndef HOST_BACKEND_NET_ENGINE_H
#define HOST_BACKEND_NET_ENGINE_H

#include <pthread.h>

#include "host/backend/net/credit.h"
#include "host/backend/net/hash.h"
#include "host/backend/net/link.h"
#include "host/backend/net/mcast.h"
#include "host/backend/net/ring.h"
#include "host/backend/net/segment.h"
#include "shim/event_channel.h"
#include "shim/grant_map.h"

#define NET_QUEUES_MAX 8u

/* Frames that are moved in one direction before the other has its turn. */
#define NET_ROUND_FRAMES 64

/* How long a frame waits for a guest that gives no room, before what follows is dropped, too. */
#define NET_STALL_NS 10000000000ull
/* How often to look for room when the guest does not tell of it (no feature-rx-notify). */
#define NET_POLL_NS 30000000ull

/* What the frontend has written to the store. */
struct net_guest_queue {
	grant_ref_t tx_ref, rx_ref;
	evtchn_port_t tx_port, rx_port; /* the same: one event channel for both */
};
struct net_guest {
	unsigned can; /* NET_CAN_* */
	bool sg;      /* frames of more than a page */
	bool rx_notify;
	bool mcast_control;
	bool has_ctrl;
	grant_ref_t ctrl_ref;
	evtchn_port_t ctrl_port;
	unsigned nr_queues;
	struct net_guest_queue queues[NET_QUEUES_MAX];
};

struct net_engine;

/* Our end of one of the guest's event channels. */
struct net_channel {
	struct port_backend backend; /* notify == NULL: not connected */
	evtchn_port_t port;
	bool tell; /* the guest is to be notified at the end of the round */
};

struct net_queue {
	struct net_ring tx, rx;
	struct grant_mapping tx_page, rx_page;
	struct net_channel tx_channel, own_rx_channel;
	struct net_channel *rx_channel; /* one of the two above */
	bool tx_waits;                  /* for the link or for credit, not for the guest */
	bool rx_stalled;                /* it has given no room for NET_STALL_NS */
};

/* The frame to the guest that is next, ready for its queue. */
struct net_held {
	bool valid;
	struct net_frame frame;
	struct net_queue *queue;
	unsigned slots; /* that it takes */
	int hash_type;  /* -1: without hash */
	uint32_t hash;
	uint64_t since; /* ns; when it was found that there is no room; 0: there was */
};

struct net_engine {
	struct domain *domain;
	struct net_link *link;
	struct net_stats *stats; /* atomics */
	int report_fd;           /* an eventfd: something is to be seen in the next two */
	bool failed;             /* atomic; `failure` says why. The thread has ended */
	bool link_ended;         /* atomic */
	char failure[128];

	struct net_guest guest;
	bool mcast_control; /* atomic: as guest's, may change later */
	struct net_queue queues[NET_QUEUES_MAX];
	struct net_ring ctrl;
	struct grant_mapping ctrl_page;
	struct net_channel ctrl_channel;

	struct net_hash hash;
	struct net_mcast mcast;
	struct net_credit credit;
	uint64_t credit_until; /* ns; 0: nothing waits for it */
	struct net_held held;
	struct net_segmenter segments; /* to the guest */

	int kick_fd, epoll_fd; /* an eventfd for the guest's notifications and for stop */
	bool kicked, stop;     /* atomic */
	bool started;
	pthread_t thread;

	uint8_t rx_buffer[NET_FRAME_MAX]; /* a segment to the guest */
	uint8_t tx_buffer[NET_FRAME_MAX]; /* what is to be segmented from it */
};

/*
 * Map the rings, connect the event channels, begin. NULL with the reason; nothing is left then.
 * Credit is in bytes for each interval of `credit_us`; 0: no limit. The link, the statistics and
 * report_fd stay the caller's.
 */
struct net_engine *net_engine_start(struct domain *d, struct net_link *link,
				    const struct net_guest *guest, uint64_t credit_bytes,
				    uint32_t credit_us, struct net_stats *stats, int report_fd,
				    struct problem *p);
/* Frames that were taken from the link and found no room are lost. */
void net_engine_stop(struct net_engine *e);

/* What net_engine_start is made of: all but the thread, for tests that are the thread. */
struct net_engine *net_engine_attach(struct domain *d, struct net_link *link,
				     const struct net_guest *guest, uint64_t credit_bytes,
				     uint32_t credit_us, struct net_stats *stats, int report_fd,
				     struct problem *p);
void net_engine_detach(struct net_engine *e);
int net_engine_run(struct net_engine *e, struct problem *p); /* start the thread; 0 or -1 */
void net_engine_halt(struct net_engine *e);                  /* end it */
/* One round of everything at time `now` (ns); true: there is more to do at once. */
bool net_engine_serve(struct net_engine *e, uint64_t now);
/* After a round without more: ask to be woken; true: there is more after all. */
bool net_engine_arm(struct net_engine *e);
/* When the next round is due without any event, ns; 0: never. */
uint64_t net_engine_deadline(const struct net_engine *e, uint64_t now);

/*
 * The parts of a round.
 */

enum net_step {
	NET_NOTHING, /* to do */
	NET_MOVED,
	NET_WAITS,
	NET_FAILED,
};

/* The connection cannot go on: say why. Always NET_FAILED. */
enum net_step net_engine_fail(struct net_engine *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* One packet of the guest's, or one thing it says about the filter. (tx.c) */
enum net_step net_tx_step(struct net_engine *e, struct net_queue *q, uint64_t now);
/* One frame to the guest. (rx.c) */
enum net_step net_rx_step(struct net_engine *e, uint64_t now);
/* One request on the control ring. (ctrl.c) */
enum net_step net_ctrl_step(struct net_engine *e);

/* The link is no more: frames of the guest's are dropped from now on. */
void net_engine_link_ended(struct net_engine *e);

/* Only the engine's thread counts (but for events_in); anybody may read. */
static inline void net_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

#endif
