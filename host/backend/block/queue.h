/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue of a disk: a ring, the event channel that tells of it, and the thread that serves it.
 *
 * Opened and closed on the event loop's thread, which stops the thread before it touches anything
 * that is the thread's own.
 */
#ifndef HOST_BACKEND_BLOCK_QUEUE_H
#define HOST_BACKEND_BLOCK_QUEUE_H

#include <pthread.h>

#include "host/backend/block/block.h"
#include "host/backend/block/op.h"
#include "host/backend/block/poll.h"
#include "host/backend/block/ring.h"

/* What a queue needs to know of its device; does not change while it is open. */
struct block_disk {
	struct domain *domain;
	const char *name; /* xvda */
	bool readonly, discard;
	bool keep_grants;

	/* The guest has broken the ring's rules, and the queue does nothing more: why. On the
	 * queue's thread, once. */
	void (*broken)(void *opaque, const char *why);
	void *opaque;
};

struct block_queue {
	const struct block_disk *disk;
	struct block_ring ring;
	evtchn_port_t port;
	struct port_backend backend;

	/* The thread, while it runs. */
	pthread_t thread;
	bool running;
	struct image *image;
	struct image_queue *io;
	int kick;    /* eventfd */
	bool asleep; /* atomic: then a kick is a system call */
	bool stop;   /* atomic */

	/* The thread's own. */
	struct block_op *ops, *free_ops;
	unsigned busy;         /* operations in work */
	unsigned writes;       /* of those, that change the image and bar no others */
	struct block_op *held; /* nothing is taken from the ring until it is done */
	uint64_t unshown;      /* bytes moved since the guest has been shown responses */
	bool gone_wrong;
	struct block_poll poll;
	int said; /* the image's last error that the user has read */
	struct grant_cache *cache;
	struct blkif_request_segment segments[BLOCK_MAX_SEGMENTS];

	struct block_stats stats; /* each atomic, written by the thread */
};

/*
 * Map the ring and connect the port. 0, or -1 with the reason. The thread does not run yet. *disk
 * stays the caller's.
 */
int block_queue_open(struct block_queue *q, const struct block_disk *disk, enum block_abi abi,
		     const grant_ref_t *refs, unsigned nr_pages, evtchn_port_t port,
		     struct problem *p);
/* Stopped. All that is the guest's is given back. */
void block_queue_close(struct block_queue *q);

/* Serve from this image, on a thread. 0, or -1 with the reason. */
int block_queue_start(struct block_queue *q, struct image *image, struct problem *p);
/* What has been begun is finished and answered; the rest stays in the ring. */
void block_queue_stop(struct block_queue *q);

/*
 * For the thread, and for tests without one (the image's queue is q->io). request.c: the next
 * request, out of the ring and on its way. queue.c: all that can be done now; was there anything?
 */
void block_queue_handle(struct block_queue *q, const struct block_request *r);
bool block_queue_serve(struct block_queue *q);

/* The answer to a request; the guest does not see it yet. */
void block_queue_answer(struct block_queue *q, uint64_t id, uint8_t operation, int16_t status);

/* Count; read by others. */
static inline void block_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

#endif
