// SPDX-License-Identifier: BSD-2-Clause
/*
 * The guest's CPUID: what KVM supports, Xen's leaves instead of KVM's own, and a topology of one
 * package with one core per vCPU.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/pv.h"
#include "shim/pv_cpuid.h"

#define CPUID_MAX               256
#define CPUID1_ECX_VMX          (1u << 5)
#define CPUID1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID1_ECX_HYPERVISOR   (1u << 31)
#define CPUID1_EDX_HTT          (1u << 28)
#define CPUID_EXT1_ECX_SVM      (1u << 2)

#define LEAF_SVM 0x8000000au

/* kvm_cpuid2 ends in an array of no length; this gives it room. */
union cpuid_table {
	struct kvm_cpuid2 head;
	uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_MAX * sizeof(struct kvm_cpuid_entry2)];
};

static bool is_hypervisor_leaf(uint32_t leaf)
{
	return leaf >= 0x40000000 && leaf < 0x40010000;
}

/* Drop the leaves that we rewrite whole, and what SVM can do: see adjust_leaf(). */
static void remove_leaves(union cpuid_table *t)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < t->head.nent; i++) {
		uint32_t leaf = t->head.entries[i].function;

		if (!is_hypervisor_leaf(leaf) && leaf != 0xb && leaf != 0x1f && leaf != LEAF_SVM)
			t->head.entries[kept++] = t->head.entries[i];
	}
	t->head.nent = kept;
}

static void add_leaf(union cpuid_table *t, const struct kvm_cpuid_entry2 *e)
{
	if (t->head.nent < CPUID_MAX)
		t->head.entries[t->head.nent++] = *e;
}

static unsigned bits_for(unsigned count)
{
	unsigned bits = 0;

	while (1u << bits < count)
		bits++;
	return bits;
}

/* Leaf 0xb: one thread per core, nr_vcpus cores. */
static void add_topology(union cpuid_table *t, unsigned id, unsigned nr_vcpus)
{
	const struct kvm_cpuid_entry2 smt = {.function = 0xb,
					     .index = 0,
					     .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
					     .ebx = 1,
					     .ecx = 0x100,
					     .edx = id};
	const struct kvm_cpuid_entry2 core = {.function = 0xb,
					      .index = 1,
					      .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
					      .eax = bits_for(nr_vcpus),
					      .ebx = nr_vcpus,
					      .ecx = 0x201,
					      .edx = id};

	add_leaf(t, &smt);
	add_leaf(t, &core);
}

static void adjust_leaf(struct kvm_cpuid_entry2 *e, unsigned id, unsigned nr_vcpus,
			bool tsc_deadline)
{
	switch (e->function) {
	case 1:
		e->ebx = (e->ebx & 0xffff) | nr_vcpus << 16 | id << 24;
		e->ecx &= ~CPUID1_ECX_VMX; /* as in Xen: guests have no guests of their own */
		e->ecx |= CPUID1_ECX_HYPERVISOR;
		if (tsc_deadline)
			e->ecx |= CPUID1_ECX_TSC_DEADLINE;
		e->edx &= ~CPUID1_EDX_HTT;
		if (nr_vcpus > 1)
			e->edx |= CPUID1_EDX_HTT;
		break;
	case 4: /* Intel: caches are not shared, cores per package */
		e->eax = (e->eax & 0x3fff) | (nr_vcpus - 1) << 26;
		break;
	case 0x80000001:
		e->ecx &= ~CPUID_EXT1_ECX_SVM;
		break;
	case 0x80000008:
		e->ecx = nr_vcpus > 1 ? bits_for(nr_vcpus) << 12 | (nr_vcpus - 1) : 0;
		break;
	case 0x8000001e:
		e->eax = id;
		e->ebx = id;
		e->ecx = 0;
		break;
	}
}

