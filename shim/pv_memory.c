// SPDX-License-Identifier: BSD-2-Clause
#include "shim/pv_memory.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_extents.h"
#include "shim/memory_op.h"

/* Frames that are free, so many at a time: one call for neighbours (shim/reservation.h). */
struct frames {
	struct domain *d;
	unsigned n;
	uint64_t mfn[PIECE];
};

static void flush(struct frames *f)
{
	reservation_remove(f->d, f->mfn, f->n, 0);
	f->n = 0;
}

static void add_free(struct frames *f, uint64_t mfn)
{
	pv_frame_free(f->d, mfn);
	f->mfn[f->n++] = mfn;
	if (f->n == PIECE)
		flush(f);
}

/*
 * Frames that leave.
 */

static void begin_to_leave(struct domain *d, uint64_t mfn)
{
	pv_frame_give_up(d, mfn);
	pthread_mutex_lock(&d->reservation.lock);
	d->pv.leaving[mfn / 64] |= 1ull << mfn % 64;
	d->pv.nr_leaving++;
	pthread_mutex_unlock(&d->reservation.lock);
}

/* Those of a word of the bitmap that have left; they are no longer in it. Under the lock. */
static uint64_t have_left(struct domain *d, uint64_t word)
{
	uint64_t left = 0;

	for (uint64_t bits = d->pv.leaving[word]; bits; bits &= bits - 1) {
		uint64_t bit = bits & -bits;

		if (pv_frame_hold(d, word * 64 + __builtin_ctzll(bit)) == PV_HOLD_NONE)
			left |= bit;
	}
	d->pv.leaving[word] &= ~left;
	d->pv.nr_leaving -= __builtin_popcountll(left);
	return left;
}

void pv_reap_frames(struct domain *d)
{
	struct frames free = {.d = d};
	struct reservation *r = &d->reservation;

	for (uint64_t word = 0; d->pv.nr_leaving && word * 64 < d->pv.max_mfn; word++) {
		uint64_t left;

		if (!__atomic_load_n(&d->pv.leaving[word], __ATOMIC_RELAXED))
			continue;
		pthread_mutex_lock(&r->lock);
		left = have_left(d, word);
		pthread_mutex_unlock(&r->lock);
		for (; left; left &= left - 1)
			add_free(&free, word * 64 + __builtin_ctzll(left));
	}
	flush(&free);
}

/*
 * Giving back, and taking.
 */

static bool remove_page(struct frames *free, uint64_t mfn)
{
	switch (pv_frame_hold(free->d, mfn)) {
	case PV_HOLD_ALLOCATION:
		add_free(free, mfn);
		break;
	case PV_HOLD_USES:
		begin_to_leave(free->d, mfn);
		break;
	case PV_HOLD_GIVEN_UP: /* again: Xen does not mind */
		break;
	case PV_HOLD_NONE:
		return false;
	}
	return true;
}

static bool remove_extent(struct frames *free, uint64_t first, unsigned order)
{
	for (uint64_t i = 0; i < 1ull << order; i++)
		if (!remove_page(free, first + i))
			return false;
	return true;
}

/* A piece of a list, from its entry `at` on: how many of its extents, *n, have been done. */
typedef unsigned (*piece_step)(struct vcpu *v, const struct extents *e, uint64_t at, unsigned *n);

/* Piece after piece, until one is not done as a whole. */
static long each_piece(struct vcpu *v, const struct hypercall *h, piece_step step)
{
	uint64_t done = memop_start_extent(h);
	struct domain *d = v->domain;
	struct extents e;

	pv_reap_frames(d);
	if (!extents_may_adjust(v, h, &e))
		return done;
	while (done < e.count && !d->ops->must_stop(v)) {
		unsigned n, did = step(v, &e, done, &n);

		done += did;
		if (!did || did < n)
			break;
	}
	return done;
}

/* Of the first that is not done some pages may be gone. */
static unsigned remove_piece(struct vcpu *v, const struct extents *e, uint64_t at, unsigned *n)
{
	struct frames free = {.d = v->domain};
	uint64_t first[PIECE];
	unsigned i = 0;

	*n = extents_next(v, e, at, first);
	while (i < *n && remove_extent(&free, first[i], e->order))
		i++;
	flush(&free);
	return i;
}

