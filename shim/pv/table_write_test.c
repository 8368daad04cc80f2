// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes to page tables with the rules of memory themselves: what is emulated is checked and
 * counted as an update by hypercall is.
 */
#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/fake_test.h"
#include "shim/pv/emulate.h"

#include <string.h>

#define HANDLER 0xffffffff81000000ull
#define SLOT    100u

/* No segment has a base. */
uint64_t pv_read_base(enum pv_base which)
{
	(void)which;
	return 0;
}

static struct pv_vcpu *kernel(struct fake_machine *m, struct pv_regs *r, const void *code,
			      unsigned count)
{
	memcpy(fake_table(m, FAKE_WRITABLE), code, count);
	*r = (struct pv_regs){
		.rip = fake_va(FAKE_WRITABLE),
		.rflags = 2 | RFLAGS_IF,
		.rbx = fake_va(FAKE_L1) + SLOT * 8,
	};
	return &m->vcpus[0];
}

static const uint8_t mov[] = {0x48, 0x89, 0x0b};                 /* mov %rcx, (%rbx) */
static const uint8_t xchg[] = {0x48, 0x87, 0x0b};                /* xchg %rcx, (%rbx) */
static const uint8_t cmpxchg[] = {0xf0, 0x48, 0x0f, 0xb1, 0x0b}; /* lock cmpxchg */
static const uint8_t and_rw[] = {0xf0, 0x80, 0x23, 0xfd};        /* lock andb $~2, (%rbx) */

static enum pv_emulated run(struct fake_machine *m, const uint8_t *code, unsigned count,
			    uint64_t rcx, uint64_t rax, struct pv_regs *r)
{
	struct pv_vcpu *v = kernel(m, r, code, count);

	r->rcx = rcx;
	r->rax = rax;
	return pv_emulate_write(v, r, r->rbx);
}

/* It is emulated, and has not raised anything. */
static void done(struct fake_machine *m, const uint8_t *code, unsigned count, uint64_t rcx,
		 uint64_t rax, struct pv_regs *r)
{
	assert_int_equal(run(m, code, count, rcx, rax, r), PV_EMULATED);
	assert_false(m->vcpus[0].bounce.wanted);
	assert_int_equal(r->rip, fake_va(FAKE_WRITABLE) + count);
}

static void life_of_an_entry(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t *entry = &fake_table(m, FAKE_L1)[SLOT];
	struct pv_regs r;

	done(m, mov, sizeof(mov), pv_pte_make(FAKE_FREE, FAKE_RO), 0, &r);
	assert_int_equal(pv_pte_mfn(*entry), FAKE_FREE);
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 3, 0);

	done(m, cmpxchg, sizeof(cmpxchg), pv_pte_make(FAKE_WRITABLE + 1, FAKE_RW), *entry, &r);
	assert_true(r.rflags & RFLAGS_ZF);
	assert_int_equal(pv_pte_mfn(*entry), FAKE_WRITABLE + 1);
	assert_frame(m, FAKE_FREE, PV_TYPE_NONE, 2, 0);
	assert_frame(m, FAKE_WRITABLE + 1, PV_TYPE_WRITABLE, 3, 2);

	done(m, and_rw, sizeof(and_rw), 0, 0, &r);
	assert_int_equal(*entry & PV_PTE_RW, 0);
	assert_frame(m, FAKE_WRITABLE + 1, PV_TYPE_WRITABLE, 3, 1);

	done(m, cmpxchg, sizeof(cmpxchg), 0, 1, &r); /* it is not 1 */
	assert_false(r.rflags & RFLAGS_ZF);
	assert_int_equal(r.rax, *entry);

	done(m, xchg, sizeof(xchg), 0, 0, &r);
	assert_int_equal(pv_pte_mfn(r.rcx), FAKE_WRITABLE + 1);
	assert_int_equal(*entry, 0);
	assert_frame(m, FAKE_WRITABLE + 1, PV_TYPE_WRITABLE, 2, 1);
}

/* What may not be in it is the kernel's fault. */
static void refused(void **state)
{
	struct fake_machine *m = *state;
	const uint64_t bad[] = {
		pv_pte_make(FAKE_L1, FAKE_RW),                /* a page table, to be written */
		pv_pte_make(FAKE_HOLE, FAKE_RO),              /* not the domain's */
		pv_pte_make(FAKE_FREE, FAKE_RO | PV_PTE_PSE), /* flags */
	};
	struct pv_regs r;

	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(run(m, mov, sizeof(mov), bad[n], 0, &r), PV_NOT_EMULATED);
		assert_int_equal(fake_table(m, FAKE_L1)[SLOT], 0);
	}
}

/* Tables of other levels are changed by hypercall only; other pages are not tables. */
static void other_frames(void **state)
{
	struct fake_machine *m = *state;
	static const unsigned frames[] = {FAKE_L2, FAKE_L3, FAKE_L4, FAKE_FREE};

	for (unsigned n = 0; n < 4; n++) {
		struct pv_regs r;
		struct pv_vcpu *v = kernel(m, &r, mov, sizeof(mov));

		r.rbx = fake_va(frames[n]) + SLOT * 8;
		assert_int_equal(pv_emulate_write(v, &r, r.rbx), PV_NOT_EMULATED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PV_TEST(life_of_an_entry),
		PV_TEST(refused),
		PV_TEST(other_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
