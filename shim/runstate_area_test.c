// SPDX-License-Identifier: BSD-2-Clause
/* The runstate area at each change: where it may lie, word sizes that change, the flag, steal. */
#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "shim/shared_info.h"
#include "xen-abi/x86_32.h"

#define AREA 0x90000ull
#define FILL 0x77

/* Two pages, neighbours for the guest only. */
#define VIRT   0x600000ull
#define FIRST  0xa2000ull
#define SECOND 0xa0000ull

static struct vcpu *self(struct fake *f)
{
	return fake_current(f);
}

static size_t record_size(bool long_mode)
{
	return long_mode ? 48 : 44;
}

static long register_area(struct fake *f, uint64_t addr)
{
	uint32_t narrow = addr;

	return f->long_mode ? fake_vcpu_op(f, VCPUOP_register_runstate_memory_area, f->current,
					   &addr, sizeof(addr))
			    : fake_vcpu_op(f, VCPUOP_register_runstate_memory_area, f->current,
					   &narrow, sizeof(narrow));
}

static long register_phys(struct fake *f, uint64_t cmd, uint64_t addr)
{
	return fake_vcpu_op(f, cmd, f->current, &addr, sizeof(addr));
}

/* What the area must hold: the record in a word size. */
static void expect_record(const struct vcpu *v, bool long_mode, const uint8_t *raw)
{
	union runstate_record r;

	runstate_record(&v->runstate, long_mode, &r);
	assert_memory_equal(raw, r.bytes, record_size(long_mode));
	assert_int_equal(v->runstate.time[0] + v->runstate.time[1] + v->runstate.time[2] +
				 v->runstate.time[3],
			 v->runstate.state_entry_time);
}

static void expect_at(struct fake *f, uint64_t addr, bool long_mode)
{
	const uint8_t *raw = fake_at(f, addr);

	expect_record(self(f), long_mode, raw);
	assert_int_equal(raw[-1], FILL);
	assert_int_equal(raw[record_size(long_mode)], FILL);
}

static void fill(struct fake *f)
{
	memset(f->ram + SECOND, FILL, 0x4000);
	memset(f->ram + AREA, FILL, 0x2000);
}

/* The vCPU's thread goes round: blocked if it must be, else running. */
static void changes(struct fake *f, uint64_t now, bool blocked)
{
	f->now = now;
	if (blocked)
		fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
	else
		vcpu_unblock(self(f));
	assert_int_equal(vcpu_may_run(self(f)), !blocked);
}

static void at_each_change(void **state)
{
	struct fake *f = *state;
	const struct vcpu_runstate_info *r = &self(f)->runstate;

	fill(f);
	register_area(f, AREA + 4);
	changes(f, 1000, true);
	expect_at(f, AREA + 4, f->long_mode);
	assert_int_equal(r->time[RUNSTATE_running], 1000);
	changes(f, 1300, false);
	expect_at(f, AREA + 4, f->long_mode);
	assert_int_equal(r->time[RUNSTATE_blocked], 300);
	changes(f, 1700, true);
	changes(f, 1701, false);
	expect_at(f, AREA + 4, f->long_mode);
	assert_int_equal(r->state_entry_time, 1701);
	assert_int_equal(r->time[RUNSTATE_running], 1400);
	assert_int_equal(r->time[RUNSTATE_blocked], 301);
}

/* Every offset around the end of a page. */
static void at_every_offset(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);
	size_t size = record_size(f->long_mode);
	uint64_t now = 0;

	fake_map(&t, VIRT, FIRST, PTE_RW);
	fake_map(&t, VIRT + 0x1000, SECOND, PTE_RW);
	for (uint64_t at = VIRT + 0x1000 - size - 8; at < VIRT + 0x1008; at++) {
		fill(f);
		assert_int_equal(register_area(f, at), 0);
		changes(f, ++now, true);
		changes(f, now += 10, false);
		for (uint64_t a = VIRT + 0xf00; a < VIRT + 0x1100; a++) {
			uint64_t in = a - at;
			uint8_t byte = f->ram[a < VIRT + 0x1000 ? FIRST + a - VIRT
								: SECOND + a - VIRT - 0x1000];
			union runstate_record r;

			runstate_record(&self(f)->runstate, f->long_mode, &r);
			assert_int_equal(byte, in < size ? r.bytes[in] : FILL);
		}
	}
}

/* The layout is the domain's at the moment of the change. */
static void word_size_changes(void **state)
{
	struct fake *f = *state;
	bool first = f->long_mode;

	fill(f);
	register_area(f, AREA + 4);
	domain_latch_word_size(&f->domain, !first);
	changes(f, 1000, true);
	expect_record(self(f), !first, fake_at(f, AREA + 4));
	fill(f);
	changes(f, 2000, false);
	expect_at(f, AREA + 4, !first);
	domain_latch_word_size(&f->domain, first);
	fill(f);
	changes(f, 3000, true);
	expect_at(f, AREA + 4, first);
}

