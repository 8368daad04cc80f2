// SPDX-License-Identifier: BSD-2-Clause
/*
 * A PV guest's GDT and LDT: pages that nobody can write to, with descriptors that the hypervisor
 * has seen (public header xen.h: set_gdt, update_descriptor, MMUEXT_SET_LDT). TLS of threads lives
 * by this. Xen: pv/descriptor-tables.c.
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "set_gdt, update_descriptor, LDT and its use";

#define NOT_CANONICAL 0x800000000000UL
/* Base 0, no limit, data, level 3; and the same of level 0, and of a base. */
#define DATA        0x00cff3000000ffffUL
#define DATA_LEVEL0 0x00cf93000000ffffUL
#define ABSENT      (DATA & ~(1UL << 47))
#define LDT         0x000082000000ffffUL
#define TSS         0x000089000000ffffUL
#define CALL_GATE   0x00008c00e0330000UL
#define BAD_GATE    0x00008c00e0080000UL /* to the hypervisor's code */
#define INT_GATE    0x00008e00e0330000UL

static uint64_t *table; /* the GDT */
static unsigned long frames[16];

static long set_gdt(const void *list, unsigned int entries)
{
	return hypercall(__HYPERVISOR_set_gdt, (unsigned long)list, entries, 0, 0, 0);
}

static long update(uint64_t maddr, uint64_t descriptor)
{
	return hypercall(__HYPERVISOR_update_descriptor, maddr, descriptor, 0, 0, 0);
}

static long make_writable(const void *page)
{
	return update_va_mapping(page, pte_for(page, PTE_DATA), UVMF_INVLPG);
}

static void load_fs(void *selector)
{
	__asm__ volatile("mov %w0, %%fs" : : "r"(selector));
}

static void load_and_clear(void *selector)
{
	load_fs(selector);
	load_fs(NULL);
}

static struct fault try(unsigned long selector)
{
	return catch_fault(load_and_clear, (void *)selector);
}

static void gdt(void)
{
	struct fault f;

	table = page_alloc();
	table[1] = DATA;
	table[2] = DATA_LEVEL0;
	table[3] = ABSENT;
	frames[0] = mfn_of(table);
	CHECK_EQ(set_gdt(frames, 512), -XEN_EINVAL); /* it is writable */
	page_protect(table, PTE_READONLY);
	CHECK_EQ(set_gdt(frames, 512), 0);
	CHECK_EQ(make_writable(table), -XEN_EBUSY);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(table), 0), -XEN_EINVAL);
	f = try(1 << 3 | 3);
	CHECK(!f.hit, "vector %u error %#lx", f.vector, f.error);
	/* Level 0 has become 3: everything is ring 3 here. */
	CHECK_EQ(READ_ONCE(table[2]) >> 45 & 3, 3);
	CHECK(!try(2 << 3 | 3).hit, "selector 2");
	f = try(3 << 3 | 3);
	CHECK(f.hit && f.vector == 11 && f.error == 3 << 3, "vector %u error %#lx", f.vector,
	      f.error);
	f = try(600 << 3 | 3);
	CHECK(f.hit && f.vector == 13 && f.error == 600 << 3, "vector %u error %#lx", f.vector,
	      f.error);
	/* The hypervisor's own are behind those of 14 pages. */
	CHECK(!try(FLAT_USER_DS32).hit, "FLAT_USER_DS32");
}

static void update_descriptors(void)
{
	static const struct {
		uint64_t descriptor;
		long rc;
	} cases[] = {
		{DATA, 0},
		{DATA_LEVEL0, 0},
		{ABSENT, 0},
		{0, 0},
		{LDT, -XEN_EINVAL},
		{TSS, -XEN_EINVAL},
		{CALL_GATE, 0},
		{BAD_GATE, -XEN_EINVAL},
		{INT_GATE, -XEN_EINVAL},
		{LDT & ~(1UL << 47), 0},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t was = READ_ONCE(table[7]);
		long rc = update(maddr_of(&table[7]), cases[i].descriptor);

		CHECK(rc == cases[i].rc, "descriptor %#lx: %ld", cases[i].descriptor, rc);
		if (rc)
			CHECK_EQ(READ_ONCE(table[7]), was);
		else
			CHECK_EQ((READ_ONCE(table[7]) ^ cases[i].descriptor) & ~(3UL << 45) &
					 ~0xffff0000UL,
				 0);
	}
	CHECK_EQ(update(maddr_of(&table[7]), DATA), 0);
	CHECK(!try(7 << 3 | 3).hit, "a descriptor that was updated");
	CHECK_EQ(update(maddr_of(&table[7]) + 4, DATA), -XEN_EINVAL);
	CHECK_EQ(update(NO_MFN << 12, DATA), -XEN_EINVAL);
	CHECK_EQ(update(maddr_of(l4_table()), 0), -XEN_EINVAL);
	{
		uint64_t *data = page_alloc();

		CHECK_EQ(update(maddr_of(&data[3]), DATA), 0);
		CHECK_EQ(READ_ONCE(data[3]), DATA);
	}
}

