// SPDX-License-Identifier: BSD-2-Clause
/* How far each rule of memslot_rules_test.c goes: the values on both sides of its limit. */
#include "shim/memslot/fake_memory_test.h"

#include <errno.h>

#include "shim/memslot/gmem.h"

#define PAGES 16

/* Host addresses that exist only as numbers. */
#define HVA(page) ((const uint8_t *)0x100000000000 + ((uint64_t)(page) << GUEST_PAGE_SHIFT))

static void all_slots_of_both_address_spaces(void **state)
{
	struct fake_memory *m = *state;

	for (uint32_t as = 0; as < MEMSLOT_ADDRESS_SPACES; as++)
		for (uint32_t i = 0; i < MEMSLOTS_MAX; i++)
			assert_int_equal(
				fake_memory_set(m, as << 16 | i, 0, gfn(2 * i), 1, HVA(2 * i + as)),
				0);
	assert_int_equal(fake_memory_set(m, MEMSLOTS_MAX, 0, gfn(1), 1, HVA(1 << 20)), -EINVAL);
	assert_int_equal(fake_memory_generation(m), 1 + 2 * MEMSLOTS_MAX);
	assert_int_equal(m->nr[0], MEMSLOTS_MAX);
	assert_int_equal(m->nr[1], MEMSLOTS_MAX);
	assert_int_equal(fake_memory_delete(m, 1), 0);
	assert_int_equal(fake_memory_set(m, 1, 0, gfn(2), 1, HVA(2)), 0);
}

static void free_ids_run_out(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(memslots_free_id(&m->slots), 0);
	for (uint32_t i = 0; i < MEMSLOTS_MAX; i++)
		assert_int_equal(fake_memory_set(m, i, 0, gfn(i), 1, HVA(i)), 0);
	assert_int_equal(memslots_free_id(&m->slots), -ENOSPC);
	assert_int_equal(fake_memory_delete(m, 77), 0);
	assert_int_equal(memslots_free_id(&m->slots), 77);
}

static void address_spaces_do_not_overlap_each_other(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 1 << 16, 0, gfn(0), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 1 << 16 | 1, 0, gfn(PAGES - 1), 1, m->ram), -EEXIST);
}

/* The number is the low 16 bits: 32764 is not the first of the kernel's own, and never wraps. */
static void slot_numbers(void **state)
{
	struct fake_memory *m = *state;
	static const uint32_t bad[] = {
		MEMSLOTS_MAX, 0xffff,    1 << 16 | MEMSLOTS_MAX, MEMSLOT_ADDRESS_SPACES << 16,
		0xffff0000,   UINT32_MAX};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_without_trace(m, fake_memory_set(m, bad[i], 0, gfn(0), 1, m->ram), -EINVAL);
	assert_int_equal(fake_memory_set(m, MEMSLOTS_MAX - 1, 0, gfn(0), 1, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 1 << 16 | (MEMSLOTS_MAX - 1), 0, gfn(0), 1, m->ram), 0);
}

static void flags_without_private_memory(void **state)
{
	struct fake_memory *m = *state;

	for (unsigned bit = 2; bit < 32; bit++)
		assert_without_trace(m, fake_memory_set(m, 0, 1u << bit, gfn(0), 1, m->ram),
				     -EINVAL);
	assert_int_equal(
		fake_memory_set(m, 0, MEMSLOT_READONLY | MEMSLOT_LOG_DIRTY, gfn(0), 1, m->ram), 0);
}

static void private_memory_is_neither_logged_nor_rom(void **state)
{
	struct fake_memory *m = *state;
	const uint32_t private = MEMSLOT_PRIVATE;

	assert_without_trace(
		m, fake_memory_set(m, 0, private | MEMSLOT_LOG_DIRTY, gfn(0), 1, m->ram), -EINVAL);
	assert_without_trace(
		m, fake_memory_set(m, 0, private | MEMSLOT_READONLY, gfn(0), 1, m->ram), -EINVAL);
	for (unsigned bit = 3; bit < 32; bit++)
		assert_without_trace(m, fake_memory_set(m, 0, 1u << bit, gfn(0), 1, m->ram),
				     -EINVAL);
}

static void host_addresses(void **state)
{
	struct fake_memory *m = *state;
	const uint64_t end = 0x7ffffffff000; /* of user addresses with four levels of tables */
	const uint64_t bad[] = {end - GUEST_PAGE_SIZE,
				end,
				end + GUEST_PAGE_SIZE,
				1ull << 47,
				1ull << 62,
				1ull << 63,
				-2 * (uint64_t)GUEST_PAGE_SIZE};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0), 2, (uint8_t *)bad[i]),
				     -EINVAL);
	assert_int_equal(
		fake_memory_set(m, 0, 0, gfn(0), 2, (uint8_t *)end - 2 * (size_t)GUEST_PAGE_SIZE),
		0);
}

