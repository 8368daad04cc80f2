// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/segments.h"
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/traps.h"

static struct vcpu_info *registered[MAX_CPUS];

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
