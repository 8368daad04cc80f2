// SPDX-License-Identifier: BSD-2-Clause
/* Copies from and to the guest: pages that are neighbours only in the page tables, ends of RAM,
 * and nothing copied when a part cannot be. */
#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "shim/guest_access.h"

#define VIRT 0x400000ull /* outside the low RAM */
#define ONE  0x9000ull
#define TWO  0x3000ull

static const uint8_t text[64] = "it is copied whole or not at all, and nothing beside it changes";

/* Two pages at VIRT, in memory the other way round. */
static struct fake_tables two_pages(struct fake *f)
{
	struct fake_tables t = fake_paging_start(f, FAKE_PAGING_4);

	fake_map(&t, VIRT, ONE, PTE_RW);
	fake_map(&t, VIRT + 0x1000, TWO, PTE_RW);
	return t;
}

static void across_pages(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);
	const struct gva at = gva(VIRT + 0x1000 - 20);
	uint8_t back[sizeof(text)] = {0};

	two_pages(f);
	assert_int_equal(guest_write(v, at, text, sizeof(text)), 0);
	assert_memory_equal(f->ram + ONE + 0x1000 - 20, text, 20);
	assert_memory_equal(f->ram + TWO, text + 20, sizeof(text) - 20);
	assert_int_equal(f->ram[ONE + 0x1000 - 21], 0);
	assert_int_equal(f->ram[TWO + sizeof(text) - 20], 0);
	assert_int_equal(guest_read(v, back, at, sizeof(back)), 0);
	assert_memory_equal(back, text, sizeof(text));
	memset(back, 0, sizeof(back));
	assert_int_equal(guest_read_inout(v, back, at, sizeof(back)), 0);
	assert_memory_equal(back, text, sizeof(text));
}

/* Exactly to the end of a page: the next one is not looked at. */
static void up_to_the_end_of_a_page(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = two_pages(f);
	const struct gva at = gva(VIRT + 0x1000 - sizeof(text));

	fake_set_entry(&t, VIRT + 0x1000, 1, 0);
	assert_int_equal(guest_write(fake_current(f), at, text, sizeof(text)), 0);
	assert_memory_equal(f->ram + ONE + 0x1000 - sizeof(text), text, sizeof(text));
}

static void nothing_when_the_second_page_is_missing(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);
	struct fake_tables t = two_pages(f);
	const struct gva at = gva(VIRT + 0x1000 - 20);
	uint8_t back[sizeof(text)];

	fake_set_entry(&t, VIRT + 0x1000, 1, 0);
	memset(back, 0x55, sizeof(back));
	assert_refused(f, guest_write(v, at, text, sizeof(text)), XEN_EFAULT);
	assert_int_equal(guest_read(v, back, at, sizeof(back)), -XEN_EFAULT);
	for (unsigned i = 0; i < sizeof(back); i++)
		assert_int_equal(back[i], 0x55);
}

static void nothing_when_the_first_page_is_missing(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = two_pages(f);
	const struct gva at = gva(VIRT + 0x1000 - 20);

	fake_set_entry(&t, VIRT, 1, 0);
	assert_refused(f, guest_write(fake_current(f), at, text, sizeof(text)), XEN_EFAULT);
}

static void nothing_when_a_frame_has_no_memory(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = two_pages(f);
	const struct gva at = gva(VIRT + 0x1000 - 20);

	fake_map(&t, VIRT + 0x1000, FAKE_HOLE, PTE_RW);
	assert_refused(f, guest_write(fake_current(f), at, text, sizeof(text)), XEN_EFAULT);
	fake_map(&t, VIRT + 0x1000, TWO, PTE_RW);
	fake_map(&t, VIRT, FAKE_HOLE, PTE_RW);
	assert_refused(f, guest_write(fake_current(f), at, text, sizeof(text)), XEN_EFAULT);
}

/* A result that could not be written back is told of before it is made. */
static void inout_wants_a_writable_page(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);
	struct fake_tables t = two_pages(f);
	uint8_t back[sizeof(text)];

	fake_map(&t, VIRT + 0x1000, TWO, PTE_P);
	assert_int_equal(guest_read(v, back, gva(VIRT + 0x1000 - 4), 8), 0);
	assert_int_equal(guest_read_inout(v, back, gva(VIRT + 0x1000 - 4), 8), -XEN_EFAULT);
	assert_refused(f, guest_write(v, gva(VIRT + 0x1000 - 4), text, 8), XEN_EFAULT);
	f->vcpu[0].paging.cr0 &= ~CR0_WP;
	assert_int_equal(guest_read_inout(v, back, gva(VIRT + 0x1000 - 4), 8), 0);
}