static void base_is_used(void)
{
	static uint64_t word = 0x1122334455667788;
	uint32_t low = 0;
	void *at = (void *)0x400000;

	tables_for(at);
	CHECK_EQ(update_va_mapping(at, pte_value(&word) & ~PTE_G, UVMF_INVLPG), 0);
	/* Base 0x400000. */
	CHECK_EQ(update(maddr_of(&table[8]), 0x0040f3000000ffffUL | 0x40UL << 32), 0);
	load_fs((void *)(8 << 3 | 3));
	__asm__ volatile("movl %%fs:(%1), %0" : "=r"(low) : "r"((unsigned long)&word % PAGE_SIZE));
	CHECK_EQ(low, 0x55667788);
	load_fs(NULL);
	CHECK_EQ(update_va_mapping(at, 0, UVMF_INVLPG), 0);
}

static void bad_gdts(void)
{
	uint64_t *bad = page_alloc();

	bad[511] = TSS;
	page_protect(bad, PTE_READONLY);
	frames[1] = mfn_of(bad);
	CHECK_EQ(set_gdt(frames, 1024), -XEN_EINVAL);
	CHECK_EQ(make_writable(bad), 0);
	frames[1] = NO_MFN;
	CHECK_EQ(set_gdt(frames, 513), -XEN_EINVAL);
	CHECK_EQ(set_gdt(frames, 14 * 512 + 1), -XEN_EINVAL);
	CHECK_EQ(set_gdt((void *)mapped_end(), 1), -XEN_EFAULT);
	CHECK(!try(1 << 3 | 3).hit, "the GDT is not as it was");
	CHECK_EQ(set_gdt(NULL, 0), 0);
	CHECK_EQ(try(1 << 3 | 3).vector, 13);
	CHECK_EQ(make_writable(table), 0);
}

static long set_ldt(const void *at, unsigned int entries)
{
	struct mmuext_op op = {.cmd = MMUEXT_SET_LDT};

	op.arg1.linear_addr = (unsigned long)at;
	op.arg2.nr_ents = entries;
	return mmuext_op(&op, 1, NULL);
}

static void ldt(void)
{
	uint64_t *first = page_alloc(), *second = page_alloc();
	struct fault f;

	CHECK(second == first + 512, "not neighbours");
	first[1] = DATA;
	second[1] = DATA_LEVEL0;
	CHECK_EQ(set_ldt(first, 1024), 0);
	/* A page of it is looked at when it is used. This one is writable. */
	f = try(1 << 3 | 7);
	CHECK(f.hit && f.vector == VECTOR_PF, "vector %u error %#lx", f.vector, f.error);
	CHECK_EQ(fault_address(), (unsigned long)&first[1]);
	page_protect(first, PTE_READONLY);
	CHECK(!try(1 << 3 | 7).hit, "the first page");
	CHECK_EQ(make_writable(first), -XEN_EBUSY);
	page_protect(second, PTE_READONLY);
	CHECK(!try(513 << 3 | 7).hit, "the second page");
	CHECK_EQ(READ_ONCE(second[1]) >> 45 & 3, 3);
	f = try(1024 << 3 | 7);
	CHECK(f.hit && f.vector == 13 && f.error == (1024 << 3 | 4), "vector %u error %#lx",
	      f.vector, f.error);
	CHECK_EQ(update(maddr_of(&first[2]), DATA), 0);
	CHECK(!try(2 << 3 | 7).hit, "a descriptor that was updated");
	CHECK_EQ(update(maddr_of(&first[3]), TSS), -XEN_EINVAL);
	CHECK_EQ(set_ldt((uint8_t *)first + 8, 1), -XEN_EINVAL);
	CHECK_EQ(set_ldt((void *)NOT_CANONICAL, 1), -XEN_EINVAL);
	CHECK_EQ(set_ldt((void *)HYPERVISOR_VIRT_START, 1), -XEN_EINVAL);
	CHECK_EQ(set_ldt(first, 8193), -XEN_EINVAL);
	CHECK(!try(1 << 3 | 7).hit, "the LDT is not as it was");
	CHECK_EQ(set_ldt(NULL, 0), 0);
	CHECK_EQ(try(1 << 3 | 7).vector, 13);
	CHECK_EQ(make_writable(first), 0);
	CHECK_EQ(make_writable(second), 0);
}

void test_main(void)
{
	gdt();
	update_descriptors();
	base_is_used();
	bad_gdts();
	ldt();
	test_success();
}