static void host_address_of_a_delete_counts(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(0), 1, m->ram);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0), 0, m->ram + 1), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0), 0, (uint8_t *)(1ull << 63)),
			     -EINVAL);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(7), 0, m->ram), 0);
}

static void slot_of_most_pages(void **state)
{
	struct fake_memory *m = *state;

	m->slots.max_gfn = 1ull << 48;
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0), MEMSLOT_MAX_PAGES + 1, HVA(0)),
			     -EINVAL);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0), MEMSLOT_MAX_PAGES, HVA(0)), 0);
}

static void addresses_that_wrap(void **state)
{
	struct fake_memory *m = *state;
	const uint64_t last = UINT64_MAX >> GUEST_PAGE_SHIFT;
	struct memslot_request r = {.size = -(uint64_t)GUEST_PAGE_SIZE, .hva = (uintptr_t)m->ram};

	m->slots.max_gfn = UINT64_MAX;
	assert_without_trace(m, memslots_set_slot(&m->slots, &r), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(last), 2, m->ram), -EINVAL);
	/* The last page ends where addresses do: KVM's check takes that for wrapping, too. */
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(last), 1, m->ram), -EINVAL);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(last - 1), 1, m->ram), 0);
}

static void books_of_pages(void **state)
{
	struct fake_memory *m = *state;

	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram), 0);
	assert_int_equal(m->slots.ids[0].npages, PAGES);
	m->slots.ids[0].npages = PAGES - 1;
	assert_without_trace(m, fake_memory_delete(m, 0), -EIO);
	m->slots.ids[0].npages = UINT64_MAX - 1;
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(PAGES), 2, m->ram), -EINVAL);
	assert_int_equal(fake_memory_set(m, 1, 0, gfn(PAGES), 1, m->ram), 0);
	m->slots.ids[0].npages = PAGES;
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_int_equal(m->slots.ids[0].npages, 0);
	/* Each address space has its own. */
	m->slots.ids[0].npages = UINT64_MAX;
	assert_int_equal(fake_memory_set(m, 1 << 16, 0, gfn(0), PAGES, m->ram), 0);
	m->slots.ids[0].npages = 1;
}

static void what_may_not_change(void **state)
{
	struct fake_memory *m = *state;
	const uint8_t *hva = m->ram;

	fake_memory_set(m, 0, 0, gfn(PAGES), PAGES, hva);
	fake_memory_set(m, 1, MEMSLOT_READONLY, gfn(4 * PAGES), PAGES, hva);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(PAGES), PAGES + 1, hva), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(PAGES), PAGES - 1, hva), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0), PAGES - 1, hva), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, MEMSLOT_READONLY, gfn(PAGES), PAGES, hva),
			     -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, MEMSLOT_READONLY, gfn(0), PAGES, hva),
			     -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(4 * PAGES), PAGES, hva), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(PAGES), PAGES, hva + GUEST_PAGE_SIZE),
			     -EINVAL);
}

static void identical_request_is_nothing(void **state)
{
	struct fake_memory *m = *state;
	unsigned calls;

	fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(0), PAGES, m->ram);
	calls = fake_memory_calls(m);
	assert_int_equal(fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(0), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_calls(m), calls);
	assert_without_trace(m, fake_memory_set(m, 0, MEMSLOT_LOG_DIRTY, gfn(0), PAGES, m->ram), 0);
}

static void overlap_by_one_page(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(0x01), PAGES, m->ram), -EEXIST);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(0x1f), PAGES, m->ram), -EEXIST);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(0x18), 1, m->ram), -EEXIST);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(0x00), 3 * PAGES, m->ram), -EEXIST);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(0x10), PAGES, m->ram), -EEXIST);
	assert_int_equal(fake_memory_set(m, 1, 0, gfn(0x00), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 2, 0, gfn(0x20), PAGES, m->ram), 0);
}

static void move_may_overlap_its_own_old_place_only(void **state)
{
	struct fake_memory *m = *state;

	fake_memory_set(m, 0, 0, gfn(0x10), PAGES, m->ram);
	fake_memory_set(m, 1, 0, gfn(0x30), PAGES, m->ram);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x11), PAGES, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x0f), PAGES, m->ram), 0);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0x21), PAGES, m->ram), -EEXIST);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(0x20), PAGES, m->ram), 0);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0x3f), PAGES, m->ram), -EEXIST);
}

