// SPDX-License-Identifier: BSD-2-Clause
/* The ways out to the host. */
#include "shim/pv/monitor/percpu.h"

/* While it is out there, nobody waits for this vCPU's TLB. */
long host_hypercall(uint64_t nr, const uint64_t args[6])
{
	long result;

	go_away();
	result = exit_hypercall(nr, args);
	come_back();
	return result;
}

static void put_hex(char *to, uint64_t value)
{
	for (int i = 15; i >= 0; i--, value >>= 4)
		to[i] = "0123456789abcdef"[value & 0xf];
}

/* The text is copied, so that the host finds it in one piece of the monitor's own memory. */
static void __attribute__((noreturn)) leave(uint16_t port, const char *what, uint64_t detail)
{
	static char text[160];
	uint32_t answer;
	unsigned n = 0;

	while (what[n] && n < sizeof(text) - 20) {
		text[n] = what[n];
		n++;
	}
	text[n++] = ' ';
	put_hex(text + n, detail);
	n += 16;
	for (;;)
		__asm__ volatile("in %w1, %0"
				 : "=a"(answer)
				 : "Nd"(port), "D"((uint64_t)n), "S"(text)
				 : "memory");
}

void monitor_panic(const char *what, uint64_t detail)
{
	leave(PV_PORT_PANIC, what, detail);
}

void guest_crash(const char *why, uint64_t detail)
{
	leave(PV_PORT_CRASH, why, detail);
}
