// SPDX-License-Identifier: BSD-2-Clause
/*
 * A write to a table of level 1, which is mapped read-only, is done by the hypervisor when what is
 * written may stand there and the kernel has asked for it (VMASST_TYPE_writable_pagetables): so
 * set_pte() of a kernel needs no hypercall, and its atomic operations on entries (test and clear of
 * the accessed bit) work. Everything else is a page fault of the kernel's. Xen: pv_ro_page_fault(),
 * ptwr_emulated_update().
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "writes to page tables are done, or are page faults";

static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;
static uint64_t *pte;

static uint64_t entry(const void *p, uint64_t bits)
{
	return mfn_of(p) * PAGE_SIZE | bits;
}

static void is(uint64_t want, unsigned int line)
{
	uint64_t now = READ_ONCE(*pte);

	/* The hypervisor has bits of its own in those that are present. */
	CHECK((now ^ want) == 0 || ((now & want & PTE_P) && !((now ^ want) & ~(PTE_G | PTE_US))),
	      "line %u: the entry is %#lx, expected %#lx", line, now, want);
}
#define IS(want) is((want), __LINE__)

#define ON_PTE(insn, ...) __asm__ volatile(insn : "+m"(*pte) : __VA_ARGS__ : "memory", "cc")

static void plain(void)
{
	uint64_t val = entry(page, PTE_DATA);

	*(volatile uint64_t *)pte = val;
	IS(val);
	CHECK_EQ(READ_ONCE(*(uint8_t *)window()), 0);
	ON_PTE("movb %1, %0", "q"((uint8_t)(val & ~PTE_D)));
	IS(val & ~PTE_D);
	ON_PTE("movl %1, %0", "r"((uint32_t)(val & ~PTE_A)));
	IS(val & ~PTE_A);
	ON_PTE("movq $0, %0", "i"(0));
	IS(0);
	ON_PTE("movnti %1, %0", "r"(val));
	IS(val);
	ON_PTE("movw %1, %0", "r"((uint16_t)val));
	IS(val);
	{
		uint64_t *to = pte, count = 4;

		__asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(val) : "memory");
		CHECK_EQ(count, 0);
		CHECK(to == pte + 4, "rdi is %p", (void *)to);
		IS(val);
		CHECK_EQ(pte[3] & PTE_FRAME, entry(page, 0));
		count = 4;
		to = pte;
		__asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory");
		CHECK_EQ(pte[3], 0);
	}
	IS(0);
}

static void exchanges(void)
{
	uint64_t val = entry(page, PTE_DATA), was, now;
	bool same;

	ON_PTE("movq %1, %0", "r"(val));
	was = READ_ONCE(*pte);
	now = 0;
	__asm__ volatile("xchg %0, %1" : "+r"(now), "+m"(*pte) : : "memory");
	CHECK_EQ(now, was);
	IS(0);
	now = 0;
	__asm__ volatile("lock cmpxchg %3, %1; setz %2"
			 : "+a"(now), "+m"(*pte), "=q"(same)
			 : "r"(val)
			 : "memory", "cc");
	CHECK(same, "cmpxchg of what is there does not match");
	IS(val);
	now = 0x1000;
	__asm__ volatile("cmpxchg %3, %1; setz %2"
			 : "+a"(now), "+m"(*pte), "=q"(same)
			 : "r"(0UL)
			 : "memory", "cc");
	CHECK(!same, "cmpxchg of something else matches");
	CHECK_EQ(now, READ_ONCE(*pte));
	IS(val);
	/* A page whose neighbour's number follows: xadd. */
	now = 0x20;
	ON_PTE("movq %1, %0", "r"(val & ~(PTE_A | PTE_D)));
	__asm__ volatile("lock xadd %0, %1" : "+r"(now), "+m"(*pte) : : "memory", "cc");
	CHECK_EQ(now & PTE_FRAME, val & PTE_FRAME);
	IS((val & ~PTE_D));
}

