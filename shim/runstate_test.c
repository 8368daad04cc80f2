// SPDX-License-Identifier: BSD-2-Clause
/* Runstate records in both word sizes; their times sum to the entry time. */
#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "xen-abi/x86_32.h"

#define AREA 0x90000ull

/* A record whatever the word size. */
struct record {
	int state;
	uint64_t entry, time[4];
};

static size_t record_size(const struct fake *f)
{
	return f->long_mode ? 48 : 44;
}

static struct record record_at(struct fake *f, uint64_t addr)
{
	const uint8_t *raw = fake_at(f, addr);
	unsigned first = f->long_mode ? 8 : 4;
	struct record r;

	memcpy(&r.state, raw, 4);
	memcpy(&r.entry, raw + first, 8);
	memcpy(r.time, raw + first + 8, 32);
	return r;
}

static uint64_t sum(const struct record *r)
{
	return r->time[0] + r->time[1] + r->time[2] + r->time[3];
}

static long register_area(struct fake *f, uint64_t vcpu, uint64_t addr)
{
	uint32_t narrow = addr;

	return f->long_mode ? fake_vcpu_op(f, VCPUOP_register_runstate_memory_area, vcpu, &addr,
					   sizeof(addr))
			    : fake_vcpu_op(f, VCPUOP_register_runstate_memory_area, vcpu, &narrow,
					   sizeof(narrow));
}

static long get(struct fake *f, uint64_t vcpu, uint64_t addr)
{
	return fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, vcpu, addr);
}

static void fill(struct fake *f)
{
	memset(f->ram + AREA, 0x77, 0x2000);
}

/* Exactly the record was written at addr. */
static void check_guards(struct fake *f, uint64_t addr)
{
	assert_int_equal(f->ram[addr - 1], 0x77);
	assert_int_equal(f->ram[addr + record_size(f)], 0x77);
}

/* vCPU 0 as if it had never run before `now`. */
static void start_anew(struct fake *f, uint64_t now)
{
	struct vcpu *v = f->domain.vcpus[0];

	v->runstate = (struct vcpu_runstate_info){.state = RUNSTATE_offline};
	v->hold = HOLD_DOWN;
	f->now = now;
	fake_start(f, 0);
}

static void registered(void **state)
{
	struct fake *f = *state;
	struct record r;

	start_anew(f, 5000);
	fill(f);
	assert_int_equal(register_area(f, 0, AREA + 0x21), 0);
	r = record_at(f, AREA + 0x21);
	check_guards(f, AREA + 0x21);
	assert_int_equal(r.state, RUNSTATE_running);
	assert_int_equal(r.entry, 5000);
	assert_int_equal(sum(&r), r.entry);
	assert_int_equal(r.time[RUNSTATE_offline], 5000);
}

static void read_now(void **state)
{
	struct fake *f = *state;
	struct record r;

	start_anew(f, 5000);
	f->now = 12000;
	fill(f);
	assert_int_equal(get(f, 0, AREA + 8), 0);
	r = record_at(f, AREA + 8);
	check_guards(f, AREA + 8);
	assert_int_equal(r.state, RUNSTATE_running);
	assert_int_equal(r.entry, 5000);
	assert_int_equal(r.time[RUNSTATE_running], 7000);
	assert_int_equal(r.time[RUNSTATE_offline], 5000);
	assert_int_equal(sum(&r), 12000);
	/* Reading is no change of state. */
	f->now = 13000;
	get(f, 0, AREA + 8);
	r = record_at(f, AREA + 8);
	assert_int_equal(r.entry, 5000);
	assert_int_equal(sum(&r), 13000);
}

/* A clock that seems to go back takes nothing away. */
static void before_its_entry(void **state)
{
	struct fake *f = *state;
	struct record r;

	start_anew(f, 5000);
	f->now = 4000;
	assert_int_equal(get(f, 0, AREA), 0);
	r = record_at(f, AREA);
	assert_int_equal(r.time[RUNSTATE_running], 0);
	assert_int_equal(sum(&r), 5000);
}

