// SPDX-License-Identifier: BSD-2-Clause
/* From the guest to the link (public header io/netif.h, "Guest transmit"). */
#include "host/backend/net/checksum.h"
#include "host/backend/net/engine.h"

/*
 * Requests of one packet besides the first and its extra infos. More than MAX: no packet is so
 * (error response); more than FATAL: not in good faith. As Linux's netback.
 */
#define FRAGS_MAX   XEN_NETIF_NR_SLOTS_MIN
#define FRAGS_FATAL 20u

/* A packet as the ring tells it, copied. */
struct chain {
	struct netif_tx_request req[1 + FRAGS_FATAL];
	unsigned nr;                                             /* of these */
	struct netif_extra_info extra[XEN_NETIF_EXTRA_TYPE_MAX]; /* by type; type 0: not there */
	unsigned extras;                                         /* their slots in the ring */
	uint32_t len;                                            /* of the packet */
	bool bad;                                                /* to be answered by an error */
};

static enum net_step read_extras(struct net_engine *e, struct net_queue *q, struct chain *c,
				 uint32_t waiting)
{
	struct netif_extra_info extra;

	do {
		if (1 + c->extras == waiting)
			return net_engine_fail(e, "an extra info is missing in a tx ring");
		net_ring_peek(&q->tx, 1 + c->extras++, &extra, sizeof(extra));
		if (!extra.type || extra.type >= XEN_NETIF_EXTRA_TYPE_MAX)
			return net_engine_fail(e, "an extra info of unknown type %u", extra.type);
		c->extra[extra.type] = extra;
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	return NET_MOVED;
}

/* What follows the first: its size is the packet's, so the others' are taken off it. */
static enum net_step read_frags(struct net_engine *e, struct net_queue *q, struct chain *c,
				uint32_t waiting)
{
	struct netif_tx_request *r = &c->req[0];

	while (r->flags & NETTXF_more_data) {
		if (c->nr + c->extras == waiting)
			return net_engine_fail(e, "a packet has no end in a tx ring");
		if (c->nr > FRAGS_FATAL)
			return net_engine_fail(e, "a packet of more than %u slots", FRAGS_FATAL);
		r = &c->req[c->nr];
		net_ring_peek(&q->tx, c->nr++ + c->extras, r, sizeof(*r));
		if ((uint32_t)r->offset + r->size > NET_PAGE)
			return net_engine_fail(e, "a slot of %u bytes at %u crosses its page",
					       r->size, r->offset);
		/* A packet of 64 KiB and more, which some frontends send, looks like this. */
		c->bad |= r->size > c->req[0].size;
		c->req[0].size -= r->size;
	}
	c->bad |= c->nr > 1 + FRAGS_MAX;
	return NET_MOVED;
}

static enum net_step check_gso(struct net_engine *e, const struct netif_extra_info *gso)
{
	if (!gso->type)
		return NET_MOVED;
	if (!gso->u.gso.size)
		return net_engine_fail(e, "large segments are to be cut into pieces of no size");
	if (gso->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
	    gso->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6)
		return net_engine_fail(e, "a large segment of unknown type %u", gso->u.gso.type);
	return NET_MOVED;
}

static enum net_step read_chain(struct net_engine *e, struct net_queue *q, struct chain *c,
				uint32_t waiting)
{
	struct netif_tx_request *first = &c->req[0];

	c->nr = 1;
	c->extras = 0;
	c->bad = false;
	for (unsigned i = 0; i < XEN_NETIF_EXTRA_TYPE_MAX; i++)
		c->extra[i].type = XEN_NETIF_EXTRA_TYPE_NONE;
	net_ring_peek(&q->tx, 0, first, sizeof(*first));
	c->len = first->size;
	if (first->flags & NETTXF_extra_info && read_extras(e, q, c, waiting) == NET_FAILED)
		return NET_FAILED;
	/* A message about the filter: it has no data. */
	if (c->extra[XEN_NETIF_EXTRA_TYPE_MCAST_ADD].type ||
	    c->extra[XEN_NETIF_EXTRA_TYPE_MCAST_DEL].type)
		return NET_MOVED;
	if (read_frags(e, q, c, waiting) == NET_FAILED)
		return NET_FAILED;
	c->bad |= c->len < NET_ETHER_HEADER;
	if (c->bad)
		return NET_MOVED;
	if ((uint32_t)first->offset + first->size > NET_PAGE)
		return net_engine_fail(e, "a slot of %u bytes at %u crosses its page", first->size,
				       first->offset);
	return check_gso(e, &c->extra[XEN_NETIF_EXTRA_TYPE_GSO]);
}

/* Every slot of the packet has its answer, those of extra infos an empty one. */
static void answer(struct net_queue *q, const struct chain *c, int status)
{
	struct netif_tx_response response = {.status = status};
	struct netif_tx_response none = {.status = NETIF_RSP_NULL};

	for (unsigned i = 0; i < c->nr; i++) {
		response.id = c->req[i].id;
		net_ring_answer(&q->tx, &response, sizeof(response));
		for (unsigned extra = 0; !i && extra < c->extras; extra++)
			net_ring_answer(&q->tx, &none, sizeof(none));
	}
}

static void answer_error(struct net_engine *e, struct net_queue *q, const struct chain *c)
{
	net_count(&e->stats->tx_errors, 1);
	answer(q, c, NETIF_RSP_ERROR);
}

static bool change_filter(struct net_engine *e, struct net_queue *q, const struct chain *c)
{
	const struct netif_extra_info *add = &c->extra[XEN_NETIF_EXTRA_TYPE_MCAST_ADD];
	const struct netif_extra_info *del = &c->extra[XEN_NETIF_EXTRA_TYPE_MCAST_DEL];
	bool ok = true;

	if (!add->type && !del->type)
		return false;
	if (add->type)
		ok = net_mcast_add(&e->mcast, add->u.mcast.addr);
	else
		net_mcast_del(&e->mcast, del->u.mcast.addr);
	answer(q, c, ok ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	return true;
}

static bool gather(struct net_engine *e, const struct chain *c, uint8_t *to)
{
	for (unsigned i = 0; i < c->nr; i++) {
		const struct netif_tx_request *r = &c->req[i];

		if (!r->size)
			continue;
		if (grant_copy_from(e->domain, r->gref, r->offset, to, r->size) != GNTST_okay)
			return false;
		net_count(&e->stats->grants_copied, 1);
		to += r->size;
	}
	return true;
}

/* Is it what the guest says that it is, and what the interfaces behind us rely on? */
static bool is_large_segment(const struct net_frame *f)
{
	struct net_segmenter s;

	return net_segment_begin(&s, f);
}

static unsigned can_of(const struct net_frame *f)
{
	return f->gso == XEN_NETIF_GSO_TYPE_TCPV4 ? NET_CAN_GSO4 : NET_CAN_GSO6;
}

/* The large segment in tx_buffer, piece by piece. A link without room loses the rest. */
static bool send_pieces(struct net_engine *e, const struct net_frame *f)
{
	struct net_segmenter s;
	struct net_frame piece;
	uint8_t *out = NULL;

	if (!net_segment_begin(&s, f))
		return false;
	if (e->link->frame_max > s.headers.payload + f->gso_size)
		s.frame.gso_size = e->link->frame_max - s.headers.payload;
	while (s.active && (out = e->link->ops->reserve(e->link, 1))) {
		net_segment_next(&s, out, &piece);
		if (!e->link->ops->commit(e->link, &piece))
			return false;
	}
	return !s.active;
}

static bool send_frame(struct net_engine *e, struct net_frame *f)
{
	bool complete = f->gso ? !(e->link->can & can_of(f)) : !(e->link->can & NET_CAN_CSUM4);

	if (f->gso && !is_large_segment(f))
		return false;
	if (f->gso || f->csum_blank) {
		if (!(complete ? net_checksum_complete(f) : net_checksum_prepare(f)))
			return false;
	}
	if (complete)
		f->gso = XEN_NETIF_GSO_TYPE_NONE;
	return e->link->ops->commit(e->link, f);
}

static void describe(struct net_frame *f, const struct chain *c, uint8_t *data)
{
	const struct netif_extra_info *gso = &c->extra[XEN_NETIF_EXTRA_TYPE_GSO];

	*f = (struct net_frame){
		.data = data,
		.len = c->len,
		.csum_blank = c->req[0].flags & NETTXF_csum_blank,
		.validated = c->req[0].flags & NETTXF_data_validated,
	};
	if (gso->type) {
		f->gso = gso->u.gso.type;
		f->gso_size = gso->u.gso.size;
	}
}

static void transmit(struct net_engine *e, struct net_queue *q, const struct chain *c,
		     uint8_t *room)
{
	struct net_frame f;
	bool cut;

	describe(&f, c, room);
	cut = f.gso && !(e->link->can & can_of(&f)) && f.len > e->link->frame_max;
	if (cut)
		f.data = e->tx_buffer;
	if (!gather(e, c, f.data) || !(cut ? send_pieces(e, &f) : send_frame(e, &f))) {
		answer_error(e, q, c);
		return;
	}
	net_count(&e->stats->tx_packets, 1);
	net_count(&e->stats->tx_bytes, c->len);
	answer(q, c, NETIF_RSP_OKAY);
}

static enum net_step serve_packet(struct net_engine *e, struct net_queue *q, const struct chain *c,
				  uint64_t now)
{
	uint8_t *room;

	if (e->link_ended) {
		net_count(&e->stats->tx_errors, 1);
		answer(q, c, NETIF_RSP_DROPPED);
		return NET_MOVED;
	}
	/* Cut into a few pieces, with a header each, it takes more than one. */
	room = e->link->ops->reserve(e->link, c->extra[XEN_NETIF_EXTRA_TYPE_GSO].type ? 2 : 1);
	if (!room || !net_credit_take(&e->credit, c->len, now, &e->credit_until))
		return NET_WAITS;
	transmit(e, q, c, room);
	return NET_MOVED;
}

enum net_step net_tx_step(struct net_engine *e, struct net_queue *q, uint64_t now)
{
	uint32_t waiting = net_ring_waiting(&q->tx);
	struct chain c;

	if (!waiting)
		return NET_NOTHING;
	if (waiting > q->tx.entries)
		return net_engine_fail(e, "a tx ring of %u slots has %u requests", q->tx.entries,
				       waiting);
	if (read_chain(e, q, &c, waiting) == NET_FAILED)
		return NET_FAILED;
	if (change_filter(e, q, &c))
		return NET_MOVED;
	if (c.bad) {
		answer_error(e, q, &c);
		return NET_MOVED;
	}
	return serve_packet(e, q, &c, now);
}
