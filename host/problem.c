// SPDX-License-Identifier: BSD-2-Clause
#include "host/problem.h"

#include <stdarg.h>
#include <stdio.h>

int problem(struct problem *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	return -1;
}
