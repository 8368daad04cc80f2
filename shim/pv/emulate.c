// SPDX-License-Identifier: BSD-2-Clause
/*
 * Privileged instructions, and CPUID. What is #GP(0) in user mode is refused: that is the fault it
 * had.
 */
#include "shim/pv/emulate.h"

#include <string.h>

#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/cpu_op.h"
#include "shim/pv/emulate_io.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/segment.h"
#include "shim/pv/traps.h"

#define MISC_FEATURES_CPUID_FAULTING 1ull

#define MSR_TSC_AUX 0xc0000103u

#define CPUID_1C_XSAVE   (1u << 26)
#define CPUID_1C_OSXSAVE (1u << 27)

uint64_t pv_guest_cr4(uint64_t wanted)
{
	uint64_t own = CR4_TSD | CR4_DE;
	uint32_t leaf[4];

	pv_cpuid(1, 0, leaf);
	if (leaf[2] & CPUID_1C_XSAVE)
		own |= CR4_OSXSAVE;
	pv_cpuid(7, 0, leaf);
	if (leaf[1] & 1u << 0)
		own |= CR4_FSGSBASE;
	return (wanted & own) | CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
}

/* forced: by the prefix that asks the hypervisor, which then tells of its own OSXSAVE, as Xen's. */
static enum pv_step cpuid(const struct pv_vcpu *v, struct pv_regs *r, bool forced)
{
	uint32_t out[4];

	pv_cpuid(r->rax, r->rcx, out);
	if ((uint32_t)r->rax == 1 && !(v->cr4 & CR4_OSXSAVE) && !(forced && v->kernel_mode))
		out[2] &= ~CPUID_1C_OSXSAVE;
	r->rax = out[0];
	r->rbx = out[1];
	r->rcx = out[2];
	r->rdx = out[3];
	return PV_STEP_DONE;
}

static bool cpuid_faults(const struct pv_vcpu *v)
{
	return !v->kernel_mode && v->misc_features & MISC_FEATURES_CPUID_FAULTING;
}

static enum pv_step undefined(struct pv_vcpu *v)
{
	pv_inject(v, VECTOR_UD, -1);
	return PV_STEP_RAISED;
}

static bool read_control(struct pv_vcpu *v, unsigned n, uint64_t *value)
{
	switch (n) {
	case 0:
		*value = PV_CR0 | v->cr0_ts;
		return true;
	case 2:
		*value = v->cr2;
		return true;
	case 3:
		*value = xen_pfn_to_cr3(v->roots.kernel);
		return true;
	case 4:
		*value = v->cr4;
		return true;
	}
	return false;
}

static void set_ts(struct pv_vcpu *v, bool set)
{
	const uint64_t args[6] = {set};

	pv_op_fpu_taskswitch(v, args);
}

static bool new_base(struct pv_vcpu *v, uint64_t mfn)
{
	struct pv_mm *mm = &v->domain->mm;
	int rc;

	pv_lock(&mm->lock);
	rc = pv_new_base(v, mfn);
	pv_unlock(&mm->lock);
	return rc == 0;
}

static bool write_control(struct pv_vcpu *v, unsigned n, uint64_t value)
{
	switch (n) {
	case 0:
		if ((value ^ PV_CR0) & ~CR0_TS)
			return false;
		set_ts(v, value & CR0_TS);
		return true;
	case 2:
		v->cr2 = value;
		v->info->arch.cr2 = value;
		return true;
	case 3:
		return new_base(v, xen_cr3_to_pfn(value));
	case 4:
		v->cr4 = pv_guest_cr4(value);
		pv_load_cr4(v);
		return true;
	}
	return false;
}

/* 8 bytes in 64-bit code, 4 in other. */
static enum pv_step control(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i)
{
	unsigned bytes = i->code_bytes == 8 ? 8 : 4;
	uint64_t value;

