// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hypercall instructions of kernels that we have not loaded (stock KVM): one that another kernel
 * has started (kexec, a boot loader), or that has unpacked itself.
 *
 * A 64-bit kernel writes MSR_GS_BASE, which KVM hands to us (msr.c), early and before its first
 * hypercall, when it runs at the high addresses where it stays and all its text is in place. At the
 * first such write the text around it is patched as a loader patches it
 * (host/loader/hypercall_patch). A 32-bit kernel that knows NX writes MSR_EFER, before it turns its
 * paging on; but so may whoever takes the CPU there. One that does neither needs a hypercall page.
 *
 * There are no sections to tell where the text ends. It is taken for what is mapped without a gap,
 * in virtual and in physical memory, around the instruction, up to a page of zeros: kernels align
 * the data behind their text generously. Without paging all RAM is mapped: there it is not looked
 * for far below the instruction, which stands at a 32-bit kernel's beginning.
 */
#include <string.h>

#include "host/kvm/vm.h"
#include "host/loader/hypercall_patch.h"
#include "shim/guest_access.h"

#define HIGH_ADDRESSES 0xffff800000000000ull
#define TEXT_MAX       (64u << 20)
#define TEXT_MAX_BELOW (1u << 20) /* without paging */

/* One range of text, in virtual, guest-physical and our own addresses. */
struct text {
	uint64_t start, end; /* guest-virtual, of whole pages */
	uint64_t phys;       /* where it starts */
};

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, GUEST_PAGE_SIZE - 1);
}

/* Is the page at `addr` mapped, to RAM at `phys`, and does it hold anything? */
static bool is_text(struct vm_vcpu *vv, uint64_t addr, uint64_t phys)
{
	const uint8_t *page = ram_at(&vv->vm->ram, phys, GUEST_PAGE_SIZE);
	struct gpa at;

	return page && !guest_translate(vv->vcpu, gva(addr), false, &at) && at.v == phys &&
	       !is_zero(page);
}

static bool find_text(struct vm_vcpu *vv, uint64_t rip, uint64_t max_below, struct text *t)
{
	const uint64_t page = rip & GUEST_PAGE_MASK;
	struct gpa at;

	t->start = page;
	t->end = t->start + GUEST_PAGE_SIZE;
	if (guest_translate(vv->vcpu, gva(t->start), false, &at))
		return false;
	t->phys = at.v;
	if (!is_text(vv, t->start, t->phys))
		return false;
	while (t->end - t->start < TEXT_MAX && is_text(vv, t->end, t->phys + (t->end - t->start)))
		t->end += GUEST_PAGE_SIZE;
	while (page - t->start < max_below && t->end - t->start < TEXT_MAX && t->phys &&
	       is_text(vv, t->start - GUEST_PAGE_SIZE, t->phys - GUEST_PAGE_SIZE)) {
		t->start -= GUEST_PAGE_SIZE;
		t->phys -= GUEST_PAGE_SIZE;
	}
	return true;
}

/* How many there were. */
static unsigned patch_text(struct vm_vcpu *vv, uint64_t max_below)
{
	struct vm *vm = vv->vm;
	struct patch_stats stats = {0};
	struct text t;
	uint8_t *bytes;

	if (!find_text(vv, vv->run->s.regs.regs.rip, max_below, &t))
		return 0;
	bytes = ram_at(&vm->ram, t.phys, t.end - t.start);
	if (bytes)
		hypercall_patch(bytes, t.end - t.start, PORT_HYPERCALL, &stats);
	vm->calls_patched += stats.patched;
	return stats.patched;
}

void vm_text_loaded(struct vm *vm, const struct patch_stats *stats)
{
	vm->calls_patched = stats->patched;
	vm->first_patched = stats->first;
	vm->text_unknown = true;
}

void vm_text_replaced(struct vm *vm)
{
	vm->first_patched = NULL;
	vm->text_unknown = true;
}

static bool loaders_work_is_in_place(const struct vm *vm)
{
	return vm->first_patched && hypercall_is_patched(vm->first_patched, PORT_HYPERCALL);
}

void vcpu_look_at_text(struct vm_vcpu *vv)
{
	struct vm *vm = vv->vm;

	if (vv->run->s.regs.regs.rip < HIGH_ADDRESSES ||
	    !__atomic_exchange_n(&vm->text_unknown, false, __ATOMIC_SEQ_CST))
		return;
	if (!loaders_work_is_in_place(vm))
		patch_text(vv, TEXT_MAX);
}

/* Where nothing is found, it was not the kernel yet. */
void vcpu_look_at_text_32(struct vm_vcpu *vv)
{
	struct vm *vm = vv->vm;

	if (!__atomic_load_n(&vm->text_unknown, __ATOMIC_SEQ_CST) || loaders_work_is_in_place(vm))
		return;
	if (patch_text(vv, TEXT_MAX_BELOW))
		__atomic_store_n(&vm->text_unknown, false, __ATOMIC_SEQ_CST);
}
