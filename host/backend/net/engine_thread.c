// SPDX-License-Identifier: BSD-2-Clause
/* A connection's thread: rounds of everything, and sleep in between. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "host/backend/net/engine.h"
#include "host/clock.h"
#include "host/event.h"
#include "host/thread.h"
#include "shim/domain.h"

/* What we have written there is the guest's memory changing. True: it wants to be told. */
static bool publish(struct net_engine *e, struct net_ring *r)
{
	bool tell;

	if (r->published == r->done)
		return false;
	tell = net_ring_publish(r);
	memslots_written_hva(memslots_enter(&e->domain->memslots), r->page, NET_PAGE);
	memslots_leave();
	return tell;
}

static bool serve_tx(struct net_engine *e, struct net_queue *q, uint64_t now)
{
	enum net_step step = NET_NOTHING;

	for (int i = 0; i < NET_ROUND_FRAMES; i++) {
		step = net_tx_step(e, q, now);
		if (step != NET_MOVED)
			break;
	}
	q->tx_waits = step == NET_WAITS;
	q->tx_channel.tell |= publish(e, &q->tx);
	return step == NET_MOVED;
}

static bool serve_rx(struct net_engine *e, uint64_t now)
{
	enum net_step step = NET_NOTHING;

	for (int i = 0; i < NET_ROUND_FRAMES; i++) {
		step = net_rx_step(e, now);
		if (step != NET_MOVED)
			break;
	}
	for (unsigned i = 0; i < e->guest.nr_queues; i++)
		e->queues[i].rx_channel->tell |= publish(e, &e->queues[i].rx);
	return step == NET_MOVED;
}

static bool serve_ctrl(struct net_engine *e)
{
	enum net_step step = NET_NOTHING;

	if (!e->guest.has_ctrl)
		return false;
	for (int i = 0; i < NET_ROUND_FRAMES; i++) {
		step = net_ctrl_step(e);
		if (step != NET_MOVED)
			break;
	}
	e->ctrl_channel.tell |= publish(e, &e->ctrl);
	return step == NET_MOVED;
}

static void tell(struct net_engine *e, struct net_channel *c)
{
	if (!c->tell)
		return;
	c->tell = false;
	net_count(&e->stats->events_out, 1);
	event_channel_notify_guest(e->domain, c->port, &c->backend);
}

static void tell_all(struct net_engine *e)
{
	for (unsigned i = 0; i < e->guest.nr_queues; i++) {
		tell(e, &e->queues[i].tx_channel);
		tell(e, &e->queues[i].own_rx_channel);
	}
	tell(e, &e->ctrl_channel);
}

static void flush_link(struct net_engine *e)
{
	int rc = e->link_ended ? 0 : e->link->ops->flush(e->link);

	if (rc && rc != -EAGAIN)
		net_engine_link_ended(e);
}

bool net_engine_serve(struct net_engine *e, uint64_t now)
{
	bool more = false;

	e->credit_until = 0;
	for (unsigned i = 0; i < e->guest.nr_queues; i++)
		more |= serve_tx(e, &e->queues[i], now);
	flush_link(e);
	more |= serve_rx(e, now);
	more |= serve_ctrl(e);
	tell_all(e);
	return more && !e->failed;
}

bool net_engine_arm(struct net_engine *e)
{
	bool more = false;

	for (unsigned i = 0; i < e->guest.nr_queues; i++)
		if (!e->queues[i].tx_waits)
			more |= net_ring_await(&e->queues[i].tx, 1);
	if (e->held.valid)
		more |= net_ring_await(&e->held.queue->rx, e->held.slots);
	if (e->guest.has_ctrl)
		more |= net_ring_await(&e->ctrl, 1);
	return more;
}

uint64_t net_engine_deadline(const struct net_engine *e, uint64_t now)
{
	uint64_t when = e->credit_until, room;

	if (e->held.valid) {
		room = e->guest.rx_notify ? e->held.since + NET_STALL_NS : now + NET_POLL_NS;
		if (!when || room < when)
			when = room;
	}
	return when;
}

static int milliseconds_until(uint64_t when, uint64_t now)
{
	if (!when)
		return -1;
	return when <= now ? 0 : (int)((when - now + 999999) / 1000000);
}

/*
 * A round looks at all rings, so what the guest has sent does not matter; the link is asked for
 * frames when its event, or no sleep, says that there may be some.
 */
static void sleep_until_event(struct net_engine *e, bool more)
{
	struct epoll_event events[2];
	uint64_t now = clock_now_ns();
	int n, ms = 0;

	if (!more && !net_engine_arm(e))
		ms = milliseconds_until(net_engine_deadline(e, now), now);
	if (!ms) {
		e->link->readable = true;
		return;
	}
	n = epoll_wait(e->epoll_fd, events, 2, ms);
	if (n < 0 && errno != EINTR)
		net_engine_fail(e, "cannot wait for events: %s", strerror(errno));
	for (int i = 0; i < n; i++)
		if (events[i].data.fd == e->link->fd &&
		    events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			e->link->readable = true;
}

static void *run(void *opaque)
{
	struct net_engine *e = opaque;
	bool more;

	pthread_setname_np(pthread_self(), "net");
	while (!__atomic_load_n(&e->stop, __ATOMIC_ACQUIRE) && !e->failed) {
		__atomic_store_n(&e->kicked, false, __ATOMIC_SEQ_CST);
		more = net_engine_serve(e, clock_now_ns());
		if (!e->failed)
			sleep_until_event(e, more);
	}
	return NULL;
}

int net_engine_run(struct net_engine *e, struct problem *p)
{
	int rc = thread_start(&e->thread, 0, run, e);

	if (rc)
		return problem(p, "no thread for a network interface: %s", strerror(rc));
	e->started = true;
	return 0;
}

void net_engine_halt(struct net_engine *e)
{
	if (!e->started)
		return;
	__atomic_store_n(&e->stop, true, __ATOMIC_RELEASE);
	event_raise(e->kick_fd);
	pthread_join(e->thread, NULL);
	e->started = false;
}
