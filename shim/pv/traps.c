// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of an exception in ring 3. */
#include "shim/pv/traps.h"

#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/emulate.h"
#include "shim/pv/monitor/boot.h"

/* INT n asks a gate's level; the kernel is in ring 1 here, as it was where there was one. */
static bool may_enter(const struct pv_vcpu *v, const struct pv_trap *t)
{
	return (t->flags & PV_TRAP_LEVEL) >= (v->kernel_mode ? 1 : 3);
}

/*
 * The gates that the CPU has are closed to ring 3, but for #BP, #OF and 0x80: INT n is #GP with n
 * in its error code.
 */
static void general_protection(struct pv_vcpu *v, struct pv_regs *r, uint32_t error)
{
	uint8_t n = error >> 3;

	if (error & EC_IDT && may_enter(v, &v->traps[n])) {
		r->rip += 2;
		pv_inject(v, n, -1);
		return;
	}
	if (!error && pv_emulate_privileged(v, r) == PV_EMULATED)
		return;
	pv_inject(v, VECTOR_GP, error);
}

/* A system call of old: whoever has a handler for it means everybody. */
static void int_80(struct pv_vcpu *v, struct pv_regs *r)
{
	if (v->traps[0x80].address) {
		pv_inject(v, 0x80, -1);
		return;
	}
	r->rip -= 2;
	general_protection(v, r, 0x80 << 3 | EC_IDT);
}

/*
 * The CPU has not found a descriptor: its LDT is mapped when it is wanted, page by page, and what
 * is not in the GDT is not there.
 */
static void descriptor_fault(struct pv_vcpu *v, struct pv_regs *r, uint64_t in_window)
{
	uint32_t offset = in_window & 0xffff;
	uint64_t at = v->ldt_base + offset;

	if (in_window < PV_WINDOW_LDT)
		general_protection(v, r, offset & ~(EC_EXTERNAL | EC_IDT | EC_LDT));
	else if (pv_map_ldt_page(v, offset))
		return;
	else if (!pv_address_canonical(at))
		pv_inject(v, VECTOR_GP, (offset & ~(EC_EXTERNAL | EC_IDT)) | EC_LDT);
	else
		pv_inject_page_fault(v, r->error, at);
}

/* Of this vCPU's window: where in it, if it is the GDT's or LDT's part. */
static bool in_descriptors(const struct pv_vcpu *v, uint64_t cr2, uint64_t *in_window)
{
	*in_window = cr2 - pv_window_address(v->id);
	return (*in_window >= PV_WINDOW_GDT && *in_window < PV_WINDOW_GDT + 0x10000) ||
	       (*in_window >= PV_WINDOW_LDT && *in_window < PV_WINDOW_LDT + 0x10000);
}

static bool writes_read_only(const struct pv_vcpu *v, uint32_t error)
{
	return v->kernel_mode && (error & (PF_PRESENT | PF_WRITE)) == (PF_PRESENT | PF_WRITE) &&
	       !(error & (PF_RESERVED | PF_FETCH));
}

static bool assists(const struct pv_vcpu *v, unsigned type)
{
	return __atomic_load_n(&v->domain->vm_assist, __ATOMIC_RELAXED) >> type & 1;
}

static void page_fault(struct pv_vcpu *v, struct pv_regs *r, uint64_t cr2)
{
	uint64_t in_window;

	if (r->error & PF_RESERVED) {
		v->dying = "a page table of its has reserved bits";
		return;
	}
	if (!(r->error & PF_USER) && in_descriptors(v, cr2, &in_window)) {
		descriptor_fault(v, r, in_window);
		return;
	}
	if (pv_address_guests(cr2) && writes_read_only(v, r->error) &&
	    assists(v, VMASST_TYPE_writable_pagetables) &&
	    pv_emulate_write(v, r, cr2) == PV_EMULATED)
		return;
	pv_inject_page_fault(v, r->error, cr2);
}

static void no_fpu(struct pv_vcpu *v)
{
	if (v->cr0_ts)
		pv_inject(v, VECTOR_NM, -1);
	v->cr0_ts = 0;
	pv_load_ts(v);
}

/* What the CPU reports is added to what the guest has not yet cleared. */
static void debug(struct pv_vcpu *v)
{
	uint64_t dr6 = pv_take_dr6();

	v->debug[6] |= dr6 & ~DR6_RESERVED_ONE;
	v->debug[6] &= dr6 | ~DR6_RESERVED_ONE;
	pv_inject(v, VECTOR_DB, -1);
}

static void invalid_opcode(struct pv_vcpu *v, struct pv_regs *r)
{
	if (pv_emulate_forced(v, r) != PV_EMULATED)
		pv_inject(v, VECTOR_UD, -1);
}

void pv_exception(struct pv_vcpu *v, struct pv_regs *r, uint64_t cr2)
{
	switch (r->vector) {
	case VECTOR_PF:
		page_fault(v, r, cr2);
		return;
	case VECTOR_GP:
		general_protection(v, r, r->error);
		return;
	case VECTOR_UD:
		invalid_opcode(v, r);
		return;
	case VECTOR_NM:
		no_fpu(v);
		return;
	case VECTOR_DB:
		debug(v);
		return;
	case 0x80:
		int_80(v, r);
		return;
	case VECTOR_DE:
	case VECTOR_BP:
	case VECTOR_OF:
	case VECTOR_BR:
	case VECTOR_MF:
	case VECTOR_XM:
		pv_inject(v, r->vector, -1);
		return;
	case VECTOR_NP:
	case VECTOR_SS:
	case VECTOR_AC:
		pv_inject(v, r->vector, r->error);
		return;
	default:
		v->dying = "an exception that it cannot raise";
	}
}
