// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/queue.h"
#include "host/clock.h"
#include "host/event.h"
#include "host/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* So many bytes are moved before the guest is shown what is done, if there is more to do. */
#define SHOW_EVERY (1u << 20)

static void kick(struct block_queue *q)
{
	if (!__atomic_exchange_n(&q->asleep, false, __ATOMIC_SEQ_CST))
		return;
	__atomic_store_n(&q->kicked, clock_now_ns(), __ATOMIC_RELAXED);
	event_raise(q->kick);
}

/* The guest has sent an event: on a vCPU's thread, or any that sends. */
static void guest_notified(void *opaque)
{
	struct block_queue *q = opaque;

	__atomic_fetch_add(&q->stats.events_in, 1, __ATOMIC_RELAXED);
	kick(q);
}

/*
 * Serving.
 */

static void show(struct block_queue *q)
{
	q->unshown = 0;
	if (!block_ring_publish(&q->ring))
		return;
	block_count(&q->stats.events_out, 1);
	event_channel_notify_guest(q->disk->domain, q->port, &q->backend);
}

static void go_wrong(struct block_queue *q)
{
	q->gone_wrong = true;
	q->disk->broken(q->disk->opaque, "its ring holds more requests than there is room for");
}

static bool may_take(const struct block_queue *q)
{
	return !q->held && !q->gone_wrong && !__atomic_load_n(&q->stop, __ATOMIC_SEQ_CST);
}

static void take(struct block_queue *q)
{
	struct block_request r;

	while (may_take(q)) {
		int waiting = block_ring_waiting(&q->ring);

		if (waiting < 0)
			go_wrong(q);
		if (waiting <= 0)
			return;
		while (waiting-- && !q->held) {
			block_ring_take(&q->ring, &r);
			block_queue_handle(q, &r);
			if (q->unshown >= SHOW_EVERY)
				show(q);
		}
	}
}

bool block_queue_serve(struct block_queue *q)
{
	const struct image_ops *image = q->image->ops;
	RING_IDX taken = q->ring.req_cons, answered = q->ring.rsp_prod;

	image->reap(q->io);
	take(q);
	image->push(q->io);
	show(q);
	return q->ring.req_cons != taken || q->ring.rsp_prod != answered;
}

/* Does the thread have to go on at once? An event comes for what is asked from now on. */
static bool work_has_come(struct block_queue *q)
{
	if (may_take(q))
		return block_ring_before_sleep(&q->ring);
	return __atomic_load_n(&q->stop, __ATOMIC_SEQ_CST) && !q->busy;
}

/* Without asking for an event. */
static bool request_waits(void *opaque)
{
	const struct block_queue *q = opaque;

	return block_ring_waiting(&q->ring) != 0 || __atomic_load_n(&q->stop, __ATOMIC_RELAXED);
}

static void sleep_until_work(struct block_queue *q)
{
	uint64_t kicked;

	/* With something in work there are two kinds of news, and sleep hears of both. */
	if (!q->busy && may_take(q) && block_poll(&q->poll, request_waits, q))
		return;
	__atomic_store_n(&q->asleep, true, __ATOMIC_SEQ_CST);
	if (!work_has_come(q))
		q->image->ops->wait(q->io);
	__atomic_store_n(&q->asleep, false, __ATOMIC_SEQ_CST);
	kicked = __atomic_exchange_n(&q->kicked, 0, __ATOMIC_RELAXED);
	if (kicked)
		block_poll_woken(&q->poll, clock_now_ns() - kicked);
}

static void *serve_until_stopped(void *opaque)
{
	struct block_queue *q = opaque;

	block_poll_init(&q->poll);
	for (;;) {
		if (block_queue_serve(q))
			continue;
		if (__atomic_load_n(&q->stop, __ATOMIC_SEQ_CST) && !q->busy)
			return NULL;
		sleep_until_work(q);
	}
}

/*
 * Its life.
 */

static int make_ops(struct block_queue *q)
{
	q->ops = calloc(q->ring.entries, sizeof(*q->ops));
	if (!q->ops)
		return -1;
	for (unsigned i = 0; i < q->ring.entries; i++) {
		q->ops[i].next = q->free_ops;
		q->free_ops = &q->ops[i];
	}
	if (!q->disk->keep_grants)
		return 0;
	q->cache = malloc(sizeof(*q->cache));
	if (!q->cache)
		return -1;
	grant_cache_init(q->cache, q->disk->domain);
	return 0;
}

static void free_ops(struct block_queue *q)
{
	for (unsigned i = 0; q->ops && i < q->ring.entries; i++)
		block_op_free_room(&q->ops[i]);
	free(q->ops);
	free(q->cache);
}

static int connect_port(struct block_queue *q, evtchn_port_t port, struct problem *p)
{
	int rc;

	q->port = port;
	q->backend = (struct port_backend){guest_notified, q};
	rc = event_channel_connect_backend(q->disk->domain, port, &q->backend);
	if (rc == -XEN_ENOSPC)
		return problem(p, "no end of an event channel is left for it");
	return rc ? problem(p, "port %u is none that the guest has made for it", port) : 0;
}

int block_queue_open(struct block_queue *q, const struct block_disk *disk, enum block_abi abi,
		     const grant_ref_t *refs, unsigned nr_pages, evtchn_port_t port,
		     struct problem *p)
{
	*q = (struct block_queue){.disk = disk, .kick = -1};
	if (block_ring_map(&q->ring, disk->domain, abi, refs, nr_pages))
		return problem(p, "its ring of %u page%s is not granted, or holds nonsense",
			       nr_pages, nr_pages == 1 ? "" : "s");
	q->kick = eventfd(0, EFD_CLOEXEC);
	if (q->kick >= 0 && !make_ops(q)) {
		if (!connect_port(q, port, p))
			return 0;
	} else {
		problem(p, "no memory or descriptors for its queue");
	}
	free_ops(q);
	if (q->kick >= 0)
		close(q->kick);
	block_ring_unmap(&q->ring);
	return -1;
}

void block_queue_close(struct block_queue *q)
{
	event_channel_unbind_backend(q->disk->domain, &q->backend);
	if (q->cache)
		grant_cache_empty(q->cache);
	free_ops(q);
	close(q->kick);
	block_ring_unmap(&q->ring);
}

static int start_thread(struct block_queue *q)
{
	char name[16];

	if (thread_start(&q->thread, 0, serve_until_stopped, q))
		return -1;
	snprintf(name, sizeof(name), "disk %s", q->disk->name);
	pthread_setname_np(q->thread, name);
	return 0;
}

int block_queue_start(struct block_queue *q, struct image *image, struct problem *p)
{
	q->image = image;
	q->io = image->ops->open_queue(image, q->kick, p);
	if (!q->io)
		return -1;
	__atomic_store_n(&q->stop, false, __ATOMIC_SEQ_CST);
	q->running = !start_thread(q);
	if (q->running)
		return 0;
	image->ops->close_queue(q->io);
	return problem(p, "no thread for its queue");
}

void block_queue_stop(struct block_queue *q)
{
	if (!q->running)
		return;
	__atomic_store_n(&q->stop, true, __ATOMIC_SEQ_CST);
	kick(q);
	pthread_join(q->thread, NULL);
	q->running = false;
	q->image->ops->close_queue(q->io);
}