/* The first record is of the caller's word size. */
static void registered_by_the_other(void **state)
{
	struct fake *f = *state;

	f->long_mode = !f->long_mode;
	fill(f);
	register_area(f, AREA + 4);
	expect_at(f, AREA + 4, f->long_mode);
	fill(f);
	changes(f, 1000, true);
	expect_at(f, AREA + 4, !f->long_mode);
}

/* A 32-bit record where memory ends: no more is needed, and nothing is written in 64 bits. */
static void no_room_for_the_rest(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);
	uint64_t at = VIRT + 0x1000 - 44;
	uint8_t *raw = f->ram + FIRST + 0x1000 - 44;

	fake_map(&t, VIRT, FIRST, PTE_RW);
	assert_refused(f, register_area(f, at), XEN_EFAULT);
	f->long_mode = false;
	domain_latch_word_size(&f->domain, false);
	assert_int_equal(register_area(f, at), 0);
	changes(f, 1000, true);
	expect_record(self(f), false, raw);
	domain_latch_word_size(&f->domain, true);
	memset(raw, FILL, 44);
	changes(f, 2000, false);
	for (unsigned i = 0; i < 44; i++)
		assert_int_equal(raw[i], FILL);
	domain_latch_word_size(&f->domain, false);
	changes(f, 3000, true);
	expect_record(self(f), false, raw);
}

/* Only if the guest has asked for it; it is never left behind. */
static void update_flag(void **state)
{
	struct fake *f = *state;

	fill(f);
	register_area(f, AREA + 4);
	fake_call(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag,
		  0);
	changes(f, 1000, true);
	expect_at(f, AREA + 4, f->long_mode);
	fake_call(f, __HYPERVISOR_vm_assist, VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag,
		  0);
	changes(f, 2000, false);
	expect_at(f, AREA + 4, f->long_mode);
}

/* Growth of what the host's scheduler says: running becomes runnable, blocked too, exactly. */
static void stolen(void **state)
{
	struct fake *f = *state;
	struct vcpu_runstate_info *r = &self(f)->runstate;

	fill(f);
	register_area(f, AREA + 4);
	f->now = 1000;
	f->vcpu[0].run_delay = 300;
	runstate_update(self(f));
	expect_at(f, AREA + 4, f->long_mode);
	assert_int_equal(r->state, RUNSTATE_running);
	assert_int_equal(r->state_entry_time, 1000);
	assert_int_equal(r->time[RUNSTATE_running], 700);
	assert_int_equal(r->time[RUNSTATE_runnable], 300);
	/* While it was being woken. */
	changes(f, 2000, true);
	f->vcpu[0].run_delay = 350;
	changes(f, 2500, false);
	expect_at(f, AREA + 4, f->long_mode);
	assert_int_equal(r->time[RUNSTATE_blocked], 450);
	assert_int_equal(r->time[RUNSTATE_runnable], 350);
}

/* Never more than there was; the rest of it comes later. */
static void stolen_more_than_time(void **state)
{
	struct fake *f = *state;
	struct vcpu_runstate_info *r = &self(f)->runstate;

	f->now = 100;
	f->vcpu[0].run_delay = 130;
	runstate_update(self(f));
	assert_int_equal(r->time[RUNSTATE_runnable], 100);
	assert_int_equal(r->time[RUNSTATE_running], 0);
	f->now = 200;
	runstate_update(self(f));
	assert_int_equal(r->time[RUNSTATE_runnable], 130);
	assert_int_equal(r->time[RUNSTATE_running], 70);
	f->now = 150; /* a clock that goes back */
	f->vcpu[0].run_delay = 140;
	runstate_update(self(f));
	assert_int_equal(r->state_entry_time, 200);
	assert_int_equal(r->time[RUNSTATE_runnable], 130);
	/* Of an offline one there is nothing to steal. */
	f->current = 1;
	f->vcpu[1].run_delay = 1000;
	f->now = 5000;
	fake_start(f, 1);
	r = &self(f)->runstate;
	assert_int_equal(r->time[RUNSTATE_runnable], 0);
	f->now = 6000;
	runstate_update(self(f));
	assert_int_equal(r->time[RUNSTATE_runnable], 0);
}

/* The reader's now, with what was stolen so far; the record stays as it is. */
static void read_with_steal(void **state)
{
	struct fake *f = *state;
	struct vcpu_runstate_info now, before = self(f)->runstate;

	f->now = 1000;
	f->vcpu[0].run_delay = 200;
	for (unsigned i = 0; i < 2; i++) {
		runstate_read(self(f), &now);
		assert_int_equal(now.time[RUNSTATE_running], 800);
		assert_int_equal(now.time[RUNSTATE_runnable], 200);
		assert_int_equal(now.state_entry_time, 0);
		assert_memory_equal(&before, &self(f)->runstate, sizeof(before));
	}
}

