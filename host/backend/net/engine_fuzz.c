// SPDX-License-Identifier: BSD-2-Clause
/*
 * A frontend that writes anything into its rings, at any time: between two rounds, and within one,
 * whenever the engine turns to a grant or to the link. What reaches the link are frames, what is
 * answered was asked for, and a connection that fails can be begun again.
 *
 * The input is read front to back; where it ends everything is 0, so any bytes are a sequence.
 */
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/fake_front.h"
#include "host/backend/net/fake_link.h"
#include "host/backend/net/test_frame.h"
#include "shim/fuzz_input.h"

#define MAX_STEPS  200
#define MAX_ROUNDS 3000 /* of one connection's, all steps together */

struct fuzz {
	struct fake_front front;
	struct fake_link *link;
	struct net_engine *engine;
	struct net_stats stats;
	struct input in;
	int report_fd;
	uint64_t now;
	bool inside; /* the engine */
	uint8_t data[NET_FRAME_MAX];
};

static struct fuzz fuzz;

static struct front_ring *ring_of(struct fuzz *z, unsigned which)
{
	switch (which % 5) {
	case 0:
		return &z->front.queues[0].tx;
	case 1:
		return &z->front.queues[0].rx;
	case 2:
		return &z->front.queues[1].tx;
	case 3:
		return &z->front.queues[1].rx;
	default:
		return &z->front.ctrl;
	}
}

/* One word of a ring's page: in its head, or in the entries that are in use. */
static void scribble(struct fuzz *z)
{
	struct front_ring *r = ring_of(z, take(&z->in, 1));
	uint8_t *page = (uint8_t *)r->head;
	unsigned where = take(&z->in, 1), offset;
	uint32_t value = take(&z->in, 4);

	if (where < 16) {
		memcpy(page + (where & 12), &value, sizeof(value));
		return;
	}
	offset = ((r->req_prod - where / 32) & (r->nr - 1)) * r->size + where % 4 * 4 % r->size;
	memcpy(r->entries + offset, &value, sizeof(value));
}

static void maybe_scribble(struct fuzz *z)
{
	if (z->inside && take(&z->in, 1) % 8 == 1)
		scribble(z);
}

int __real_grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to,
			   unsigned len);
int __real_grant_copy_to(struct domain *d, grant_ref_t ref, unsigned offset, const void *from,
			 unsigned len);

int __wrap_grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to,
			   unsigned len);
int __wrap_grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to,
			   unsigned len)
{
	maybe_scribble(&fuzz);
	return __real_grant_copy_from(d, ref, offset, to, len);
}

int __wrap_grant_copy_to(struct domain *d, grant_ref_t ref, unsigned offset, const void *from,
			 unsigned len);
int __wrap_grant_copy_to(struct domain *d, grant_ref_t ref, unsigned offset, const void *from,
			 unsigned len)
{
	maybe_scribble(&fuzz);
	return __real_grant_copy_to(d, ref, offset, from, len);
}

static const struct net_link_ops *real_ops;

static int fuzz_receive(struct net_link *link, struct net_frame *f)
{
	maybe_scribble(&fuzz);
	return real_ops->receive(link, f);
}

static uint8_t *fuzz_reserve(struct net_link *link, unsigned frames)
{
	maybe_scribble(&fuzz);
	fuzz.link->out_nr = 0;
	return real_ops->reserve(link, frames);
}

static bool fuzz_commit(struct net_link *link, const struct net_frame *f)
{
	struct net_headers h;

	if (f->len < NET_ETHER_HEADER || f->len > NET_FRAME_MAX)
		fail("a frame of %u bytes\n", f->len);
	net_headers_parse(f->data, f->len, &h);
	if (f->gso && (!h.payload || !f->gso_size))
		fail("a large segment that is none\n");
	if (f->csum_blank && f->csum_start + f->csum_offset + 2u > f->len)
		fail("a checksum at %u beyond %u\n", f->csum_start + f->csum_offset, f->len);
	return real_ops->commit(link, f);
}

static int fuzz_flush(struct net_link *link)
{
	return real_ops->flush(link);
}

static const struct net_link_ops fuzz_ops = {
	.receive = fuzz_receive,
	.reserve = fuzz_reserve,
	.commit = fuzz_commit,
	.flush = fuzz_flush,
};

static void step_slot(struct fuzz *z)
{
	struct front_ring *r = ring_of(z, take(&z->in, 1));
	uint64_t words[2] = {take(&z->in, 8), take(&z->in, 4)};

	/* Half of them name a buffer that is one. */
	if (r->size == 12 && words[1] & 0x80000000)
		words[0] = (words[0] & ~0xffffffffull) | (0x60 + (words[0] & 0x3f));
	front_put(r, words, r->size);
}

static void step_push(struct fuzz *z)
{
	struct front_ring *r = ring_of(z, take(&z->in, 1));

	if (take(&z->in, 1) == 0xff)
		r->req_prod += take(&z->in, 2);
	front_push(r);
}

static uint32_t any_frame(struct fuzz *z)
{
	unsigned kind = take(&z->in, 1);
	struct test_frame t = {.ipv6 = kind & 1,
			       .udp = kind & 2,
			       .vlan = kind & 4,
			       .blank = kind & 8,
			       .source_port = kind,
			       .payload = take(&z->in, 2) % 60000};
	uint32_t len = test_frame_build(&t, z->data);

	for (unsigned i = kind >> 6; i; i--)
		z->data[take(&z->in, 1) % 90] = take(&z->in, 1);
	return len;
}

