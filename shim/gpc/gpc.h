/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gfn-to-pfn cache: a fixed area of guest memory that we come back to.
 *
 * The guest names an area once (vcpu_info, runstate, a time area); we use it many times. A cache
 * remembers where the area is in our process and looks it up again only when the memslots have
 * changed. The length is given at activation and every use gets it. An area that has no memory
 * behind it (yet) is legal: it may be activated, and is usable as soon as there is memory.
 *
 * Most areas lie in one piece here, and gpc_lock() gives a pointer to it. An area may have any
 * length and alignment, and be made of parts that lie anywhere, in any slots: then it is used by
 * gpc_read(), gpc_write() or gpc_lock_pieces(), which hold all its pieces at once. Nobody else
 * splits an area.
 *
 * While an area is locked its memory stays: who takes it away waits. So hold it briefly, take no
 * lock meanwhile whose owner may change slots (shim/domain.h has the order), and lock no second
 * cache but by gpc_lock_nosleep().
 */
#ifndef SHIM_GPC_H
#define SHIM_GPC_H

#include <pthread.h>

#include "shim/memslot/memslot.h"

#define GPC_NEVER 0 /* a generation that no set of slots has */

/* A part of an area: contiguous guest-physical memory. */
struct gpc_part {
	struct gpa at;
	uint32_t len; /* bytes, > 0 */
};

/* A piece of an area: contiguous in our process. */
struct gpc_piece {
	uint8_t *hva;
	uint32_t len;
};

#define GPC_INLINE 2 /* parts and pieces of ordinary areas need no allocation */

struct gpc {
	/*
	 * What gpc_lock reads without a lock; written under `lock`, hva before generation. hva is
	 * the area as of that generation, or of the next one, whose memory is mapped then: NULL if
	 * it has no memory, or lies in several pieces.
	 */
	uint64_t generation;
	void *hva;
	struct memslots *slots;

	pthread_mutex_t lock; /* of all below */
	bool active;
	uint32_t len;                 /* bytes */
	void *fixed;                  /* an area by host address; NULL: by guest-physical */
	uint32_t nr_parts, nr_pieces; /* no pieces: no memory, as of `generation` */
	struct gpc_part *parts;
	struct gpc_piece *pieces;
	struct gpc_part inline_parts[GPC_INLINE];
	struct gpc_piece inline_pieces[GPC_INLINE];
};

void gpc_init(struct gpc *gpc, struct memslots *slots);
/* Nobody may be using it. */
void gpc_destroy(struct gpc *gpc);

/*
 * Point the cache at [addr, addr + len); at several parts, in this order; at [hva, hva + len) in
 * our own process, which slots do not move but memslots_remap_begin() makes wait. Or move it there:
 * on return nobody uses the old area. Takes memslots.lock; not in a read section.
 *
 * 0, whether there is memory or not; -EINVAL: empty, or wraps; -ENOMEM: only for areas of several
 * pages. After an error the cache is as before.
 */
int gpc_activate(struct gpc *gpc, struct gpa addr, uint32_t len);
int gpc_activate_parts(struct gpc *gpc, const struct gpc_part *parts, unsigned nr_parts);
int gpc_activate_hva(struct gpc *gpc, void *hva, uint32_t len);

/* Forget the area. On return nobody uses it. Idempotent. Takes memslots.lock. */
void gpc_deactivate(struct gpc *gpc);

/* Is it active? Any thread; may be out of date at once. */
static inline bool gpc_is_active(const struct gpc *gpc)
{
	return __atomic_load_n(&gpc->active, __ATOMIC_RELAXED);
}

/* Where the area begins, guest-physical. False: it is inactive, or by host address. */
bool gpc_gpa(struct gpc *gpc, struct gpa *out);

void *gpc_lock_slowly(struct gpc *gpc);

/*
 * The area, in our process, until gpc_unlock; NULL (and nothing to unlock) when the cache is
 * inactive, has no memory behind it, or lies in several pieces. Any thread, many at once. May wait
 * for a change of slots; in a read section it does not, and may then say NULL because of it.
 */
static inline void *gpc_lock(struct gpc *gpc)
{
	const struct memslot_set *set = memslots_enter(gpc->slots);

	if (__builtin_expect(__atomic_load_n(&gpc->generation, __ATOMIC_ACQUIRE) == set->generation,
			     1)) {
		void *hva = __atomic_load_n(&gpc->hva, __ATOMIC_ACQUIRE);

		if (__builtin_expect(hva != NULL, 1))
			return hva;
	}
	return gpc_lock_slowly(gpc);
}

static inline void gpc_unlock(struct gpc *gpc)
{
	(void)gpc;
	memslots_leave();
}

/* What gpc_lock gave has been written to, `len` bytes at p. Before gpc_unlock. */
static inline void gpc_written(struct gpc *gpc, const void *p, uint64_t len)
{
	memslots_written_hva(memslots_current(gpc->slots), p, len);
}

/*
 * For the one caller that may not sleep (a vCPU that is being descheduled): gpc_lock, but NULL also
 * when the cache would have to be brought up to date. gpc_refresh_maysleep() does that, where
 * sleeping is allowed: 0; -EINVAL: inactive; -EFAULT: no memory; -EAGAIN: in a read section, and
 * the slots are changing.
 */
void *gpc_lock_nosleep(struct gpc *gpc);
int gpc_refresh_maysleep(struct gpc *gpc);

/*
 * All pieces of the area, *nr of them, in order; NULL (and nothing to unlock) when it is inactive
 * or some of it has no memory. Excludes other users of pieces of this cache. The nosleep form: as
 * above.
 */
const struct gpc_piece *gpc_lock_pieces(struct gpc *gpc, unsigned *nr);
const struct gpc_piece *gpc_lock_pieces_nosleep(struct gpc *gpc, unsigned *nr);
/* written: all of it may have been written to. */
void gpc_unlock_pieces(struct gpc *gpc, bool written);
/* gpc_write (below) by one who has locked the pieces. False: the area is shorter. */
bool gpc_write_pieces(struct gpc *gpc, uint32_t offset, const void *from, uint32_t len);

/*
 * Copy len bytes from or to `offset` in the area, whole or not at all. False: it is inactive,
 * shorter, or some of it has no memory. Any thread.
 */
bool gpc_read(struct gpc *gpc, uint32_t offset, void *to, uint32_t len);
bool gpc_write(struct gpc *gpc, uint32_t offset, const void *from, uint32_t len);

#endif
