// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"

void console_fallback(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		outb(0xe9, (uint8_t)text[i]);
}
