// SPDX-License-Identifier: BSD-2-Clause
/*
 * vCPUs that give back and take the same pages, a toolstack that changes the target, and backends
 * that ask whether a page is there: afterwards the books agree, and (in the build with
 * ThreadSanitizer) every access that is shared is locked or atomic.
 */
#include <pthread.h>
#include <stdlib.h>

#include "shim/fake_test.h"

#define ROUNDS 3000
#define FIRST  0x100u
#define SHARED 64u /* pages that all of them want */

struct worker {
	struct fake *f;
	uint64_t random;
	int64_t balance; /* pages taken less pages given back */
	pthread_t thread;
};

static unsigned pick(struct worker *w, unsigned n)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (w->random >> 11) % n;
}

static void *adjust(void *opaque)
{
	struct worker *w = opaque;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t frames[4];

		for (unsigned j = 0; j < ARRAY_SIZE(frames); j++)
			frames[j] = FIRST + pick(w, SHARED);
		if (pick(w, 2))
			w->balance += reservation_populate(&w->f->domain, frames, 4, 0);
		else
			w->balance -= reservation_remove(&w->f->domain, frames, 4, 0);
	}
	return NULL;
}

static void *look(void *opaque)
{
	struct worker *w = opaque;
	struct domain *d = &w->f->domain;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct domain_memory m;

		if (!domain_page_populated(d, gfn(FIRST - 1)) ||
		    domain_count_populated(d, gfn(FIRST), SHARED) > SHARED)
			w->balance++;
		domain_set_memory_target(d, FAKE_PAGES - pick(w, SHARED));
		domain_memory(d, &m);
		if (m.max != m.target + RESERVATION_SLACK || m.pages > FAKE_PAGES + SHARED * 8)
			w->balance++;
	}
	return NULL;
}

static void all_at_once(void **state)
{
	struct worker w[4];
	struct fake *f = *state;
	struct domain_memory m;
	int64_t balance = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(w); i++) {
		w[i] = (struct worker){.f = f, .random = 88172645463325252ull + i};
		assert_int_equal(pthread_create(&w[i].thread, NULL, i ? adjust : look, &w[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(w); i++) {
		pthread_join(w[i].thread, NULL);
		if (i)
			balance += w[i].balance;
	}
	assert_int_equal(w[0].balance, 0);
	domain_memory(&f->domain, &m);
	assert_int_equal((int64_t)m.pages, (int64_t)FAKE_PAGES + balance);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST_64(all_at_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
