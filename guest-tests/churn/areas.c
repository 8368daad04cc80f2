// SPDX-License-Identifier: BSD-2-Clause
/*
 * vcpu_info, the second copy of the time and the runstate area, in a slot that goes. Nothing that
 * the guest does meanwhile fails because of it, and when there is memory again they live on.
 */
#include "guest-tests/churn/churn.h"

static bool live_on(struct churn *c)
{
	uint32_t at = c->window.base;

	return guest_do(c, CHURN_AREAS_LIVE, at, 0, 0) &&
	       guest_result(c, CHURN_EVENT_SEEN, at, 0) && guest_result(c, CHURN_RUNSTATE, at, 0);
}

static bool away(struct churn *c)
{
	return guest_result(c, CHURN_EVENT, CHURN_WINDOW_A, 0);
}

void areas_come_and_go(struct churn *c)
{
	if (!window_set(c, CHURN_WINDOW_A, false) ||
	    !guest_result(c, CHURN_REGISTER, CHURN_WINDOW_A, 0) || !live_on(c))
		return;
	for (unsigned i = 0; i < 4 && !c->failures; i++) {
		bool moved = i % 2;

		if (!guest_do(c, CHURN_AREAS_WIPE, CHURN_WINDOW_A, 0, 0) ||
		    !window_set(c, moved ? CHURN_WINDOW_B : 0, i / 2) || !away(c) ||
		    !window_set(c, CHURN_WINDOW_A, i / 2) || !live_on(c))
			return;
	}
	guest_account(c, "with areas in the window");
}
