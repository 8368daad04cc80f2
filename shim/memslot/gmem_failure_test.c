// SPDX-License-Identifier: BSD-2-Clause
/* Private memory when there is no memory: each allocation fails in turn, and leaves no trace. */
#include "shim/memslot/gmem_fake.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/memslot/fail_alloc.h"

#define TIB_PAGES (1ull << 28)

static int no_allocate(void *host, uint64_t first, uint64_t npages)
{
	(void)host;
	(void)first;
	(void)npages;
	return 0;
}

static int no_set_private(void *host, struct gfn base, uint64_t npages, bool is_private)
{
	(void)base;
	*(int64_t *)host += is_private ? (int64_t)npages : -(int64_t)npages;
	return 0;
}

static void no_destroy(void *host)
{
	(void)host;
}

/* A machine that only counts the private frames. */
static const struct gmem_ops tiny_ops = {
	.allocate = no_allocate,
	.punch = no_allocate,
	.set_private = no_set_private,
	.destroy = no_destroy,
};

static void failing_create(void **state)
{
	struct memslots slots;
	struct gmem *g = NULL;
	int64_t host = 0;
	unsigned failures = 0;

	(void)state;
	for (long live = fail_alloc_live(); !g; failures++) {
		fail_alloc(failures + 1);
		g = gmem_create(&slots, 1000, &tiny_ops, &host);
		if (!g)
			assert_int_equal(fail_alloc_live(), live);
	}
	assert_true(fail_alloc_seen() < failures);
	fail_alloc(0);
	assert_true(failures > 1);
	pthread_mutex_init(&slots.lock, NULL);
	gmem_put(g);
	pthread_mutex_destroy(&slots.lock);
}

/* Whichever allocation fails: no binding, no reference, no private frame. */
static void failing_bind(void **state)
{
	struct gmem_fake_domain *d = gmem_fake_domain_create();
	int64_t private_frames = 0;
	struct gmem *g = gmem_create(&d->slots, 1000, &tiny_ops, &private_frames);
	unsigned failures = 0;
	long live;
	int rc;

	(void)state;
	assert_non_null(g);
	/* The number has room in the books of the slots, which they may keep. */
	assert_int_equal(gmem_fake_add_slot(d, 9, g, 5000, 1, 999), 0);
	assert_int_equal(gmem_fake_delete_slot(d, 9), 0);
	live = fail_alloc_live();
	do {
		fail_alloc(++failures);
		rc = gmem_fake_add_slot(d, 9, g, 0, 10, 990);
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(fail_alloc_live(), live);
		assert_int_equal(private_frames, 0);
	} while (failures < 1000);
	assert_int_equal(rc, 0);
	assert_true(fail_alloc_seen() < failures);
	fail_alloc(0);
	assert_true(failures > 3);
	assert_int_equal(private_frames, 10);
	gmem_put(g);
	gmem_fake_domain_destroy(d);
	assert_int_equal(private_frames, 0);
}

/* Binding alone, as the list of bindings grows. */
static void failing_list(void **state)
{
	struct gmem_fake_domain *d = gmem_fake_domain_create();
	int64_t private_frames = 0;
	struct gmem *g = gmem_create(&d->slots, 1000, &tiny_ops, &private_frames);
	unsigned failures = 0;

	(void)state;
	assert_non_null(g);
	for (unsigned i = 0; i < 20; i++) {
		struct memslot slot = {.gmem = g,
				       .gmem_offset = i * GUEST_PAGE_SIZE,
				       .start = gpa(i * GUEST_PAGE_SIZE),
				       .npages = 1};
		unsigned at = 1;

		for (fail_alloc(at); gmem_bind(&d->slots, &slot); fail_alloc(++at))
			failures++;
		fail_alloc(0);
		assert_int_equal(private_frames, i + 1);
	}
	assert_true(failures > 20);
	pthread_mutex_lock(&d->slots.lock);
	for (unsigned i = 0; i < 20; i++)
		gmem_unbind(&(struct memslot){
			.gmem = g, .gmem_offset = i * GUEST_PAGE_SIZE, .npages = 1});
	pthread_mutex_unlock(&d->slots.lock);
	assert_int_equal(private_frames, 0);
	gmem_put(g);
	gmem_fake_domain_destroy(d);
}

/* The machinery, or the kernel after it, refuses the slot. */
static void refused_slot(void **state)
{
	struct gmem_fake_domain *d = gmem_fake_domain_create();
	struct gmem_fake *f = gmem_fake_create(d, 10);
	long live;

	(void)state;
	assert_int_equal(gmem_fake_add_slot(d, 0, f->g, 100, 1, 9), 0);
	assert_int_equal(gmem_fake_delete_slot(d, 0), 0);
	gmem_fake_forget_calls(d);
	live = fail_alloc_live();
	d->fail_with = -EOPNOTSUPP;
	d->fail_at[FAKE_SET_PRIVATE] = 1;
	assert_int_equal(gmem_fake_add_slot(d, 0, f->g, 0, 10, 0), -EOPNOTSUPP);
	assert_int_equal(d->calls[FAKE_SET_SLOT], 0);
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 1);
	d->fail_with = -EIO;
	d->fail_at[FAKE_SET_SLOT] = 1;
	assert_int_equal(gmem_fake_add_slot(d, 0, f->g, 0, 10, 0), -EIO);
	assert_int_equal(d->calls[FAKE_SET_PRIVATE], 3);
	assert_false(d->private_frame[0]);
	assert_int_equal(fail_alloc_live(), live);

	assert_int_equal(gmem_fake_add_slot(d, 0, f->g, 0, 10, 0), 0);
	/* A delete that is refused leaves it bound and private. */
	d->fail_at[FAKE_SET_SLOT] = 1;
	assert_int_equal(gmem_fake_delete_slot(d, 0), -EIO);
	assert_true(d->private_frame[0]);
	assert_int_equal(gmem_fake_add_slot(d, 1, f->g, 50, 1, 0), -EEXIST);
	assert_int_equal(gmem_fake_delete_slot(d, 0), 0);
	gmem_put(f->g);
	assert_int_equal(d->calls[FAKE_DESTROY], 1);
	gmem_fake_domain_destroy(d);
}

/* 1 TiB in two bitmaps, and not much more; allocating and sharing of it costs nothing else. */
static void size_of_the_books(void **state)
{
	struct gmem_fake_domain *d = gmem_fake_domain_create();
	uint64_t bitmap = TIB_PAGES / 8, start = fail_alloc_bytes(), before;
	int64_t private_frames = 0;
	struct memslot slot = {.start = gpa(0), .npages = TIB_PAGES};
	struct gmem *g;

	(void)state;
	g = gmem_create(&d->slots, TIB_PAGES, &tiny_ops, &private_frames);
	assert_non_null(g);
	slot.gmem = g;
	assert_int_equal(gmem_bind(&d->slots, &slot), 0);
	assert_true(fail_alloc_bytes() - start < 2 * bitmap + bitmap / 8);

	before = fail_alloc_bytes();
	assert_int_equal(gmem_allocate(g, 0, TIB_PAGES, PAGE_1G), 0);
	assert_int_equal(gmem_free(g, 12345, 678901), 0);
	assert_int_equal(fail_alloc_bytes(), before);
	pthread_mutex_lock(&d->slots.lock);
	gmem_unbind(&slot);
	pthread_mutex_unlock(&d->slots.lock);
	gmem_put(g);
	gmem_fake_domain_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failing_create),    cmocka_unit_test(failing_bind),
		cmocka_unit_test(failing_list),      cmocka_unit_test(refused_slot),
		cmocka_unit_test(size_of_the_books),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