	if (i->opcode & 2)
		return write_control(v, i->reg, pv_read_operand(r, i, i->rm, bytes))
			       ? PV_STEP_DONE
			       : PV_STEP_REFUSED;
	if (!read_control(v, i->reg, &value))
		return PV_STEP_REFUSED;
	pv_write_operand(r, i, i->rm, bytes, value);
	return PV_STEP_DONE;
}

static enum pv_step debug(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i)
{
	unsigned bytes = i->code_bytes == 8 ? 8 : 4;
	uint64_t value;
	long error;

	if (i->opcode & 2) {
		error = pv_write_debugreg(v, i->reg, pv_read_operand(r, i, i->rm, bytes));
	} else {
		error = pv_read_debugreg(v, i->reg, &value);
		if (!error)
			pv_write_operand(r, i, i->rm, bytes, value);
	}
	if (error == -XEN_ENODEV)
		return undefined(v);
	return error ? PV_STEP_REFUSED : PV_STEP_DONE;
}

static enum pv_step rdtsc(struct pv_vcpu *v, struct pv_regs *r)
{
	uint64_t tsc;

	if (!v->kernel_mode && v->cr4 & CR4_TSD)
		return PV_STEP_REFUSED;
	tsc = pv_read_tsc();
	r->rax = (uint32_t)tsc;
	r->rdx = tsc >> 32;
	return PV_STEP_DONE;
}

static enum pv_step xsetbv(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i)
{
	if (i->operand_prefix || i->repeat || i->repeat_not || !(v->cr4 & CR4_OSXSAVE))
		return undefined(v);
	if (!v->kernel_mode || (uint32_t)r->rcx != 0)
		return PV_STEP_REFUSED;
	return pv_set_xcr0((uint32_t)r->rax | r->rdx << 32) ? PV_STEP_DONE : PV_STEP_REFUSED;
}

/* 0f 01: of those without a memory operand, XSETBV and RDTSCP. */
static enum pv_step group_7(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i)
{
	uint64_t aux;
	enum pv_step step;

	if (i->mod != 3 || (i->rm & 7) != 1)
		return PV_STEP_REFUSED;
	if ((i->reg & 7) == 2)
		return xsetbv(v, r, i);
	if ((i->reg & 7) != 7 || !pv_guest_read_msr(v, MSR_TSC_AUX, &aux))
		return PV_STEP_REFUSED;
	step = rdtsc(v, r);
	if (step == PV_STEP_DONE)
		r->rcx = (uint32_t)aux;
	return step;
}

static enum pv_step rdmsr(struct pv_vcpu *v, struct pv_regs *r)
{
	uint64_t value;

	if (!pv_guest_read_msr(v, r->rcx, &value))
		return PV_STEP_REFUSED;
	r->rax = (uint32_t)value;
	r->rdx = value >> 32;
	return PV_STEP_DONE;
}

static enum pv_step wrmsr(struct pv_vcpu *v, struct pv_regs *r)
{
	return pv_guest_write_msr(v, r->rcx, (uint32_t)r->rax | r->rdx << 32) ? PV_STEP_DONE
									      : PV_STEP_REFUSED;
}

static enum pv_step of_the_kernel(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i)
{
	if (!v->kernel_mode)
		return PV_STEP_REFUSED;
	switch (i->opcode) {
	case PV_0F | 0x06: /* CLTS */
		set_ts(v, false);
		return PV_STEP_DONE;
	case PV_0F | 0x09: /* WBINVD: there is no device whose caches it could mean */
		return PV_STEP_DONE;
	case PV_0F | 0x20:
	case PV_0F | 0x22:
		return control(v, r, i);
	case PV_0F | 0x21:
	case PV_0F | 0x23:
		return debug(v, r, i);
	case PV_0F | 0x30:
		return wrmsr(v, r);
	case PV_0F | 0x32:
		return rdmsr(v, r);
	}
	return PV_STEP_REFUSED;
}

