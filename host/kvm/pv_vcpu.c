// SPDX-License-Identifier: BSD-2-Clause
/* How a PV guest's vCPU begins, and what its monitor says to us. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/pv.h"
#include "shim/shared_info.h"
#include "shim/vcpu_run.h"
#include "shim/x86.h"

#define MSR_STAR              0xc0000081u
#define MSR_LSTAR             0xc0000082u
#define MSR_CSTAR             0xc0000083u
#define MSR_SYSCALL_MASK      0xc0000084u
#define MSR_IA32_SYSENTER_CS  0x174u
#define MSR_IA32_SYSENTER_ESP 0x175u
#define MSR_IA32_SYSENTER_EIP 0x176u

#define APIC_BASE_X2APIC 0xc00ull /* and enabled */

/* TF IF DF IOPL NT RF AC: what no entry of ours may have. */
#define SYSCALL_MASK 0x57700ull

/* Without PGE: no translation outlives a load of CR3, which is how the monitor forgets them. */
#define CR4_WANTED (CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)

#define XCR0_X87_SSE 3

static struct kvm_segment ring0(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){.limit = 0xffffffff,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .db = !code,
				    .s = 1,
				    .l = code,
				    .g = 1};
}

/* Bits of CR4 that a guest finds in use, as far as the CPU has them. */
static uint64_t wanted_cr4(const struct vm_vcpu *vv)
{
	return CR4_WANTED | (vv->has_xsave ? CR4_OSXSAVE : 0) |
	       (vv->has_fsgsbase ? CR4_FSGSBASE : 0);
}

static int set_sregs(struct vm_vcpu *vv, const struct pv_monitor *m)
{
	uint64_t window = pv_window_address(vv->vcpu->id);
	struct kvm_sregs s;

	if (ioctl(vv->fd, KVM_GET_SREGS, &s))
		return -errno;
	s.cs = ring0(PV_SEL_CODE, 0xb, true);
	s.ds = s.es = s.fs = s.gs = s.ss = ring0(PV_SEL_DATA, 0x3, false);
	s.tr = (struct kvm_segment){
		.base = window + PV_WINDOW_VCPU + offsetof(struct pv_window, tss),
		.limit = sizeof(struct pv_tss) - 1,
		.selector = PV_SEL_TSS,
		.type = 0xb,
		.present = 1,
	};
	s.ldt = (struct kvm_segment){.unusable = 1};
	s.gdt = (struct kvm_dtable){.base = window + PV_WINDOW_GDT, .limit = 0xffff};
	s.idt = (struct kvm_dtable){.base = m->image.idt, .limit = 0xfff};
	s.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	s.cr3 = m->root;
	s.cr4 = wanted_cr4(vv);
	s.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX;
	s.apic_base |= APIC_BASE_X2APIC;
	return ioctl(vv->fd, KVM_SET_SREGS, &s) ? -errno : 0;
}

/* As Xen's vCPUs begin: what is there without XSAVE is turned on. */
static int set_xcr0(struct vm_vcpu *vv)
{
	const struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = XCR0_X87_SSE}}};

	if (!vv->has_xsave)
		return 0;
	return ioctl(vv->fd, KVM_SET_XCRS, &xcrs) ? -errno : 0;
}

static int set_entries(struct vm_vcpu *vv, const struct pv_monitor *m)
{
	uint64_t window = pv_window_address(vv->vcpu->id);
	const struct {
		uint32_t index;
		uint64_t value;
	} msrs[] = {
		{MSR_STAR, (uint64_t)FLAT_RING3_CS32 << 48 | (uint64_t)PV_SEL_CODE << 32},
		{MSR_LSTAR, window + m->image.syscall_offset},
		{MSR_CSTAR, window + m->image.syscall32_offset},
		{MSR_SYSCALL_MASK, SYSCALL_MASK},
		{MSR_IA32_SYSENTER_CS, PV_SEL_CODE},
		{MSR_IA32_SYSENTER_ESP, window + PV_WINDOW_STACK + PV_WINDOW_STACK_SIZE},
		{MSR_IA32_SYSENTER_EIP, window + m->image.sysenter_offset},
	};
	uint64_t steal = pv_monitor_window_gpa(m, vv->vcpu->id) + offsetof(struct pv_window, steal);

	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
		int rc = vcpu_set_msr(vv, msrs[i].index, msrs[i].value);

		if (rc)
			return rc;
	}
	/* Where the host's kernel has no such statistics, who waits for a vCPU waits longer. */
	_Static_assert(offsetof(struct pv_window, steal) + sizeof(struct kvm_steal_time) <=
			       PV_PAGE_SIZE,
		       "of its page only the place is known");
	vcpu_set_msr(vv, MSR_KVM_STEAL_TIME, steal | KVM_MSR_ENABLED);
	return 0;
}

