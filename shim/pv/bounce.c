// SPDX-License-Identifier: BSD-2-Clause
/* Into the guest's handlers: frames on its kernel's stack. */
#include "shim/pv/traps.h"

#include "shim/pv/arch.h"
#include "shim/pv/monitor/boot.h"

static uint8_t upcall_mask(const struct pv_vcpu *v)
{
	return __atomic_load_n(&v->info->evtchn_upcall_mask, __ATOMIC_RELAXED);
}

static void set_upcall_mask(struct pv_vcpu *v, uint8_t mask)
{
	__atomic_store_n(&v->info->evtchn_upcall_mask, mask, __ATOMIC_RELAXED);
}

static int cannot_go_on(struct pv_vcpu *v, const char *why)
{
	v->dying = why;
	return -XEN_EFAULT;
}

void pv_toggle_mode(struct pv_vcpu *v)
{
	v->kernel_mode = !v->kernel_mode;
	pv_swap_gs();
	pv_load_base(v);
}

/* The frame's flags: IF says whether events are masked, and IOPL is the virtual one, if at all. */
static uint64_t frame_flags(const struct pv_vcpu *v, uint64_t rflags, uint8_t masked)
{
	uint64_t assist = __atomic_load_n(&v->domain->vm_assist, __ATOMIC_RELAXED);

	rflags = (uint32_t)rflags & ~(RFLAGS_IF | RFLAGS_IOPL);
	if (!masked)
		rflags |= RFLAGS_IF;
	if (assist & 1ull << VMASST_TYPE_architectural_iopl)
		rflags |= v->iopl << RFLAGS_IOPL_SHIFT;
	return rflags;
}

/* Where the kernel's stack is to grow from. Its own code is told by the low bits of its cs. */
static uint64_t enter_kernel(struct pv_vcpu *v, struct pv_regs *r)
{
	if (v->kernel_mode) {
		r->cs &= ~3;
		return r->rsp & ~15ull;
	}
	pv_toggle_mode(v);
	return v->kernel_sp & ~15ull;
}

/* *r goes on in a handler of the kernel's. */
static void go_on(struct pv_regs *r, uint64_t address, uint64_t rsp)
{
	r->vector = PV_ENTRY_SYSCALL;
	r->rflags &= ~(RFLAGS_AC | RFLAGS_VM | RFLAGS_RF | RFLAGS_NT | RFLAGS_IOPL | RFLAGS_TF);
	r->ss = FLAT_KERNEL_SS;
	r->rsp = rsp;
	r->cs = FLAT_KERNEL_CS;
	r->rip = address;
}

/* cs: bits 0-15; the events' mask: 32-39. */
static uint64_t frame_cs(const struct pv_regs *r, uint8_t masked)
{
	return r->cs | (uint64_t)masked << 32;
}

int pv_deliver(struct pv_vcpu *v, struct pv_regs *r)
{
	struct pv_bounce b = v->bounce;
	uint64_t sp = enter_kernel(v, r), frame[8];
	uint8_t masked = upcall_mask(v);
	unsigned n = 0;

	v->bounce = (struct pv_bounce){0};
	frame[n++] = r->rcx;
	frame[n++] = r->r11;
	if (b.has_error)
		frame[n++] = b.error;
	frame[n++] = r->rip;
	frame[n++] = frame_cs(r, masked);
	frame[n++] = frame_flags(v, r->rflags, masked);
	frame[n++] = r->rsp;
	frame[n++] = r->ss;
	sp -= n * 8;
	if (pv_copy_to_guest(sp, frame, n * 8, NULL))
		return cannot_go_on(v, "the stack of its handlers cannot be written");
	if (b.masks)
		set_upcall_mask(v, masked | 1);
	if (!b.address)
		return cannot_go_on(v, "it has no handler for an exception or event");
	go_on(r, b.address, sp);
	return 0;
}

static void handler(struct pv_vcpu *v, const struct pv_trap *t)
{
	v->bounce = (struct pv_bounce){
		.wanted = true,
		.masks = t->flags & PV_TRAP_MASKS,
		.address = t->address,
	};
}

void pv_inject(struct pv_vcpu *v, uint32_t vector, int64_t error)
{
	handler(v, &v->traps[vector & 0xff]);
	v->bounce.has_error = error >= 0;
	v->bounce.error = error;
}

