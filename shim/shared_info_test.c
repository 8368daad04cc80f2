// SPDX-License-Identifier: BSD-2-Clause
/* shared_info and vcpu_info: the wall clock in both layouts, the latched word size, where a vCPU's
 * part is. */
#include "shim/shared_info.h"

#include <string.h>

#include "shim/fake_test.h"

#define SOMEWHERE 0x42ull

/* 2200-01-01, past what 32 bits of seconds hold, and a fraction. */
#define FAR_SECONDS 7258118400ull
#define NANOSECONDS 123456789u

/* The wall clock's fields in a layout. */
struct wallclock {
	uint32_t version, sec, nsec, sec_hi;
};

static struct wallclock wallclock(struct fake *f, bool long_mode)
{
	const uint8_t *page = f->shared_info;
	struct wallclock w;

	/* By offset, as a guest's own headers have it: xen.h and foreign/x86_32.h. */
	memcpy(&w, page + (long_mode ? 0xc00 : 0x900), 12);
	memcpy(&w.sec_hi, page + (long_mode ? 0xc0c : 0x924), 4);
	return w;
}

static void check_wallclock(struct fake *f, bool long_mode)
{
	struct wallclock w = wallclock(f, long_mode);

	assert_int_equal(w.sec, (uint32_t)FAR_SECONDS);
	assert_int_equal(w.sec_hi, FAR_SECONDS >> 32);
	assert_int_equal(w.nsec, NANOSECONDS);
	assert_int_equal(w.version & 1, 0);
	assert_int_not_equal(w.version, 0);
}

static void set_wallclock(struct fake *f)
{
	f->wallclock = FAR_SECONDS * 1000000000 + NANOSECONDS;
}

static void wallclock_is_written_when_mapped(void **state)
{
	struct fake *f = *state;

	set_wallclock(f);
	assert_int_equal(wallclock(f, f->long_mode).version, 0);
	assert_int_equal(shared_info_map(&f->domain, gfn(SOMEWHERE)), 0);
	check_wallclock(f, f->long_mode);
	assert_int_equal(wallclock(f, !f->long_mode).sec, 0);
}

static void wallclock_is_written_when_mapped_again(void **state)
{
	struct fake *f = *state;
	uint32_t version;

	shared_info_map(&f->domain, gfn(SOMEWHERE));
	version = wallclock(f, f->long_mode).version;
	set_wallclock(f);
	shared_info_map(&f->domain, gfn(SOMEWHERE));
	check_wallclock(f, f->long_mode);
	assert_int_equal(wallclock(f, f->long_mode).version, version + 2);
}

/* A guest may have left any value there; ours is even, and another one. */
static void version_after_a_guests_own(void **state)
{
	struct fake *f = *state;
	const uint32_t odd = 77, last = UINT32_MAX;
	uint8_t *version = (uint8_t *)f->shared_info + (f->long_mode ? 0xc00 : 0x900);

	memcpy(version, &odd, 4);
	shared_info_map(&f->domain, gfn(SOMEWHERE));
	assert_int_equal(wallclock(f, f->long_mode).version, 80);
	memcpy(version, &last, 4);
	shared_info_map(&f->domain, gfn(SOMEWHERE));
	assert_int_equal(wallclock(f, f->long_mode).version, 2);
}

static void latch_writes_the_other_layout(void **state)
{
	struct fake *f = *state;

	set_wallclock(f);
	domain_latch_word_size(&f->domain, !f->long_mode);
	assert_int_equal(f->domain.long_mode, !f->long_mode);
	check_wallclock(f, !f->long_mode);
	assert_int_equal(wallclock(f, f->long_mode).version, 0);
	assert_int_equal(f->word_sizes_latched, 1);
	domain_latch_word_size(&f->domain, f->long_mode);
	check_wallclock(f, f->long_mode);
	assert_int_equal(f->word_sizes_latched, 2);
}

/* The platform hears of changes only. */
static void latch_of_the_same_size(void **state)
{
	struct fake *f = *state;

	domain_latch_word_size(&f->domain, f->long_mode);
	assert_int_equal(f->word_sizes_latched, 0);
	assert_int_equal(f->domain.long_mode, f->long_mode);
}

/* The clock is brought level at each latching, not at changes only: a guest latches on resume. */
static void latch_of_the_same_size_writes_the_wallclock(void **state)
{
	struct fake *f = *state;

	shared_info_map(&f->domain, gfn(SOMEWHERE));
	set_wallclock(f);
	domain_latch_word_size(&f->domain, f->long_mode);
	check_wallclock(f, f->long_mode);
}

