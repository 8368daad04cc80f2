// SPDX-License-Identifier: BSD-2-Clause
/* multicall in both word sizes: results, what fails, and where it stops. */
#include <string.h>

#include "shim/fake_events.h"
#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "xen-abi/x86_32.h"

#define LIST   0x40000ull
#define UNSEEN 0x5e5e5e5eu /* a result that nobody has written */

static size_t entry_size(const struct fake *f)
{
	return f->long_mode ? 64 : 32;
}

static void put_at(struct fake *f, uint64_t addr, uint64_t op, uint64_t a0, uint64_t a1,
		   uint64_t a2)
{
	struct multicall_entry native = {op, UNSEEN, {a0, a1, a2}};
	struct multicall_entry_x86_32 compat = {op, UNSEEN, {a0, a1, a2}};

	if (f->long_mode)
		memcpy(fake_at(f, addr), &native, sizeof(native));
	else
		memcpy(fake_at(f, addr), &compat, sizeof(compat));
}

static void put(struct fake *f, unsigned i, uint64_t op, uint64_t a0, uint64_t a1, uint64_t a2)
{
	put_at(f, LIST + i * entry_size(f), op, a0, a1, a2);
}

static long result_at(struct fake *f, uint64_t addr)
{
	const uint8_t *raw = fake_at(f, addr);
	int64_t wide;
	int32_t narrow;

	if (f->long_mode) {
		memcpy(&wide, raw + 8, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, raw + 4, sizeof(narrow));
	return narrow;
}

static long result(struct fake *f, unsigned i)
{
	return result_at(f, LIST + i * entry_size(f));
}

static long multicall_at(struct fake *f, uint64_t list, uint64_t nr)
{
	return fake_call(f, __HYPERVISOR_multicall, list, nr, 0);
}

static long multicall(struct fake *f, uint64_t nr)
{
	return multicall_at(f, LIST, nr);
}

static void results(void **state)
{
	struct fake *f = *state;

	put(f, 0, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	put(f, 1, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0);
	put(f, 2, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 77, 0);
	put(f, 3, __HYPERVISOR_mmu_update, 0, 0, 0);
	put(f, 4, 0x7fffffff, 0, 0, 0);
	put(f, 5, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0);
	assert_int_equal(multicall(f, 5), 0);
	assert_int_equal(result(f, 0), fake_call(f, __HYPERVISOR_xen_version, 0, 0, 0));
	assert_int_equal(result(f, 1), 1);
	assert_int_equal(result(f, 2), -XEN_ENOENT);
	assert_int_equal(result(f, 3), -XEN_ENOSYS);
	assert_int_equal(result(f, 4), -XEN_ENOSYS);
	assert_int_equal(result(f, 5), UNSEEN);
}

/* Nothing else of an entry is written, and the guest's set_timer_op gets both halves. */
static void entry_stays(void **state)
{
	struct fake *f = *state;
	uint8_t before[64];

	put(f, 0, __HYPERVISOR_set_timer_op, 0x12345678, f->long_mode ? 0 : 1, 9);
	memcpy(before, fake_at(f, LIST), sizeof(before));
	assert_int_equal(multicall(f, 1), 0);
	assert_int_equal(f->vcpu[0].timer, f->long_mode ? 0x12345678ull : 0x112345678ull);
	memset(before + (f->long_mode ? 8 : 4), 0, f->long_mode ? 8 : 4);
	assert_memory_equal(before, fake_at(f, LIST), sizeof(before));
}

static void none(void **state)
{
	struct fake *f = *state;

	assert_int_equal(multicall_at(f, FAKE_HOLE, 0), 0);
	/* The number is an unsigned int. */
	if (f->long_mode)
		assert_int_equal(multicall_at(f, FAKE_HOLE, 1ull << 32), 0);
}

static void within_another(void **state)
{
	struct fake *f = *state;

	put(f, 0, __HYPERVISOR_multicall, LIST, 1, 0);
	put(f, 1, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0);
	assert_int_equal(multicall(f, 2), 0);
	assert_int_equal(result(f, 0), -XEN_EINVAL);
	assert_int_equal(result(f, 1), 1);
	assert_int_equal(multicall(f, 2), 0);
}

/* What comes before the end of memory is carried out. */
static void list_ends_early(void **state)
{
	struct fake *f = *state;
	uint64_t list = FAKE_RAM_SIZE - 2 * entry_size(f);

	assert_refused(f, multicall_at(f, FAKE_HOLE, 1), XEN_EFAULT);
	put_at(f, list, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	put_at(f, list + entry_size(f), __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	assert_int_equal(multicall_at(f, list, 3), -XEN_EFAULT);
	assert_int_equal(f->vcpu[0].yields, 2);
	assert_int_equal(result_at(f, list), 0);
	assert_int_equal(result_at(f, list + entry_size(f)), 0);
}

/* The call is made, its result is lost, the rest is not done. */
static void result_that_cannot_be_written(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);

	fake_map(&t, 0x600000, LIST, PTE_P);
	put(f, 0, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	put(f, 1, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	f->vcpu[0].paging.cr0 |= CR0_WP;
	assert_int_equal(multicall_at(f, 0x600000, 2), -XEN_EFAULT);
	assert_int_equal(f->vcpu[0].yields, 1);
	assert_int_equal(result(f, 0), UNSEEN);
}

static void across_pages(void **state)
{
	struct fake *f = *state;
	uint64_t list = LIST + GUEST_PAGE_SIZE - entry_size(f) - 12;

	for (unsigned i = 0; i < 3; i++)
		put_at(f, list + i * entry_size(f), __HYPERVISOR_vcpu_op, VCPUOP_is_up, i, 0);
	assert_int_equal(multicall_at(f, list, 3), 0);
	assert_int_equal(result_at(f, list), 1);
	assert_int_equal(result_at(f, list + entry_size(f)), 0);
	assert_int_equal(result_at(f, list + 2 * entry_size(f)), 0);
}

/* Entries that wait are woken for the next one; the last one waits. */
static void blocks(void **state)
{
	struct fake *f = *state;

	put(f, 0, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
	put(f, 1, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	assert_int_equal(multicall(f, 2), 0);
	assert_true(vcpu_may_run(f->domain.vcpus[0]));
	assert_int_equal(multicall(f, 1), 0);
	assert_false(vcpu_may_run(f->domain.vcpus[0]));
}

/* A long list does not keep a vCPU that is wanted elsewhere. */
static void stops(void **state)
{
	struct fake *f = *state;

	put(f, 0, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
	f->vcpu[0].must_stop = true;
	multicall(f, 1);
	assert_int_equal(f->vcpu[0].yields, 0);
}

static void mode_of_the_caller(void **state)
{
	struct fake *f = *state;

	f->long_mode = !f->long_mode; /* not of the domain */
	put(f, 0, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0);
	put(f, 1, __HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0);
	assert_int_equal(multicall(f, 2), 0);
	assert_int_equal(result(f, 0), 1);
	assert_int_equal(result(f, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(results),
		TEST_BOTH(entry_stays),
		TEST_BOTH(none),
		TEST_BOTH(within_another),
		TEST_BOTH(list_ends_early),
		TEST_BOTH(result_that_cannot_be_written),
		TEST_BOTH(across_pages),
		TEST_BOTH(blocks),
		TEST_BOTH(stops),
		TEST_BOTH(mode_of_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
