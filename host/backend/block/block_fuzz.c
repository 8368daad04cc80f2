// SPDX-License-Identifier: BSD-2-Clause
/*
 * libFuzzer target: a hostile frontend. The input is what it does: requests, and bytes of any kind
 * in the ring, in the pages of segments and in its grants; images that are slow or fail. What is
 * read twice is not twice the same: whenever the queue looks at the ring, copies segments or maps
 * pages (--wrap), some bytes change; and if the input says so, a second thread changes them to and
 * fro all the time.
 *
 * The image ends the run when it is asked what no image may be asked (test_image.h); and in the end
 * nothing of the guest's may still be in use.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "host/backend/block/queue.h"
#include "host/backend/block/test_frontend.h"
#include "host/backend/block/test_image.h"
#include "shim/fake_events.h"
#include "shim/fuzz_input.h"

#define MAX_STEPS 200

/* Bytes that go to and fro. */
struct flip {
	uint8_t *at, value[2];
};

struct subject {
	struct fake *fake;
	struct front front;
	struct test_image image;
	struct block_disk disk;
	struct block_queue queue;

	struct flip flips[16];
	unsigned nr_flips, turn;
	bool flipping;   /* atomic */
	unsigned rounds; /* atomic */
};

static struct subject subject;

static void broken(void *opaque, const char *why)
{
	(void)opaque;
	(void)why;
}

/* In the middle of the queue's work. */
static void flip_some(void)
{
	struct subject *s = &subject;

	s->turn++;
	for (unsigned i = 0; i < s->nr_flips; i++)
		__atomic_store_n(s->flips[i].at, s->flips[i].value[s->turn % 2], __ATOMIC_RELAXED);
}

int __real_block_ring_waiting(const struct block_ring *ring);
void __real_block_ring_take(struct block_ring *ring, struct block_request *r);
int __real_grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to,
			   unsigned len);
int __real_grant_map_all(struct domain *d, const grant_ref_t *refs, unsigned n, bool write,
			 struct grant_mapping *m, unsigned *failed);

int __wrap_block_ring_waiting(const struct block_ring *ring)
{
	int waiting = __real_block_ring_waiting(ring);

	flip_some();
	return waiting;
}

void __wrap_block_ring_take(struct block_ring *ring, struct block_request *r)
{
	__real_block_ring_take(ring, r);
	flip_some();
}

int __wrap_grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to,
			   unsigned len)
{
	int rc = __real_grant_copy_from(d, ref, offset, to, len);

	flip_some();
	return rc;
}

int __wrap_grant_map_all(struct domain *d, const grant_ref_t *refs, unsigned n, bool write,
			 struct grant_mapping *m, unsigned *failed)
{
	flip_some();
	return __real_grant_map_all(d, refs, n, write, m, failed);
}

