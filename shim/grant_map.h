/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What backends of the host (domain 0 to the guest) do with pages that the guest grants them: rules
 * of public header grant_table.h, seen from the side that maps. Any thread, not in a read section.
 * Takes the grant table's lock, and may wait for memslots.lock.
 *
 * While a grant is mapped its entry is in use (GTF_reading, GTF_writing: the guest cannot end the
 * grant), and the page's memory stays where it is in our process: who wants to put something else
 * at its frame, or take its slot away, is told -EBUSY (shim/memslot/pin.h). What is in the page may
 * be changed by the guest at any time: read each value once.
 *
 * When the guest begins anew (shim/soft_reset.h) maps of before stay good until they are taken
 * back. All are taken back before domain_destroy().
 */
#ifndef SHIM_GRANT_MAP_H
#define SHIM_GRANT_MAP_H

#include <stdbool.h>

#include "shim/grant_entry.h"
#include "shim/memslot/pin.h"
#include "shim/types.h"
#include "xen-abi/xen.h"

struct domain;

/* A mapped grant. Plain data of the caller's; what is not explained is not his to look at. */
struct grant_mapping {
	uint8_t *hva; /* of the page; NULL: nothing is mapped */
	struct grant_hold hold;
	struct memslot_pin pin;
};

/*
 * Map the page of one grant to domain 0; `write`: to be written as well. GNTST_okay, or GNTST_* as
 * GNTTABOP_map_grant_ref answers: GNTST_bad_gntref (no such entry), GNTST_general_error (no grant
 * to domain 0; one of part of a page, or transitive; read-only; mapped GRANT_USES_MAX times
 * already; changed again and again), GNTST_bad_page (a frame without memory, or to be written and
 * ROM), GNTST_no_space (the host has no memory to count with). Then nothing is mapped.
 */
int grant_map(struct domain *d, grant_ref_t ref, bool write, struct grant_mapping *m);

/* written: bytes of the page may have been changed, for the dirty log. m->hva becomes NULL; nothing
 * happens if it was. */
void grant_unmap(struct domain *d, struct grant_mapping *m, bool written);

/* All or none of `n` grants; the index of the first that failed in *failed, if not NULL. */
int grant_map_all(struct domain *d, const grant_ref_t *refs, unsigned n, bool write,
		  struct grant_mapping *m, unsigned *failed);
void grant_unmap_all(struct domain *d, struct grant_mapping *m, unsigned n, bool written);

/*
 * Map, copy, unmap: `len` bytes within the page of the grant; those of a grant of part of a page
 * (version 2) must be in that part. GNTST_* as above; GNTST_bad_copy_arg: beyond the page;
 * GNTST_general_error: beyond the part.
 */
int grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to, unsigned len);
int grant_copy_to(struct domain *d, grant_ref_t ref, unsigned offset, const void *from,
		  unsigned len);

#endif
