/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one header of a test. A test is a folder guest-tests/tests/NAME with a main.c that defines
 * the two names below; it is built twice, as NAME-32 (protected mode, no paging) and NAME-64 (long
 * mode, the low 4 GiB mapped one to one), and may be built as NAME-pv (pv/test.h). In order of
 * life: entry.S, start.c, test_main().
 *
 * A test has ring 0 of the machine to itself, on vCPU 0, with interrupts off; other vCPUs by smp.h.
 * It says what it saw with CHECK and ends with test_success().
 */
#ifndef GUEST_TESTS_TEST_H
#define GUEST_TESTS_TEST_H

#ifdef PV
#include "guest-tests/lib/pv/test.h"
#else

#include "guest-tests/lib/clock.h"
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/event_channel.h"
#include "guest-tests/lib/fifo.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/lapic.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/segments.h"
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/smp.h"
#include "guest-tests/lib/start_info.h"
#include "guest-tests/lib/string.h"
#include "guest-tests/lib/traps.h"
#include "guest-tests/lib/upcall.h"
#ifdef __x86_64__
#include "guest-tests/lib/paging.h"
#include "guest-tests/lib/protected_mode.h"
#endif

#ifdef __x86_64__
#define WIDTH 64
#else
#define WIDTH 32
#endif

/* Defined by the test. */
extern const char test_title[];
void test_main(void);

#endif
#endif