/* KVM's pvclock arithmetic for this TSC: ns = (tsc << shift) * mul >> 32. */
static void tsc_scale(uint32_t khz, uint32_t *mul, int8_t *shift)
{
	uint64_t hz = (uint64_t)khz * 1000, scaled = 1000000000;

	*shift = 0;
	while (hz > scaled * 2) {
		hz >>= 1;
		(*shift)--;
	}
	while (hz <= scaled && hz) {
		hz <<= 1;
		(*shift)++;
	}
	*mul = hz ? (scaled << 32) / hz : 0;
}

static bool has_bit(const union cpuid_table *t, uint32_t leaf, unsigned reg, unsigned bit)
{
	for (unsigned i = 0; i < t->head.nent; i++) {
		const struct kvm_cpuid_entry2 *e = &t->head.entries[i];
		const uint32_t regs[] = {e->eax, e->ebx, e->ecx, e->edx};

		if (e->function == leaf && !e->index)
			return regs[reg] >> bit & 1;
	}
	return false;
}

static void add_xen_leaves(union cpuid_table *t, const struct vm_vcpu *vv)
{
	struct xen_cpuid_config config = {
		.vcpu_id = vv->vcpu->id,
		.domid = vv->vm->domain.id,
		.tsc_khz = vv->vm->tsc_khz,
		.rdtscp = has_bit(t, 0x80000001, 3, 27),
	};
	struct cpuid_leaf leaves[XEN_CPUID_LEAVES > XEN_CPUID_PV_LEAVES ? XEN_CPUID_LEAVES
									: XEN_CPUID_PV_LEAVES];
	unsigned count = XEN_CPUID_LEAVES;

	tsc_scale(config.tsc_khz, &config.tsc_to_ns_mul, &config.tsc_shift);
	if (vv->vm->pv) {
		config.max_mfn = vv->vm->pv->max_mfn;
		count = XEN_CPUID_PV_LEAVES;
		xen_cpuid_pv(&config, leaves);
	} else {
		xen_cpuid(&config, leaves);
	}
	for (unsigned i = 0; i < count; i++) {
		const struct cpuid_leaf *l = &leaves[i];
		/* Without its index an entry would answer for all sub-leaves. */
		const struct kvm_cpuid_entry2 e = {
			.function = l->leaf,
			.index = l->subleaf,
			.flags = l->has_subleaves ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
			.eax = l->eax,
			.ebx = l->ebx,
			.ecx = l->ecx,
			.edx = l->edx,
		};

		add_leaf(t, &e);
	}
}

static void adjust_for_pv(struct kvm_cpuid_entry2 *e)
{
	struct cpuid_leaf l = {
		.leaf = e->function,
		.subleaf = e->index,
		.has_subleaves = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = e->eax,
		.ebx = e->ebx,
		.ecx = e->ecx,
		.edx = e->edx,
	};

	pv_cpuid_adjust(&l);
	e->eax = l.eax;
	e->ebx = l.ebx;
	e->ecx = l.ecx;
	e->edx = l.edx;
}

int vm_set_cpuid(struct vm_vcpu *vv, struct problem *p)
{
	struct vm *vm = vv->vm;
	union cpuid_table t = {.head.nent = CPUID_MAX};
	bool tsc_deadline = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;

	if (ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, &t))
		return problem(p, "KVM does not tell what CPUID it supports: %s", strerror(errno));
	remove_leaves(&t);
	for (unsigned i = 0; i < t.head.nent; i++)
		adjust_leaf(&t.head.entries[i], vv->vcpu->id, vm->config.vcpus, tsc_deadline);
	add_topology(&t, vv->vcpu->id, vm->config.vcpus);
	for (unsigned i = 0; vm->pv && i < t.head.nent; i++)
		adjust_for_pv(&t.head.entries[i]);
	add_xen_leaves(&t, vv);
	vv->has_xsave = has_bit(&t, 1, 2, 26);
	vv->has_fsgsbase = has_bit(&t, 7, 1, 0);
	if (ioctl(vv->fd, KVM_SET_CPUID2, &t))
		return problem(p, "KVM refuses the guest's CPUID: %s", strerror(errno));
	return 0;
}
