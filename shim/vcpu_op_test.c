// SPDX-License-Identifier: BSD-2-Clause
/* VCPUOP_*: who may be named, where vcpu_info and the second copy of the time go. */
#include <string.h>
#include <unistd.h>

#include "shim/fake_events.h"
#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "shim/shared_info.h"

#define PLACE 0x80ull /* a frame of RAM */
#define TIME  0x90000ull

static long register_vcpu_info(struct fake *f, uint64_t vcpu, uint64_t mfn, uint32_t offset)
{
	struct vcpu_register_vcpu_info arg = {.mfn = mfn, .offset = offset};

	return fake_vcpu_op(f, VCPUOP_register_vcpu_info, vcpu, &arg, sizeof(arg));
}

/* In the caller's word size. */
static long register_time_area(struct fake *f, uint64_t vcpu, uint64_t addr)
{
	uint32_t narrow = addr;

	return f->long_mode ? fake_vcpu_op(f, VCPUOP_register_vcpu_time_memory_area, vcpu, &addr,
					   sizeof(addr))
			    : fake_vcpu_op(f, VCPUOP_register_vcpu_time_memory_area, vcpu, &narrow,
					   sizeof(narrow));
}

static void stop_periodic_timer(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0), 0);
	assert_int_equal(fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 2, 0), 0);
}

/* What was at the old place is at the new one, and everything may be pending. */
static void vcpu_info_moves(void **state)
{
	struct shared_info *s;
	struct vcpu_info *info;
	struct fake *f = *state;

	s = f->shared_info;
	s->vcpu_info[0].arch.cr2 = 0x1122334455667788;
	s->vcpu_info[0].time.system_time = 77;
	memset(f->ram + (PLACE << 12), 0x99, GUEST_PAGE_SIZE);
	assert_int_equal(register_vcpu_info(f, 0, PLACE, 0x40), 0);
	info = fake_at(f, (PLACE << 12) + 0x40);
	assert_int_equal(info->arch.cr2, 0x1122334455667788);
	assert_int_equal(info->time.system_time, 77);
	assert_int_equal(info->evtchn_upcall_mask, 0);
	assert_int_equal(info->evtchn_upcall_pending, 1);
	assert_int_equal(fake_selector(f, 0), f->domain.long_mode ? UINT64_MAX : UINT32_MAX);
	assert_int_equal(f->vcpu[0].upcalls, 1);
	assert_int_equal(f->vcpu[0].time_area_moves, 1);
	assert_int_equal(f->ram[(PLACE << 12) + 0x3f], 0x99);
	assert_int_equal(f->ram[(PLACE << 12) + 0x80], 0x99);
}

static void events_go_to_the_new_place(void **state)
{
	struct shared_info *s;
	struct fake *f = *state;
	long port = fake_bind_ipi(f, 0);

	assert_int_equal(register_vcpu_info(f, 0, PLACE, 0), 0);
	fake_take_upcall(f, 0);
	assert_int_equal(fake_send(f, port), 0);
	assert_true(fake_upcall_pending(f, 0));
	assert_int_equal(fake_selector(f, 0), 1);
	assert_int_equal(f->vcpu[0].upcalls, 1);
	s = f->shared_info;
	assert_int_equal(s->vcpu_info[0].evtchn_upcall_pending, 0);
	/* Others stay where they were. */
	assert_int_equal(fake_send(f, fake_bind_ipi(f, 1)), 0);
	assert_int_equal(s->vcpu_info[1].evtchn_upcall_pending, 1);
}

static void vcpu_info_only_once(void **state)
{
	struct fake *f = *state;

	assert_int_equal(register_vcpu_info(f, 0, PLACE, 0), 0);
	assert_refused(f, register_vcpu_info(f, 0, PLACE + 1, 0), XEN_EINVAL);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, 0), XEN_EINVAL);
}