static void bits(void)
{
	uint64_t val = entry(page, PTE_DATA);
	bool carry;

	ON_PTE("movq %1, %0", "r"(val));
	ON_PTE("lock andq %1, %0", "r"(~PTE_RW));
	IS(val & ~PTE_RW);
	ON_PTE("lock orq %1, %0", "r"(PTE_RW));
	IS(val);
	ON_PTE("andb %1, %0", "q"((uint8_t)~PTE_D));
	IS(val & ~PTE_D);
	ON_PTE("orl %1, %0", "r"((uint32_t)PTE_D));
	IS(val);
	for (unsigned int bit = 5; bit <= 6; bit++) {
		__asm__ volatile("lock btrq %2, %0; setc %1"
				 : "+m"(*pte), "=q"(carry)
				 : "r"((uint64_t)bit)
				 : "memory", "cc");
		CHECK(carry, "bit %u was not there", bit);
		IS(val & ~(1UL << bit));
		__asm__ volatile("lock btsq %2, %0; setc %1"
				 : "+m"(*pte), "=q"(carry)
				 : "Ir"((uint64_t)bit)
				 : "memory", "cc");
		CHECK(!carry, "bit %u was there", bit);
		IS(val);
	}
	ON_PTE("btcq $1, %0", "i"(0));
	IS(val & ~PTE_RW);
	ON_PTE("xorb $2, %0", "i"(0));
	IS(val);
	ON_PTE("addq $0x200, %0", "i"(0));
	IS(val + 0x200);
	ON_PTE("subq $0x200, %0", "i"(0));
	IS(val);
	ON_PTE("movq $0, %0", "i"(0));
}

struct attempt {
	uint64_t *at, val;
};

static void attempt(void *arg)
{
	struct attempt *a = arg;

	*(volatile uint64_t *)a->at = a->val;
}

static void exchange_16(void *arg)
{
	__asm__ volatile("lock cmpxchg16b (%0)"
			 :
			 : "r"(arg), "a"(0), "d"(0), "b"(0), "c"(0)
			 : "memory", "cc");
}

static void refused(struct fault f, const void *at, unsigned long error)
{
	CHECK(f.hit && f.vector == VECTOR_PF, "vector %u", f.vector);
	CHECK_EQ(f.error, error);
	CHECK_EQ(fault_address(), (unsigned long)at);
}

static struct fault try(uint64_t *at, uint64_t val)
{
	return catch_fault(attempt, &(struct attempt){at, val});
}

static void refusals(void)
{
	uint64_t *half = (uint64_t *)((uint8_t *)pte + 4), *level2 = pte_of(window(), 2);
	uint64_t was = READ_ONCE(*level2);

	refused(try(pte, NO_MFN << 12 | PTE_DATA), pte, 3);
	refused(try(pte, entry(l4_table(), PTE_DATA)), pte, 3);
	refused(try(pte, entry(page, PTE_DATA | PTE_PCD)), pte, 3);
	refused(try(half, 0), half, 3);
	refused(try(level2, was), level2, 3);
	refused(try(l4_table(), 0), l4_table(), 3);
	refused(catch_fault(exchange_16, pte), pte, 3);
	CHECK_EQ(READ_ONCE(*level2), was);
	IS(0);
	/* A page that is read-only and no table. */
	page_protect(page, PTE_READONLY);
	refused(try((uint64_t *)page, 1), page, 3);
	page_protect(page, PTE_DATA);
}

static void attempt_of_user(unsigned long arg)
{
	attempt((void *)arg);
	user_exit(0);
}

static void user_mode_may_not(void)
{
	refused(run_user(attempt_of_user, (unsigned long)&(struct attempt){pte, 0}), pte, 7);
}

static void assist(unsigned int cmd)
{
	CHECK_EQ(hypercall(__HYPERVISOR_vm_assist, cmd, VMASST_TYPE_writable_pagetables, 0, 0, 0),
		 0);
}

static void not_asked_for(void)
{
	refused(try(pte, entry(page, PTE_DATA)), pte, 3);
	IS(0);
}

void test_main(void)
{
	pte = pte_of(window(), 1);
	not_asked_for();
	assist(VMASST_CMD_enable);
	plain();
	exchanges();
	bits();
	refusals();
	user_mode_may_not();
	assist(VMASST_CMD_disable);
	not_asked_for();
	test_success();
}
