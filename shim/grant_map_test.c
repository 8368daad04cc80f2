// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a backend may do with a grant, in both versions of the table: which grants it can map, what
 * the guest sees of it, and that the page stays meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "shim/fake_grants.h"
#include "shim/fake_test.h"
#include "shim/grant_map.h"
#include "shim/memslot/dirty_log.h"
#include "shim/memslot/overlay.h"
#include "shim/memslot/tracker.h"
#include "shim/shared_info.h"
#include "shim/soft_reset.h"

#define REF   20u
#define OTHER 21u
#define PAGE  0x30ull /* a frame of the RAM */

#define BOTH_FLAGS (GTF_reading | GTF_writing)

static uint8_t *page(struct fake *f, uint64_t frame)
{
	return f->ram + frame * GUEST_PAGE_SIZE;
}

static void grant(struct fake *f, uint16_t flags)
{
	fake_grant(f, REF, GTF_permit_access | flags, 0, PAGE);
}

/* One by one, or as one of many that happen to be one. */
static bool at_once;

static int map(struct fake *f, grant_ref_t ref, bool write, struct grant_mapping *m)
{
	return at_once ? grant_map_all(&f->domain, &ref, 1, write, m, NULL)
		       : grant_map(&f->domain, ref, write, m);
}

/* Each test is run with a table of version 1, and again with one of version 2; both ways. */
static void with_version(struct fake *f, void (*test)(struct fake *f))
{
	for (unsigned i = 0; i < 4; i++) {
		at_once = i % 2;
		fake_grant_version(f, 1 + i / 2);
		test(f);
	}
}

#define VERSIONS(name)                           \
	static void name##_of(struct fake *f);   \
	static void name(void **state)           \
	{                                        \
		with_version(*state, name##_of); \
	}                                        \
	static void name##_of(struct fake *f)

static void assert_unused(struct fake *f, grant_ref_t ref)
{
	assert_int_equal(fake_grant_status(f, ref), 0);
	assert_false(grants_in_use(&f->domain.grants, 0));
}

VERSIONS(a_grant_is_mapped)
{
	struct grant_mapping m;

	grant(f, 0);
	assert_int_equal(map(f, REF, true, &m), GNTST_okay);
	assert_ptr_equal(m.hva, page(f, PAGE));
	assert_int_equal(m.hold.at.v, PAGE);
	assert_int_equal(m.hold.ref, REF);
	assert_true(m.hold.write);
	assert_int_equal(fake_grant_status(f, REF), BOTH_FLAGS);
	grant_unmap(&f->domain, &m, true);
	assert_null(m.hva);
	assert_unused(f, REF);
	grant_unmap(&f->domain, &m, true); /* to no effect */
	assert_unused(f, REF);
}

/* What the guest has given back it cannot grant; what covers the gap it can. */
VERSIONS(a_page_that_is_not_there)
{
	const uint64_t frame = PAGE;
	struct grant_mapping m;

	grant(f, 0);
	assert_int_equal(reservation_remove(&f->domain, &frame, 1, 0), 1);
	assert_int_equal(map(f, REF, false, &m), GNTST_bad_page);
	assert_null(m.hva);
	assert_unused(f, REF);
	assert_int_equal(shared_info_map(&f->domain, gfn(PAGE)), 0);
	assert_int_equal(map(f, REF, false, &m), GNTST_okay);
	grant_unmap(&f->domain, &m, false);
	assert_int_equal(shared_info_map(&f->domain, gfn(PAGE + 1)), 0);
	assert_int_equal(map(f, REF, false, &m), GNTST_bad_page);
	assert_int_equal(reservation_populate(&f->domain, &frame, 1, 0), 1);
	assert_int_equal(map(f, REF, false, &m), GNTST_okay);
	grant_unmap(&f->domain, &m, false);
	assert_unused(f, REF);
}

VERSIONS(flags_are_there_until_the_last_use_ends)
{
	struct grant_mapping read, read2, write;

	grant(f, 0);
	assert_int_equal(map(f, REF, false, &read), GNTST_okay);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading);
	assert_int_equal(map(f, REF, true, &write), GNTST_okay);
	assert_int_equal(fake_grant_status(f, REF), BOTH_FLAGS);
	assert_int_equal(map(f, REF, false, &read2), GNTST_okay);
	grant_unmap(&f->domain, &write, true);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading);
	grant_unmap(&f->domain, &read, false);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading);
	grant_unmap(&f->domain, &read2, false);
	assert_unused(f, REF);
}

