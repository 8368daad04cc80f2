// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest whose last vCPU goes down is switched off (Xen: do_vcpu_op(), VCPUOP_down). The result is
 * said before; what follows is seen by who started the guest.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "the last vCPU to go down switches the guest off";

void test_main(void)
{
	shared_info_map();
	if (!smp_start(1, SMP_BY_SIPI))
		return;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_down, 1, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
	printf("Test result: SUCCESS\n");
	hypercall_vcpu_op(VCPUOP_down, 0, NULL);
	test_failure("VCPUOP_down of the last vCPU returns");
}