static void vcpu_info_without_memory(void **state)
{
	struct fake *f = *state;

	assert_refused(f, register_vcpu_info(f, 0, FAKE_HOLE >> 12, 0), XEN_EINVAL);
	assert_refused(f, register_vcpu_info(f, 0, FAKE_RAM_SIZE >> 12, 0), XEN_EINVAL);
	assert_refused(f, register_vcpu_info(f, 0, UINT64_MAX, 0), XEN_EINVAL);
	assert_refused(f, register_vcpu_info(f, 0, 1ull << 52, 0), XEN_EINVAL);
	/* It may be tried again. */
	assert_int_equal(register_vcpu_info(f, 0, PLACE, 0), 0);
}

static void vcpu_info_at_the_end_of_a_page(void **state)
{
	struct fake *f = *state;

	assert_int_equal(register_vcpu_info(f, 0, PLACE, 0x1000 - 64), 0);
}

static void vcpu_info_of_another(void **state)
{
	struct fake *f = *state;

	assert_int_equal(register_vcpu_info(f, 1, PLACE, 0), 0);
	assert_int_equal(f->vcpu[1].upcalls, 1);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_true(f->domain.vcpus[1]->vcpu_info_registered);
	assert_false(f->domain.vcpus[0]->vcpu_info_registered);
}

/* Beyond the slots of shared_info there is nothing to take over. */
static void vcpu_info_of_one_without_a_slot(void **state)
{
	struct fake *f = *state;
	struct vcpu_info *info = fake_at(f, PLACE << 12);

	while (f->domain.nr_vcpus <= XEN_LEGACY_MAX_VCPUS)
		domain_add_vcpu(&f->domain, &f->vcpu[1]);
	memset(info, 0x99, sizeof(*info));
	assert_int_equal(register_vcpu_info(f, XEN_LEGACY_MAX_VCPUS, PLACE, 0), 0);
	assert_int_equal(info->evtchn_upcall_mask, 1);
	assert_int_equal(info->evtchn_upcall_pending, 1);
	assert_int_equal(info->arch.cr2, 0);
	assert_int_equal(info->time.system_time, 0);
	assert_int_equal(fake_send(f, fake_bind_ipi(f, XEN_LEGACY_MAX_VCPUS)), 0);
}

/* Events sent before it had a place: the port's bit waits, and everything is looked at then. */
static void events_before_there_is_a_place(void **state)
{
	struct fake *f = *state;
	struct vcpu *v;

	while (f->domain.nr_vcpus <= XEN_LEGACY_MAX_VCPUS)
		domain_add_vcpu(&f->domain, &f->vcpu[1]);
	v = f->domain.vcpus[XEN_LEGACY_MAX_VCPUS];
	assert_int_equal(fake_send(f, fake_bind_ipi(f, v->id)), 0);
	assert_int_equal(f->vcpu[1].upcalls, 0);
	assert_int_equal(register_vcpu_info(f, v->id, PLACE, 0), 0);
	assert_int_equal(f->vcpu[1].upcalls, 1);
	assert_true(event_channels_pending(v));
}

/* The time as the platform keeps it in the vCPU's vcpu_info. */
static void set_time(struct fake *f, uint32_t version, uint64_t system_time)
{
	struct shared_info *s = f->shared_info;

	s->vcpu_info[0].time = (struct vcpu_time_info){
		.version = version,
		.tsc_timestamp = 0x1111,
		.system_time = system_time,
		.tsc_to_system_mul = 0x2222,
		.tsc_shift = -3,
		.flags = 1,
	};
}

static struct vcpu_time_info time_copy(struct fake *f, uint64_t addr)
{
	struct vcpu_time_info t;

	memcpy(&t, fake_at(f, addr), sizeof(t));
	return t;
}

static void time_is_copied(void **state)
{
	struct fake *f = *state;
	struct shared_info *s = f->shared_info;
	struct vcpu_time_info t;

	set_time(f, 6, 1000);
	assert_int_equal(register_time_area(f, 0, TIME), 0);
	t = time_copy(f, TIME);
	assert_memory_equal(&t, &s->vcpu_info[0].time, sizeof(t));
	set_time(f, 8, 2000);
	assert_int_equal(time_copy(f, TIME).system_time, 1000);
	vcpu_time_area_update(f->domain.vcpus[0]);
	t = time_copy(f, TIME);
	assert_memory_equal(&t, &s->vcpu_info[0].time, sizeof(t));
}

