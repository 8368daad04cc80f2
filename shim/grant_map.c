// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_map.h"

#include <errno.h>
#include <string.h>

#include "shim/domain.h"
#include "shim/physmap.h"

#define BACKEND 0 /* the domain that the host is to its guests */

/* A page in use: the entry's flags say so, and its memory stays. */
struct held_page {
	struct grant_hold hold;
	struct memslot_pin pin;
};

static int pin_status(int rc)
{
	if (!rc)
		return GNTST_okay;
	return rc == -ENOMEM ? GNTST_no_space : GNTST_bad_page;
}

static int hold_page(struct domain *d, grant_ref_t ref, bool write, bool map,
		     struct memslot_hint *hint, struct held_page *p)
{
	int rc = grant_acquire(d, ref, BACKEND, write, map, &p->hold);

	if (rc != GNTST_okay)
		return rc;
	rc = pin_status(physmap_pin(d, hint, p->hold.at, write, &p->pin));
	if (rc != GNTST_okay)
		grant_release(d, &p->hold);
	return rc;
}

static void tell_written(struct domain *d, const uint8_t *hva)
{
	memslots_written_hva(memslots_enter(&d->memslots), hva, GUEST_PAGE_SIZE);
	memslots_leave();
}

/* First it is told that the page was written to, then the guest may see that nobody uses it. */
static void release_page(struct domain *d, struct held_page *p, bool written)
{
	if (written)
		tell_written(d, p->pin.hva);
	memslots_unpin(&p->pin);
	grant_release(d, &p->hold);
}

static int map(struct domain *d, grant_ref_t ref, bool write, struct memslot_hint *hint,
	       struct grant_mapping *m)
{
	struct held_page p;
	int rc = hold_page(d, ref, write, true, hint, &p);

	*m = (struct grant_mapping){0};
	if (rc == GNTST_okay)
		*m = (struct grant_mapping){.hva = p.pin.hva,
					    .ref = ref,
					    .writable = write,
					    .gfn = p.hold.at,
					    .hold = p.hold,
					    .pin = p.pin};
	return rc;
}

int grant_map(struct domain *d, grant_ref_t ref, bool write, struct grant_mapping *m)
{
	struct memslot_hint hint = {0};

	return map(d, ref, write, &hint, m);
}

void grant_unmap(struct domain *d, struct grant_mapping *m, bool written)
{
	struct held_page p = {m->hold, m->pin};

	if (!m->hva)
		return;
	release_page(d, &p, written);
	*m = (struct grant_mapping){0};
}

int grant_map_all(struct domain *d, const grant_ref_t *refs, unsigned n, bool write,
		  struct grant_mapping *m, unsigned *failed)
{
	struct memslot_hint hint = {0};

	for (unsigned i = 0; i < n; i++) {
		int rc = map(d, refs[i], write, &hint, &m[i]);

		if (rc == GNTST_okay)
			continue;
		grant_unmap_all(d, m, i, false);
		if (failed)
			*failed = i;
		return rc;
	}
	return GNTST_okay;
}

void grant_unmap_all(struct domain *d, struct grant_mapping *m, unsigned n, bool written)
{
	for (unsigned i = 0; i < n; i++)
		grant_unmap(d, &m[i], written);
}

static int check_range(const struct grant_hold *h, unsigned offset, unsigned len)
{
	return offset < h->start || offset + len > (unsigned)h->start + h->length
		       ? GNTST_general_error
		       : GNTST_okay;
}

/* A page of which these bytes are granted. */
static int hold_bytes(struct domain *d, grant_ref_t ref, unsigned offset, unsigned len, bool write,
		      struct held_page *p)
{
	struct memslot_hint hint = {0};
	int rc;

	if (offset > GUEST_PAGE_SIZE || len > GUEST_PAGE_SIZE - offset)
		return GNTST_bad_copy_arg;
	rc = hold_page(d, ref, write, false, &hint, p);
	if (rc != GNTST_okay)
		return rc;
	rc = check_range(&p->hold, offset, len);
	if (rc != GNTST_okay)
		release_page(d, p, false);
	return rc;
}

int grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to, unsigned len)
{
	struct held_page p;
	int rc = hold_bytes(d, ref, offset, len, false, &p);

	if (rc != GNTST_okay)
		return rc;
	memcpy(to, p.pin.hva + offset, len);
	release_page(d, &p, false);
	return GNTST_okay;
}

int grant_copy_to(struct domain *d, grant_ref_t ref, unsigned offset, const void *from,
		  unsigned len)
{
	struct held_page p;
	int rc = hold_bytes(d, ref, offset, len, true, &p);

	if (rc != GNTST_okay)
		return rc;
	memcpy(p.pin.hva + offset, from, len);
	release_page(d, &p, true);
	return GNTST_okay;
}
