// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the entries call (entry.S). Interrupts are off in the monitor, and on in the guest: what
 * the guest calls interrupts is evtchn_upcall_mask.
 */
#include "shim/pv/arch.h"
#include "shim/pv/context.h"
#include "shim/pv/monitor/asm.h"
#include "shim/pv/monitor/percpu.h"
#include "shim/pv/traps.h"

#define MSR_X2APIC_SIVR 0x80f
#define MSR_X2APIC_EOI  0x80b
#define APIC_ENABLED    0x100

#define RFLAGS_NEVER (RFLAGS_IOPL | RFLAGS_NT | RFLAGS_VM)

struct pv_boot pv_boot;

/* Filled by the host (boot.h). */
uint64_t monitor_idt[512] __attribute__((aligned(4096)));

void monitor_entry(struct pv_regs *r);
void monitor_start(struct pv_regs *r);
void monitor_fault(struct pv_regs *r);
void monitor_iret_failed(struct pv_regs *r);
struct pv_regs *monitor_main_regs(const struct pv_regs *r);

/* Before every return: events, and what the CPU is to keep whatever the guest has asked for. */
static void go_back(struct pv_vcpu *v, struct pv_regs *r)
{
	show_up();
	serve_flush();
	if (pv_before_return(v, r))
		guest_crash(v->dying ? v->dying : "its stack cannot be written", r);
	r->rflags = (r->rflags & ~RFLAGS_NEVER) | RFLAGS_IF | 2;
	r->cs |= 3;
	r->ss |= 3;
}

static void interrupted(uint32_t vector)
{
	/* An upcall is looked for at every return; its interrupt ends by itself. */
	if (vector != PV_UPCALL_VECTOR)
		write_msr(MSR_X2APIC_EOI, 0);
}

static void guest_system_call(struct pv_vcpu *v, struct pv_regs *r)
{
	if (v->kernel_mode && r->vector == PV_ENTRY_SYSCALL)
		guest_hypercall(v, r);
	else
		pv_guest_syscall(v, r);
}

void monitor_entry(struct pv_regs *r)
{
	struct pv_vcpu *v = this_vcpu();

	v->regs = r;
	if (r->vector >= ENTRY_SYSCALL)
		guest_system_call(v, r);
	else if (r->vector >= 32 && r->vector != 0x80)
		interrupted(r->vector);
	else
		pv_exception(v, r, r->vector == VECTOR_PF ? read_cr2() : 0);
	go_back(v, r);
}

static struct pv_regs *main_regs(void)
{
	uint64_t end = pv_window_address(this_vcpu()->id) + PV_WINDOW_STACK + PV_WINDOW_STACK_SIZE;

	return (struct pv_regs *)(end - REGS_SIZE);
}

/* An exception of the guest's that came on another stack goes on where all others are. */
struct pv_regs *monitor_main_regs(const struct pv_regs *r)
{
	struct pv_regs *to = main_regs();

	*to = *r;
	return to;
}

/* The page of the vCPU's LDT window at an address that has faulted: is it there now? */
static bool ldt_page_came(struct pv_vcpu *v, const struct pv_regs *r, uint64_t cr2)
{
	uint64_t offset = cr2 - pv_window_address(v->id) - PV_WINDOW_LDT;

	return r->vector == VECTOR_PF && offset < 16 * PV_PAGE_SIZE && pv_map_ldt_page(v, offset);
}

/*
 * In the monitor: of a copy from or to the guest, of the return to it, or else we are at fault.
 * What the return raises is the guest's, and it has the registers that were to be loaded.
 */
extern const char guest_iret[], iret_failed[];

void monitor_fault(struct pv_regs *r)
{
	uint64_t go_on = fixup_of(r->rip), cr2 = read_cr2();
	struct pv_window *w = this_window();

	if (r->vector == VECTOR_FLUSH || r->vector == PV_UPCALL_VECTOR) {
		interrupted(r->vector); /* it looks at what is wanted before it returns */
	} else if (ldt_page_came(&w->vcpu, r, cr2)) {
		return;
	} else if (go_on) {
		r->rip = go_on;
	} else if (r->rip == (uint64_t)guest_iret) {
		w->iret_vector = r->vector;
		w->iret_error = r->error;
		w->iret_cr2 = cr2;
		r->rip = (uint64_t)iret_failed;
	} else if (r->vector != VECTOR_DB) { /* a step, or a breakpoint, into the entry */
		monitor_panic("an exception in the monitor", r);
	}
}

void monitor_iret_failed(struct pv_regs *r)
{
	struct pv_window *w = this_window();
	struct pv_vcpu *v = &w->vcpu;

	v->regs = r;
	r->vector = w->iret_vector;
	r->error = w->iret_error;
	pv_exception(v, r, w->iret_cr2);
	go_back(v, r);
}

/* The first vCPU takes over what the domain's builder has made: RAM, page tables, its registers. */
static void take_over(struct pv_window *w)
{
	struct pv_mm *mm = &pv_boot.domain.mm;
	int rc;

	pv_mm_init(mm);
	for (uint32_t i = 0; i < pv_boot.domain.nr_vcpus; i++)
		pv_mm_add_vcpu(mm, &window_of(i)->vcpu);
	pv_lock(&mm->lock);
	rc = pv_pin(mm, w->context.ctrlreg[3] >> PV_PAGE_SHIFT, PV_TYPE_L4);
	pv_unlock(&mm->lock);
	if (rc)
		monitor_panic("the first page tables are refused", w->vcpu.regs);
	rc = pv_set_context(&w->vcpu, &w->context);
	if (rc)
		monitor_panic("the first vCPU's context is refused", w->vcpu.regs);
	w->initialised = true;
}

static void vcpu_is_up(struct pv_vcpu *v)
{
	struct pv_mm *mm = &v->domain->mm;

	pv_lock(&mm->lock);
	pv_mm_vcpu_up(mm, v->id);
	pv_unlock(&mm->lock);
}

/* A vCPU's first instruction. */
void monitor_start(struct pv_regs *r)
{
	struct pv_window *w = this_window();
	struct pv_vcpu *v = &w->vcpu;

	write_msr(MSR_X2APIC_SIVR, APIC_ENABLED | 0xff);
	v->regs = r;
	come_back();
	if (v->id == 0)
		take_over(w);
	vcpu_is_up(v);
	pv_start_context(v, r, &w->context);
	go_back(v, r);
}