/* Nothing is written while the version says that nothing has changed. */
static void time_of_the_same_version(void **state)
{
	struct fake *f = *state;

	set_time(f, 6, 1000);
	register_time_area(f, 0, TIME);
	set_time(f, 6, 2000);
	vcpu_time_area_update(f->domain.vcpus[0]);
	assert_int_equal(time_copy(f, TIME).system_time, 1000);
}

static void time_area_is_given_up(void **state)
{
	struct fake *f = *state;

	set_time(f, 6, 1000);
	register_time_area(f, 0, TIME);
	assert_int_equal(register_time_area(f, 0, 0), 0);
	set_time(f, 8, 2000);
	vcpu_time_area_update(f->domain.vcpus[0]);
	assert_int_equal(time_copy(f, TIME).system_time, 1000);
	assert_int_equal(register_time_area(f, 0, 0), 0);
}

static void time_area_moves(void **state)
{
	struct fake *f = *state;

	set_time(f, 6, 1000);
	register_time_area(f, 0, TIME);
	assert_int_equal(register_time_area(f, 0, TIME + 0x1000), 0);
	set_time(f, 8, 2000);
	vcpu_time_area_update(f->domain.vcpus[0]);
	assert_int_equal(time_copy(f, TIME).system_time, 1000);
	assert_int_equal(time_copy(f, TIME + 0x1000).system_time, 2000);
}

/* Any alignment will do. */
static void time_area_of_another(void **state)
{
	struct shared_info *s;
	struct fake *f = *state;

	s = f->shared_info;
	s->vcpu_info[1].time.version = 4;
	s->vcpu_info[1].time.system_time = 4321;
	assert_int_equal(register_time_area(f, 1, TIME + 13), 0);
	assert_int_equal(time_copy(f, TIME + 13).system_time, 4321);
}

/* A virtual address, which is found once. */
static void time_area_is_virtual(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);

	fake_map(&t, 0x600000, TIME, PTE_RW);
	set_time(f, 6, 1000);
	assert_int_equal(register_time_area(f, 0, 0x600010), 0);
	assert_int_equal(time_copy(f, TIME + 0x10).system_time, 1000);
	f->vcpu[0].paging = (struct paging){0};
	set_time(f, 8, 2000);
	vcpu_time_area_update(f->domain.vcpus[0]);
	assert_int_equal(time_copy(f, TIME + 0x10).system_time, 2000);
}

static void bad_time_areas(void **state)
{
	struct fake *f = *state;
	struct fake_tables t;

	set_time(f, 6, 1000);
	register_time_area(f, 0, TIME);
	t = fake_paging_identity(f);
	fake_map(&t, 0x600000, TIME, PTE_P);
	assert_refused(f, register_time_area(f, 0, 0x600000), XEN_EFAULT);
	assert_refused(f, register_time_area(f, 0, 0x601000), XEN_EFAULT);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0,
				 FAKE_HOLE),
		       XEN_EFAULT);
	/* What was registered still is. */
	set_time(f, 8, 2000);
	vcpu_time_area_update(f->domain.vcpus[0]);
	assert_int_equal(time_copy(f, TIME).system_time, 2000);
}

static void no_time_area(void **state)
{
	struct fake *f = *state;
	struct fake_snapshot *before = fake_snapshot(f);

	vcpu_time_area_update(f->domain.vcpus[0]);
	assert_null(fake_changed(f, before));
}

