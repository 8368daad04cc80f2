/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants of a guest to itself, which it maps (GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref): a
 * guest that serves itself, by a loopback. The page is then seen at two frames, which RAM cannot
 * be; so it is lent (overlay_lend): as long as it is mapped it is an overlay at its own frame, too.
 *
 * On Xen an HVM guest's page that it maps itself is no longer at its own frame, and after the
 * unmapping nowhere (p2m_add_page). Here it stays.
 */
#ifndef SHIM_GRANT_SELF_H
#define SHIM_GRANT_SELF_H

#include "shim/types.h"
#include "xen-abi/xen.h"

struct domain;

/* Of struct grant_table; under the domain's lock. */
struct grant_self {
	/* Lent pages, OVERLAY_LENT + index; made when needed. */
	struct grant_lent {
		struct gfn home;
		uint32_t maps;
		bool lent; /* with maps == 0: it could not be taken back yet */
	} * lent;
	unsigned nr_lent; /* room */
	unsigned idle;    /* lent, and not mapped */
};

/* One of each: status and results in *op, as on Xen. Takes the domain's lock. */
void grant_self_map(struct domain *d, struct gnttab_map_grant_ref *op);
void grant_self_unmap(struct domain *d, struct gnttab_unmap_grant_ref *op);

/* Take back what is lent and not mapped. Under the domain's lock. */
void grant_self_settle(struct domain *d);

/* Nothing is mapped: after overlay_hide_all(), under the domain's lock, or at the end. */
void grant_self_reset(struct grant_self *s);

#endif
