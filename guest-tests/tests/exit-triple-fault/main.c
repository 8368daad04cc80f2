// SPDX-License-Identifier: BSD-2-Clause
/*
 * A triple fault resets a machine, and Xen treats it as the guest's wish to reboot (the default of
 * HVM_PARAM_TRIPLE_FAULT_REASON). Kernels without another way reboot like this.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "a triple fault is a reboot";

void test_main(void)
{
	printf("Test result: SUCCESS\n");
	triple_fault();
}