int pv_vcpu_set_state(struct vm_vcpu *vv, const struct pv_monitor *m, struct problem *p)
{
	const struct kvm_regs regs = {
		.rip = m->image.start,
		.rsp = pv_window_address(vv->vcpu->id) + PV_WINDOW_STACK + PV_WINDOW_STACK_SIZE,
		.rflags = 2,
	};
	int rc = set_sregs(vv, m);

	if (!rc)
		rc = set_xcr0(vv);
	if (!rc)
		rc = set_entries(vv, m);
	if (!rc && ioctl(vv->fd, KVM_SET_REGS, &regs))
		rc = -errno;
	return rc ? problem(p, "KVM refuses the state in which a PV guest's vCPU begins: %s",
			    strerror(-rc))
		  : 0;
}

/* The monitor's text is in its image's memory. */
static void text_of(struct vm_vcpu *vv, char *to, size_t room)
{
	const struct pv_monitor *m = vv->vm->pv;
	const struct kvm_regs *r = &vv->run->s.regs.regs;
	uint64_t length = r->rdi < room ? r->rdi : room - 1;
	uint64_t offset = r->rsi - PV_MONITOR_VIRT;

	to[0] = '\0';
	if (offset > m->image.bss_end || length > m->image.bss_end - offset)
		return;
	memcpy(to, m->image_hva + offset, length);
	to[length] = '\0';
}

bool pv_vcpu_exit(struct vm_vcpu *vv)
{
	uint16_t port = vv->run->io.port;
	char text[500];

	if (!vv->vm->pv || (port != PV_PORT_PANIC && port != PV_PORT_CRASH))
		return false;
	text_of(vv, text, sizeof(text));
	if (port == PV_PORT_PANIC) {
		vm_end_failed(vv->vm, "the PV monitor cannot go on, on vCPU %u: %s", vv->vcpu->id,
			      text);
		return true;
	}
	fprintf(stderr, "xenolith: domain %u, vCPU %u: the guest cannot go on: %s\n",
		vv->vm->domain.id, vv->vcpu->id, text);
	vm_end_shutdown(vv->vm, SHUTDOWN_crash);
	return true;
}

void pv_first_context(const struct pv_monitor *m, const struct pv_start *start)
{
	pv_monitor_window(m, 0)->context = (struct vcpu_guest_context){
		.flags = VGCF_in_kernel | VGCF_online,
		.user_regs =
			{
				.rip = start->rip,
				.rsp = start->rsp,
				.rsi = start->rsi,
				.rflags = RFLAGS_IF,
				.cs = FLAT_KERNEL_CS,
				.ss = FLAT_KERNEL_SS,
			},
		.kernel_ss = FLAT_KERNEL_SS,
		.kernel_sp = start->rsp,
		.ctrlreg[3] = start->base_mfn << PV_PAGE_SHIFT,
	};
}

void pv_vcpu_info_moved(struct vm_vcpu *vv)
{
	struct gpa at;

	if (vv->vm->pv && vcpu_info_gpa(vv->vcpu, &at))
		__atomic_store_n(&pv_monitor_window(vv->vm->pv, vv->vcpu->id)->vcpu.info,
				 (struct vcpu_info *)(PV_DIRECT_VIRT + at.v), __ATOMIC_RELEASE);
}

/* It looks when it comes back to its monitor: an upcall's interrupt makes it. */
void pv_vcpu_nmi(struct vm_vcpu *vv)
{
	__atomic_store_n(&pv_monitor_window(vv->vm->pv, vv->vcpu->id)->vcpu.nmi_pending, true,
			 __ATOMIC_SEQ_CST);
	vcpu_unblock(vv->vcpu);
	vm_upcall(vv->vcpu);
}

/* With a lock, or with that in its TLB which others want it to forget, it would keep them waiting.
 */
bool pv_vcpu_comes_out(struct vm_vcpu *vv)
{
	struct pv_window *w;

	if (!vv->vm->pv)
		return false;
	w = pv_monitor_window(vv->vm->pv, vv->vcpu->id);
	if (__atomic_load_n(&w->away, __ATOMIC_SEQ_CST) &&
	    !__atomic_load_n(&w->locks, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&w->wanted_outside, 1, __ATOMIC_SEQ_CST);
	vm_upcall(vv->vcpu);
	return true;
}
