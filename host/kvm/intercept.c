// SPDX-License-Identifier: BSD-2-Clause
/*
 * How a hypercall reaches the shim, in two ways behind one interface.
 *
 * KVM_XEN: vmcall and vmmcall exit with KVM_EXIT_XEN, registers decoded. Stock: KVM answers these
 * instructions itself, so the hypercall page's stubs, and the instructions in the guest's text
 * (host/loader/hypercall_patch), read a port; the exit gives us the registers in kvm_run, and what
 * we put into its data KVM loads into eax.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/kvm_xen.h"
#include "host/kvm/kvm_xen_events.h"
#include "host/kvm/vm.h"
#include "shim/guest_access.h"
#include "shim/shared_info.h"
#include "shim/x86.h"

int vm_enable_hypercalls(struct vm *vm, struct problem *p)
{
	int rc = vm->kvm_xen ? kvm_xen_enable(vm) : 0;

	return rc ? problem(p, "KVM refuses to hand over hypercalls: %s; try --accel=stock",
			    strerror(-rc))
		  : 0;
}

int vm_set_word_size(struct vm *vm)
{
	return vm->kvm_xen ? kvm_xen_events_set_long_mode(vm, vm->domain.long_mode) : 0;
}

static const struct kvm_sregs *sregs(struct vm_vcpu *vv)
{
	const struct kvm_sregs *s = &vv->sregs;

	if (vv->run->kvm_valid_regs & KVM_SYNC_X86_SREGS)
		s = &vv->run->s.regs.sregs;
	else if (!vv->sregs_valid)
		ioctl(vv->fd, KVM_GET_SREGS, &vv->sregs);
	vv->sregs_valid = true;
	vv->want_sregs = true;
	vv->page_64.cr4 = CR4_PAE | (s->cr4 & CR4_LA57);
	return s;
}

const struct paging *vcpu_paging(struct vcpu *v, bool exact)
{
	struct vm_vcpu *vv = v->host;
	const struct kvm_sregs *s;

	if (vv->from_page_64 && !exact) {
		vv->page_64.cr3 = vv->run->s.regs.regs.rbx;
		return &vv->page_64;
	}
	s = sregs(vv);
	vv->paging = (struct paging){.cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer};
	return &vv->paging;
}

/* 64-bit code, as opposed to 32-bit code in long mode or outside it. */
static bool in_64bit_code(struct vm_vcpu *vv)
{
	const struct kvm_sregs *s = sregs(vv);

	return s->efer & EFER_LMA && s->cs.l;
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

/*
 * KVM loads 32 bits into eax; the 64-bit page's stub extends their sign. A result that is lost on
 * the way goes into rax whole, once KVM has completed the read.
 */
static void give_result(struct vm_vcpu *vv, long result, bool fits)
{
	struct kvm_run *run = vv->run;
	uint32_t low = result;

	memcpy((uint8_t *)run + run->io.data_offset, &low, sizeof(low));
	if (fits)
		return;
	run->immediate_exit = 1;
	ioctl(vv->fd, KVM_RUN, NULL);
	run->immediate_exit = 0;
	run->s.regs.regs.rax = result;
	run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

/*
 * The page's stub has looked at its ring. Only where the guest lets ring 3 use ports could somebody
 * else have come this way: then, and for all that comes from elsewhere, the segments tell.
 */
static void hypercall_from_page_64(struct vm_vcpu *vv)
{
	const struct kvm_regs *r = &vv->run->s.regs.regs;
	struct hypercall h = {.long_mode = true};
	long result;

	vv->from_page_64 = !(r->rflags & RFLAGS_IOPL);
	vv->want_sregs = false;
	if (!vv->from_page_64)
		h.cpl = sregs(vv)->ss.dpl;
	arguments_64(r, &h);
	result = hypercall_dispatch(vv->vcpu, &h);
	give_result(vv, result, result == (int32_t)result);
}

static void hypercall_from_anywhere(struct vm_vcpu *vv)
{
	const struct kvm_regs *r = &vv->run->s.regs.regs;
	struct hypercall h = {.long_mode = in_64bit_code(vv), .cpl = sregs(vv)->ss.dpl};
	long result;

	if (h.long_mode)
		arguments_64(r, &h);
	else
		arguments_32(r, &h);
	result = hypercall_dispatch(vv->vcpu, &h);
	give_result(vv, result, !h.long_mode || (uint64_t)result == (uint32_t)result);
}

bool vcpu_hypercall_port(struct vm_vcpu *vv)
{
	const struct kvm_run *run = vv->run;

	if (run->io.direction != KVM_EXIT_IO_IN || run->io.size != 4 || run->io.count != 1)
		return false;
	if (run->io.port == PORT_HYPERCALL_64)
		hypercall_from_page_64(vv);
	else if (run->io.port == PORT_HYPERCALL)
		hypercall_from_anywhere(vv);
	else
		return false;
	return true;
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

static int hypercall_port(bool long_mode)
{
	return long_mode ? PORT_HYPERCALL_64 : PORT_HYPERCALL;
}

static bool cpu_is_amd(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (ebx == 0x68747541 && edx == 0x69746e65) || /* AuthenticAMD */
	       (ebx == 0x6f677948 && edx == 0x6e65476e);   /* HygonGenuine */
}

#define STUB_SIZE 32

/*
 * KVM_XEN answers SCHEDOP_poll itself: at once, as if it were a yield, and with a timeout of
 * another kind where it does wait. So this family's stub does not go its way.
 */
static void fill_sched_op_stub(uint8_t *page, const struct hypercall_stub *stub)
{
	const unsigned at = __HYPERVISOR_sched_op * STUB_SIZE;
	struct hypercall_stub by_port = *stub;
	uint8_t other[GUEST_PAGE_SIZE];

	by_port.port = hypercall_port(stub->long_mode);
	hypercall_page_fill(other, &by_port);
	memcpy(page + at, other + at, STUB_SIZE);
}

bool vcpu_fill_hypercall_page(struct vm_vcpu *vv, uint64_t value)
{
	struct domain *d = &vv->vm->domain;
	struct hypercall_stub stub = {
		.long_mode = in_64bit_code(vv),
		.amd = cpu_is_amd(),
		.port = -1,
	};
	uint8_t page[GUEST_PAGE_SIZE];

	/* The low bits number the page; CPUID says that there is one. */
	if (value & (GUEST_PAGE_SIZE - 1))
		return false;
	if (!vv->vm->kvm_xen)
		stub.port = hypercall_port(stub.long_mode);
	hypercall_page_fill(page, &stub);
	if (vv->vm->kvm_xen)
		fill_sched_op_stub(page, &stub);
	if (guest_write_physical(d, gpa(value), page, sizeof(page)))
		return false;
	domain_latch_word_size(d, stub.long_mode);
	return true;
}
