// SPDX-License-Identifier: BSD-2-Clause
#include "shim/pv/context.h"

#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/cpu_op.h"
#include "shim/pv/emulate.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/traps.h"

#define GDT_FRAMES_MAX  FIRST_RESERVED_GDT_PAGE
#define LDT_ENTRIES_MAX 8192u

static bool addresses_are_canonical(const struct vcpu_guest_context *c)
{
	const uint64_t all[] = {
		c->user_regs.rip,
		c->user_regs.rsp,
		c->kernel_sp,
		c->fs_base,
		c->gs_base_kernel,
		c->gs_base_user,
		c->event_callback_eip,
		c->failsafe_callback_eip,
		c->syscall_callback_eip,
	};

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!pv_address_canonical(all[i]))
			return false;
	for (unsigned i = 0; i < 256; i++)
		if (!pv_address_canonical(c->trap_ctxt[i].address))
			return false;
	return true;
}

static bool ldt_is_good(const struct vcpu_guest_context *c)
{
	if (c->ldt_ents && !pv_address_canonical(c->ldt_base))
		return false;
	return pv_address_guests(c->ldt_base) && !(c->ldt_base % PV_PAGE_SIZE) &&
	       c->ldt_ents <= LDT_ENTRIES_MAX;
}

static int check(const struct vcpu_guest_context *c)
{
	bool tables = c->flags & VGCF_in_kernel || c->ctrlreg[1];

	return addresses_are_canonical(c) && ldt_is_good(c) && tables ? 0 : -XEN_EINVAL;
}

/* Of ring 3, as all of the guest's (Xen: fixup_guest_stack_selector() and its kin). */
static uint16_t guest_selector(uint16_t s)
{
	return s | 3;
}

static int take_tables(struct pv_vcpu *v, const struct vcpu_guest_context *c)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t frames[GDT_FRAMES_MAX];
	int rc;

	if (c->gdt_ents > GDT_FRAMES_MAX * 512)
		return -XEN_EINVAL;
	for (unsigned i = 0; i < GDT_FRAMES_MAX; i++)
		frames[i] = c->gdt_frames[i];
	pv_lock(&mm->lock);
	rc = pv_set_gdt(v, frames, c->gdt_ents);
	if (!rc)
		rc = pv_roots_set(v, c->ctrlreg[3] >> PV_PAGE_SHIFT,
				  c->ctrlreg[1] >> PV_PAGE_SHIFT);
	if (rc)
		pv_mm_release_vcpu(v);
	pv_unlock(&mm->lock);
	return rc;
}

static void take_handlers(struct pv_vcpu *v, const struct vcpu_guest_context *c)
{
	for (unsigned i = 0; i < 256; i++)
		v->traps[i] = (struct pv_trap){
			.cs = guest_selector(c->trap_ctxt[i].cs),
			.flags = c->trap_ctxt[i].flags & (PV_TRAP_LEVEL | PV_TRAP_MASKS),
			.address = c->trap_ctxt[i].address,
		};
	v->event = (struct pv_callback){.address = c->event_callback_eip, .masks_events = true};
	v->failsafe.address = c->failsafe_callback_eip;
	v->failsafe.masks_events = c->flags & VGCF_failsafe_disables_events;
	v->syscall.address = c->syscall_callback_eip;
	v->syscall.masks_events = c->flags & VGCF_syscall_disables_events;
}

/* What it may not have it does not get, and goes on without. */
static void take_debug(struct pv_vcpu *v, const struct vcpu_guest_context *c)
{
	v->debug[6] = DR6_RESERVED_ONE;
	v->debug[7] = DR7_RESERVED_ONE;
	for (unsigned n = 0; n < 8; n++)
		if (n != 4 && n != 5)
			pv_write_debugreg(v, n, c->debugreg[n]);
}

int pv_set_context(struct pv_vcpu *v, struct vcpu_guest_context *c)
{
	int rc = check(c);

	if (rc)
		return rc;
	c->user_regs.ss = guest_selector(c->user_regs.ss);
	c->user_regs.cs = guest_selector(c->user_regs.cs);
	v->kernel_mode = c->flags & VGCF_in_kernel;
	v->kernel_ss = guest_selector(c->kernel_ss);
	v->kernel_sp = c->kernel_sp;
	v->iopl = c->user_regs.rflags >> 12 & 3;
	v->ldt_base = c->ldt_base;
	v->ldt_entries = c->ldt_ents;
	v->cr0_ts = c->ctrlreg[0] & CR0_TS;
	v->cr4 = pv_guest_cr4(c->ctrlreg[4]);
	v->fs_base = c->fs_base;
	v->gs_base_kernel = c->gs_base_kernel;
	v->gs_base_user = c->gs_base_user;
	take_debug(v, c);
	take_handlers(v, c);
	return take_tables(v, c);
}

void pv_release_context(struct pv_vcpu *v)
{
	struct pv_mm *mm = &v->domain->mm;

	pv_lock(&mm->lock);
	pv_mm_release_vcpu(v);
	pv_unlock(&mm->lock);
}

void pv_start_context(struct pv_vcpu *v, struct pv_regs *r, const struct vcpu_guest_context *c)
{
	const struct cpu_user_regs *u = &c->user_regs;
	bool selectors;

	*r = (struct pv_regs){
		.r15 = u->r15,
		.r14 = u->r14,
		.r13 = u->r13,
		.r12 = u->r12,
		.rbp = u->rbp,
		.rbx = u->rbx,
		.r11 = u->r11,
		.r10 = u->r10,
		.r9 = u->r9,
		.r8 = u->r8,
		.rax = u->rax,
		.rcx = u->rcx,
		.rdx = u->rdx,
		.rsi = u->rsi,
		.rdi = u->rdi,
		.rip = u->rip,
		.cs = u->cs,
		.rflags = (u->rflags & ~RFLAGS_IOPL) | RFLAGS_IF,
		.rsp = u->rsp,
		.ss = u->ss,
		.ds = u->ds,
		.es = u->es,
		.fs = u->fs,
		.gs = u->gs,
	};
	pv_load_base(v);
	pv_load_gdt(v);
	pv_load_ldt(v);
	pv_load_debug(v);
	if (c->flags & VGCF_i387_valid)
		pv_load_fpu(c->fpu_ctxt.x);
	selectors = pv_load_selectors(r);
	pv_load_segment_bases(v);
	pv_load_ts(v);
	pv_load_cr4(v);
	if (!selectors)
		pv_failsafe(v, r);
}
