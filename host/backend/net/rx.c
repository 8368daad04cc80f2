// SPDX-License-Identifier: BSD-2-Clause
/* From the link to the guest (public header io/netif.h, "Guest receive"). */
#include <errno.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/engine.h"

static void drop(struct net_engine *e)
{
	e->held.valid = false;
	net_count(&e->stats->rx_dropped, 1);
}

/* A checksum that the guest does not take blank is completed. false: it cannot be. */
static bool adapt_checksum(const struct net_engine *e, struct net_frame *f)
{
	const unsigned both = NET_CAN_CSUM4 | NET_CAN_CSUM6;
	struct net_headers h;

	if (!f->csum_blank || (e->guest.can & both) == both)
		return true;
	net_headers_parse(f->data, f->len, &h);
	if (e->guest.can & (h.version == 6 ? NET_CAN_CSUM6 : NET_CAN_CSUM4))
		return true;
	f->validated = true;
	return net_checksum_complete(f);
}

static bool takes_segment(const struct net_engine *e, const struct net_frame *f)
{
	unsigned can = f->gso == XEN_NETIF_GSO_TYPE_TCPV4 ? NET_CAN_GSO4 : NET_CAN_GSO6;

	/* One large segment has one checksum, which the guest then has to complete. */
	return e->guest.can & can &&
	       e->guest.can & (can == NET_CAN_GSO4 ? NET_CAN_CSUM4 : NET_CAN_CSUM6);
}

/* Hold the frame for its queue. */
static void hold(struct net_engine *e, const struct net_frame *f)
{
	struct net_held *held = &e->held;
	unsigned nr;

	held->valid = true;
	held->frame = *f;
	held->since = 0;
	held->hash = 0;
	held->hash_type = net_hash_frame(&e->hash, f, &held->hash);
	nr = net_hash_queue(&e->hash, f, held->hash_type, held->hash, e->guest.nr_queues);
	held->queue = &e->queues[nr];
	held->slots = (f->len + NET_PAGE - 1) / NET_PAGE + !!f->gso + (held->hash_type >= 0);
}

static bool is_for_guest(const struct net_engine *e, const struct net_frame *f)
{
	return !__atomic_load_n(&e->mcast_control, __ATOMIC_RELAXED) ||
	       net_mcast_wanted(&e->mcast, f->data);
}

static void accept(struct net_engine *e, struct net_frame *f)
{
	if (f->len < NET_ETHER_HEADER || f->len > NET_FRAME_MAX || !is_for_guest(e, f)) {
		drop(e);
		return;
	}
	if (f->gso && !takes_segment(e, f)) {
		if (!net_segment_begin(&e->segments, f))
			drop(e);
		return;
	}
	if ((!e->guest.sg && f->len > NET_PAGE) || !adapt_checksum(e, f))
		drop(e);
	else
		hold(e, f);
}

/* Have a frame in hand. */
static enum net_step fetch(struct net_engine *e)
{
	struct net_frame f;
	int rc;

	if (e->segments.active) {
		net_segment_next(&e->segments, e->rx_buffer, &f);
		accept(e, &f);
		return NET_MOVED;
	}
	if (e->link_ended)
		return NET_NOTHING;
	rc = e->link->ops->receive(e->link, &f);
	if (rc < 0)
		net_engine_link_ended(e);
	if (rc <= 0)
		return NET_NOTHING;
	accept(e, &f);
	return NET_MOVED;
}

static unsigned first_flags(const struct net_held *held)
{
	const struct net_frame *f = &held->frame;
	unsigned flags = 0;

	if (f->csum_blank)
		flags = NETRXF_csum_blank | NETRXF_data_validated;
	else if (f->validated)
		flags = NETRXF_data_validated;
	if (f->gso || held->hash_type >= 0)
		flags |= NETRXF_extra_info;
	return flags;
}

static void put_extra(struct net_queue *q, const struct netif_extra_info *extra)
{
	net_ring_answer(&q->rx, extra, sizeof(*extra));
}

/* They take the places of requests, whose pages stay unused. */
static void put_extras(const struct net_held *held)
{
	struct netif_extra_info extra;

	if (held->frame.gso) {
		extra = (struct netif_extra_info){.type = XEN_NETIF_EXTRA_TYPE_GSO};
		extra.flags = held->hash_type >= 0 ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
		extra.u.gso.size = held->frame.gso_size;
		extra.u.gso.type = held->frame.gso;
		put_extra(held->queue, &extra);
	}
	if (held->hash_type >= 0) {
		extra = (struct netif_extra_info){.type = XEN_NETIF_EXTRA_TYPE_HASH};
		extra.u.hash.type = held->hash_type;
		extra.u.hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
		memcpy(extra.u.hash.value, &held->hash, sizeof(held->hash));
		put_extra(held->queue, &extra);
	}
}

/* One page's worth; a page that cannot be written is answered by an error. */
static void put_page(struct net_engine *e, struct net_queue *q, const uint8_t *data, uint32_t len,
		     unsigned flags)
{
	struct netif_rx_response response = {.flags = flags, .status = (int16_t)len};
	struct netif_rx_request request;

	net_ring_peek(&q->rx, 0, &request, sizeof(request));
	response.id = request.id;
	if (grant_copy_to(e->domain, request.gref, 0, data, len) != GNTST_okay)
		response.status = NETIF_RSP_ERROR;
	net_count(&e->stats->grants_copied, 1);
	net_ring_answer(&q->rx, &response, sizeof(response));
}

static void deliver(struct net_engine *e)
{
	struct net_held *held = &e->held;
	const uint8_t *data = held->frame.data;
	unsigned flags = first_flags(held);

	for (uint32_t left = held->frame.len, len; left; left -= len, data += len) {
		len = left < NET_PAGE ? left : NET_PAGE;
		if (left > len)
			flags |= NETRXF_more_data;
		put_page(e, held->queue, data, len, flags);
		if (flags & NETRXF_extra_info)
			put_extras(held);
		flags = 0;
	}
	held->valid = false;
	held->queue->rx_stalled = false;
	net_count(&e->stats->rx_packets, 1);
	net_count(&e->stats->rx_bytes, held->frame.len);
}

/* No room: a guest that does not make any for long does not keep the others' frames. */
static enum net_step wait_for_room(struct net_engine *e, uint64_t now)
{
	struct net_held *held = &e->held;

	if (!held->since)
		held->since = now;
	held->queue->rx_stalled |= now - held->since >= NET_STALL_NS;
	if (!held->queue->rx_stalled) {
		if (e->link->readable && e->link->ops->absorb)
			e->link->ops->absorb(e->link);
		return NET_WAITS;
	}
	drop(e);
	return NET_MOVED;
}

enum net_step net_rx_step(struct net_engine *e, uint64_t now)
{
	struct net_ring *ring;
	uint32_t waiting;

	if (!e->held.valid) {
		enum net_step step = fetch(e);

		if (!e->held.valid)
			return step;
	}
	ring = &e->held.queue->rx;
	waiting = net_ring_waiting(ring);
	if (waiting > ring->entries)
		return net_engine_fail(e, "an rx ring of %u slots has %u requests", ring->entries,
				       waiting);
	if (waiting < e->held.slots)
		return wait_for_room(e, now);
	deliver(e);
	return NET_MOVED;
}
