/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one header of a test of PV guests: as ../test.h, which is this one where PV is defined. A
 * folder guest-tests/tests/NAME with a main.c that defines test_title and test_main(), built as
 * NAME-pv. The test is kernel mode's, on vCPU 0, with its events masked.
 */
#ifndef GUEST_TESTS_PV_TEST_H
#define GUEST_TESTS_PV_TEST_H

#include "guest-tests/lib/clock.h"
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/event_channel.h"
#include "guest-tests/lib/fifo.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/pv/pv.h"
#include "guest-tests/lib/pv/smp.h"
#include "guest-tests/lib/pv/traps.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/start_info.h"
#include "guest-tests/lib/string.h"

#define WIDTH 64

/* Defined by the test. */
extern const char test_title[];
void test_main(void);

#endif
