/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private memory: a guest_memfd whose pages only the guest can read. A slot with MEMSLOT_PRIVATE
 * is bound to a part of it; each page of the slot is private (from the guest_memfd) or shared (from
 * slot->hva).
 *
 * What the processor needs to know of private pages (an entry in a reverse-map table, say) is done
 * once, when a range is allocated, and undone once, when it is freed: not when the guest first
 * touches a page, not when a mapping of it goes, not when a page is shared for a while. The unit is
 * the allocation's (4 KiB, 2 MiB or 1 GiB pages), whatever the size of the mappings. While some of
 * a unit is left, it all is the guest's, so that is also when its memory goes back to the host.
 */
#ifndef SHIM_GMEM_H
#define SHIM_GMEM_H

#include "shim/memslot/levels.h"

/*
 * The machinery below, of a file or of its domain. With memslots.lock held, never in a read
 * section. Those that return int: 0, or -errno with nothing changed. prepare and undo may be NULL.
 */
struct gmem_ops {
	/* Give pages [first, first + npages) of the file memory; take it back. */
	int (*allocate)(void *host, uint64_t first, uint64_t npages);
	int (*punch)(void *host, uint64_t first, uint64_t npages);
	/* One unit of an allocation becomes the guest's; stops being it. */
	int (*prepare)(void *host, uint64_t first, uint64_t npages);
	void (*undo)(void *host, uint64_t first, uint64_t npages);
	/*
	 * These frames of the guest become private, or shared (KVM_SET_MEMORY_ATTRIBUTES): in one
	 * call, even if there are several slots and files (of the same domain, then it is the
	 * first's) behind them.
	 */
	int (*set_private)(void *host, struct gfn base, uint64_t npages, bool is_private);
	/* The last reference has gone, everything has been undone and punched. */
	void (*destroy)(void *host);
};

/*
 * A file of npages, nothing of it allocated. One reference, the caller's; each slot that is bound
 * to it has another. The ops and `host` must stay until ops->destroy. NULL: no pages, no memory.
 */
struct gmem *gmem_create(struct memslots *slots, uint64_t npages, const struct gmem_ops *ops,
			 void *host);
/* Takes memslots.lock. */
void gmem_put(struct gmem *g);

/* The `host` that it was made with. */
void *gmem_host(const struct gmem *g);

/*
 * Allocate pages [first, first + npages), in units of `unit`, and prepare each unit. Takes the
 * lock. 0; -EINVAL: empty, past the end, not whole units; -EEXIST: some of it is allocated, or
 * belongs to a unit of which some is; what the machinery says: then nothing is allocated, nothing
 * prepared.
 */
int gmem_allocate(struct gmem *g, uint64_t first, uint64_t npages, enum page_level unit);

/*
 * Free pages [first, first + npages). A unit is undone, and then punched, when the last of its
 * pages is freed. Takes the lock. 0; -EINVAL: empty or past the end; -ENOENT: some of it is not
 * allocated: then nothing is freed. What the machinery's punch says: then all is freed, but for the
 * memory, which goes back with the file at the latest.
 */
int gmem_free(struct gmem *g, uint64_t first, uint64_t npages);

/*
 * Frames [base, base + npages) of the guest become private or shared; all must be in slots with
 * private memory, in address space 0. Takes the lock. Nothing is prepared or undone; trackers are
 * told to flush. 0; -EINVAL: empty, wraps, or some frame is in no such slot; what the machinery
 * says. All or nothing.
 */
int gmem_set_private(struct memslots *slots, struct gfn base, uint64_t npages, bool is_private);

/*
 * Is the page of this slot private? And the largest page that may map it: memslot_max_level(), and
 * for private pages not larger than its allocation's unit, of which nothing may have been freed,
 * and which must lie in the file as it does in the guest. 4 KiB where nothing is allocated. The
 * slot is at hand: no further look-up. In a read section.
 */
bool gmem_is_private(const struct memslot *slot, struct gfn page);
enum page_level gmem_max_level(const struct memslot *slot, struct gfn page);

/*
 * For memslot.c, under the lock: bind the slot (its id, start, gmem, gmem_offset and npages), all
 * of it private, and tell the machinery so. 0; -EBADF: no gmem; -EINVAL: another domain's, not of
 * address space 0 (KVM has only one where there is private memory), offset unaligned, past the end;
 * -EEXIST: bound already in part; -ENOMEM; the machinery's. bind takes a reference.
 *
 * unbind ends that: the frames are shared for who comes next, as they were before, and the
 * reference goes. When nobody reads the slot any more.
 */
int gmem_bind(struct memslots *slots, const struct memslot *slot);
void gmem_unbind(const struct memslot *slot);

#endif
