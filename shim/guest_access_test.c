// SPDX-License-Identifier: BSD-2-Clause
/* Translation of guest-virtual addresses: each kind of paging, level by level. */
#include "shim/guest_access.h"

#include <signal.h>
#include <sys/mman.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"

#define PHYS 0x5000ull

/* For each kind of paging: an address that uses all of its levels, and where a first bad one is. */
static const struct kind {
	enum fake_paging paging;
	uint64_t addr;
	unsigned large_level; /* the highest level that may be a leaf */
	bool has_pdpte;       /* level 3 has no W, A, PS */
} kinds[] = {
	{FAKE_PAGING_32, 0xc0123000, 1, false},
	{FAKE_PAGING_32_PSE, 0xc0123000, 2, false},
	{FAKE_PAGING_PAE, 0xc0123000, 2, true},
	{FAKE_PAGING_4, 0xffff812345678000, 3, false},
	{FAKE_PAGING_5, 0xff12345678901000, 3, false},
};
#define FOR_EACH_KIND(k) for (const struct kind *k = kinds; k < kinds + ARRAY_SIZE(kinds); k++)

static bool is_pdpte(const struct kind *k, unsigned level)
{
	return k->has_pdpte && level == 3;
}

static int translate(struct fake *f, uint64_t addr, bool write, uint64_t *out)
{
	struct gpa found = {0};
	int rc = guest_translate(fake_current(f), gva(addr), write, &found);

	*out = found.v;
	return rc;
}

#define assert_translates(f, addr, write, expected)                      \
	do {                                                             \
		uint64_t found_;                                         \
                                                                         \
		assert_int_equal(translate(f, addr, write, &found_), 0); \
		assert_int_equal(found_, expected);                      \
	} while (0)

#define assert_faults(f, addr, write)                                              \
	do {                                                                       \
		uint64_t found_;                                                   \
                                                                                   \
		assert_int_equal(translate(f, addr, write, &found_), -XEN_EFAULT); \
	} while (0)

/* A tree in which k->addr is mapped to PHYS. */
static struct fake_tables start(struct fake *f, const struct kind *k)
{
	struct fake_tables t = fake_paging_start(f, k->paging);

	fake_map(&t, k->addr, PHYS, PTE_RW);
	return t;
}

static struct paging *regs(struct fake *f)
{
	return &f->vcpu[f->current].paging;
}

static void unpaged(void **state)
{
	struct fake *f = *state;

	assert_translates(f, 0, true, 0);
	assert_translates(f, 0x1234, true, 0x1234);
	assert_translates(f, 0xffffffff, true, 0xffffffff);
	assert_faults(f, 0x100000000, false);
	assert_faults(f, UINT64_MAX, false);
}

static void small_page(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		start(f, k);
		assert_translates(f, k->addr, false, PHYS);
		assert_translates(f, k->addr + 0xfff, true, PHYS + 0xfff);
		assert_faults(f, k->addr + 0x1000, false);
		assert_faults(f, k->addr - 1, false);
	}
}

static void not_present_at_each_level(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		for (unsigned level = 1; level <= t.levels; level++) {
			uint64_t entry = fake_entry(&t, k->addr, level);

			fake_set_entry(&t, k->addr, level, entry & ~PTE_P);
			assert_faults(f, k->addr, false);
			assert_faults(f, k->addr, true);
			fake_set_entry(&t, k->addr, level, entry);
			assert_translates(f, k->addr, true, PHYS);
		}
	}
}

/* Ring 0 may read what it may not write, and write it too while CR0.WP is clear. */
static void write_protected_at_each_level(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		for (unsigned level = 1; level <= t.levels; level++) {
			uint64_t entry = fake_entry(&t, k->addr, level);

			fake_set_entry(&t, k->addr, level, entry & ~PTE_W);
			regs(f)->cr0 |= CR0_WP;
			assert_translates(f, k->addr, false, PHYS);
			if (is_pdpte(k, level))
				assert_translates(f, k->addr, true, PHYS);
			else
				assert_faults(f, k->addr, true);
			regs(f)->cr0 &= ~CR0_WP;
			assert_translates(f, k->addr, true, PHYS);
			fake_set_entry(&t, k->addr, level, entry);
		}
	}
}

/* A page of the user's is the kernel's to use as well: Xen's copies do not look at US. */
static void user_bit_is_no_matter(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		fake_map(&t, k->addr, PHYS, PTE_P | PTE_W);
		assert_translates(f, k->addr, true, PHYS);
	}
}

