/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's half of the in-guest test memory-churn: a virtual machine as `xenolith run` makes it,
 * and a thread beside its vCPU that changes the guest's memory.
 */
#ifndef GUEST_TESTS_CHURN_H
#define GUEST_TESTS_CHURN_H

#include <stdbool.h>

#include "guest-tests/tests/memory-churn/protocol.h"
#include "host/machine.h"
#include "shim/memslot/memslot.h"

#define CHURN_OTHER_SLOTS 4

struct churn {
	struct machine machine;
	struct memslots *slots;
	struct churn_mailbox *box;
	unsigned seed;
	unsigned failures;

	/* Of the vCPU's exits: accesses to nowhere that we have told the guest to make, and all
	 * that are no accesses, hypercalls or retries, as at the beginning. */
	uint64_t expected_nowhere, other_exits;

	uint8_t *overlays; /* the hypervisor's pages */

	/* The window's slot. */
	struct window {
		uint8_t *memory;
		uint32_t base; /* CHURN_WINDOW_*; 0: there is no slot */
		bool logged, manual;
		uint64_t dirty; /* pages that the log must tell of */
	} window;

	struct other {
		uint8_t *memory;
		struct memslot_request request; /* size 0: there is no slot */
	} others[CHURN_OTHER_SLOTS];
};

/* A failure of the subject: one line. */
void churn_fail(struct churn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* rc as expected? What else, is a failure of the call that `what` names. */
bool churn_check(struct churn *c, int rc, int expected, const char *what);
unsigned churn_random(struct churn *c, unsigned below);
uint8_t *churn_memory(unsigned pages);

/*
 * guest.c: the guest carries out a command; a loop runs until guest_stop. False: it is over, or
 * does not answer, which has been reported. `at`, `pages` and `value` as the command has them.
 */
bool guest_do(struct churn *c, enum churn_command command, uint32_t at, uint32_t pages,
	      uint32_t value);
bool guest_start(struct churn *c, enum churn_command command, uint32_t at, uint32_t pages);
bool guest_stop(struct churn *c);
/* guest_do, and the command's result is `expected`. */
bool guest_result(struct churn *c, enum churn_command command, uint32_t at, int expected);
/* The guest's loop has gone on for so many turns more. */
bool guest_turns(struct churn *c, uint32_t turns);
/* The exits since the beginning are those that the guest had to make. */
void guest_account(struct churn *c, const char *when);
void guest_account_begin(struct churn *c);

/* window.c: the slot that the guest uses. flags: MEMSLOT_LOG_DIRTY or 0; base 0: delete. */
bool window_set(struct churn *c, uint32_t base, bool logged);
void window_epochs(struct churn *c, unsigned epochs);
void window_manual_log(struct churn *c);

/* others.c: some change of a slot that nobody uses. */
void others_change(struct churn *c);
void others_end(struct churn *c);

/* loops.c: changes while the guest does not wait for us. */
void loop_counting(struct churn *c, unsigned changes);
void loop_covered(struct churn *c, unsigned changes);

/* areas.c: vcpu_info, time and runstate areas in the window. */
void areas_come_and_go(struct churn *c);

#endif
