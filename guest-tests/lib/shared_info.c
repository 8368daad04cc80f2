// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/segments.h"
#include "guest-tests/lib/traps.h"

static uint8_t page[4096] PAGE_ALIGNED;
static struct shared_info *mapped;
static struct vcpu_info *registered[MAX_CPUS];

unsigned long frame_of(const void *p)
{
	return (unsigned long)p / PAGE_SIZE;
}

long add_to_physmap(unsigned int space, unsigned long index, unsigned long gfn)
{
	struct xen_add_to_physmap arg = {
		.domid = DOMID_SELF,
		.space = space,
		.idx = index,
		.gpfn = gfn,
	};

	return hypercall_memory_op(XENMEM_add_to_physmap, &arg);
}

struct shared_info *shared_info_map(void)
{
	if (!mapped) {
		CHECK_EQ(add_to_physmap(XENMAPSPACE_shared_info, 0, frame_of(page)), 0);
		mapped = (void *)page;
	}
	return mapped;
}

struct vcpu_info *vcpu_info_of(unsigned int cpu)
{
	if (registered[cpu] || cpu >= XEN_LEGACY_MAX_VCPUS)
		return registered[cpu];
	return &shared_info_map()->vcpu_info[cpu];
}

struct vcpu_info *vcpu_info(void)
{
	return vcpu_info_of(cpu_number());
}

long vcpu_info_register(unsigned int cpu, struct vcpu_info *at)
{
	struct vcpu_register_vcpu_info arg = {
		.mfn = frame_of(at),
		.offset = (unsigned long)at % PAGE_SIZE,
	};
	long rc = hypercall_vcpu_op(VCPUOP_register_vcpu_info, cpu, &arg);

	if (!rc)
		registered[cpu] = at;
	return rc;
}