static void step_frame(struct fuzz *z)
{
	uint32_t len = any_frame(z);
	unsigned queue = take(&z->in, 1) % FRONT_QUEUES;
	uint16_t flags = take(&z->in, 1) & (NETTXF_csum_blank | NETTXF_data_validated);

	front_put_frame(&z->front, queue, z->data, len, flags, take(&z->in, 1) % 3,
			take(&z->in, 2));
	front_push(&z->front.queues[queue].tx);
}

static void step_link(struct fuzz *z)
{
	uint32_t len = any_frame(z);
	struct net_frame f = {.gso = take(&z->in, 1) % 3,
			      .gso_size = take(&z->in, 2),
			      .csum_blank = take(&z->in, 1) & 1};

	if (z->link->in_next == z->link->in_nr)
		z->link->in_next = z->link->in_nr = 0;
	if (z->link->in_nr < 8)
		fake_link_put(z->link, &f, z->data, len);
}

static void step_control(struct fuzz *z)
{
	uint8_t *page = fake_front_page(&z->front, FRONT_DATA_REF);
	uint32_t a, b;

	page[take(&z->in, 1) * 4 % 512] = take(&z->in, 1);
	a = take(&z->in, 1);
	b = take(&z->in, 1);
	front_control(&z->front, take(&z->in, 1) % 12, a & 0x80 ? FRONT_DATA_REF : a, b,
		      take(&z->in, 1));
}

static void step_link_kind(struct fuzz *z)
{
	unsigned kind = take(&z->in, 1);

	z->link->link.can =
		kind & 1 ? NET_CAN_CSUM4 | NET_CAN_CSUM6 | NET_CAN_GSO4 | NET_CAN_GSO6 : 0;
	z->link->link.frame_max = kind & 2 ? kind * 256 : 0;
	z->link->room = kind & 4 ? kind >> 4 : 1000000;
}

static void begin(struct fuzz *z)
{
	struct problem p;

	z->engine = net_engine_attach(&z->front.fake->domain, &z->link->link, &z->front.guest, 0, 0,
				      &z->stats, z->report_fd, &p);
}

static void end(struct fuzz *z)
{
	if (z->engine)
		net_engine_detach(z->engine);
	z->engine = NULL;
	for (unsigned i = 0; i < 5; i++) {
		struct front_ring *r = ring_of(z, i);

		memset(r->head, 0, NET_PAGE);
		r->head->req_event = r->head->rsp_event = 1;
		r->req_prod = r->rsp_cons = 0;
	}
}

/* No more is answered than was asked for. */
static void check(struct fuzz *z)
{
	for (unsigned i = 0; i < z->front.guest.nr_queues; i++) {
		const struct net_queue *q = &z->engine->queues[i];

		if (q->tx.published != q->tx.done || q->rx.published != q->rx.done)
			fail("an answer that is not shown\n");
	}
}

static void step_serve(struct fuzz *z, unsigned *rounds)
{
	z->now += take(&z->in, 1) * 100000000ull;
	if (!z->engine)
		begin(z);
	z->inside = true;
	while (z->engine && net_engine_serve(z->engine, z->now) && ++*rounds < MAX_ROUNDS)
		check(z);
	z->inside = false;
	if (z->engine && !z->engine->failed)
		net_engine_arm(z->engine);
	else
		end(z);
}

static void step(struct fuzz *z, unsigned *rounds)
{
	switch (take(&z->in, 1) % 12) {
	case 0:
	case 1:
		step_slot(z);
		break;
	case 2:
		step_push(z);
		break;
	case 3:
		scribble(z);
		break;
	case 4:
	case 5:
		step_frame(z);
		break;
	case 6:
		front_offer(&z->front, take(&z->in, 1) % FRONT_QUEUES, take(&z->in, 1) % 64);
		break;
	case 7:
		step_link(z);
		break;
	case 8:
		step_control(z);
		break;
	case 9:
		step_link_kind(z);
		break;
	default:
		step_serve(z, rounds);
		break;
	}
}

static void set_up(struct fuzz *z)
{
	struct fake *fake = fake_create(true);

	z->link = fake_link_create();
	z->report_fd = eventfd(0, EFD_NONBLOCK);
	if (!fake || !z->link)
		fail("no memory\n");
	real_ops = z->link->link.ops;
	z->link->link.ops = &fuzz_ops;
	fake_front_init(&z->front, fake, FRONT_QUEUES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *z = &fuzz;
	unsigned rounds = 0, can;

	if (!z->link)
		set_up(z);
	z->in = (struct input){data, size};
	z->now = 1;
	end(z);
	z->link->in_next = z->link->in_nr = 0;
	z->link->room = 1000000;
	can = take(&z->in, 1);
	z->front.guest.can = can & 0xf;
	z->front.guest.sg = !(can & 0x10);
	z->front.guest.mcast_control = can & 0x20;
	z->front.guest.nr_queues = can & 0x40 ? 1 : 2;
	for (unsigned i = 0; i < MAX_STEPS && z->in.left; i++)
		step(z, &rounds);
	step_serve(z, &rounds);
	end(z);
	return 0;
}