static void longer_than_two_pages(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);
	struct fake_tables t = two_pages(f);
	uint8_t *in = test_malloc(0x4000), *back = test_malloc(0x4000);

	fake_map(&t, VIRT + 0x2000, 0x20000, PTE_RW);
	fake_map(&t, VIRT + 0x3000, 0x1f000, PTE_RW);
	fake_map(&t, VIRT + 0x4000, 0x1000, PTE_RW);
	for (unsigned i = 0; i < 0x4000; i++)
		in[i] = i * 7 + (i >> 8);
	assert_int_equal(guest_write(v, gva(VIRT + 0x345), in, 0x4000), 0);
	assert_memory_equal(f->ram + 0x20000, in + 0x2000 - 0x345, 0x1000);
	assert_int_equal(guest_read(v, back, gva(VIRT + 0x345), 0x4000), 0);
	assert_memory_equal(back, in, 0x4000);
	test_free(in);
	test_free(back);
}

static void nothing_to_copy(void **state)
{
	struct fake *f = *state;

	assert_int_equal(guest_write(fake_current(f), gva(FAKE_HOLE), text, 0), 0);
	assert_int_equal(guest_write(fake_current(f), gva(UINT64_MAX), text, 0), 0);
}

static void end_of_ram(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);

	assert_int_equal(guest_write(v, gva(FAKE_RAM_SIZE - 8), text, 8), 0);
	assert_refused(f, guest_write(v, gva(FAKE_RAM_SIZE - 7), text, 8), XEN_EFAULT);
	assert_refused(f, guest_write(v, gva(FAKE_RAM_SIZE), text, 1), XEN_EFAULT);
}

/* Two slots side by side are one piece of memory to the guest. */
static void across_slots(void **state)
{
	struct fake *f = *state;
	static uint8_t more[GUEST_PAGE_SIZE] __attribute__((aligned(GUEST_PAGE_SIZE)));

	memset(more, 0, sizeof(more));
	assert_int_equal(fake_add_memory(f, 2, FAKE_RAM_SIZE, sizeof(more), more), 0);
	assert_int_equal(guest_write(fake_current(f), gva(FAKE_RAM_SIZE - 3), text, 8), 0);
	assert_memory_equal(f->ram + FAKE_RAM_SIZE - 3, text, 3);
	assert_memory_equal(more, text + 3, 5);
	assert_int_equal(fake_remove_memory(f, 2), 0);
	assert_refused(f, guest_write(fake_current(f), gva(FAKE_RAM_SIZE - 3), text, 8),
		       XEN_EFAULT);
}

/* A 64-bit linear address wraps, as the processor's own accesses do; a 32-bit one ends at 4 GiB. */
static void wrapping_addresses(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);
	struct fake_tables t = fake_paging_start(f, FAKE_PAGING_4);

	fake_map(&t, 0xfffffffffffff000, ONE, PTE_RW);
	assert_refused(f, guest_write(v, gva(UINT64_MAX - 3), text, 8), XEN_EFAULT);
	fake_map(&t, 0, TWO, PTE_RW);
	assert_int_equal(guest_write(v, gva(UINT64_MAX - 3), text, 8), 0);
	assert_memory_equal(f->ram + ONE + 0xffc, text, 4);
	assert_memory_equal(f->ram + TWO, text + 4, 4);

	t = fake_paging_start(f, FAKE_PAGING_PAE);
	fake_map(&t, 0xfffff000, ONE, PTE_RW);
	fake_map(&t, 0, TWO, PTE_RW);
	assert_refused(f, guest_write(v, gva(0xfffffffc), text, 8), XEN_EFAULT);

	f->vcpu[0].paging = (struct paging){0};
	assert_refused(f, guest_write(v, gva(0xfffffffc), text, 8), XEN_EFAULT);
}

static void physical(void **state)
{
	struct fake *f = *state;
	struct domain *d = &f->domain;

	two_pages(f); /* paging does not matter */
	assert_int_equal(guest_write_physical(d, gpa(0x7ff0), text, sizeof(text)), 0);
	assert_memory_equal(f->ram + 0x7ff0, text, sizeof(text));
	assert_refused(f, guest_write_physical(d, gpa(FAKE_RAM_SIZE - 1), text, 2), XEN_EFAULT);
	assert_refused(f, guest_write_physical(d, gpa(FAKE_HOLE), text, 1), XEN_EFAULT);
	assert_refused(f, guest_write_physical(d, gpa(UINT64_MAX), text, 2), XEN_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(across_pages),
		TEST_64(up_to_the_end_of_a_page),
		TEST_64(nothing_when_the_second_page_is_missing),
		TEST_64(nothing_when_the_first_page_is_missing),
		TEST_64(nothing_when_a_frame_has_no_memory),
		TEST_64(inout_wants_a_writable_page),
		TEST_64(longer_than_two_pages),
		TEST_64(nothing_to_copy),
		TEST_64(end_of_ram),
		TEST_64(across_slots),
		TEST_64(wrapping_addresses),
		TEST_64(physical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