/* Who was at it is a matter of the guest's modes, not of rings. */
void pv_inject_page_fault(struct pv_vcpu *v, uint32_t error, uint64_t cr2)
{
	v->cr2 = cr2;
	v->info->arch.cr2 = cr2;
	error &= ~PF_USER;
	if (!v->kernel_mode)
		error |= PF_USER;
	pv_inject(v, VECTOR_PF, error);
}

/* A machine check or NMI: not twice at a time, and lost if nobody wants it. */
static bool take_async(struct pv_vcpu *v, bool *pending, uint8_t bit, uint8_t *before,
		       uint32_t vector)
{
	if (!__atomic_load_n(pending, __ATOMIC_RELAXED) || v->async_mask & bit)
		return false;
	__atomic_store_n(pending, false, __ATOMIC_RELAXED);
	if (!v->traps[vector].address)
		return false;
	*before = v->async_mask;
	v->async_mask |= bit;
	pv_inject(v, vector, -1);
	return true;
}

static bool event_wanted(const struct pv_vcpu *v)
{
	return __atomic_load_n(&v->info->evtchn_upcall_pending, __ATOMIC_ACQUIRE) &&
	       !upcall_mask(v);
}

static bool take_event(struct pv_vcpu *v)
{
	if (!event_wanted(v))
		return false;
	v->bounce = (struct pv_bounce){
		.wanted = true,
		.masks = true,
		.address = v->event.address,
	};
	return true;
}

/* Most returns have nothing of all this. */
static bool anything_wanted(const struct pv_vcpu *v)
{
	return v->dying || v->bounce.wanted || __atomic_load_n(&v->mce_pending, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&v->nmi_pending, __ATOMIC_RELAXED) || event_wanted(v);
}

static int __attribute__((noinline)) deliver_all(struct pv_vcpu *v, struct pv_regs *r)
{
	while (!v->dying) {
		if (!v->bounce.wanted &&
		    !take_async(v, &v->mce_pending, PV_ASYNC_MCE, &v->before_mce, VECTOR_MC) &&
		    !take_async(v, &v->nmi_pending, PV_ASYNC_NMI, &v->before_nmi, VECTOR_NMI) &&
		    !take_event(v))
			return 0;
		if (pv_deliver(v, r))
			break;
	}
	return -XEN_EFAULT;
}

int pv_before_return(struct pv_vcpu *v, struct pv_regs *r)
{
	return anything_wanted(v) ? deliver_all(v, r) : 0;
}

static void no_syscall(struct pv_vcpu *v, struct pv_regs *r)
{
	r->rip -= 2;
	pv_inject(v, VECTOR_UD, -1);
	pv_deliver(v, r);
}

/* The guest cannot say which flags are cleared (SYSCALL_MASK): DF is. */
static void to_syscall(struct pv_vcpu *v, struct pv_regs *r, uint64_t address)
{
	if (!address) {
		no_syscall(v, r);
		return;
	}
	v->bounce = (struct pv_bounce){
		.wanted = true,
		.masks = v->syscall.masks_events,
		.address = address,
	};
	pv_deliver(v, r);
	r->rflags &= ~RFLAGS_DF;
}

static void to_sysenter(struct pv_vcpu *v, struct pv_regs *r)
{
	if (!v->sysenter.address) {
		pv_inject(v, VECTOR_GP, 0);
	} else {
		v->bounce = (struct pv_bounce){
			.wanted = true,
			.masks = v->sysenter.masks_events,
			.address = v->sysenter.address,
		};
	}
	pv_deliver(v, r);
}

void pv_guest_syscall(struct pv_vcpu *v, struct pv_regs *r)
{
	if (r->vector == PV_ENTRY_SYSENTER)
		to_sysenter(v, r);
	else
		to_syscall(v, r,
			   r->vector == PV_ENTRY_SYSCALL32 ? v->syscall32.address
							   : v->syscall.address);
}

void pv_failsafe(struct pv_vcpu *v, struct pv_regs *r)
{
	uint64_t sp = enter_kernel(v, r);
	uint8_t masked = upcall_mask(v);
	const uint64_t frame[] = {
		r->rcx,
		r->r11,
		r->ds,
		r->es,
		r->fs,
		r->gs,
		r->rip,
		frame_cs(r, masked),
		frame_flags(v, r->rflags, masked),
		r->rsp,
		r->ss,
	};

	sp -= sizeof(frame);
	if (pv_copy_to_guest(sp, frame, sizeof(frame), NULL)) {
		cannot_go_on(v, "the stack of its failsafe callback cannot be written");
		return;
	}
	if (v->failsafe.masks_events)
		set_upcall_mask(v, 1);
	go_on(r, v->failsafe.address, sp);
}
