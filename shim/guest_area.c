// SPDX-License-Identifier: BSD-2-Clause
#include "shim/guest_area.h"

#include <string.h>

#include "shim/domain.h"
#include "shim/guest_access.h"

void guest_area_init(struct guest_area *a, struct memslots *slots)
{
	memset(a, 0, sizeof(*a));
	gpc_init(&a->part[0], slots);
	gpc_init(&a->part[1], slots);
}

int guest_area_find(struct vcpu *v, struct gva addr, uint32_t len, struct guest_area_place *out)
{
	uint32_t room = GUEST_PAGE_SIZE - (addr.v & (GUEST_PAGE_SIZE - 1));
	int rc = guest_translate(v, addr, true, &out->at[0]);

	out->len[0] = len < room ? len : room;
	out->len[1] = len - out->len[0];
	if (!rc && out->len[1])
		rc = guest_translate(v, gva(addr.v + room), true, &out->at[1]);
	return rc;
}

void guest_area_activate(struct guest_area *a, const struct guest_area_place *place)
{
	guest_area_deactivate(a);
	for (unsigned i = 0; i < 2; i++)
		if (place->len[i])
			gpc_activate(&a->part[i], place->at[i], place->len[i]);
	__atomic_store_n(&a->active, true, __ATOMIC_RELEASE);
}

void guest_area_deactivate(struct guest_area *a)
{
	__atomic_store_n(&a->active, false, __ATOMIC_RELAXED);
	gpc_deactivate(&a->part[0]);
	gpc_deactivate(&a->part[1]);
}

/* A stretch of the area in our process, in up to two pieces. */
struct stretch {
	uint8_t *piece[2];
	uint32_t len[2];
};

long guest_area_register(struct guest_area *a, struct vcpu *v, const struct hypercall *h,
			 uint32_t len)
{
	struct guest_area_place place;
	uint64_t addr = 0;
	long rc = guest_read(v, &addr, gva(h->args[2]), h->long_mode ? 8 : 4);

	if (rc)
		return rc;
	if (addr && guest_area_find(v, gva(addr), len, &place))
		return -XEN_EFAULT;
	pthread_mutex_lock(&v->domain->lock);
	if (addr)
		guest_area_activate(a, &place);
	else
		guest_area_deactivate(a);
	pthread_mutex_unlock(&v->domain->lock);
	return 0;
}

/* Under the memslots' read lock. False: there is no memory for some of it. */
static bool find(struct guest_area *a, uint32_t offset, uint32_t len, struct stretch *s)
{
	uint32_t start = 0;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 2 && len; i++) {
		uint8_t *hva = gpc_hva(&a->part[i]);
		uint32_t end;

		if (!hva)
			return false;
		end = start + a->part[i].len;
		if (offset < end) {
			s->piece[i] = hva + (offset - start);
			s->len[i] = len < end - offset ? len : end - offset;
			offset += s->len[i];
			len -= s->len[i];
		}
		start = end;
	}
	return !len;
}

bool guest_area_write(struct guest_area *a, uint32_t offset, const void *from, uint32_t len)
{
	const uint8_t *next = from;
	struct stretch s;
	bool found;

	if (!__atomic_load_n(&a->active, __ATOMIC_ACQUIRE))
		return false;
	memslots_read_lock(a->part[0].slots);
	found = find(a, offset, len, &s);
	for (unsigned i = 0; found && i < 2; i++) {
		if (s.len[i])
			memcpy(s.piece[i], next, s.len[i]);
		next += s.len[i];
	}
	memslots_read_unlock(a->part[0].slots);
	return found;
}
