/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests of vCPU 0's upcalls share, whatever the way in which they come: a count of them, and
 * what must be true of each way. The handler is the test's; a port here is its own and unmasked.
 */
#ifndef GUEST_TESTS_UPCALL_H
#define GUEST_TESTS_UPCALL_H

#include "guest-tests/lib/event_channel.h"

/* In the handler: take all events. */
void upcall_take(void);
/* In the handler: it has come, and the events stay. */
void upcall_leave(void);

/* What happened since the last question: upcalls in the hundreds, events in the units. */
unsigned int upcall_seen(void);

/* A new IPI port, all others masked, shared_info mapped, the LAPIC on. */
evtchn_port_t upcall_begin(void);

/* A thousand sends, each of which gives one upcall with one event. `how`: as opposed to what? */
void upcall_in_a_row(evtchn_port_t port, const char *how);

/* An event that comes while the handler runs, after it took the others, is delivered next. */
void upcall_from_within(evtchn_port_t port);

/* VIRQ_TIMER's ends a hlt. The port, which stays bound and unmasked. */
evtchn_port_t upcall_wakes_from_hlt(void);

#endif
