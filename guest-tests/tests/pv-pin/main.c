// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pinned tables: a page stays a table of its level though nothing refers to it (public header
 * xen.h, MMUEXT_PIN_*), and what cannot be one is refused. And mmuext_op's other operations on
 * pages. Xen: do_mmuext_op(), get_page_type().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] =
	"mmuext_op: pins of each level, what cannot be pinned, pages cleared and copied";

static const unsigned int pin_of[] = {0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
				      MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE};

static long pin(unsigned int level, const void *table)
{
	return mmuext(pin_of[level], mfn_of(table), 0);
}

static long unpin(const void *table)
{
	return mmuext(MMUEXT_UNPIN_TABLE, mfn_of(table), 0);
}

static long make_writable(const void *page)
{
	return update_va_mapping(page, pte_for(page, PTE_DATA), UVMF_INVLPG);
}

static void each_level(void)
{
	for (unsigned int level = 1; level <= 4; level++) {
		uint64_t *table = page_alloc();

		CHECK_EQ(pin(level, table), -XEN_EINVAL); /* it is writable */
		page_protect(table, PTE_READONLY);
		CHECK_EQ(unpin(table), -XEN_EINVAL);
		CHECK_EQ(pin(level, table), 0);
		CHECK_EQ(pin(level, table), -XEN_EINVAL);
		CHECK_EQ(pin(level == 4 ? 1 : level + 1, table), -XEN_EINVAL);
		CHECK_EQ(make_writable(table), -XEN_EBUSY);
		CHECK_EQ(unpin(table), 0);
		CHECK_EQ(unpin(table), -XEN_EINVAL);
		CHECK_EQ(make_writable(table), 0);
	}
}

/* From level 4 down, each in the one above: the pin of the first holds all of them. */
static void a_tree(void)
{
	uint64_t *tables[5], *data = page_alloc();

	for (unsigned int level = 1; level <= 4; level++) {
		tables[level] = page_alloc();
		tables[level][5] = pte_for(level == 1 ? data : tables[level - 1], PTE_DATA);
		page_protect(tables[level], PTE_READONLY);
	}
	CHECK_EQ(pin(4, tables[4]), 0);
	for (unsigned int level = 1; level <= 4; level++)
		CHECK_EQ(make_writable(tables[level]), -XEN_EBUSY);
	CHECK_EQ(pin(1, data), -XEN_EINVAL);
	/* A page that is a table may be pinned beside, and outlives the tree. */
	CHECK_EQ(pin(2, tables[2]), 0);
	CHECK_EQ(unpin(tables[4]), 0);
	CHECK_EQ(make_writable(tables[4]), 0);
	CHECK_EQ(make_writable(tables[3]), 0);
	CHECK_EQ(make_writable(tables[2]), -XEN_EBUSY);
	CHECK_EQ(make_writable(tables[1]), -XEN_EBUSY);
	CHECK_EQ(unpin(tables[2]), 0);
	CHECK_EQ(make_writable(tables[1]), 0);
}

/* With an entry that may not be, a table is none, and nothing is kept of the attempt. */
static void bad_entries(void)
{
	uint64_t *table = page_alloc(), *writable = page_alloc();
	static const struct {
		unsigned int level;
		bool frame;
		uint64_t bits;
		long rc;
	} cases[] = {
		{1, false, NO_MFN << 12 | PTE_DATA, -XEN_EPERM},
		{1, true, PTE_DATA | PTE_PCD, -XEN_EINVAL},
		{2, true, PTE_DATA, -XEN_EINVAL},
		{2, false, NO_MFN << 12 | PTE_DATA, -XEN_EINVAL},
		{2, true, PTE_DATA | PTE_PS, -XEN_EINVAL},
		{3, true, PTE_DATA, -XEN_EINVAL},
		{4, true, PTE_DATA, -XEN_EINVAL},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		table[3] = pte_for(writable, PTE_DATA);
		if (cases[i].level > 1)
			table[3] = 0;
		table[200] = cases[i].frame ? pte_for(writable, cases[i].bits) : cases[i].bits;
		page_protect(table, PTE_READONLY);
		rc = pin(cases[i].level, table);
		CHECK(rc == cases[i].rc, "case %u: %ld", i, rc);
		CHECK_EQ(make_writable(table), 0);
	}
}

static void what_we_run_on(void)
{
	CHECK_EQ(pin(4, l4_table()), -XEN_EINVAL); /* the builder has pinned it */
	CHECK_EQ(unpin(l4_table()), 0);
	CHECK_EQ(unpin(l4_table()), -XEN_EINVAL);
	CHECK_EQ(make_writable(l4_table()), -XEN_EBUSY); /* the base pointer holds it */
	CHECK_EQ(pin(4, l4_table()), 0);
	CHECK_EQ(pin(1, pte_of(window(), 1)), 0);
	CHECK_EQ(unpin(pte_of(window(), 1)), 0);
}

static void nobodys(void)
{
	struct mmuext_op ops[3];
	uint64_t *table = page_alloc();
	unsigned int done = 77;

	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, NO_MFN, 0), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, NO_MFN, 0), -XEN_EINVAL);
	CHECK_EQ(mmuext(99, 0, 0), -XEN_ENOSYS);
	page_protect(table, PTE_READONLY);
	for (unsigned int i = 0; i < 3; i++) {
		ops[i].cmd = MMUEXT_PIN_L1_TABLE;
		ops[i].arg1.mfn = mfn_of(table);
	}
	CHECK_EQ(mmuext_op(ops, 3, &done), -XEN_EINVAL);
	CHECK_EQ(done, 1);
	ops[0].cmd = MMUEXT_UNPIN_TABLE;
	CHECK_EQ(mmuext_op(ops, 1, &done), 0);
	CHECK_EQ(done, 1);
	CHECK_EQ(hypercall(__HYPERVISOR_mmuext_op, (unsigned long)ops, 1, 0, 0x1234, 0),
		 -XEN_ESRCH);
	CHECK_EQ(mmuext_op((void *)mapped_end(), 1, NULL), -XEN_EFAULT);
}

static void whole_pages(void)
{
	uint8_t *a = page_alloc(), *b = page_alloc();

	memset(a, 0x41, PAGE_SIZE);
	CHECK_EQ(mmuext(MMUEXT_COPY_PAGE, mfn_of(b), mfn_of(a)), 0);
	CHECK_EQ(memcmp(a, b, PAGE_SIZE), 0);
	CHECK_EQ(mmuext(MMUEXT_CLEAR_PAGE, mfn_of(a), 0), 0);
	CHECK_EQ(READ_ONCE(a[0]) | READ_ONCE(a[4095]), 0);
	CHECK_EQ(READ_ONCE(b[4095]), 0x41);
	CHECK_EQ(mmuext(MMUEXT_CLEAR_PAGE, mfn_of(l4_table()), 0), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_COPY_PAGE, mfn_of(l4_table()), mfn_of(b)), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_COPY_PAGE, mfn_of(b), mfn_of(l4_table())), 0);
	CHECK_EQ(memcmp(b + 300 * 8, &l4_table()[300], 8), 0);
	CHECK_EQ(mmuext(MMUEXT_CLEAR_PAGE, NO_MFN, 0), -XEN_EINVAL);
	/* Caches are not for a guest without devices. */
	CHECK_EQ(mmuext(MMUEXT_FLUSH_CACHE, 0, 0), -XEN_EACCES);
	CHECK_EQ(mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -XEN_EINVAL);
}

void test_main(void)
{
	each_level();
	a_tree();
	bad_entries();
	what_we_run_on();
	nobodys();
	whole_pages();
	test_success();
}
