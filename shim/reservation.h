/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's memory reservation: which pages of its RAM it has, and how many it may have. A balloon
 * driver gives pages back and takes them again (public header memory.h; shim/memory_balloon.c has
 * the operations). A page that was given back costs the host nothing. Who touches it all the same
 * finds zeros; what is written there may be lost at any time (docs/design-notes.md, "Pages that the
 * guest has given back").
 *
 * RAM is where domain_add_ram() has said, for good; a bit for each page tells whether it is there.
 */
#ifndef SHIM_RESERVATION_H
#define SHIM_RESERVATION_H

#include <pthread.h>

#include "shim/types.h"

struct domain;

#define RESERVATION_RANGES_MAX 4

/*
 * What a domain may have beyond its target, in pages: as much as Xen's toolstack allows
 * (LIBXL_MAXMEM_CONSTANT, 1 MiB).
 */
#define RESERVATION_SLACK 256u

/* RAM in one piece. */
struct ram_range {
	uint64_t first, npages; /* frames */
	uint64_t *gone;         /* a bit for each page that was given back: atomic */
};

struct reservation {
	unsigned nr_ranges; /* fixed before the guest runs, as where the ranges are */
	struct ram_range range[RESERVATION_RANGES_MAX];

	bool some_gone; /* atomic: false while no bit is set, so that few look at them */

	pthread_mutex_t lock; /* of who changes the bits, and of all below, in pages */
	uint64_t pages;       /* what the guest has */
	uint64_t first_gone;  /* no page below has been given back */
	uint64_t max;         /* what it may have */
	uint64_t target;      /* what it is asked to have */
};

/* In pages; plain data of the caller's. */
struct domain_memory {
	uint64_t pages, target, max;
	uint64_t ram; /* what the memory map shows */
};

void reservation_init(struct reservation *r);
void reservation_destroy(struct reservation *r);

/*
 * There is RAM at these frames, all of it populated: for who builds the domain, before it runs, and
 * in the order of addresses. The slot is made by him, too. 0; -ENOMEM; -ENOSPC: more than
 * RESERVATION_RANGES_MAX pieces.
 */
int domain_add_ram(struct domain *d, struct gfn base, uint64_t npages);

/*
 * Of that RAM, these frames are not populated yet, as if the guest had given them back: so a PV
 * guest may be given others for its own (XENMEM_exchange), and more. By the same one. 0; -EINVAL:
 * they are not RAM in one piece, all of it populated.
 */
int domain_withhold_ram(struct domain *d, struct gfn base, uint64_t npages);

/*
 * How many pages the domain shall have: from now on it is given none beyond that (and a little,
 * RESERVATION_SLACK). That it gives some back is up to its balloon driver, who is told by the
 * store. Any thread.
 */
void domain_set_memory_target(struct domain *d, uint64_t pages);

/* The numbers as they are now. Any thread. */
void domain_memory(struct domain *d, struct domain_memory *m);

/*
 * Is there a page at this frame? Not where the guest has given back its RAM. (Whether there is
 * memory of any other kind the memslots tell.) Any thread; the answer may be old when it comes.
 */
bool domain_page_populated(const struct domain *d, struct gfn page);

/* The same without a look at the bits: false if the guest has never given back anything. */
static inline bool reservation_some_gone(const struct reservation *r)
{
	return __atomic_load_n(&r->some_gone, __ATOMIC_ACQUIRE);
}

/* How many of these frames, all of them RAM, are populated. As above. */
uint64_t domain_count_populated(const struct domain *d, struct gfn base, uint64_t npages);

/*
 * The guest gives up, or is given, `n` extents of 2^order pages each, one after the other, until
 * one cannot be: how many could. Of the one that could not, remove may have taken pages away.
 * Removed pages lose their contents; populated ones are zero, also those that were there before
 * (which then are lost, and counted until the end of the domain, as on Xen). A vCPU's thread.
 */
unsigned reservation_remove(struct domain *d, const uint64_t *frames, unsigned n, unsigned order);
unsigned reservation_populate(struct domain *d, const uint64_t *frames, unsigned n, unsigned order);

/*
 * Populate up to `n` extents of 2^order pages, each aligned to its size and below frame `end`, that
 * the hypervisor chooses: *first of each, and how many. Fewer: there would be more than the domain
 * may have, or there is no such RAM. They are zero. A vCPU's thread.
 */
unsigned reservation_take(struct domain *d, unsigned order, uint64_t end, unsigned n,
			  uint64_t *first);

/*
 * In place of `n` pages, which are given up, as many in extents such as these; they may be the
 * same. n: a multiple of 2^order. 0; -XEN_EINVAL: one of the pages is not the domain's, or named
 * twice; -XEN_ENOMEM: there is no such RAM. Then nothing has changed.
 */
int reservation_exchange(struct domain *d, const uint64_t *pages, unsigned n, unsigned order,
			 uint64_t end, uint64_t *first);

/* Count 2^order pages that no frame shows. False: there would be more than the domain may have. */
bool reservation_increase(struct domain *d, unsigned order);

/*
 * The RAM side of XENMEM_remove_from_physmap: the page is shown no longer and is lost, but still
 * counts, as on Xen. 0, or -XEN_ENOENT: there is no page of RAM.
 */
int reservation_unmap(struct domain *d, struct gfn page);

/*
 * XENMAPSPACE_gmfn: the page at `from` is to be at `to`, in place of the one there, which is given
 * back. 0; -XEN_EINVAL: no page of RAM at `from`; -XEN_EBUSY: one of the two is covered by a page
 * of the hypervisor's; -XEN_ENOMEM: no RAM can be at `to`. Then nothing has changed.
 */
int reservation_move(struct domain *d, struct gfn from, struct gfn to);

/* All RAM is there again: a kernel that begins anew knows nothing of what another has given back.
 */
void reservation_reset(struct domain *d);

/* One more than the last frame of RAM. */
uint64_t reservation_ram_end(const struct domain *d);

#endif
