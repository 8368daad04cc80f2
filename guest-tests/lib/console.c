// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"

static char line[256];
static size_t used;

void console_flush(void)
{
	if (used && hypercall_console_io(CONSOLEIO_write, (unsigned int)used, line) < 0)
		for (size_t i = 0; i < used; i++)
			outb(0xe9, (uint8_t)line[i]);
	used = 0;
}

int vprintf(const char *fmt, va_list args)
{
	char text[256];
	int n = vsnprintf(text, sizeof(text), fmt, args);

	for (const char *p = text; *p; p++) {
		line[used++] = *p;
		if (*p == '\n' || used == sizeof(line))
			console_flush();
	}
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
