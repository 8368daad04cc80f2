// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/fake_front.h"

#include <stdlib.h>
#include <string.h>

#define RINGS_AT 0x40u
#define TX_AT    0x60u
#define RX_AT    0x100u

uint8_t *fake_front_page(struct fake_front *ff, grant_ref_t ref)
{
	return ff->fake->ram + (size_t)ref * NET_PAGE;
}

static void grant_page(struct fake_front *ff, grant_ref_t ref, uint16_t flags)
{
	fake_grant(ff->fake, ref, GTF_permit_access | flags, 0, ref);
}

static void init_ring(struct fake_front *ff, struct front_ring *r, grant_ref_t ref, unsigned size)
{
	unsigned room = (NET_PAGE - 64) / size;

	grant_page(ff, ref, 0);
	*r = (struct front_ring){
		.head = (struct net_ring_head *)(void *)fake_front_page(ff, ref),
		.entries = fake_front_page(ff, ref) + 64,
		.nr = 1u << (31 - __builtin_clz(room)),
		.size = size,
	};
	*r->head = (struct net_ring_head){.req_event = 1, .rsp_event = 1};
}

static evtchn_port_t new_port(struct fake_front *ff)
{
	long port = fake_alloc_unbound(ff->fake, DOMID_SELF, 0);

	if (port <= 0)
		abort();
	return (evtchn_port_t)port;
}

static void init_queue(struct fake_front *ff, unsigned i)
{
	struct net_guest_queue *g = &ff->guest.queues[i];

	g->tx_ref = RINGS_AT + 2 * i;
	g->rx_ref = RINGS_AT + 2 * i + 1;
	g->tx_port = new_port(ff);
	g->rx_port = new_port(ff);
	init_ring(ff, &ff->queues[i].tx, g->tx_ref, sizeof(union netif_tx_sring_entry));
	init_ring(ff, &ff->queues[i].rx, g->rx_ref, sizeof(union netif_rx_sring_entry));
}

void fake_front_init(struct fake_front *ff, struct fake *fake, unsigned nr_queues)
{
	memset(ff, 0, sizeof(*ff));
	ff->fake = fake;
	ff->guest = (struct net_guest){
		.can = NET_CAN_CSUM4 | NET_CAN_CSUM6 | NET_CAN_GSO4 | NET_CAN_GSO6,
		.sg = true,
		.rx_notify = true,
		.has_ctrl = true,
		.ctrl_ref = FRONT_CTRL_REF,
		.ctrl_port = new_port(ff),
		.nr_queues = nr_queues,
	};
	for (unsigned i = 0; i < nr_queues; i++)
		init_queue(ff, i);
	init_ring(ff, &ff->ctrl, FRONT_CTRL_REF, sizeof(union xen_netif_ctrl_sring_entry));
	grant_page(ff, FRONT_DATA_REF, 0);
	grant_page(ff, FRONT_READONLY, GTF_readonly);
	for (unsigned i = 0; i < FRONT_TX_PAGES * FRONT_QUEUES; i++)
		grant_page(ff, TX_AT + i, GTF_readonly);
	for (unsigned i = 0; i < FRONT_RX_PAGES * FRONT_QUEUES; i++)
		grant_page(ff, RX_AT + i, 0);
}

static uint32_t *entry(const struct front_ring *r, RING_IDX index)
{
	return (uint32_t *)(void *)(r->entries + (size_t)(index & (r->nr - 1)) * r->size);
}

/* Word by word and atomic, as the other side: sanitizers then see that nothing races. */
void front_put(struct front_ring *r, const void *request, size_t size)
{
	uint32_t *to = entry(r, r->req_prod++), words[NET_ENTRY_WORDS] = {0};

	memcpy(words, request, size);
	for (size_t i = 0; i < (size + 3) / 4; i++)
		__atomic_store_n(&to[i], words[i], __ATOMIC_RELAXED);
}

