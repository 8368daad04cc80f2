// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/traps.h"

static char line[256];
static size_t used;

static unsigned int owner, depth; /* owner: its vCPU + 1; 0: nobody's */

void console_lock(void)
{
	unsigned int me = cpu_number() + 1, nobody = 0;

	while (READ_ONCE(owner) != me &&
	       !__atomic_compare_exchange_n(&owner, &nobody, me, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		nobody = 0;
		hypercall_sched_op(SCHEDOP_yield, NULL);
	}
	depth++;
}

void console_unlock(void)
{
	if (!--depth)
		__atomic_store_n(&owner, 0, __ATOMIC_RELEASE);
}

void console_flush(void)
{
	if (used && hypercall_console_io(CONSOLEIO_write, (unsigned int)used, line) < 0)
		console_fallback(line, used);
	used = 0;
}

int vprintf(const char *fmt, va_list args)
{
	char text[256];
	int n = vsnprintf(text, sizeof(text), fmt, args);

	console_lock();
	for (const char *p = text; *p; p++) {
		line[used++] = *p;
		if (*p == '\n' || used == sizeof(line))
			console_flush();
	}
	console_unlock();
	return n;
}

int printf(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vprintf(fmt, args);
	va_end(args);
	return n;
}
