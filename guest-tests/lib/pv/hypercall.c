// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/cpu.h"

/* The page clobbers nothing but rax and what the hypervisor does with arguments. */
long hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5)
{
	register unsigned long r10 __asm__("r10") = a4;
	register unsigned long r8 __asm__("r8") = a5;
	unsigned long ax = (unsigned long)hypercall_page + 32UL * nr;

	__asm__ volatile("call *%%rax"
			 : "+a"(ax), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 :
			 : "memory");
	return (long)ax;
}

void shutdown(unsigned int reason)
{
	struct sched_shutdown arg = {.reason = reason};

	hypercall_sched_op(SCHEDOP_shutdown, &arg);
	for (;;)
		__asm__ volatile("ud2");
}