static void frames_up_to_the_last(void **state)
{
	struct fake_memory *m = *state;
	const uint64_t max = m->slots.max_gfn;

	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(max), 1, m->ram), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(max - 1), 2, m->ram), -EINVAL);
	assert_int_equal(fake_memory_set(m, 0, 0, gfn(max - 1), 1, m->ram), 0);
	assert_int_equal(fake_memory_set(m, 1, 0, gfn(0), 2, m->ram), 0);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(max + 7), 2, m->ram), -EINVAL);
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_without_trace(m, fake_memory_set(m, 1, 0, gfn(max - 1), 2, m->ram), -EINVAL);
	assert_int_equal(fake_memory_set(m, 1, 0, gfn(max - 2), 2, m->ram), 0);
}

/* A guest_memfd of numbers. */
static int set_private(void *host, struct gfn base, uint64_t npages, bool is_private)
{
	(void)host;
	(void)base;
	(void)npages;
	(void)is_private;
	return 0;
}

static void destroy(void *host)
{
	(void)host;
}

static int set_private_slot(struct fake_memory *m, uint32_t id, struct gfn base, struct gmem *g,
			    uint64_t offset)
{
	const struct memslot_request r = {
		.slot = id,
		.flags = MEMSLOT_PRIVATE,
		.gpa = gfn_to_gpa(base).v,
		.size = PAGES * GUEST_PAGE_SIZE,
		.hva = (uintptr_t)m->ram,
		.gmem = g,
		.gmem_offset = offset,
	};

	return memslots_set_slot(&m->slots, &r);
}

static void part_of_the_gmem(void **state)
{
	static const struct gmem_ops ops = {.set_private = set_private, .destroy = destroy};
	const uint64_t page = GUEST_PAGE_SIZE;
	struct fake_memory *m = *state, *other = fake_memory_create(MEMSLOTS_CAN_PRIVATE);
	struct gmem *g = gmem_create(&m->slots, 3 * PAGES, &ops, NULL);
	struct gmem *foreign = gmem_create(&other->slots, 3 * PAGES, &ops, NULL);

	assert_without_trace(m, set_private_slot(m, 0, gfn(0), NULL, 0), -EBADF);
	assert_without_trace(m, set_private_slot(m, 0, gfn(0), foreign, 0), -EINVAL);
	assert_without_trace(m, set_private_slot(m, 0, gfn(0), g, page / 2), -EINVAL);
	assert_without_trace(m, set_private_slot(m, 0, gfn(0), g, -page), -EINVAL);
	assert_without_trace(m, set_private_slot(m, 0, gfn(0), g, -PAGES * page), -EINVAL);
	assert_without_trace(m, set_private_slot(m, 0, gfn(0), g, (2 * PAGES + 1) * page), -EINVAL);
	assert_int_equal(set_private_slot(m, 0, gfn(0), g, PAGES * page), 0);
	assert_without_trace(m, set_private_slot(m, 1, gfn(PAGES), g, page), -EEXIST);
	assert_without_trace(m, set_private_slot(m, 1, gfn(PAGES), g, (2 * PAGES - 1) * page),
			     -EEXIST);
	assert_int_equal(set_private_slot(m, 1, gfn(PAGES), g, 0), 0);
	/* It cannot be changed any more, not even into what it is. */
	assert_without_trace(m, set_private_slot(m, 0, gfn(0), g, PAGES * page), -EINVAL);
	assert_without_trace(m, set_private_slot(m, 0, gfn(4 * PAGES), g, PAGES * page), -EINVAL);
	assert_without_trace(m, fake_memory_set(m, 0, 0, gfn(0), PAGES, m->ram), -EINVAL);
	/* Only taken away, and then its part is free again. */
	assert_int_equal(fake_memory_delete(m, 0), 0);
	assert_int_equal(set_private_slot(m, 2, gfn(2 * PAGES), g, PAGES * page), 0);
	gmem_put(g);
	gmem_put(foreign);
	fake_memory_destroy(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_slots_of_both_address_spaces),
		TEST(free_ids_run_out),
		TEST(address_spaces_do_not_overlap_each_other),
		TEST(slot_numbers),
		TEST(flags_without_private_memory),
		TEST_WITH(private_memory_is_neither_logged_nor_rom, private),
		TEST(host_addresses),
		TEST(host_address_of_a_delete_counts),
		TEST(slot_of_most_pages),
		TEST(addresses_that_wrap),
		TEST(books_of_pages),
		TEST(what_may_not_change),
		TEST(identical_request_is_nothing),
		TEST(overlap_by_one_page),
		TEST(move_may_overlap_its_own_old_place_only),
		TEST(frames_up_to_the_last),
		TEST_WITH(part_of_the_gmem, private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
