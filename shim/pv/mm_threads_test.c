// SPDX-License-Identifier: BSD-2-Clause
/*
 * vCPUs at once on the same frames: each pins, maps and runs on them, and forgets translations.
 * What is answered depends on who was first; the counts are right in the end.
 */
#include "shim/pv/fake_test.h"

#include <pthread.h>
#include <string.h>

#define ROUNDS 3000

struct runner {
	struct fake_machine *m;
	unsigned vcpu;
};

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static long map(struct fake_machine *m, unsigned vcpu, unsigned n)
{
	static const uint64_t flags[] = {0, FAKE_RO, FAKE_RW};
	static const uint64_t flushes[] = {UVMF_NONE, UVMF_TLB_FLUSH | UVMF_ALL,
					   UVMF_TLB_FLUSH | UVMF_LOCAL};
	uint64_t mfn = FAKE_FREE + n % 8;
	const uint64_t args[6] = {fake_va(mfn), pv_pte_make(mfn, flags[n / 8 % 3]),
				  flushes[n / 24 % 3]};

	return pv_op_update_va_mapping(&m->vcpus[vcpu], args);
}

static void pin_or_not(struct pv_mm *mm, unsigned n)
{
	pv_lock(&mm->lock);
	if (pv_pin(mm, FAKE_FREE + n % 8, PV_TYPE_L1 + n / 8 % 4))
		pv_unpin(mm, FAKE_FREE + n % 8);
	pv_unlock(&mm->lock);
}

static void new_bases(struct pv_mm *mm, struct pv_vcpu *v, unsigned n)
{
	pv_lock(&mm->lock);
	pv_new_base(v, n & 1 ? FAKE_L4 : FAKE_FREE + n % 8);
	pv_new_user_base(v, n & 2 ? 0 : FAKE_FREE + n / 8 % 8);
	pv_unlock(&mm->lock);
}

static void *run(void *arg)
{
	struct runner *r = arg;
	struct pv_vcpu *v = &r->m->vcpus[r->vcpu];
	unsigned seed = r->vcpu;

	fake_set_current(r->m, r->vcpu);
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned n = next(&seed);

		if (n % 4 == 0)
			pin_or_not(fake_mm(r->m), n / 4);
		else if (n % 4 == 1)
			new_bases(fake_mm(r->m), v, n / 4);
		else if (v->roots.kernel == FAKE_L4)
			map(r->m, r->vcpu, n / 4);
		else
			pv_write_entry(v, FAKE_L1, FAKE_FREE + n / 4 % 8, NULL, 0);
	}
	return NULL;
}

static void at_once(void **state)
{
	struct fake_machine *m = *state;
	struct runner runners[2] = {{m, 0}, {m, 1}};
	pthread_t threads[2];

	m->threads = true;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	memset(m->may_write, 0, sizeof(m->may_write));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
