/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What backends of the host (domain 0 to the guest) do with pages that the guest grants them: rules
 * of public header grant_table.h, seen from the side that maps. Any thread, not in a read section.
 * Takes the grant table's lock only.
 *
 * While a grant is mapped its entry is in use (GTF_reading, GTF_writing: the guest cannot end the
 * grant), and the page's memory stays where it is in our process: who wants to put something else
 * at its frame, or take its slot away, is told -EBUSY (shim/memslot/pin.h). What is in the page may
 * be changed by the guest at any time: read each value once.
 */
#ifndef SHIM_GRANT_MAP_H
#define SHIM_GRANT_MAP_H

#include <stdbool.h>

#include "shim/types.h"
#include "xen-abi/xen.h"

struct domain;

/* A mapped grant. Plain data of the caller's. */
struct grant_mapping {
	uint8_t *hva; /* of the page; NULL: nothing is mapped */
	grant_ref_t ref;
	bool writable;
	struct gfn gfn;
};

/*
 * Map the page of one grant to domain 0; `write`: to be written as well. GNTST_okay, or GNTST_* as
 * GNTTABOP_map_grant_ref answers: GNTST_bad_gntref, GNTST_general_error (no grant to domain 0, or
 * read-only, of a frame without memory, being ended), GNTST_no_space (uses of one grant are
 * counted to a limit). Then nothing is mapped.
 */
int grant_map(struct domain *d, grant_ref_t ref, bool write, struct grant_mapping *m);

/* written: bytes of the page may have been changed, for the dirty log. m->hva becomes NULL. */
void grant_unmap(struct domain *d, struct grant_mapping *m, bool written);

/* All or none of `n` grants; the index of the first that failed in *failed, if not NULL. */
int grant_map_all(struct domain *d, const grant_ref_t *refs, unsigned n, bool write,
		  struct grant_mapping *m, unsigned *failed);
void grant_unmap_all(struct domain *d, struct grant_mapping *m, unsigned n, bool written);

/* Map, copy, unmap: `len` bytes within the page of the grant. GNTST_*; GNTST_bad_copy_arg: beyond
 * the page. */
int grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to, unsigned len);
int grant_copy_to(struct domain *d, grant_ref_t ref, unsigned offset, const void *from,
		  unsigned len);

#endif