static void refused(struct fake *f, bool write, int status)
{
	struct grant_mapping m;

	assert_int_equal(map(f, REF, write, &m), status);
	assert_null(m.hva);
	if (REF < grant_entries(&f->domain.grants))
		assert_unused(f, REF);
}

VERSIONS(what_is_not_granted)
{
	struct grant_mapping m;

	fake_grant(f, REF, GTF_invalid, 0, PAGE);
	refused(f, false, GNTST_general_error);
	fake_grant(f, REF, GTF_accept_transfer, 0, PAGE);
	refused(f, false, GNTST_general_error);
	fake_grant(f, REF, GTF_transitive, 0, PAGE);
	refused(f, false, GNTST_general_error);
	fake_grant(f, REF, GTF_permit_access, 3, PAGE);
	refused(f, false, GNTST_general_error);
	fake_grant(f, REF, GTF_permit_access, DOMID_SELF, PAGE);
	refused(f, false, GNTST_general_error);
	fake_grant(f, REF, GTF_permit_access | GTF_sub_page, 0, PAGE);
	refused(f, false, GNTST_general_error);
	grant(f, GTF_readonly);
	refused(f, true, GNTST_general_error);
	assert_int_equal(map(f, grant_entries(&f->domain.grants), false, &m), GNTST_bad_gntref);
	assert_int_equal(map(f, ~0u, false, &m), GNTST_bad_gntref);
}

VERSIONS(frames_without_memory)
{
	static uint8_t rom[GUEST_PAGE_SIZE] __attribute__((aligned(GUEST_PAGE_SIZE)));
	const struct memslot_request request = {.slot = 9,
						.flags = MEMSLOT_READONLY,
						.gpa = 0x40000000,
						.size = GUEST_PAGE_SIZE,
						.hva = (uintptr_t)rom};
	struct grant_mapping m;

	fake_grant(f, REF, GTF_permit_access, 0, FAKE_HOLE >> GUEST_PAGE_SHIFT);
	refused(f, true, GNTST_bad_page);
	fake_grant(f, REF, GTF_permit_access, 0, UINT64_MAX);
	refused(f, true, GNTST_bad_page);
	assert_int_equal(memslots_set_slot(&f->domain.memslots, &request), 0);
	fake_grant(f, REF, GTF_permit_access, 0, 0x40000);
	refused(f, true, GNTST_bad_page);
	assert_int_equal(map(f, REF, false, &m), GNTST_okay);
	assert_ptr_equal(m.hva, rom);
	grant_unmap(&f->domain, &m, false);
	assert_int_equal(fake_remove_memory(f, 9), 0);
}

/* While it is in use, what the guest writes to the entry does not count. */
VERSIONS(an_entry_in_use_stays_what_it_was)
{
	struct grant_mapping first, second;

	grant(f, 0);
	assert_int_equal(map(f, REF, true, &first), GNTST_okay);
	fake_grant(f, REF, GTF_invalid | BOTH_FLAGS, 5, PAGE + 1);
	assert_int_equal(map(f, REF, true, &second), GNTST_okay);
	assert_ptr_equal(second.hva, first.hva);
	grant_unmap(&f->domain, &first, true);
	grant_unmap(&f->domain, &second, true);
	assert_unused(f, REF);
	refused(f, false, GNTST_general_error);
}

VERSIONS(uses_are_limited)
{
	struct grant_mapping m[GRANT_USES_MAX], one_more;

	grant(f, 0);
	for (unsigned i = 0; i < GRANT_USES_MAX; i++)
		assert_int_equal(map(f, REF, true, &m[i]), GNTST_okay);
	assert_int_equal(map(f, REF, true, &one_more), GNTST_general_error);
	assert_null(one_more.hva);
	assert_int_equal(map(f, REF, false, &one_more), GNTST_okay);
	grant_unmap(&f->domain, &one_more, false);
	assert_int_equal(fake_grant_status(f, REF), BOTH_FLAGS);
	grant_unmap_all(&f->domain, m, GRANT_USES_MAX, true);
	assert_unused(f, REF);
}

