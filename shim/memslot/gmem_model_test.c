// SPDX-License-Identifier: BSD-2-Clause
/* A thousand requests at random to private memory, against what can be said page by page. */
#include "shim/memslot/gmem_fake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define M2         512ull
#define FILE_PAGES (5 * M2)
#define BASE       (8 * M2)

struct model {
	bool allocated[FILE_PAGES], shared[FILE_PAGES];
};

/* Numbers below n, the same in every run (xorshift64). */
static uint64_t random_below(uint64_t n)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % n;
}

static bool same(const bool *of, uint64_t first, uint64_t n, bool value)
{
	for (uint64_t i = first; i < first + n; i++)
		if (of[i] != value)
			return false;
	return true;
}

/* Mostly, shorten [*first, *first + *n) to pages that all are allocated, or all are not. */
static void aim(const struct model *m, bool allocated, uint64_t *first, uint64_t *n)
{
	uint64_t end = *first + *n;

	if (!random_below(4))
		return;
	while (*first < end - 1 && m->allocated[*first] != allocated)
		++*first;
	for (*n = 1; *first + *n < end && m->allocated[*first + *n] == allocated;)
		++*n;
}

/* Of a slot that shows all of the file at BASE. */
static enum page_level model_level(const struct model *m, const struct gmem_fake *f, uint64_t page)
{
	uint64_t start = page & ~(M2 - 1);

	if (!same(m->shared, start, M2, m->shared[page]))
		return PAGE_4K;
	return m->shared[page] || (f->prepared[page] == PAGE_2M + 1 &&
				   same(m->allocated, start, M2, true))
		       ? PAGE_2M
		       : PAGE_4K;
}

static void model_allocate(struct model *m, struct gmem_fake *f, uint64_t first, uint64_t n)
{
	enum page_level unit = random_below(2) ? PAGE_2M : PAGE_4K;
	bool taken = false;

	aim(m, false, &first, &n);
	if (unit == PAGE_2M) {
		n = (first % M2 + n + M2 - 1) & ~(M2 - 1);
		first &= ~(M2 - 1);
	}
	for (uint64_t i = first; i < first + n; i++)
		taken |= f->prepared[i];
	assert_int_equal(gmem_allocate(f->g, first, n, unit), taken ? -EEXIST : 0);
	if (!taken)
		memset(m->allocated + first, true, n);
}

static void model_free(struct model *m, struct gmem_fake *f, uint64_t first, uint64_t n)
{
	bool there;

	aim(m, true, &first, &n);
	there = same(m->allocated, first, n, true);
	assert_int_equal(gmem_free(f->g, first, n), there ? 0 : -ENOENT);
	if (there)
		memset(m->allocated + first, false, n);
}

static void model_share(struct model *m, struct gmem_fake *f, uint64_t first, uint64_t n)
{
	bool is_private = random_below(2);

	assert_int_equal(gmem_set_private(&f->domain->slots, gfn(BASE + first), n, is_private), 0);
	memset(m->shared + first, !is_private, n);
}

static void compare(const struct model *m, const struct gmem_fake *f)
{
	struct gmem_fake_domain *d = f->domain;

	for (uint64_t i = 0; i < FILE_PAGES; i++) {
		uint64_t start = i & ~(M2 - 1);

		assert_int_equal(gmem_fake_is_private(d, BASE + i), !m->shared[i]);
		assert_int_equal(d->private_frame[BASE + i], !m->shared[i]);
		assert_int_equal(gmem_fake_level(d, BASE + i), model_level(m, f, i));
		/* Prepared as long as something of its unit is allocated. */
		if (f->prepared[i] == PAGE_2M + 1)
			assert_false(same(m->allocated, start, M2, false));
		else
			assert_int_equal(f->prepared[i], m->allocated[i]);
	}
}

static void against_a_model(void **state)
{
	static void (*const act[])(struct model *, struct gmem_fake *, uint64_t,
				   uint64_t) = {model_allocate, model_free, model_share};
	struct gmem_fake_domain *d = gmem_fake_domain_create();
	struct gmem_fake *f = gmem_fake_create(d, FILE_PAGES);
	struct model *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	assert_int_equal(gmem_fake_add_slot(d, 0, f->g, BASE, FILE_PAGES, 0), 0);
	for (unsigned i = 0; i < 1000; i++) {
		/* Short and long, half of the edges on those of large pages. */
		uint64_t most = random_below(2) ? 8 : FILE_PAGES;
		uint64_t first = random_below(FILE_PAGES) & (random_below(2) ? ~(M2 - 1) : ~0ull);
		uint64_t end = first + 1 + random_below(FILE_PAGES - first) % most;

		if (random_below(2))
			end = (end + M2 - 1) & ~(M2 - 1);
		act[random_below(ARRAY_SIZE(act))](m, f, first, end - first);
		if (i % 8 == 0)
			compare(m, f);
	}
	compare(m, f);
	gmem_put(f->g);
	free(m);
	gmem_fake_domain_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