static void *flip_bytes(void *opaque)
{
	struct subject *s = opaque;

	while (__atomic_load_n(&s->flipping, __ATOMIC_ACQUIRE)) {
		for (unsigned i = 0; i < 2 * s->nr_flips; i++)
			__atomic_store_n(s->flips[i / 2].at, s->flips[i / 2].value[i % 2],
					 __ATOMIC_RELAXED);
		__atomic_fetch_add(&s->rounds, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* A byte that says something: of the indexes, of the head of a request, or of a segment. */
static uint8_t *any_byte(struct subject *s, struct input *in)
{
	static const unsigned of_segment[] = {0, 1, 4, 5};
	uint64_t where = take(in, 1), which = take(in, 1);

	if (where & 0x80)
		return s->fake->ram + FRONT_INDIRECT * GUEST_PAGE_SIZE + which % 32 * 8 +
		       of_segment[where % 4];
	if (where == 0)
		return front_ring_at(&s->front, which % 16);
	return front_ring_at(&s->front, (unsigned)(64 + where % 4 * 112 + which % 112));
}

static void read_flips(struct subject *s, struct input *in)
{
	s->nr_flips = take(in, 1) % (sizeof(s->flips) / sizeof(s->flips[0]) + 1);
	for (unsigned i = 0; i < s->nr_flips; i++) {
		s->flips[i].at = any_byte(s, in);
		s->flips[i].value[0] = (uint8_t)(take(in, 1) % 16);
		s->flips[i].value[1] = (uint8_t)take(in, 1);
	}
}

static void put_request(struct subject *s, struct input *in)
{
	struct front_request *r = front_request((uint8_t)(take(in, 1) % 8), take(in, 1));
	unsigned odd = (unsigned)take(in, 1);

	r->indirect = odd & 1;
	r->nr_segments = (uint16_t)(take(in, 2) % (r->indirect ? 270 : 13));
	r->sector = take(in, 2) % (odd & 2 ? 9000 : 4000);
	r->nr_sectors = take(in, 2);
	r->flag = odd >> 2 & 1;
	for (unsigned i = 0; i < r->nr_segments; i++)
		r->seg[i] =
			(struct blkif_request_segment){FRONT_DATA_REF + i % FRONT_DATA_PAGES, 0, 7};
	if (odd & 8)
		r->seg[take(in, 1)].last_sect = (uint8_t)(take(in, 1) % 9);
	front_put(&s->front, r);
	front_show(&s->front);
}

static void change_grant(struct subject *s, struct input *in)
{
	static const uint16_t flags[] = {GTF_invalid, GTF_permit_access,
					 GTF_permit_access | GTF_readonly, GTF_accept_transfer};
	grant_ref_t ref = FRONT_INDIRECT_REF + take(in, 1);

	fake_grant(s->fake, ref, flags[take(in, 1) % 4], take(in, 1) % 8 ? 0 : 3,
		   FRONT_DATA + take(in, 1));
}

static void step(struct subject *s, struct input *in)
{
	struct test_image *image = &s->image;

	switch (take(in, 1) % 10) {
	case 0:
	case 1:
	case 2:
		put_request(s, in);
		break;
	case 3:
		*any_byte(s, in) = (uint8_t)take(in, 1);
		break;
	case 4:
		change_grant(s, in);
		break;
	case 5:
		image->hold = take(in, 1) & 1;
		break;
	case 6:
		if (image->nr_held)
			test_image_release(image, take(in, 1) % image->nr_held);
		break;
	case 7:
		image->error = take(in, 1) & 1 ? -EIO : 0;
		break;
	case 8:
		image->common.size = take(in, 3) % (TEST_IMAGE_SIZE + 1);
		break;
	default:
		front_indexes(&s->front)->req_prod = s->front.req_prod +=
			(RING_IDX)take(in, 1) % 40;
	}
	block_queue_serve(&s->queue);
	if (s->queue.busy > s->queue.ring.entries)
		fail("%u requests are in work at once\n", s->queue.busy);
}

static void settle(struct subject *s)
{
	s->nr_flips = 0;
	s->image.hold = false;
	do
		test_image_release_all(&s->image);
	while (block_queue_serve(&s->queue) || s->image.nr_held);
	if (s->queue.busy)
		fail("%u requests are never answered\n", s->queue.busy);
}

static void play(struct subject *s, struct input *in)
{
	pthread_t other = 0;

	read_flips(s, in);
	s->flipping = s->nr_flips && take(in, 1) % 4 == 3;
	s->rounds = 0;
	if (s->flipping && pthread_create(&other, NULL, flip_bytes, s))
		fail("no second thread\n");
	while (s->flipping && !__atomic_load_n(&s->rounds, __ATOMIC_ACQUIRE))
		sched_yield();
	for (unsigned i = 0; i < MAX_STEPS && in->left; i++)
		step(s, in);
	if (s->flipping) {
		__atomic_store_n(&s->flipping, false, __ATOMIC_RELEASE);
		pthread_join(other, NULL);
	}
	settle(s);
}

static void prepare(struct subject *s, struct input *in)
{
	unsigned shape = (unsigned)take(in, 1);

	if (!s->fake)
		s->fake = fake_create(true);
	if (s->front.port)
		fake_close(s->fake, s->front.port);
	front_init(&s->front, s->fake, shape & 1 ? BLOCK_ABI_32 : BLOCK_ABI_64,
		   1u << (shape >> 5) % 5);
	s->image.hold = false;
	s->image.error = 0;
	s->image.logged = 0;
	s->image.common.size = TEST_IMAGE_SIZE;
	s->image.common.readonly = shape & 2;
	s->disk = (struct block_disk){
		.domain = &s->fake->domain,
		.name = "xvda",
		.readonly = shape & 2,
		.discard = shape & 4 && !(shape & 2),
		.keep_grants = shape & 8,
		.broken = broken,
	};
}

static void open_queue(struct subject *s)
{
	struct problem p;

	if (block_queue_open(&s->queue, &s->disk, s->front.abi, s->front.ring_refs,
			     s->front.nr_pages, s->front.port, &p))
		fail("%s\n", p.text);
	s->queue.image = &s->image.common;
	s->queue.io = s->image.common.ops->open_queue(&s->image.common, s->queue.kick, &p);
	s->queue.said = -EIO; /* an error of the image is nothing new */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct subject *s = &subject;

	if (!s->image.common.ops)
		test_image_init(&s->image);
	prepare(s, &in);
	s->image.memory = s->fake->ram;
	s->image.memory_size = FAKE_RAM_SIZE;
	open_queue(s);
	play(s, &in);
	block_queue_close(&s->queue);
	if (grants_in_use(&s->fake->domain.grants, 0))
		fail("a grant is still in use\n");
	return 0;
}
