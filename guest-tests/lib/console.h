/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output. Lines go out by CONSOLEIO_write; a hypervisor that refuses it to a guest (a release
 * build of Xen) or lacks it gets them through the debug port 0xe9, from a PV guest through its
 * ring.
 */
#ifndef GUEST_TESTS_CONSOLE_H
#define GUEST_TESTS_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

int printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/*
 * %d %i %u %x %p %s %c %%, with l, ll, z, #, 0, - and a width. Always terminates; returns the
 * length that the whole text has, as the standard function does.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Between these, other vCPUs' output waits. They nest. */
void console_lock(void);
void console_unlock(void);

/* The other way. */
void console_fallback(const char *text, size_t n);

/* Write now what printf has kept of an unfinished line. */
void console_flush(void);

#endif