static void check_marks(struct fake_tables *t, const struct kind *k, uint64_t leaf)
{
	for (unsigned level = 1; level <= t->levels; level++) {
		uint64_t expected = level == 1 ? leaf : is_pdpte(k, level) ? 0 : PTE_A;

		assert_int_equal(fake_entry(t, k->addr, level) & (PTE_A | PTE_D), expected);
	}
}

static void accessed_and_dirty(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		assert_int_equal(fake_entry(&t, k->addr, 1), PHYS | PTE_RW);
		assert_translates(f, k->addr, false, PHYS);
		check_marks(&t, k, PTE_A);
		assert_translates(f, k->addr, true, PHYS);
		check_marks(&t, k, PTE_A | PTE_D);
	}
}

static void a_refused_write_leaves_no_mark_on_the_leaf(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		fake_map(&t, k->addr, PHYS, PTE_P);
		assert_faults(f, k->addr, true);
		assert_int_equal(fake_entry(&t, k->addr, 1), PHYS | PTE_P);
	}
}

static uint64_t level_mask(const struct kind *k, unsigned level)
{
	unsigned bits = k->paging < FAKE_PAGING_PAE ? 10 : 9;

	return (1ull << (GUEST_PAGE_SHIFT + (level - 1) * bits)) - 1;
}

static void large_pages(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		for (unsigned level = 2; level <= k->large_level; level++) {
			struct fake_tables t = fake_paging_start(f, k->paging);
			uint64_t mask = level_mask(k, level);

			fake_set_entry(&t, k->addr, level, PTE_RW | PTE_PS);
			assert_translates(f, k->addr + 0x123, true, (k->addr + 0x123) & mask);
			assert_int_equal(fake_entry(&t, k->addr, level),
					 PTE_RW | PTE_PS | PTE_A | PTE_D);
			fake_set_entry(&t, k->addr, level, PTE_P | PTE_PS);
			assert_faults(f, k->addr, true);
		}
	}
}

/* Bit 12 of a large page is its PAT bit, and no part of the address. */
static void pat_bit_of_large_pages(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		for (unsigned level = 2; level <= k->large_level; level++) {
			struct fake_tables t = fake_paging_start(f, k->paging);
			uint64_t base = k->addr & ~level_mask(k, level);

			fake_set_entry(&t, k->addr, level, PTE_RW | PTE_PS | 1 << 12);
			assert_translates(f, base, true, 0);
		}
	}
}

/* 4 MiB pages above 4 GiB: bits 39:32 of the frame are in bits 20:13 of the entry. */
static void pse36(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = fake_paging_start(f, FAKE_PAGING_32_PSE);

	fake_set_entry(&t, 0xc0000000, 2, 0x00400000 | 0xffull << 13 | PTE_RW | PTE_PS);
	assert_translates(f, 0xc0123456, true, 0xff00523456);
}

/* Without CR4.PSE the bit says nothing: the entry leads to a table. */
static void ps_bit_without_pse(void **state)
{
	struct fake *f = *state;
	struct fake_tables t = start(f, &kinds[0]);
	uint64_t entry = fake_entry(&t, kinds[0].addr, 2);

	fake_set_entry(&t, kinds[0].addr, 2, entry | PTE_PS);
	assert_translates(f, kinds[0].addr, true, PHYS);
}

static void canonical_addresses(void **state)
{
	static const struct {
		enum fake_paging paging;
		uint64_t last_low, first_high;
	} cases[] = {
		{FAKE_PAGING_4, 0x00007ffffffff000, 0xffff800000000000},
		{FAKE_PAGING_5, 0x00fffffffffff000, 0xff00000000000000},
	};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_tables t = fake_paging_start(f, cases[i].paging);

		fake_map(&t, cases[i].last_low, PHYS, PTE_RW);
		fake_map(&t, cases[i].first_high, PHYS, PTE_RW);
		assert_translates(f, cases[i].last_low, true, PHYS);
		assert_translates(f, cases[i].first_high, true, PHYS);
		/* These use the same entries, but for their upper bits. */
		assert_faults(f, cases[i].last_low + 0x1000, true);
		assert_faults(f, cases[i].first_high - 0x1000, true);
		assert_faults(f, cases[i].last_low | 1ull << 63, true);
		assert_faults(f, cases[i].first_high & ~(1ull << 63), true);
	}
}

static void narrow_paging_has_32_bits(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		if (k->paging >= FAKE_PAGING_4)
			continue;
		start(f, k);
		assert_faults(f, k->addr | 1ull << 32, false);
		assert_faults(f, k->addr | 1ull << 63, false);
	}
}

