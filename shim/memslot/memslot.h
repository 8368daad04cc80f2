/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest-physical address space: which ranges have memory, and where it is in our process.
 *
 * The rules are those of KVM_SET_USER_MEMORY_REGION (Documentation/virt/kvm/api.rst), with one
 * difference: a change either happens or leaves no trace. All that can fail comes first; then the
 * new set of slots is published as a whole.
 *
 * Readers take no lock: they enter a section, look at the set that is current, and may use its
 * memory until they leave. A change that takes memory away waits for them before it returns. Where
 * a look-up finds nothing while a change is under way, the answer may be out of date: the reader
 * leaves and asks memslots_retry().
 *
 * docs/memory.md tells the life of a change, with the reason for each order.
 */
#ifndef SHIM_MEMSLOT_H
#define SHIM_MEMSLOT_H

#include <pthread.h>

#include "shim/memslot/range_index.h"
#include "shim/rcu.h"
#include "shim/types.h"

/* As KVM on x86: slots that a user may have in each address space, and address spaces. */
#define MEMSLOTS_MAX           32764u
#define MEMSLOT_ADDRESS_SPACES 2u
#define MEMSLOT_MAX_PAGES      ((1ull << 31) - 1)

/* Flags of a slot, with KVM's values. */
#define MEMSLOT_LOG_DIRTY (1u << 0)
#define MEMSLOT_READONLY  (1u << 1) /* ROM: neither the guest nor we may write */
#define MEMSLOT_PRIVATE   (1u << 2) /* backed by a struct gmem */

/* What a domain's slots can do (memslots_init). */
#define MEMSLOTS_CAN_PRIVATE       (1u << 0)
#define MEMSLOTS_MANUAL_PROTECT    (1u << 1) /* dirty_log_get() does not clear */
#define MEMSLOTS_INITIALLY_ALL_SET (1u << 2) /* a new dirty log begins with every page dirty */

struct dirty_log;
struct gmem;
struct memslot_levels;
struct memslot_pins;
struct memslots;
struct tracker;

/* A slot as published: it never changes; a change makes a new one. */
struct memslot {
	uint32_t id; /* slot number | address space << 16 */
	uint32_t flags;
	struct gpa start; /* page-aligned */
	uint64_t npages;
	uint8_t *hva; /* the memory of `start`; the whole slot is contiguous here */
	struct gmem *gmem;
	uint64_t gmem_offset; /* bytes */

	/* Owned by the slot's successive versions in turn. */
	struct dirty_log *dirty;       /* NULL: not logged */
	struct memslot_levels *levels; /* depends on start's alignment: never carried over a move */
	uint16_t *write_track;         /* a count for each page; NULL: no tracker yet. Atomic */
	struct memslot_pins *pins;     /* shim/memslot/pin.h */
};

/* All slots at one moment. Published as a whole, read under RCU. */
struct memslot_set {
	uint64_t generation; /* > 0; no two sets with different memory have the same */
	const struct range_index *by_gpa[MEMSLOT_ADDRESS_SPACES];
	const struct range_index *by_hva; /* of both address spaces */
	/* Some slot keeps a dirty log, or a tracker is registered: writes must be told. */
	bool watched;
	uint64_t gone, gone_end; /* host addresses whose mapping is being changed */
	/* Then: the set with the slots that have been taken out, for those who still write there.
	 */
	const struct memslot_set *whole;
	struct tracker *const *trackers; /* NULL-terminated; NULL: none */
};

/*
 * The machinery below (host/kvm; fakes in unit tests). Called with memslots.lock held, never in a
 * read section. Each returns 0 or -errno, and has changed nothing when it fails.
 */
struct memslot_ops {
	/* The kernel's view of slot `id` becomes `new` (NULL: it is deleted); `old` is NULL if it
	 * is new there. As KVM_SET_USER_MEMORY_REGION2. */
	int (*set_slot)(void *host, const struct memslot *old, const struct memslot *new);

	/*
	 * The kernel's dirty log of a slot, (npages + 63) / 64 words. Manual protect: nothing is
	 * cleared by log_get, and log_clear clears the pages [first, first + npages) whose bits
	 * are set in `bits` (bit 0: first). Without: log_get clears, and log_clear is not called.
	 */
	int (*log_get)(void *host, const struct memslot *slot, uint64_t *bits);
	int (*log_clear)(void *host, const struct memslot *slot, uint64_t first, uint64_t npages,
			 const uint64_t *bits);

