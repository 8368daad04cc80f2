// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/clock.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/shared_info.h"

uint64_t clock_scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
	ticks = shift < 0 ? ticks >> -shift : ticks << shift;
	return (ticks >> 32) * mul + ((ticks & 0xffffffff) * mul >> 32);
}

uint64_t clock_read(const volatile struct vcpu_time_info *t)
{
	uint32_t version;
	uint64_t now;

	do {
		do
			version = t->version;
		while (version & 1);
		barrier();
		now = t->system_time +
		      clock_scale(rdtsc() - t->tsc_timestamp, t->tsc_to_system_mul, t->tsc_shift);
		barrier();
	} while (version != t->version);
	return now;
}

uint64_t clock_now_of(unsigned int cpu)
{
	return clock_read(&vcpu_info_of(cpu)->time);
}

uint64_t clock_now(void)
{
	return clock_read(&vcpu_info()->time);
}