static void upcalls_start_masked(void **state)
{
	struct fake *f = *state;

	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		guest_vcpu_info *info = vcpu_info_lock(f->domain.vcpus[i]);

		assert_non_null(info);
		assert_int_equal(info->evtchn_upcall_mask, 0);
		assert_int_equal(info->evtchn_upcall_pending, 0);
		vcpu_info_unlock(f->domain.vcpus[i]);
	}
}

static struct vcpu *add_vcpus(struct fake *f, unsigned count)
{
	while (f->domain.nr_vcpus < count)
		assert_non_null(domain_add_vcpu(&f->domain, &f->vcpu[0]));
	return f->domain.vcpus[count - 1];
}

static void vcpu_info_is_a_slot_at_first(void **state)
{
	struct fake *f = *state;
	struct vcpu *last = add_vcpus(f, XEN_LEGACY_MAX_VCPUS);
	struct gpa where;
	void *info = vcpu_info_lock(last);

	assert_ptr_equal(info, (uint8_t *)f->shared_info + 31 * 64);
	vcpu_info_unlock(last);
	assert_false(vcpu_info_gpa(last, &where));
	shared_info_map(&f->domain, gfn(SOMEWHERE));
	assert_true(vcpu_info_gpa(last, &where));
	assert_int_equal(where.v, (SOMEWHERE << 12) + 31 * 64);
}

/* shared_info has slots for 32. */
static void vcpus_without_a_slot(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = add_vcpus(f, XEN_LEGACY_MAX_VCPUS + 1);
	struct gpa where;

	shared_info_map(&f->domain, gfn(SOMEWHERE));
	assert_null(vcpu_info_lock(v));
	assert_false(vcpu_info_gpa(v, &where));
	assert_false(event_channels_pending(v));
}

static void registered_vcpu_info(void **state)
{
	struct vcpu_register_vcpu_info arg = {.mfn = 0x80, .offset = 0x40};
	struct fake *f = *state;
	struct vcpu *v = f->domain.vcpus[0];
	struct gpa where;

	assert_int_equal(fake_vcpu_op(f, VCPUOP_register_vcpu_info, 0, &arg, sizeof(arg)), 0);
	assert_true(vcpu_info_gpa(v, &where));
	assert_int_equal(where.v, 0x80040);
	assert_ptr_equal(vcpu_info_lock(v), f->ram + 0x80040);
	vcpu_info_unlock(v);
}

static void bitmaps(void **state)
{
	struct fake *f = *state;
	uint8_t *page = f->shared_info;
	struct event_bitmaps wide = shared_info_event_bitmaps(&f->domain, true);
	struct event_bitmaps narrow = shared_info_event_bitmaps(&f->domain, false);

	assert_ptr_equal(wide.pending, page + 0x800);
	assert_ptr_equal(wide.mask, page + 0xa00);
	assert_int_equal(wide.ports, 4096);
	assert_ptr_equal(narrow.pending, page + 0x800);
	assert_ptr_equal(narrow.mask, page + 0x880);
	assert_int_equal(narrow.ports, 1024);
}

static void domain_limits(void **state)
{
	struct fake *f = *state;

	add_vcpus(f, DOMAIN_MAX_VCPUS);
	assert_null(domain_add_vcpu(&f->domain, NULL));
	assert_ptr_equal(domain_vcpu(&f->domain, DOMAIN_MAX_VCPUS - 1),
			 f->domain.vcpus[DOMAIN_MAX_VCPUS - 1]);
	assert_null(domain_vcpu(&f->domain, UINT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(wallclock_is_written_when_mapped),
		TEST_BOTH(wallclock_is_written_when_mapped_again),
		TEST_BOTH(version_after_a_guests_own),
		TEST_BOTH(latch_writes_the_other_layout),
		TEST_BOTH(latch_of_the_same_size),
		TEST_BOTH(latch_of_the_same_size_writes_the_wallclock),
		TEST_BOTH(upcalls_start_masked),
		TEST_BOTH(vcpu_info_is_a_slot_at_first),
		TEST_BOTH(vcpus_without_a_slot),
		TEST_BOTH(registered_vcpu_info),
		TEST_64(bitmaps),
		TEST_64(domain_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