	/*
	 * Overlays (shim/memslot/overlay.h): show page number `page` of the hypervisor's at `hva`,
	 * and keep the RAM that is there in *aside (if not NULL already: it is an overlay that
	 * changes); show the RAM again.
	 */
	int (*cover)(void *host, uint8_t *hva, unsigned page, void **aside);
	int (*uncover)(void *host, uint8_t *hva, void *aside);
	/*
	 * The same for RAM that is lent: the page has what was in the RAM when it is shown, and the
	 * RAM what was in the page (which is empty afterwards) when that is shown again. May be
	 * NULL where nothing is lent.
	 */
	int (*lend)(void *host, uint8_t *hva, unsigned page, void **aside);
	int (*take_back)(void *host, uint8_t *hva, unsigned page, void *aside);
	/* The page by itself, where there is no RAM; NULL: no memory. */
	uint8_t *(*page_map)(void *host, unsigned page);
	void (*page_unmap)(void *host, uint8_t *hva);
};

struct memslots {
	struct memslot_set *set; /* RCU */

	/*
	 * Set while a change is under way, from before the guest can see it until it is published:
	 * what is not found now may be found soon. Atomic.
	 */
	bool changing;

	pthread_mutex_t lock; /* of changers, and all below */
	const struct memslot_ops *ops;
	void *host;
	uint32_t features;
	uint64_t max_gfn;         /* the first that cannot have memory */
	uint64_t last_generation; /* the last ever given to a set */
	struct memslot_ids {
		struct memslot **slot; /* by slot number; NULL: free */
		unsigned room;
		uint64_t npages;
	} ids[MEMSLOT_ADDRESS_SPACES];
	unsigned logged; /* slots with a dirty log */
	struct overlays *overlays;
	struct memslot_remap *remap; /* between memslots_remap_begin and _end */
	bool tracking;               /* slots have write_track: there has been a tracker */
};

/*
 * An empty address space. The ops, and what `host` points to, must outlive it. features:
 * MEMSLOTS_*. 0 or -ENOMEM.
 */
int memslots_init(struct memslots *slots, const struct memslot_ops *ops, void *host,
		  uint32_t features);

/* Free everything of ours; memory and KVM's slots are their owners'. Nobody may be reading. */
void memslots_destroy(struct memslots *slots);

/*
 * Changing.
 */

/* The argument of KVM_SET_USER_MEMORY_REGION2. */
struct memslot_request {
	uint32_t slot; /* slot number | address space << 16 */
	uint32_t flags;
	uint64_t gpa, size; /* bytes; size 0 deletes the slot */
	uint64_t hva;       /* page-aligned; owned by the caller, and must stay until deletion */
	struct gmem *gmem;  /* with MEMSLOT_PRIVATE */
	uint64_t gmem_offset;
};

/*
 * Create, delete, move a slot or change its flags, as the request differs from the slot that has
 * this number. Takes the lock; not in a read section. On return nobody uses what has gone.
 *
 * 0, or (in the order in which they are checked; KVM's) -EFAULT: no request. -EINVAL: number,
 * flags, unaligned or wrapping address or size, hva outside user memory, > MEMSLOT_MAX_PAGES,
 * deleting what is not there, changing what cannot be changed. -EIO: the books are wrong. -EEXIST:
 * overlaps another slot. -EBUSY: an overlay lies on what shall move or go. -ENOMEM. What
 * gmem_bind() says. -EINVAL: beyond max_gfn. A tracker's veto. -EBUSY: a page of what shall move or
 * go is pinned (shim/memslot/pin.h). What the kernel says. After each of them everything is as it
 * was before.
 */
int memslots_set_slot(struct memslots *slots, const struct memslot_request *request);

/* The slot with that number, or NULL. Under the lock. */
const struct memslot *memslots_by_id(const struct memslots *slots, uint32_t id);

/* The lowest free slot number of address space 0, or -ENOSPC. Under the lock. */
int memslots_free_id(const struct memslots *slots);

