// SPDX-License-Identifier: BSD-2-Clause
/*
 * libFuzzer target: a hostile frontend. The input is what it does: requests, and bytes of any kind
 * in the ring, in the pages of segments and in its grants; images that are slow or fail. Meanwhile,
 * if the input says so, a second thread changes the same bytes to and fro, so that what is read
 * twice is not twice the same.
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
	unsigned nr_flips;
	bool flipping;   /* atomic */
	unsigned rounds; /* atomic */
};

static struct subject subject;

static void broken(void *opaque, const char *why)
{
	(void)opaque;
	(void)why;
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

/* A byte of the ring or of an indirect page; most often one near the beginning. */
static uint8_t *any_byte(struct subject *s, struct input *in)
{
	uint64_t where = take(in, 2);
	unsigned offset = where & 0x7fff ? (unsigned)(where % (where & 0x4000 ? 4096 : 600)) : 0;

	if (where & 0x8000)
		return s->fake->ram + FRONT_INDIRECT * GUEST_PAGE_SIZE + offset;
	return front_ring_at(&s->front, offset % (s->front.nr_pages * GUEST_PAGE_SIZE));
}

static void read_flips(struct subject *s, struct input *in)
{
	s->nr_flips = take(in, 1) % (sizeof(s->flips) / sizeof(s->flips[0]) + 1);
	for (unsigned i = 0; i < s->nr_flips; i++) {
		s->flips[i].at = any_byte(s, in);
		s->flips[i].value[0] = (uint8_t)take(in, 1);
		s->flips[i].value[1] = (uint8_t)take(in, 1);
	}
}

static void put_request(struct subject *s, struct input *in)
{
	struct front_request *r = front_request((uint8_t)(take(in, 1) % 8), take(in, 1));

	r->indirect = take(in, 1) & 1;
	r->nr_segments = (uint16_t)(take(in, 2) % 300);
	r->sector = take(in, 2);
	r->nr_sectors = take(in, 2);
	r->flag = (uint8_t)(take(in, 1) & 1);
	for (unsigned i = 0; i < r->nr_segments; i++)
		r->seg[i] = (struct blkif_request_segment){FRONT_DATA_REF + i % FRONT_DATA_PAGES, 0,
							   (uint8_t)(i % 3 ? 7 : take(in, 1) % 9)};
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
	s->image.hold = false;
	do
		test_image_release_all(&s->image);
	while (block_queue_serve(&s->queue) || s->image.nr_held);
	if (s->queue.busy)
		fail("%u requests are never answered\n", s->queue.busy);
}

static void play(struct subject *s, struct input *in)
{
	pthread_t other;

	read_flips(s, in);
	s->flipping = s->nr_flips;
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