static void not_started(void **state)
{
	struct fake *f = *state;
	struct record r;

	f->now = 9000;
	assert_int_equal(get(f, 1, AREA), 0);
	r = record_at(f, AREA);
	assert_int_equal(r.state, RUNSTATE_offline);
	assert_int_equal(r.time[RUNSTATE_offline], 9000);
	assert_int_equal(sum(&r), 9000);
	assert_int_equal(register_area(f, 1, AREA + 0x100), 0);
	assert_int_equal(record_at(f, AREA + 0x100).state, RUNSTATE_offline);
}

static void given_up(void **state)
{
	struct fake *f = *state;

	assert_int_equal(register_area(f, 0, AREA), 0);
	assert_int_equal(register_area(f, 0, 0), 0);
	assert_false(f->domain.vcpus[0]->runstate_area.active);
	assert_int_equal(register_area(f, 0, 0), 0);
}

static void moved(void **state)
{
	struct fake *f = *state;

	assert_int_equal(register_area(f, 0, AREA), 0);
	fill(f);
	assert_int_equal(register_area(f, 0, AREA + 0x800), 0);
	assert_int_equal(f->ram[AREA], 0x77);
	assert_int_equal(record_at(f, AREA + 0x800).state, RUNSTATE_running);
}

static void bad_areas(void **state)
{
	struct fake *f = *state;
	struct fake_tables t;

	assert_refused(f, get(f, 0, FAKE_HOLE), XEN_EFAULT);
	assert_refused(f, get(f, 0, FAKE_RAM_SIZE - record_size(f) + 1), XEN_EFAULT);
	assert_int_equal(register_area(f, 0, AREA), 0);
	t = fake_paging_identity(f);
	fake_map(&t, 0x600000, AREA, PTE_P);
	assert_refused(f, register_area(f, 0, 0x600000), XEN_EFAULT);
	assert_refused(f, register_area(f, 0, 0x601000), XEN_EFAULT);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0,
				 FAKE_HOLE),
		       XEN_EFAULT);
	assert_true(f->domain.vcpus[0]->runstate_area.active);
}

/* Two pages that are neighbours for the guest only. */
static void across_pages(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);
	size_t size = record_size(f);
	uint8_t straight[48];

	start_anew(f, 5000);
	memset(f->ram + 0xa0000, 0x77, 0x4000);
	fake_map(&t, 0x600000, 0xa2000, PTE_RW);
	fake_map(&t, 0x601000, 0xa0000, PTE_RW);
	assert_int_equal(get(f, 0, AREA), 0);
	memcpy(straight, f->ram + AREA, size);
	assert_int_equal(register_area(f, 0, 0x601000 - 17), 0);
	assert_memory_equal(f->ram + 0xa3000 - 17, straight, 17);
	assert_memory_equal(f->ram + 0xa0000, straight + 17, size - 17);
	assert_int_equal(f->ram[0xa3000 - 18], 0x77);
	assert_int_equal(f->ram[0xa3000], 0x77);
	assert_int_equal(f->ram[0xa0000 + size - 17], 0x77);
}

static void across_a_page_without_memory(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);

	memset(f->ram + 0xa0000, 0x77, 0x1000);
	fake_map(&t, 0x600000, 0xa0000, PTE_RW);
	assert_refused(f, register_area(f, 0, 0x601000 - 17), XEN_EFAULT);
	/* Mapped, but to nothing: taken, and nothing is written until there is memory. */
	fake_map(&t, 0x601000, FAKE_HOLE, PTE_RW);
	assert_int_equal(register_area(f, 0, 0x601000 - 17), 0);
	assert_int_equal(f->ram[0xa1000 - 17], 0x77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(registered),
		TEST_BOTH(read_now),
		TEST_BOTH(before_its_entry),
		TEST_BOTH(not_started),
		TEST_BOTH(given_up),
		TEST_BOTH(moved),
		TEST_BOTH(bad_areas),
		TEST_BOTH(across_pages),
		TEST_BOTH(across_a_page_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