/* Before it waits it does not wait for the area; the record is made good when it runs again. */
static void area_must_be_looked_up(void **state)
{
	struct fake *f = *state;

	fill(f);
	register_area(f, AREA + 4);
	assert_int_equal(fake_add_memory(f, 9, 0x4000000, 0x1000, f->ram), 0);
	fill(f);
	changes(f, 1000, true);
	assert_int_equal(f->ram[AREA + 4], FILL);
	changes(f, 1500, false);
	expect_at(f, AREA + 4, f->long_mode);
	changes(f, 2000, true);
	expect_at(f, AREA + 4, f->long_mode);
}

static void area_without_memory(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);

	fake_map(&t, VIRT, FAKE_HOLE, PTE_RW);
	assert_int_equal(register_area(f, VIRT), 0);
	changes(f, 1000, true);
	changes(f, 1500, false);
	assert_int_equal(self(f)->runstate.state_entry_time, 1500);
}

static void by_physical_address(void **state)
{
	struct fake *f = *state;

	fill(f);
	assert_int_equal(register_phys(f, VCPUOP_register_runstate_phys_area, AREA + 8), 0);
	expect_at(f, AREA + 8, f->long_mode);
	/* The layout stays the caller's. */
	domain_latch_word_size(&f->domain, !f->long_mode);
	fill(f);
	changes(f, 1000, true);
	expect_at(f, AREA + 8, f->long_mode);
	fill(f);
	assert_int_equal(register_phys(f, VCPUOP_register_runstate_phys_area, UINT64_MAX), 0);
	changes(f, 2000, false);
	assert_int_equal(f->ram[AREA + 8], FILL);
	/* And by virtual address again it is the domain's. */
	register_area(f, AREA + 8);
	fill(f);
	changes(f, 3000, true);
	expect_at(f, AREA + 8, !f->long_mode);
}

static void bad_physical_addresses(void **state)
{
	static const unsigned cmds[] = {VCPUOP_register_runstate_phys_area,
					VCPUOP_register_vcpu_time_phys_area};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_refused(f, register_phys(f, cmds[i], AREA + 0xff0), XEN_ENXIO);
		assert_refused(f, register_phys(f, cmds[i], AREA + 2), XEN_ENXIO);
		assert_refused(f, register_phys(f, cmds[i], UINT64_MAX - 7), XEN_ENXIO);
		assert_refused(f, register_phys(f, cmds[i], FAKE_HOLE), XEN_EINVAL);
		assert_refused(f, register_phys(f, cmds[i], 1ull << 60), XEN_EINVAL);
		assert_refused(f, fake_call(f, __HYPERVISOR_vcpu_op, cmds[i], 0, FAKE_HOLE),
			       XEN_EFAULT);
		if (f->long_mode)
			assert_refused(f, register_phys(f, cmds[i], AREA + 4), XEN_ENXIO);
		else
			assert_int_equal(register_phys(f, cmds[i], AREA + 4), 0);
	}
	/* The last place in a page for each length. */
	assert_int_equal(register_phys(f, cmds[0], AREA + 0x1000 - (f->long_mode ? 48 : 44)), 0);
	assert_int_equal(register_phys(f, cmds[1], AREA + 0x1000 - 32), 0);
}

static void time_by_physical_address(void **state)
{
	struct fake *f = *state;
	struct vcpu_info *info = &((struct shared_info *)f->shared_info)->vcpu_info[0];
	struct vcpu_time_info *area = fake_at(f, AREA);

	memset(f->ram + AREA - 8, FILL, 64);
	info->time = (struct vcpu_time_info){.version = 6, .system_time = 1234};
	assert_int_equal(register_phys(f, VCPUOP_register_vcpu_time_phys_area, AREA), 0);
	assert_int_equal(area->version, 6);
	assert_int_equal(area->system_time, 1234);
	assert_int_equal(f->ram[AREA - 1], FILL);
	assert_int_equal(f->ram[AREA + 32], FILL);
	info->time.version = 8;
	assert_int_equal(register_phys(f, VCPUOP_register_vcpu_time_phys_area, UINT64_MAX), 0);
	vcpu_time_area_update(self(f));
	assert_int_equal(area->version, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(at_each_change),
		TEST_BOTH(at_every_offset),
		TEST_BOTH(word_size_changes),
		TEST_BOTH(registered_by_the_other),
		TEST_64(no_room_for_the_rest),
		TEST_BOTH(update_flag),
		TEST_BOTH(stolen),
		TEST_BOTH(stolen_more_than_time),
		TEST_BOTH(read_with_steal),
		TEST_BOTH(area_must_be_looked_up),
		TEST_BOTH(area_without_memory),
		TEST_BOTH(by_physical_address),
		TEST_BOTH(bad_physical_addresses),
		TEST_BOTH(time_by_physical_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
