// SPDX-License-Identifier: BSD-2-Clause
#include "shim/gpc/gpc.h"

#include <string.h>

void gpc_init(struct gpc *gpc, struct memslots *slots)
{
	memset(gpc, 0, sizeof(*gpc));
	gpc->slots = slots;
}

void gpc_activate(struct gpc *gpc, struct gpa addr, uint32_t len)
{
	/* Under the lock, so that no user sees half of an old area and half of a new one. */
	write_lock(&gpc->slots->lock);
	gpc->gpa = addr;
	gpc->len = len;
	gpc->hva = memslots_hva(gpc->slots, addr, len);
	gpc->generation = gpc->slots->generation;
	gpc->active = true;
	write_unlock(&gpc->slots->lock);
}

void gpc_deactivate(struct gpc *gpc)
{
	write_lock(&gpc->slots->lock);
	gpc->active = false;
	gpc->hva = NULL;
	write_unlock(&gpc->slots->lock);
}

/*
 * Several threads may refresh at once under the read lock; they all store the same values, the
 * generation last, so a thread that sees it sees the pointer that belongs to it.
 */
static void *refresh(struct gpc *gpc)
{
	void *hva = memslots_hva(gpc->slots, gpc->gpa, gpc->len);

	__atomic_store_n(&gpc->hva, hva, __ATOMIC_RELAXED);
	__atomic_store_n(&gpc->generation, gpc->slots->generation, __ATOMIC_RELEASE);
	return hva;
}

void *gpc_hva(struct gpc *gpc)
{
	if (!gpc->active)
		return NULL;
	if (__atomic_load_n(&gpc->generation, __ATOMIC_ACQUIRE) == gpc->slots->generation)
		return __atomic_load_n(&gpc->hva, __ATOMIC_RELAXED);
	return refresh(gpc);
}

void *gpc_lock(struct gpc *gpc)
{
	void *hva;

	memslots_read_lock(gpc->slots);
	hva = gpc_hva(gpc);
	if (!hva)
		memslots_read_unlock(gpc->slots);
	return hva;
}

void gpc_unlock(struct gpc *gpc)
{
	memslots_read_unlock(gpc->slots);
}
