// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_handle.h"

#include <stdlib.h>

#include "shim/domain.h"
#include "shim/grant_array.h"

#define NO_HANDLE UINT32_MAX

static struct grant_handle *at(const struct grant_handles *h, uint32_t handle)
{
	return &h->frames[handle / GRANT_HANDLES_PER_FRAME][handle % GRANT_HANDLES_PER_FRAME];
}

struct grant_handle *grant_handle_of(const struct domain *d, uint32_t handle)
{
	const struct grant_handles *h = &d->grants.handles;

	return handle < h->nr && at(h, handle)->flags ? at(h, handle) : NULL;
}

static bool add_frame(struct grant_handles *h, unsigned max_frames)
{
	unsigned frame = h->nr / GRANT_HANDLES_PER_FRAME;
	struct grant_handle **grown, *new;

	if (frame == max_frames)
		return false;
	grown = realloc(h->frames, (frame + 1) * sizeof(struct grant_handle *));
	if (!grown)
		return false;
	h->frames = grown;
	new = calloc(GRANT_HANDLES_PER_FRAME, sizeof(*new));
	if (!new)
		return false;
	h->frames[frame] = new;
	for (uint32_t i = GRANT_HANDLES_PER_FRAME; i--;) {
		new[i].next = h->free;
		h->free = h->nr + i;
	}
	h->nr += GRANT_HANDLES_PER_FRAME;
	return true;
}

static uint32_t get(struct grant_table *g)
{
	struct grant_handles *h = &g->handles;
	uint32_t handle;

	if (!h->nr)
		h->free = NO_HANDLE;
	if (h->free == NO_HANDLE && !add_frame(h, g->max_maptrack_frames))
		return NO_HANDLE;
	handle = h->free;
	h->free = at(h, handle)->next;
	return handle;
}

static void put(struct grant_handles *h, uint32_t handle)
{
	*at(h, handle) = (struct grant_handle){.next = h->free};
	h->free = handle;
}

/* By its number: DOMID_SELF names nobody here. */
static bool is_domain(const struct domain *d, domid_t domid)
{
	return domid != DOMID_SELF && domain_check_self(d, domid) != -XEN_ESRCH;
}

/* A use for each of the maps; both are the same to the guest. */
static int acquire(struct domain *d, uint32_t flags, grant_ref_t ref, struct grant_hold *hold)
{
	bool write = !(flags & GNTMAP_readonly), both = (flags & GRANT_MAPS) == GRANT_MAPS;
	int rc = grant_acquire(d, ref, d->id, write, true, hold);

	if (rc != GNTST_okay || !both)
		return rc;
	rc = grant_acquire(d, ref, d->id, write, true, hold);
	if (rc != GNTST_okay)
		grant_release(d, hold);
	return rc;
}

int grant_handle_hold(struct domain *d, uint32_t flags, domid_t dom, grant_ref_t ref,
		      uint32_t *handle)
{
	struct grant_table *g = &d->grants;
	int rc;

	if (!is_domain(d, dom))
		return GNTST_bad_domain;
	*handle = get(g);
	if (*handle == NO_HANDLE)
		return GNTST_no_space;
	rc = grant_domain_status(d, dom, ref);
	if (rc == GNTST_okay)
		rc = acquire(d, flags, ref, &at(&g->handles, *handle)->hold);
	if (rc == GNTST_okay)
		at(&g->handles, *handle)->flags = flags;
	else
		put(&g->handles, *handle);
	return rc;
}

void grant_handle_release(struct domain *d, uint32_t handle, uint32_t maps)
{
	struct grant_handles *h = &d->grants.handles;
	struct grant_handle *t = at(h, handle);

	for (maps &= t->flags & GRANT_MAPS; maps; maps &= maps - 1) {
		t->flags &= ~(maps & -maps);
		grant_release(d, &t->hold);
	}
	if (!(t->flags & GRANT_MAPS))
		put(h, handle);
}

void grant_handles_reset(struct grant_handles *h)
{
	for (uint32_t i = 0; i < h->nr / GRANT_HANDLES_PER_FRAME; i++)
		free(h->frames[i]);
	free(h->frames);
	*h = (struct grant_handles){.nr = 0};
}