/* The page is where it was while it is mapped. */
VERSIONS(a_mapped_page_stays)
{
	struct memslots *slots = &f->domain.memslots;
	struct grant_mapping m;

	grant(f, 0);
	assert_int_equal(map(f, REF, false, &m), GNTST_okay);
	assert_int_equal(overlay_show(slots, OVERLAY_SHARED_INFO, gfn(PAGE)), -EBUSY);
	assert_int_equal(overlay_at(slots, gfn(PAGE)), -ENOENT);
	assert_int_equal(fake_remove_memory(f, 0), -EBUSY);
	assert_int_equal(fake_add_memory(f, 0, FAKE_HOLE, FAKE_RAM_SIZE, f->ram), -EBUSY);
	assert_int_equal(memslots_remap_begin(slots, m.hva, 1), -EBUSY);
	assert_ptr_equal(fake_at(f, PAGE << GUEST_PAGE_SHIFT), m.hva);
	/* Its neighbours are free, */
	assert_int_equal(overlay_show(slots, OVERLAY_SHARED_INFO, gfn(PAGE + 1)), 0);
	assert_int_equal(overlay_show(slots, OVERLAY_SHARED_INFO, gfn(PAGE - 1)), 0);
	assert_int_equal(overlay_hide_all(slots), 0);
	/* and so is the page afterwards. */
	grant_unmap(&f->domain, &m, false);
	assert_int_equal(overlay_show(slots, OVERLAY_SHARED_INFO, gfn(PAGE)), 0);
	assert_int_equal(overlay_hide(slots, gfn(PAGE)), 0);
}

VERSIONS(all_or_none)
{
	const grant_ref_t refs[] = {REF, OTHER, REF + 2};
	struct grant_mapping m[3];
	unsigned failed = 99;

	grant(f, 0);
	fake_grant(f, OTHER, GTF_permit_access, 0, PAGE + 1);
	fake_grant(f, REF + 2, GTF_permit_access | GTF_readonly, 0, PAGE + 2);
	assert_int_equal(grant_map_all(&f->domain, refs, 3, true, m, &failed), GNTST_general_error);
	assert_int_equal(failed, 2);
	for (unsigned i = 0; i < 3; i++) {
		assert_null(m[i].hva);
		assert_unused(f, refs[i]);
	}
	assert_int_equal(grant_map_all(&f->domain, refs, 3, false, m, NULL), GNTST_okay);
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(m[i].hva, page(f, PAGE + i));
	grant_unmap_all(&f->domain, m, 3, false);
	assert_unused(f, REF);
}

/* Of several slots, one of which may not be written to. */
VERSIONS(pages_of_several_slots)
{
	static uint8_t rom[GUEST_PAGE_SIZE] __attribute__((aligned(GUEST_PAGE_SIZE)));
	const struct memslot_request request = {.slot = 9,
						.flags = MEMSLOT_READONLY,
						.gpa = 0x40000000,
						.size = GUEST_PAGE_SIZE,
						.hva = (uintptr_t)rom};
	const grant_ref_t refs[] = {REF, OTHER, REF + 2, REF + 3};
	const uint64_t frames[] = {PAGE, 0x40000, PAGE + 1, PAGE + 2};
	struct grant_mapping m[4];
	unsigned failed = 99;

	assert_int_equal(memslots_set_slot(&f->domain.memslots, &request), 0);
	for (unsigned i = 0; i < 4; i++)
		fake_grant(f, refs[i], GTF_permit_access, 0, frames[i]);
	assert_int_equal(grant_map_all(&f->domain, refs, 4, false, m, NULL), GNTST_okay);
	for (unsigned i = 0; i < 4; i++)
		assert_ptr_equal(m[i].hva, i == 1 ? rom : page(f, frames[i]));
	grant_unmap_all(&f->domain, m, 4, false);
	assert_int_equal(grant_map_all(&f->domain, refs, 4, true, m, &failed), GNTST_bad_page);
	assert_int_equal(failed, 1);
	for (unsigned i = 0; i < 4; i++) {
		assert_null(m[i].hva);
		assert_unused(f, refs[i]);
	}
	/* None of them is pinned. */
	assert_int_equal(overlay_show(&f->domain.memslots, OVERLAY_SHARED_INFO, gfn(PAGE)), 0);
	assert_int_equal(overlay_hide(&f->domain.memslots, gfn(PAGE)), 0);
	assert_int_equal(fake_remove_memory(f, 9), 0);
}

