/* SPDX-License-Identifier: BSD-2-Clause */
/* 64-bit builds: a trip to 32-bit protected mode without paging (protected_mode.S). */
#ifndef GUEST_TESTS_PROTECTED_MODE_H
#define GUEST_TESTS_PROTECTED_MODE_H

#include <stdint.h>

/* code: 32-bit code of the cdecl kind, assembled with .code32. Interrupts must be off. */
uint32_t protected_mode_call(const void *code, uint32_t arg);

#endif
