// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two base pointers of a 64-bit PV guest: one for its kernel, one for its processes (public
 * header xen.h, MMUEXT_NEW_BASEPTR and MMUEXT_NEW_USER_BASEPTR). A switch between the modes is one
 * between the tables. Xen: new_guest_cr3(), toggle_guest_mode().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "base pointers of kernel and user mode";

static uint64_t *other;     /* an L4 table beside the first */
static uint8_t *only_there; /* what only that one maps */

static uint64_t *l4_like_ours(void)
{
	uint64_t *l4 = page_alloc();

	for (unsigned int i = 0; i < 512; i++)
		if (i < 256 || i > 271)
			l4[i] = READ_ONCE(l4_table()[i]);
	return l4;
}

static void make_other(void)
{
	uint8_t *page = page_alloc();

	only_there = (uint8_t *)window() + 5 * PAGE_SIZE;
	memset(page, 0xbe, PAGE_SIZE);
	CHECK_EQ(update_va_mapping(only_there, pte_for(page, PTE_DATA), UVMF_INVLPG), 0);
	other = l4_like_ours();
	CHECK_EQ(pte_write(pte_of(only_there, 4), 0), 0);
}

static long set_base(const void *l4)
{
	return mmuext(MMUEXT_NEW_BASEPTR, mfn_of(l4), 0);
}

static long set_user_base(const void *l4)
{
	return mmuext(MMUEXT_NEW_USER_BASEPTR, l4 ? mfn_of(l4) : 0, 0);
}

static void look_there(void *result)
{
	*(uint8_t *)result = READ_ONCE(*only_there);
}

static void write_cr3_of(void *l4)
{
	write_cr3(mfn_of(l4) * PAGE_SIZE);
}

static bool visible(void)
{
	uint8_t seen = 0;
	struct fault f = catch_fault(look_there, &seen);

	if (f.hit)
		CHECK_EQ(f.vector, VECTOR_PF);
	else
		CHECK_EQ(seen, 0xbe);
	return !f.hit;
}

static void kernel_mode(void)
{
	CHECK(!visible(), "the first tables map it");
	CHECK_EQ(set_base(other), -XEN_EINVAL); /* it is writable */
	page_protect(other, PTE_READONLY);
	CHECK_EQ(set_base(other), 0);
	CHECK(visible(), "the other tables do not map it");
	CHECK_EQ(read_cr3(), mfn_of(other) * PAGE_SIZE);
	CHECK_EQ(set_base(other), 0);
	/* It is in use, and the first one (pinned) stays a table. */
	CHECK_EQ(update_va_mapping(other, pte_for(other, PTE_DATA), UVMF_INVLPG), -XEN_EBUSY);
	CHECK_EQ(update_va_mapping(l4_table(), pte_for(l4_table(), PTE_DATA), UVMF_INVLPG),
		 -XEN_EBUSY);
	CHECK_EQ(READ_ONCE(other[256]) & PTE_P, PTE_P);
	CHECK_EQ(set_base(l4_table()), 0);
	CHECK(!visible(), "the first tables map it");
	CHECK_EQ(read_cr3(), mfn_of(l4_table()) * PAGE_SIZE);
}

static void by_instruction(void)
{
	struct fault f;

	write_cr3_of(other);
	CHECK(visible(), "the other tables do not map it");
	f = catch_fault(write_cr3_of, page_alloc());
	CHECK(f.hit && f.vector == VECTOR_GP && !f.error, "vector %u", f.vector);
	CHECK_EQ(read_cr3(), mfn_of(other) * PAGE_SIZE);
	write_cr3_of(l4_table());
	CHECK(!visible(), "the first tables map it");
}

static void bad_pointers(void)
{
	CHECK_EQ(set_base(pte_of(l4_table(), 1)), -XEN_EINVAL);
	CHECK_EQ(set_base(pte_of(l4_table(), 3)), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_NEW_BASEPTR, NO_MFN, 0), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, NO_MFN, 0), -XEN_EINVAL);
	CHECK_EQ(set_user_base(pte_of(l4_table(), 1)), -XEN_EINVAL);
	CHECK_EQ(set_user_base(page_alloc()), -XEN_EINVAL);
	CHECK_EQ(read_cr3(), mfn_of(l4_table()) * PAGE_SIZE);
}

static void user_looks(unsigned long arg)
{
	(void)arg;
	user_exit(READ_ONCE(*only_there));
}

static void user_mode(void)
{
	struct fault f = run_user(user_looks, 0);

	/* The runtime gives user mode the kernel's tables. */
	CHECK_EQ(f.vector, VECTOR_PF);
	CHECK_EQ(f.error, 4);
	CHECK_EQ(set_user_base(other), 0);
	CHECK_EQ(set_user_base(other), 0);
	f = run_user(user_looks, 0);
	CHECK_EQ(f.vector, VECTOR_USER_EXIT);
	CHECK_EQ(f.ax, 0xbe);
	CHECK(!visible(), "kernel mode has the tables of user mode");
	CHECK_EQ(read_cr3(), mfn_of(l4_table()) * PAGE_SIZE);
	CHECK_EQ(update_va_mapping(other, pte_for(other, PTE_DATA), UVMF_INVLPG), -XEN_EBUSY);
	CHECK_EQ(set_user_base(l4_table()), 0);
	CHECK_EQ(run_user(user_looks, 0).vector, VECTOR_PF);
	CHECK_EQ(set_user_base(other), 0);
	/* None: nobody holds the tables then. */
	CHECK_EQ(set_user_base(NULL), 0);
	CHECK_EQ(update_va_mapping(other, pte_for(other, PTE_DATA), UVMF_INVLPG), 0);
}

void test_main(void)
{
	make_other();
	kernel_mode();
	by_instruction();
	bad_pointers();
	user_mode();
	test_success();
}
