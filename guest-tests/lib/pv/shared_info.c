// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/pv/layout.h"
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/traps.h"

/* The address of this page is what is used; the RAM that it had stays unmapped. */
static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;
static struct shared_info *mapped;
static struct vcpu_info *registered[PV_MAX_CPUS];

unsigned long frame_of(const void *p)
{
	return mfn_of(p);
}

struct shared_info *shared_info_map(void)
{
	if (!mapped) {
		mapped = (void *)page;
		CHECK_EQ(update_va_mapping(page, pv_start_info()->shared_info | PTE_DATA,
					   UVMF_INVLPG | UVMF_LOCAL),
			 0);
	}
	return mapped;
}

struct vcpu_info *vcpu_info_of(unsigned int cpu)
{
	return registered[cpu] ? registered[cpu] : &shared_info_map()->vcpu_info[cpu];
}

struct vcpu_info *vcpu_info(void)
{
	return vcpu_info_of(cpu_number());
}

long vcpu_info_register(unsigned int cpu, struct vcpu_info *at)
{
	struct vcpu_register_vcpu_info arg = {
		.mfn = mfn_of(at),
		.offset = (unsigned long)at % PAGE_SIZE,
	};
	long rc = hypercall_vcpu_op(VCPUOP_register_vcpu_info, cpu, &arg);

	if (!rc)
		registered[cpu] = at;
	return rc;
}
