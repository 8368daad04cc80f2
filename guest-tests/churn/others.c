// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots that the guest does not use: each change of theirs makes KVM drop mappings, and all caches
 * look up anew.
 */
#include <errno.h>

#include "guest-tests/churn/churn.h"
#include "shim/memslot/overlay.h"

#define OTHERS_SLOT 16
#define OTHER_PAGES 8u
#define OTHER_PLACE (16u << 20)
#define NO_RAM      0x30000000u

static bool set(struct churn *c, struct other *o, const struct memslot_request *request)
{
	if (!churn_check(c, memslots_set_slot(c->slots, request), 0, "changing another slot"))
		return false;
	o->request = *request;
	return true;
}

static void change_slot(struct churn *c, unsigned i)
{
	struct other *o = &c->others[i];
	struct memslot_request r = o->request;
	unsigned how = churn_random(c, 3);

	if (!r.size || how == 0) { /* create, or move */
		r.slot = OTHERS_SLOT + i;
		r.hva = (uintptr_t)o->memory;
		r.size = OTHER_PAGES * GUEST_PAGE_SIZE;
		r.gpa = CHURN_OTHERS + i * OTHER_PLACE + churn_random(c, 512) * GUEST_PAGE_SIZE;
	} else if (how == 1) {
		r.flags ^= MEMSLOT_LOG_DIRTY;
	} else {
		r.size = 0;
	}
	set(c, o, &r);
}

/* An overlay where there is no RAM has a slot to itself. */
static void change_overlay(struct churn *c)
{
	struct gfn at = gpa_to_gfn(gpa(NO_RAM));

	if (overlay_at(c->slots, at) == -ENOENT)
		churn_check(c, overlay_show(c->slots, CHURN_SPARE_OVERLAY, at), 0, "overlay_show");
	else
		churn_check(c, overlay_hide(c->slots, at), 0, "overlay_hide");
}

void others_change(struct churn *c)
{
	unsigned i = churn_random(c, CHURN_OTHER_SLOTS + 1);

	if (i == CHURN_OTHER_SLOTS)
		change_overlay(c);
	else
		change_slot(c, i);
}

void others_end(struct churn *c)
{
	for (unsigned i = 0; i < CHURN_OTHER_SLOTS; i++) {
		struct memslot_request r = c->others[i].request;

		r.size = 0;
		if (c->others[i].request.size)
			set(c, &c->others[i], &r);
	}
}