static enum pv_step execute(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i)
{
	switch (i->opcode) {
	case 0x6c ... 0x6f:
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
		return pv_emulate_ports(v, r, i);
	case 0xfa: /* CLI and STI do nothing: POPF, which does not fault, could not, either */
	case 0xfb:
		return pv_has_iopl(v) ? PV_STEP_DONE : PV_STEP_REFUSED;
	case PV_0F | 0x01:
		return group_7(v, r, i);
	case PV_0F | 0x31:
		return rdtsc(v, r);
	case PV_0F | 0xa2:
		return cpuid_faults(v) ? PV_STEP_REFUSED : cpuid(v, r, false);
	}
	return of_the_kernel(v, r, i);
}

/* Where its code is, and how much of it there is. */
static bool code_at(const struct pv_vcpu *v, const struct pv_regs *r, struct pv_segment *cs,
		    uint64_t *at, uint64_t *limit)
{
	if (!pv_read_segment(v, r->cs, cs) || !cs->present || !cs->code)
		return false;
	*at = r->rip;
	*limit = PV_INSN_MAX;
	if (cs->code_bytes == 8)
		return true;
	if (r->rip > cs->limit)
		return false;
	*at = (uint32_t)(cs->base + r->rip);
	*limit = (uint64_t)cs->limit - r->rip + 1;
	return true;
}

enum pv_emulated pv_emulate_privileged(struct pv_vcpu *v, struct pv_regs *r)
{
	struct pv_segment cs;
	struct pv_insn i;
	uint64_t at, limit, missing, rip;

	if (!code_at(v, r, &cs, &at, &limit))
		return PV_NOT_EMULATED;
	if (!pv_fetch(&i, at, limit, cs.code_bytes, &missing)) {
		if (!missing || !pv_address_guests(missing))
			return PV_NOT_EMULATED;
		pv_inject_page_fault(v, 0, missing);
		return PV_EMULATED;
	}
	rip = r->rip + i.length;
	if (i.code_bytes != 8)
		rip = (uint32_t)rip;
	switch (execute(v, r, &i)) {
	case PV_STEP_DONE:
		pv_insn_done(v, r, rip);
		return PV_EMULATED;
	case PV_STEP_BREAKPOINT:
		pv_insn_done(v, r, rip);
		pv_inject(v, VECTOR_DB, -1);
		return PV_EMULATED;
	case PV_STEP_AGAIN:
	case PV_STEP_RAISED:
		return PV_EMULATED;
	case PV_STEP_REFUSED:
		break;
	}
	return PV_NOT_EMULATED;
}

/* Bytes of code at `at`, or the page fault that reading them is. */
static bool read_code(struct pv_vcpu *v, uint64_t at, uint8_t *bytes, unsigned count)
{
	uint64_t missing;

	if (!pv_copy_from_guest(bytes, at, count, &missing))
		return true;
	pv_inject_page_fault(v, 0, missing);
	return false;
}

enum pv_emulated pv_emulate_forced(struct pv_vcpu *v, struct pv_regs *r)
{
	static const uint8_t prefix[] = {0x0f, 0x0b, 'x', 'e', 'n'}, insn[] = {0x0f, 0xa2};
	uint8_t bytes[sizeof(prefix)];
	uint64_t at = r->rip;

	if (!read_code(v, at, bytes, sizeof(prefix)))
		return PV_EMULATED;
	if (memcmp(bytes, prefix, sizeof(prefix)) != 0)
		return PV_NOT_EMULATED;
	at += sizeof(prefix);
	if (!read_code(v, at, bytes, sizeof(insn)))
		return PV_EMULATED;
	if (memcmp(bytes, insn, sizeof(insn)) != 0)
		return PV_NOT_EMULATED;
	if (cpuid_faults(v)) {
		r->rip = at;
		pv_inject(v, VECTOR_GP, r->error);
		return PV_EMULATED;
	}
	cpuid(v, r, true);
	pv_insn_done(v, r, at + sizeof(insn));
	return PV_EMULATED;
}