bool front_push(struct front_ring *r)
{
	RING_IDX old = __atomic_load_n(&r->head->req_prod, __ATOMIC_RELAXED);

	__atomic_store_n(&r->head->req_prod, r->req_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return r->req_prod - __atomic_load_n(&r->head->req_event, __ATOMIC_RELAXED) <
	       r->req_prod - old;
}

static bool has_response(struct front_ring *r)
{
	return __atomic_load_n(&r->head->rsp_prod, __ATOMIC_ACQUIRE) != r->rsp_cons;
}

bool front_take(struct front_ring *r, void *response, size_t size)
{
	const uint32_t *from = entry(r, r->rsp_cons);
	uint32_t words[NET_ENTRY_WORDS];

	if (!has_response(r)) {
		__atomic_store_n(&r->head->rsp_event, r->rsp_cons + 1, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!has_response(r))
			return false;
	}
	for (size_t i = 0; i < size / 4; i++)
		words[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	memcpy(response, words, size);
	r->rsp_cons++;
	return true;
}

static grant_ref_t next_tx_page(struct front_queue *q, unsigned queue)
{
	return TX_AT + queue * FRONT_TX_PAGES + q->tx_page++ % FRONT_TX_PAGES;
}

void front_put_frame(struct fake_front *ff, unsigned queue, const uint8_t *data, uint32_t len,
		     uint16_t flags, uint8_t gso, uint16_t gso_size)
{
	struct front_queue *q = &ff->queues[queue];
	struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

	for (uint32_t done = 0; done < len || !done;) {
		uint32_t part = len - done < NET_PAGE ? len - done : NET_PAGE;
		struct netif_tx_request r = {
			.gref = next_tx_page(q, queue),
			.flags = done ? 0 : flags,
			.id = (uint16_t)q->tx.req_prod,
			.size = (uint16_t)(done ? part : len),
		};

		memcpy(fake_front_page(ff, r.gref), data + done, part);
		if (done + part < len)
			r.flags |= NETTXF_more_data;
		if (gso_size && !done)
			r.flags |= NETTXF_extra_info;
		front_put(&q->tx, &r, sizeof(r));
		if (gso_size && !done) {
			extra.u.gso.size = gso_size;
			extra.u.gso.type = gso;
			front_put(&q->tx, &extra, sizeof(extra));
		}
		done += part ? part : 1;
	}
}

int front_status(struct fake_front *ff, unsigned queue, unsigned slots)
{
	struct netif_tx_response r;
	int status = -100;

	for (unsigned i = 0; i < slots; i++) {
		if (!front_take(&ff->queues[queue].tx, &r, sizeof(r)))
			return -100;
		if (r.status == NETIF_RSP_NULL)
			continue;
		if (status != -100 && status != r.status)
			return -100;
		status = r.status;
	}
	return status;
}

void front_offer(struct fake_front *ff, unsigned queue, unsigned n)
{
	struct front_queue *q = &ff->queues[queue];

	for (unsigned i = 0; i < n; i++) {
		struct netif_rx_request r = {
			.id = (uint16_t)q->rx.req_prod,
			.gref = RX_AT + queue * FRONT_RX_PAGES + q->rx_page++ % FRONT_RX_PAGES,
		};

		q->rx_refs[q->rx.req_prod % 256] = r.gref;
		front_put(&q->rx, &r, sizeof(r));
	}
	if (front_push(&q->rx))
		fake_send(ff->fake, ff->guest.queues[queue].rx_port);
}

static bool take_extras(struct front_queue *q, struct front_packet *p)
{
	struct netif_extra_info extra;

	do {
		if (!front_take(&q->rx, &extra, sizeof(extra)) ||
		    extra.type >= XEN_NETIF_EXTRA_TYPE_MAX)
			return false;
		p->extra[extra.type] = extra;
		p->slots++;
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	return true;
}

static void take_data(struct fake_front *ff, struct front_packet *p, grant_ref_t ref,
		      const struct netif_rx_response *r)
{
	if (r->status < 0) {
		p->error = r->status;
		return;
	}
	memcpy(p->data + p->len, fake_front_page(ff, ref) + r->offset, (size_t)r->status);
	p->len += (uint32_t)r->status;
}

bool front_receive(struct fake_front *ff, unsigned queue, struct front_packet *p)
{
	struct front_queue *q = &ff->queues[queue];
	struct netif_rx_response r;
	bool first = true;

	p->len = p->slots = 0;
	p->error = 0;
	memset(p->extra, 0, sizeof(p->extra));
	do {
		RING_IDX slot = q->rx.rsp_cons;

		if (!front_take(&q->rx, &r, sizeof(r)))
			return false;
		if (r.id != (uint16_t)slot)
			abort();
		p->slots++;
		take_data(ff, p, q->rx_refs[slot % 256], &r);
		if (first)
			p->flags = r.flags;
		first = false;
		if (r.flags & NETRXF_extra_info && !take_extras(q, p))
			return false;
	} while (r.flags & NETRXF_more_data);
	return true;
}

void front_control(struct fake_front *ff, uint16_t type, uint32_t a, uint32_t b, uint32_t c)
{
	struct xen_netif_ctrl_request r = {
		.id = (uint16_t)ff->ctrl.req_prod, .type = type, .data = {a, b, c}};

	front_put(&ff->ctrl, &r, sizeof(r));
	if (front_push(&ff->ctrl))
		fake_send(ff->fake, ff->guest.ctrl_port);
}
