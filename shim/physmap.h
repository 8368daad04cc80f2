/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of the hypervisor's pages (enum overlay) a guest sees at which of its frames, each at one
 * frame at most (public header memory.h, XENMEM_add_to_physmap). The machinery is
 * shim/memslot/overlay.h; here is what it means to the pages' owners.
 *
 * On Xen the RAM below is freed. Here it is kept, and seen again when the page goes.
 */
#ifndef SHIM_PHYSMAP_H
#define SHIM_PHYSMAP_H

#include "shim/memslot/pin.h"
#include "shim/types.h"

struct domain;

/*
 * Show the page at `at`, and no longer where it was; what was shown at `at` is nowhere then. Under
 * the domain's lock. 0 or -XEN_E*, with all as it was; -XEN_EBUSY: a page is there that a backend
 * or the guest itself has mapped by a grant.
 */
int physmap_show(struct domain *d, unsigned page, struct gfn at);

/* Take away the page that is shown at `at`; -XEN_ENOENT: there is none. Under the domain's lock. */
int physmap_hide(struct domain *d, struct gfn at);

/*
 * memslots_pin() of a page that is there: -ENOENT also where the guest has given back its RAM
 * (shim/reservation.h) and nothing of the hypervisor's covers it.
 */
int physmap_pin(struct domain *d, struct memslot_hint *hint, struct gfn at, bool write,
		struct memslot_pin *pin);

#endif