long pv_decrease_reservation(struct vcpu *v, const struct hypercall *h)
{
	return each_piece(v, h, remove_piece);
}

static void allocate(struct domain *d, uint64_t first, unsigned order)
{
	for (uint64_t i = 0; i < 1ull << order; i++)
		pv_frame_allocate(d, first + i);
}

/*
 * Up to n extents are the guest's; it is told which unless it does not want to know. pfns: what it
 * takes them for, or NULL. How many it knows of: Xen forgets of one that it could not tell of.
 */
static unsigned give_extents(struct vcpu *v, const struct extents *e, uint64_t at, unsigned n,
			     const uint64_t *pfns)
{
	struct domain *d = v->domain;
	uint64_t mfns[PIECE];
	unsigned i;

	n = reservation_take(d, e->order, extents_end(e), n, mfns);
	for (i = 0; i < n; i++) {
		allocate(d, mfns[i], e->order);
		if (pfns)
			pv_set_m2p(d, mfns[i], pfns[i], 1ull << e->order);
		if (e->list.v && extents_write(v, e, at + i, mfns[i]))
			break;
	}
	if (i < n)
		reservation_remove(d, &mfns[i + 1], n - i - 1, e->order);
	return i;
}

static unsigned increase_piece(struct vcpu *v, const struct extents *e, uint64_t at, unsigned *n)
{
	*n = extents_piece(e, at);
	return give_extents(v, e, at, *n, NULL);
}

long pv_increase_reservation(struct vcpu *v, const struct hypercall *h)
{
	return each_piece(v, h, increase_piece);
}

/* A guest must not leave pages of its own to be populated on demand. */
static unsigned populate_piece(struct vcpu *v, const struct extents *e, uint64_t at, unsigned *n)
{
	uint64_t pfns[PIECE];

	*n = 0;
	if (e->flags & XENMEMF_populate_on_demand)
		return 0;
	*n = extents_next(v, e, at, pfns);
	return give_extents(v, e, at, *n, pfns);
}

long pv_populate_physmap(struct vcpu *v, const struct hypercall *h)
{
	return each_piece(v, h, populate_piece);
}

/*
 * The M2P.
 */

_Static_assert(PV_M2P_VIRT == __MACH2PHYS_VIRT_START, "where the public header has it");

/*
 * Xen lets a guest look up anything there is room for, and leaves it to it that not all of it is
 * there; a privileged one is told how far it goes, as all are here.
 */
long pv_machphys_mapping(struct vcpu *v, const struct hypercall *h)
{
	const struct xen_machphys_mapping mapping = {
		.v_start = __MACH2PHYS_VIRT_START,
		.v_end = __MACH2PHYS_VIRT_END,
		.max_mfn = v->domain->pv.max_mfn - 1,
	};

	if (memop_start_extent(h))
		return -XEN_ENOSYS;
	return guest_write(v, gva(h->args[1]), &mapping, sizeof(mapping));
}

/* An extent is what an entry of a page directory maps: 2 MiB. */
#define M2P_EXTENT_SHIFT 21

static uint32_t m2p_extents(const struct domain *d)
{
	return ((d->pv.max_mfn * sizeof(d->pv.m2p[0])) + (1ull << M2P_EXTENT_SHIFT) - 1) >>
	       M2P_EXTENT_SHIFT;
}

long pv_machphys_mfn_list(struct vcpu *v, const struct hypercall *h)
{
	struct domain *d = v->domain;
	struct gva arg = gva(h->args[1]);
	struct xen_machphys_mfn_list list;
	uint32_t i;

	if (memop_start_extent(h))
		return -XEN_ENOSYS;
	if (guest_read(v, &list, arg, sizeof(list)))
		return -XEN_EFAULT;
	for (i = 0; i < list.max_extents && i < m2p_extents(d); i++) {
		uint64_t to = (uintptr_t)list.extent_start.p + i * sizeof(xen_pfn_t);
		uint64_t mfn =
			d->pv.m2p_mfn + ((uint64_t)i << (M2P_EXTENT_SHIFT - GUEST_PAGE_SHIFT));

		if (guest_write(v, gva(to), &mfn, sizeof(mfn)))
			return -XEN_EFAULT;
	}
	list.nr_extents = i;
	return guest_write(v, arg, &list, sizeof(list));
}
