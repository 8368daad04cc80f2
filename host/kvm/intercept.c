// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a hypercall reaches the shim, in two ways behind one interface.
 *
 * KVM_XEN: vmcall and vmmcall exit with KVM_EXIT_XEN, registers decoded. Stock: KVM answers these
 * instructions itself, so the hypercall page's stubs, and the instructions in the guest's text
 * (host/loader/hypercall_patch), write to a port; the exit gives us the registers in kvm_run.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/kvm_xen.h"
#include "host/kvm/vm.h"
#include "shim/guest_access.h"
#include "shim/shared_info.h"

#define EFER_LMA (1ull << 10)

int vm_enable_hypercalls(struct vm *vm, struct problem *p)
{
	int rc = vm->kvm_xen ? kvm_xen_enable(vm) : 0;

	return rc ? problem(p, "KVM refuses to hand over hypercalls: %s; try --accel=stock",
			    strerror(-rc))
		  : 0;
}

int vm_set_word_size(struct vm *vm)
{
	return vm->kvm_xen ? kvm_xen_set_long_mode(vm, vm->domain.long_mode) : 0;
}

static const struct kvm_sregs *sregs(struct vm_vcpu *vv)
{
	return &vv->run->s.regs.sregs;
}

const struct paging *vcpu_paging(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;
	const struct kvm_sregs *s = sregs(vv);

	if (!vv->paging_valid) {
		vv->paging = (struct paging){
			.cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer};
		vv->paging_valid = true;
	}
	return &vv->paging;
}

/* 64-bit code, as opposed to 32-bit code in long mode or outside it. */
static bool in_64bit_code(struct vm_vcpu *vv)
{
	return sregs(vv)->efer & EFER_LMA && sregs(vv)->cs.l;
}

static void arguments_64(const struct kvm_regs *r, struct hypercall *h)
{
	h->nr = r->rax;
	h->args[0] = r->rdi;
	h->args[1] = r->rsi;
	h->args[2] = r->rdx;
	h->args[3] = r->r10;
	h->args[4] = r->r8;
	h->args[5] = r->r9;
}

static void arguments_32(const struct kvm_regs *r, struct hypercall *h)
{
	h->nr = (uint32_t)r->rax;
	h->args[0] = (uint32_t)r->rbx;
	h->args[1] = (uint32_t)r->rcx;
	h->args[2] = (uint32_t)r->rdx;
	h->args[3] = (uint32_t)r->rsi;
	h->args[4] = (uint32_t)r->rdi;
	h->args[5] = (uint32_t)r->rbp;
}

void vcpu_hypercall_port(struct vm_vcpu *vv)
{
	struct kvm_regs *r = &vv->run->s.regs.regs;
	struct hypercall h = {.long_mode = in_64bit_code(vv), .cpl = sregs(vv)->ss.dpl};
	long result;

	if (h.long_mode)
		arguments_64(r, &h);
	else
		arguments_32(r, &h);
	result = hypercall_dispatch(vv->vcpu, &h);
	r->rax = h.long_mode ? (uint64_t)result : (uint32_t)result;
	vv->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

void vcpu_hypercall_xen(struct vm_vcpu *vv)
{
	struct kvm_xen_exit *x = &vv->run->xen;
	struct hypercall h = {
		.nr = x->u.hcall.input,
		.long_mode = x->u.hcall.longmode,
		.cpl = x->u.hcall.cpl,
	};

	if (x->type != KVM_EXIT_XEN_HCALL)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(h.args); i++)
		h.args[i] = x->u.hcall.params[i];
	x->u.hcall.result = hypercall_dispatch(vv->vcpu, &h);
}

static bool cpu_is_amd(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (ebx == 0x68747541 && edx == 0x69746e65) || /* AuthenticAMD */
	       (ebx == 0x6f677948 && edx == 0x6e65476e);   /* HygonGenuine */
}

bool vcpu_fill_hypercall_page(struct vm_vcpu *vv, uint64_t value)
{
	struct domain *d = &vv->vm->domain;
	const struct hypercall_stub stub = {
		.long_mode = in_64bit_code(vv),
		.amd = cpu_is_amd(),
		.port = vv->vm->kvm_xen ? -1 : PORT_HYPERCALL,
	};
	uint8_t page[GUEST_PAGE_SIZE];

	/* The low bits number the page; CPUID says that there is one. */
	if (value & (GUEST_PAGE_SIZE - 1))
		return false;
	hypercall_page_fill(page, &stub);
	if (guest_write_physical(d, gpa(value), page, sizeof(page)))
		return false;
	domain_latch_word_size(d, stub.long_mode);
	return true;
}
