// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/test.h"

const char test_title[] = "vCPUs start by VCPUOP_initialise and by INIT and SIPI, go and come back";

static void who(void *arg)
{
	*(unsigned *)arg = cpu_number() + 100;
}

void test_main(void)
{
	unsigned n = smp_cpus(), x = 0;
	bool cmdline_sipi = strstr(start_info_cmdline(), "sipi");

	printf("%u vCPUs\n", n);
	shared_info_map();
	for (unsigned i = 1; i < n; i++) {
		CHECK(smp_start(i, cmdline_sipi ? SMP_BY_SIPI
				   : i & 1      ? SMP_BY_CONTEXT
						: SMP_BY_CONTEXT_32),
		      "start %u", i);
		smp_call(i, who, &x);
		CHECK_EQ(x, i + 100);
	}
	test_success();
}
