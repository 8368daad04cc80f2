/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of <string.h> that is used, as the C standard has it. */
#ifndef GUEST_TESTS_STRING_H
#define GUEST_TESTS_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
char *strstr(const char *s, const char *part);

#endif
