// SPDX-License-Identifier: BSD-2-Clause
/* HYPERVISOR_iret: back from a handler, to user mode or to what the kernel did. */
#include "shim/pv/arch.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/traps.h"

/* Which of the two that are under way was taken last: when it was, only the other one was. */
static uint8_t last_async(const struct pv_vcpu *v)
{
	if (v->async_mask != (PV_ASYNC_NMI | PV_ASYNC_MCE))
		return v->async_mask;
	return v->before_nmi == PV_ASYNC_MCE ? PV_ASYNC_NMI : PV_ASYNC_MCE;
}

static void async_done(struct pv_vcpu *v)
{
	if (!v->async_mask)
		return;
	v->async_mask = last_async(v) == PV_ASYNC_NMI ? v->before_nmi : v->before_mce;
}

static long cannot_go_on(struct pv_vcpu *v, const char *why)
{
	v->dying = why;
	return 0;
}

/* As SYSRET returns: it knows two code segments, and rcx and r11 are rip and rflags. */
static void as_sysret(struct pv_regs *r)
{
	r->vector = PV_ENTRY_SYSCALL;
	if (r->cs != FLAT_USER_CS32)
		r->cs = FLAT_USER_CS64;
	r->ss = FLAT_USER_SS;
	r->rcx = r->rip;
	r->r11 = r->rflags;
}

long pv_op_iret(struct pv_vcpu *v, struct pv_regs *r)
{
	struct iret_context c;
	uint64_t assist = __atomic_load_n(&v->domain->vm_assist, __ATOMIC_RELAXED);

	if (pv_copy_from_guest(&c, r->rsp, sizeof(c), NULL))
		return cannot_go_on(v, "the frame of its iret cannot be read");
	if ((c.cs & 3) == 3) {
		if (!v->roots.user)
			return cannot_go_on(v, "it goes to user mode, for which it has no page "
					       "tables");
		pv_toggle_mode(v);
	}
	if (assist & 1ull << VMASST_TYPE_architectural_iopl)
		v->iopl = (c.rflags & RFLAGS_IOPL) >> RFLAGS_IOPL_SHIFT;
	r->rip = c.rip;
	r->cs = c.cs | 3;
	r->rflags = (c.rflags & ~(RFLAGS_IOPL | RFLAGS_VM)) | RFLAGS_IF;
	r->rsp = c.rsp;
	r->ss = c.ss | 3;
	if (c.flags & VGCF_in_syscall) {
		as_sysret(r);
	} else {
		r->vector = 0;
		r->r11 = c.r11;
		r->rcx = c.rcx;
	}
	__atomic_store_n(&v->info->evtchn_upcall_mask, !(c.rflags & RFLAGS_IF), __ATOMIC_RELAXED);
	async_done(v);
	return c.rax;
}