static void tables_outside_ram(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		for (unsigned level = t.levels; level > 1; level--) {
			uint64_t entry = fake_entry(&t, k->addr, level);

			fake_set_entry(&t, k->addr, level, FAKE_HOLE | PTE_P);
			assert_faults(f, k->addr, false);
			fake_set_entry(&t, k->addr, level, entry);
		}
		regs(f)->cr3 = FAKE_HOLE;
		assert_faults(f, k->addr, false);
	}
}

/* Where no page can be so large the bit is reserved, and the processor refuses the entry. */
static void reserved_ps_bit(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		if (k->paging < FAKE_PAGING_PAE)
			continue;
		for (unsigned level = k->large_level + 1; level <= t.levels; level++) {
			uint64_t entry = fake_entry(&t, k->addr, level);

			fake_set_entry(&t, k->addr, level, entry | PTE_PS);
			assert_faults(f, k->addr, false);
			fake_set_entry(&t, k->addr, level, entry);
		}
	}
}

/* Bits of CR3 that are no part of the address: caching, PCID, and those that PAE ignores. */
static void low_bits_of_cr3(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		start(f, k);
		regs(f)->cr3 |= k->has_pdpte ? 0x1f : 0xfff;
		assert_translates(f, k->addr, true, PHYS);
	}
}

/* Bits that software may use, and NX, are no part of the address either. */
static void high_bits_of_entries(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);

		if (k->paging < FAKE_PAGING_PAE)
			continue;
		fake_map(&t, k->addr, PHYS, PTE_RW | 1ull << 63 | 0x7ffull << 52);
		assert_translates(f, k->addr, true, PHYS);
	}
}

/* The frame may lie anywhere: only who uses it finds out whether there is memory. */
static void frames_need_no_memory(void **state)
{
	struct fake *f = *state;

	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);
		uint8_t byte;

		fake_map(&t, k->addr, FAKE_HOLE, PTE_RW);
		assert_translates(f, k->addr, true, FAKE_HOLE);
		assert_int_equal(guest_read(fake_current(f), &byte, gva(k->addr), 1), -XEN_EFAULT);
	}
}

/*
 * Another vCPU swaps the page out between our reading of the entry and our marking it: the new
 * entry, which says where the page is on the disk, must not get our bits. The table is write-
 * protected here, so that the marking faults, and the fault's handler is that other vCPU.
 */
#define SWAPPED_ENTRY 0x123400u

static struct swap_out {
	uint8_t *page; /* of the entry */
	uint32_t *entry;
	unsigned times;
} swap_out;

static void swap_out_now(int sig)
{
	(void)sig;
	swap_out.times++;
	mprotect(swap_out.page, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE);
	*swap_out.entry = SWAPPED_ENTRY;
}

static void marks_no_other_entry_than_it_has_read(void **state)
{
	const struct sigaction swapping = {.sa_handler = swap_out_now, .sa_flags = SA_NODEFER};
	struct sigaction before;
	struct fake *f = *state;

	assert_int_equal(sigaction(SIGSEGV, &swapping, &before), 0);
	FOR_EACH_KIND(k)
	{
		struct fake_tables t = start(f, k);
		uint64_t table = fake_entry(&t, k->addr, 2) & 0x000ffffffffff000ull;
		unsigned index = k->addr >> 12 & (k->paging < FAKE_PAGING_PAE ? 1023 : 511);

		swap_out.page = fake_at(f, table);
		swap_out.entry =
			(uint32_t *)swap_out.page + index * (k->paging < FAKE_PAGING_PAE ? 1 : 2);
		swap_out.times = 0;
		mprotect(swap_out.page, GUEST_PAGE_SIZE, PROT_READ);
		assert_faults(f, k->addr, true);
		assert_int_equal(swap_out.times, 1);
		assert_int_equal(fake_entry(&t, k->addr, 1), SWAPPED_ENTRY);
	}
	sigaction(SIGSEGV, &before, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(unpaged),
		TEST_64(small_page),
		TEST_64(not_present_at_each_level),
		TEST_64(write_protected_at_each_level),
		TEST_64(user_bit_is_no_matter),
		TEST_64(accessed_and_dirty),
		TEST_64(a_refused_write_leaves_no_mark_on_the_leaf),
		TEST_64(large_pages),
		TEST_64(pat_bit_of_large_pages),
		TEST_64(pse36),
		TEST_64(ps_bit_without_pse),
		TEST_64(canonical_addresses),
		TEST_64(narrow_paging_has_32_bits),
		TEST_64(tables_outside_ram),
		TEST_64(reserved_ps_bit),
		TEST_64(low_bits_of_cr3),
		TEST_64(high_bits_of_entries),
		TEST_64(frames_need_no_memory),
		TEST_64(marks_no_other_entry_than_it_has_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