VERSIONS(bytes_are_copied)
{
	char got[6] = "......";

	grant(f, 0);
	memcpy(page(f, PAGE) + 4090, "abcdef", 6);
	assert_int_equal(grant_copy_from(&f->domain, REF, 4090, got, 6), GNTST_okay);
	assert_memory_equal(got, "abcdef", 6);
	assert_int_equal(grant_copy_to(&f->domain, REF, 100, "xyz", 3), GNTST_okay);
	assert_memory_equal(page(f, PAGE) + 100, "xyz", 3);
	assert_unused(f, REF);
	assert_int_equal(grant_copy_from(&f->domain, REF, 4091, got, 6), GNTST_bad_copy_arg);
	assert_int_equal(grant_copy_from(&f->domain, REF, 4097, got, 0), GNTST_bad_copy_arg);
	assert_int_equal(grant_copy_from(&f->domain, REF, 5, got, ~0u), GNTST_bad_copy_arg);
	assert_int_equal(grant_copy_from(&f->domain, REF, 4096, got, 0), GNTST_okay);
	grant(f, GTF_readonly);
	assert_int_equal(grant_copy_to(&f->domain, REF, 0, "xyz", 3), GNTST_general_error);
	assert_int_equal(grant_copy_from(&f->domain, REF, 0, got, 6), GNTST_okay);
	assert_unused(f, REF);
}

static void part_of_a_page(void **state)
{
	struct fake *f = *state;
	char got[8];

	fake_grant_version(f, 2);
	fake_grant_part(f, REF, 0, PAGE, 64, 8);
	memcpy(page(f, PAGE) + 64, "12345678", 8);
	refused(f, false, GNTST_general_error);
	assert_int_equal(grant_copy_from(&f->domain, REF, 64, got, 8), GNTST_okay);
	assert_memory_equal(got, "12345678", 8);
	assert_int_equal(grant_copy_from(&f->domain, REF, 63, got, 8), GNTST_general_error);
	assert_int_equal(grant_copy_from(&f->domain, REF, 65, got, 8), GNTST_general_error);
	assert_int_equal(grant_copy_to(&f->domain, REF, 71, "!", 1), GNTST_okay);
	assert_int_equal(grant_copy_to(&f->domain, REF, 72, "!", 1), GNTST_general_error);
	assert_memory_equal(page(f, PAGE) + 64, "1234567!\0", 9);
	/* More than a page: the page's end counts. */
	fake_grant_part(f, REF, 0, PAGE, 4090, 0xffff);
	assert_int_equal(grant_copy_from(&f->domain, REF, 4090, got, 6), GNTST_okay);
	assert_int_equal(grant_copy_from(&f->domain, REF, 4090, got, 7), GNTST_bad_copy_arg);
	assert_unused(f, REF);
}

/* In version 1 the bit says nothing about copies. */
static void no_parts_in_version_1(void **state)
{
	struct fake *f = *state;
	char got[8];

	grant(f, GTF_sub_page);
	assert_int_equal(grant_copy_from(&f->domain, REF, 0, got, 8), GNTST_okay);
	refused(f, false, GNTST_general_error);
}

