/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles: what a guest maps of its own grants (GNTTABOP_map_grant_ref), each the uses of one grant
 * until they are over. Where it is mapped is another's affair: shim/grant_self.h for a guest whose
 * frames are mapped, shim/pv/grant.h for page tables.
 *
 * All under the domain's lock.
 */
#ifndef SHIM_GRANT_HANDLE_H
#define SHIM_GRANT_HANDLE_H

#include "shim/grant_entry.h"
#include "shim/types.h"

#define GRANT_HANDLES_PER_FRAME 256u

/* The two kinds of map, each a use of the grant. */
#define GRANT_MAPS (GNTMAP_device_map | GNTMAP_host_map)

struct grant_handle {
	uint32_t flags; /* GNTMAP_*, of GRANT_MAPS those that there still are; 0: free */
	struct grant_hold hold;
	unsigned page; /* for grant_self.c */
	uint32_t next; /* free one, if it is free */
};

/*
 * A new handle for the maps that `flags` ask for, of this grant of the guest's own. GNTST_okay;
 * GNTST_bad_domain: there is no such domain; GNTST_no_space: no handle is left; GNTST_bad_gntref,
 * GNTST_general_error: as grant_acquire(), also for what is granted by the host, which is nothing.
 */
int grant_handle_hold(struct domain *d, uint32_t flags, domid_t dom, grant_ref_t ref,
		      uint32_t *handle);

/* NULL: there is no such handle. */
struct grant_handle *grant_handle_of(const struct domain *d, uint32_t handle);

/* These maps of it, as far as there are, have ended, and with the last of them so has the handle.
 */
void grant_handle_release(struct domain *d, uint32_t handle, uint32_t maps);

struct grant_handles;
/* Nobody has any. */
void grant_handles_reset(struct grant_handles *h);

#endif