/* `unsigned int vcpuid`: the upper half of the register says nothing. */
static void ids_of_32_bits(void **state)
{
	static const unsigned cmds[] = {VCPUOP_stop_periodic_timer, VCPUOP_stop_singleshot_timer,
					VCPUOP_get_runstate_info};
	struct fake *f = *state;
	uint64_t where = TIME;

	for (unsigned i = 0; i < ARRAY_SIZE(cmds); i++)
		assert_int_equal(
			fake_call(f, __HYPERVISOR_vcpu_op, cmds[i], 0xdeadbeef00000000, TIME), 0);
	assert_int_equal(fake_vcpu_op(f, VCPUOP_register_runstate_memory_area, 1ull << 32, &where,
				      sizeof(where)),
			 0);
	assert_int_equal(register_vcpu_info(f, 1ull << 63 | 1, PLACE, 0), 0);
}

/* Not in one page, or not aligned to the longest word of the layout that shared_info has. */
static void vcpu_info_in_bad_places(void **state)
{
	struct fake *f = *state;

	assert_refused(f, register_vcpu_info(f, 0, PLACE, 0x1000 - 63), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, 0x1000 - 60), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, 0x1000), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, UINT32_MAX), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, 1), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, 2), XEN_ENXIO);
	/* Before the frame is looked at. */
	assert_refused(f, register_vcpu_info(f, 0, UINT64_MAX, 2), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, UINT64_MAX, 0x1000), XEN_ENXIO);
}

static void vcpu_info_once_after_bad_places(void **state)
{
	struct fake *f = *state;

	assert_int_equal(register_vcpu_info(f, 0, PLACE, 0), 0);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, 2), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, PLACE, 0x1000), XEN_ENXIO);
	assert_refused(f, register_vcpu_info(f, 0, FAKE_HOLE >> 12, 0), XEN_EINVAL);
}

/* For itself, or for one that does not run yet. */
static void vcpu_info_of_a_running_one(void **state)
{
	struct fake *f = *state;

	fake_start(f, 1);
	assert_refused(f, register_vcpu_info(f, 1, PLACE, 0), XEN_EINVAL);
	f->current = 1;
	assert_int_equal(register_vcpu_info(f, 1, PLACE, 0), 0);
	assert_int_equal(register_vcpu_info(f, 2, PLACE, 0x40), 0);
}

/* Not of the caller's word size. */
static void alignment_of_the_latched_word_size(void **state)
{
	struct fake *f = *state;

	f->long_mode = !f->long_mode;
	if (f->domain.long_mode)
		assert_refused(f, register_vcpu_info(f, 0, PLACE, 4), XEN_ENXIO);
	else
		assert_int_equal(register_vcpu_info(f, 0, PLACE, 4), 0);
	assert_int_equal(register_vcpu_info(f, 1, PLACE, 0x48), 0);
}

/* The version is in memory that the guest may write: an odd one must not hold us up. */
static void version_that_stays_odd(void **state)
{
	struct fake *f = *state;

	set_time(f, 6, 1000);
	register_time_area(f, 0, TIME);
	set_time(f, 7, 2000);
	alarm(10);
	vcpu_time_area_update(f->domain.vcpus[0]);
	alarm(0);
	assert_int_equal(time_copy(f, TIME).system_time, 1000);
	set_time(f, 8, 3000);
	vcpu_time_area_update(f->domain.vcpus[0]);
	assert_int_equal(time_copy(f, TIME).system_time, 3000);
}

/* Two pages that are neighbours for the guest only; the version is in the first or in both. */
static void time_area_across_pages(void **state)
{
	struct fake *f = *state;
	struct shared_info *s = f->shared_info;
	struct fake_tables t = fake_paging_identity(f);

	fake_map(&t, 0x600000, 0xa2000, PTE_RW);
	fake_map(&t, 0x601000, 0xa0000, PTE_RW);
	set_time(f, 6, 1000);
	assert_int_equal(register_time_area(f, 0, 0x601000 - 20), 0);
	assert_memory_equal(f->ram + 0xa3000 - 20, &s->vcpu_info[0].time, 20);
	assert_memory_equal(f->ram + 0xa0000, (uint8_t *)&s->vcpu_info[0].time + 20, 12);
	assert_int_equal(register_time_area(f, 0, 0x601000 - 3), 0);
	assert_memory_equal(f->ram + 0xa3000 - 3, &s->vcpu_info[0].time, 3);
	assert_memory_equal(f->ram + 0xa0000, (uint8_t *)&s->vcpu_info[0].time + 3, 29);
}