/*
 * The owner of host memory is about to change what is mapped at [hva, hva + len): from the return
 * of begin until end nobody of ours uses it, who looks for it waits (or is told that it is not
 * there, if he cannot). Slots stay as they are. begin takes the lock and end drops it: as short as
 * can be. 0, or -ENOMEM, or -EBUSY (some of it is pinned: shim/memslot/pin.h), with nothing begun.
 * changed = false: all is as it was, caches stay valid.
 */
int memslots_remap_begin(struct memslots *slots, const void *hva, uint64_t len);
void memslots_remap_end(struct memslots *slots, bool changed);

/*
 * Reading.
 */

static inline const struct memslot_set *memslots_current(const struct memslots *slots)
{
	return __atomic_load_n(&slots->set, __ATOMIC_ACQUIRE);
}

/* Enter a read section. The set, and the memory it tells of, stay until memslots_leave(). */
static inline const struct memslot_set *memslots_enter(const struct memslots *slots)
{
	rcu_enter();
	return memslots_current(slots);
}

static inline void memslots_leave(void)
{
	rcu_leave();
}

/*
 * Something was not found in a set of that generation, and the section has been left: true if it is
 * worth looking again, after waiting for the change that was under way. Never waits in a section
 * (of a caller further up): then false.
 */
bool memslots_retry(struct memslots *slots, uint64_t generation);

/* The generation of the current set. */
uint64_t memslots_generation(const struct memslots *slots);

/* Where a reader found memory last: one thread's own, zeroed at first. */
struct memslot_hint {
	uint64_t generation;
	uint64_t start, size; /* bytes, guest-physical */
	uint8_t *hva;
	const struct memslot *slot;
};

/* Fill the hint with the slot of address space 0 that holds addr. NULL: there is none. */
const struct memslot_hint *memslots_search(const struct memslot_set *set, struct memslot_hint *hint,
					   struct gpa addr);

/* The same, and at once if it is where the last one was. In a read section. */
static inline const struct memslot_hint *memslots_find(const struct memslot_set *set,
						       struct memslot_hint *hint, struct gpa addr)
{
	if (__builtin_expect(hint->generation == set->generation, 1) &&
	    addr.v - hint->start < hint->size)
		return hint;
	return memslots_search(set, hint, addr);
}

/*
 * The host address of [addr, addr + len) in address space 0; NULL unless all of it lies in one slot
 * (and, for writing, not in ROM). In a read section.
 */
static inline void *memslots_hva(const struct memslot_set *set, struct memslot_hint *hint,
				 struct gpa addr, uint64_t len, bool write)
{
	const struct memslot_hint *h = memslots_find(set, hint, addr);
	uint64_t offset;

	if (!h)
		return NULL;
	offset = addr.v - h->start;
	if (len > h->size - offset || (write && h->slot->flags & MEMSLOT_READONLY))
		return NULL;
	return h->hva + offset;
}

/*
 * The same the other way round: a slot, of any address space, that holds this host address. Its
 * guest-physical address is hint->start + (hva - hint->hva).
 */
const struct memslot_hint *memslots_search_hva(const struct memslot_set *set,
					       struct memslot_hint *hint, const void *hva);

static inline const struct memslot_hint *
memslots_find_hva(const struct memslot_set *set, struct memslot_hint *hint, const void *hva)
{
	if (hint->generation == set->generation &&
	    (uintptr_t)hva - (uintptr_t)hint->hva < hint->size)
		return hint;
	return memslots_search_hva(set, hint, hva);
}

/*
 * We have written to guest memory, by guest-physical address or (of all slots that show it) by host
 * address: to the dirty log and the trackers. In the read section of the write, after it.
 */
void memslots_tell_written(const struct memslot_set *set, struct gpa addr, uint64_t len);
void memslots_tell_written_hva(const struct memslot_set *set, const void *hva, uint64_t len);

static inline void memslots_written(const struct memslot_set *set, struct gpa addr, uint64_t len)
{
	if (__builtin_expect(set->watched, 0))
		memslots_tell_written(set, addr, len);
}

static inline void memslots_written_hva(const struct memslot_set *set, const void *hva,
					uint64_t len)
{
	if (__builtin_expect(set->watched, 0))
		memslots_tell_written_hva(set, hva, len);
}

#endif