static void written_pages_are_dirty(void **state)
{
	const struct memslot_request logged = {
		.slot = 0, .flags = MEMSLOT_LOG_DIRTY, .size = FAKE_RAM_SIZE, .hva = 0};
	struct memslot_request request = logged;
	uint64_t bits[FAKE_RAM_SIZE / GUEST_PAGE_SIZE / 64];
	struct fake *f = *state;
	struct grant_mapping m;

	request.hva = (uintptr_t)f->ram;
	assert_int_equal(memslots_set_slot(&f->domain.memslots, &request), 0);
	grant(f, 0);
	assert_int_equal(map(f, REF, true, &m), GNTST_okay);
	grant_unmap(&f->domain, &m, false);
	assert_int_equal(dirty_log_get(&f->domain.memslots, 0, bits), 0);
	assert_int_equal(bits[PAGE / 64] >> PAGE % 64 & 1, 0);
	assert_int_equal(map(f, REF, true, &m), GNTST_okay);
	grant_unmap(&f->domain, &m, true);
	assert_int_equal(dirty_log_get(&f->domain.memslots, 0, bits), 0);
	assert_int_equal(bits[PAGE / 64], 1ull << PAGE % 64);
	assert_int_equal(grant_copy_to(&f->domain, REF, 0, "x", 1), GNTST_okay);
	assert_int_equal(dirty_log_get(&f->domain.memslots, 0, bits), 0);
	assert_int_equal(bits[PAGE / 64], 1ull << PAGE % 64);
}

/* What the toolstack grants: there from the first, through changes of version and resets. */
static void toolstacks_grants(void **state)
{
	struct fake *f = *state;
	struct grant_mapping m;

	assert_int_equal(grants_offer(&f->domain, GNTTAB_RESERVED_CONSOLE, gfn(PAGE)), 0);
	assert_int_equal(grants_offer(&f->domain, GNTTAB_RESERVED_XENSTORE, gfn(PAGE + 1)), 0);
	assert_int_equal(grants_offer(&f->domain, GNTTAB_NR_RESERVED_ENTRIES, gfn(1)), -XEN_EINVAL);
	assert_int_equal(grants_offer(&f->domain, 2, gfn(1ull << 32)), -XEN_EINVAL);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(map(f, 1, true, &m), GNTST_okay);
		assert_ptr_equal(m.hva, page(f, PAGE + 1));
		fake_grant_version(f, 2 - i % 2); /* while in use */
		assert_int_equal(fake_grant_status(f, 1), BOTH_FLAGS);
		grant_unmap(&f->domain, &m, true);
		assert_unused(f, 1);
	}
	fake_grant(f, 0, 0, 0, 0);
	fake_grant(f, 1, 0, 0, 0);
	fake_grant_version(f, 2);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	assert_int_equal(f->domain.grants.version, 1);
	assert_int_equal(map(f, 0, true, &m), GNTST_okay);
	assert_ptr_equal(m.hva, page(f, PAGE));
	grant_unmap(&f->domain, &m, true);
}

/* What is mapped when the guest begins anew is good until it is taken back, and marks nothing. */
static void a_map_outlives_a_reset(void **state)
{
	struct fake *f = *state;
	struct grant_mapping old, new;

	grant(f, 0);
	assert_int_equal(map(f, REF, true, &old), GNTST_okay);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	refused(f, true, GNTST_general_error);
	fake_grant(f, REF, GTF_permit_access, 0, PAGE + 1);
	assert_int_equal(map(f, REF, false, &new), GNTST_okay);
	assert_ptr_equal(new.hva, page(f, PAGE + 1));
	assert_ptr_equal(old.hva, page(f, PAGE));
	assert_int_equal(fake_remove_memory(f, 0), -EBUSY);
	grant_unmap(&f->domain, &old, true);
	assert_int_equal(fake_grant_status(f, REF), GTF_reading);
	grant_unmap(&f->domain, &new, true);
	assert_unused(f, REF);
	assert_int_equal(overlay_show(&f->domain.memslots, 0, gfn(PAGE)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(a_grant_is_mapped),
		TEST_64(a_page_that_is_not_there),
		TEST_64(flags_are_there_until_the_last_use_ends),
		TEST_64(what_is_not_granted),
		TEST_64(frames_without_memory),
		TEST_64(an_entry_in_use_stays_what_it_was),
		TEST_64(uses_are_limited),
		TEST_64(a_mapped_page_stays),
		TEST_64(all_or_none),
		TEST_64(pages_of_several_slots),
		TEST_64(bytes_are_copied),
		TEST_64(part_of_a_page),
		TEST_64(no_parts_in_version_1),
		TEST_64(written_pages_are_dirty),
		TEST_64(toolstacks_grants),
		TEST_64(a_map_outlives_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