/*
 * Registered by a 32-bit guest, with that one's alignment; then it is latched as a 64-bit one. The
 * long selector crosses a cache line there, so that no single locked access may be made to it.
 */
static void vcpu_info_of_a_guest_that_turns_64_bit(void **state)
{
	const uint32_t offset = 64 - 8 - 4;
	struct fake *f = *state;
	struct vcpu *v = f->domain.vcpus[0];
	uint64_t selector;
	long port;

	domain_latch_word_size(&f->domain, false);
	assert_int_equal(register_vcpu_info(f, 0, PLACE, offset), 0);
	domain_latch_word_size(&f->domain, true);
	memset(f->ram + (PLACE << 12), 0, GUEST_PAGE_SIZE);
	event_channels_mark_all(v);
	memcpy(&selector, f->ram + (PLACE << 12) + offset + 8, sizeof(selector));
	assert_int_equal(selector, UINT64_MAX);
	assert_true(event_channels_pending(v));
	memset(f->ram + (PLACE << 12), 0, GUEST_PAGE_SIZE);
	for (port = 0; port < 70;)
		port = fake_bind_ipi(f, 0);
	assert_int_equal(fake_send(f, port), 0);
	memcpy(&selector, f->ram + (PLACE << 12) + offset + 8, sizeof(selector));
	assert_int_equal(selector, 2);
	register_time_area(f, 0, TIME);
	assert_int_equal(time_copy(f, TIME).system_time, 0);
}

/* There is no time to copy before there is a vcpu_info. */
static void time_area_without_a_time(void **state)
{
	struct fake *f = *state;

	while (f->domain.nr_vcpus <= XEN_LEGACY_MAX_VCPUS)
		domain_add_vcpu(&f->domain, &f->vcpu[1]);
	memset(f->ram + TIME, 0x77, 32);
	assert_int_equal(register_time_area(f, XEN_LEGACY_MAX_VCPUS, TIME), 0);
	assert_int_equal(f->ram[TIME], 0x77);
	assert_int_equal(register_vcpu_info(f, XEN_LEGACY_MAX_VCPUS, PLACE, 0), 0);
	vcpu_time_area_update(f->domain.vcpus[XEN_LEGACY_MAX_VCPUS]);
	assert_int_equal(f->ram[TIME], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(stop_periodic_timer),
		TEST_BOTH(vcpu_info_moves),
		TEST_BOTH(events_go_to_the_new_place),
		TEST_BOTH(vcpu_info_only_once),
		TEST_BOTH(vcpu_info_without_memory),
		TEST_BOTH(vcpu_info_at_the_end_of_a_page),
		TEST_BOTH(vcpu_info_of_another),
		TEST_BOTH(vcpu_info_of_one_without_a_slot),
		TEST_BOTH(events_before_there_is_a_place),
		TEST_BOTH(time_is_copied),
		TEST_BOTH(time_of_the_same_version),
		TEST_BOTH(time_area_is_given_up),
		TEST_BOTH(time_area_moves),
		TEST_BOTH(time_area_of_another),
		TEST_BOTH(time_area_is_virtual),
		TEST_BOTH(bad_time_areas),
		TEST_BOTH(no_time_area),
		TEST_64(ids_of_32_bits),
		TEST_BOTH(vcpu_info_in_bad_places),
		TEST_BOTH(vcpu_info_once_after_bad_places),
		TEST_BOTH(vcpu_info_of_a_running_one),
		TEST_BOTH(alignment_of_the_latched_word_size),
		TEST_BOTH(version_that_stays_odd),
		TEST_BOTH(time_area_across_pages),
		TEST_BOTH(vcpu_info_of_a_guest_that_turns_64_bit),
		TEST_BOTH(time_area_without_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
