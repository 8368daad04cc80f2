// SPDX-License-Identifier: BSD-2-Clause
#include "shim/grant_map.h"

#include <errno.h>
#include <string.h>

#include "shim/domain.h"
#include "shim/physmap.h"

#define BACKEND 0 /* the domain that the host is to its guests */

static int pin_status(int rc)
{
	if (!rc)
		return GNTST_okay;
	return rc == -ENOMEM ? GNTST_no_space : GNTST_bad_page;
}

/* The entry is in use: its page's memory shall stay, too. */
static int pin_page(struct domain *d, struct memslot_hint *hint, struct grant_mapping *m)
{
	int rc = physmap_pin(d, hint, m->hold.at, m->hold.write, &m->pin);

	m->hva = m->pin.hva;
	return pin_status(rc);
}

static void tell_written(struct domain *d, const struct grant_mapping *m, unsigned n)
{
	const struct memslot_set *set = memslots_enter(&d->memslots);

	for (unsigned i = 0; set->watched && i < n; i++)
		if (m[i].hva)
			memslots_tell_written_hva(set, m[i].hva, GUEST_PAGE_SIZE);
	memslots_leave();
}

/* Use the page of one grant, to map it or (map = false) to copy. */
static int hold_page(struct domain *d, grant_ref_t ref, bool write, bool map,
		     struct grant_mapping *m)
{
	struct memslot_hint hint = {0};
	int rc;

	m->hva = NULL;
	rc = grant_acquire(d, ref, BACKEND, write, map, &m->hold);
	if (rc != GNTST_okay)
		return rc;
	rc = pin_page(d, &hint, m);
	if (rc != GNTST_okay)
		grant_release(d, &m->hold);
	return rc;
}

int grant_map(struct domain *d, grant_ref_t ref, bool write, struct grant_mapping *m)
{
	return hold_page(d, ref, write, true, m);
}

void grant_unmap(struct domain *d, struct grant_mapping *m, bool written)
{
	grant_unmap_all(d, m, 1, written);
}

/*
 * As many as can be without waiting, in one section: how many. Where pages have been given back
 * each is asked for by itself.
 */
static unsigned pin_at_once(struct domain *d, struct grant_mapping *m, unsigned n, bool write)
{
	const struct memslot_set *set;
	struct memslot_window w = {0};
	unsigned i;

	if (reservation_some_gone(&d->reservation))
		return 0;
	set = memslots_enter(&d->memslots);
	for (i = 0; i < n; i++) {
		if (!memslot_window_pin(&w, m[i].hold.at, &m[i].pin)) {
			w = memslots_window(set, m[i].hold.at, write);
			if (!memslot_window_pin(&w, m[i].hold.at, &m[i].pin))
				break;
		}
		m[i].hva = m[i].pin.hva;
	}
	memslots_leave();
	return i;
}

static unsigned pin_all(struct domain *d, struct grant_mapping *m, unsigned n, bool write, int *rc)
{
	struct memslot_hint hint = {0};

	for (unsigned i = pin_at_once(d, m, n, write); i < n; i++) {
		*rc = pin_page(d, &hint, &m[i]);
		if (*rc != GNTST_okay)
			return i;
	}
	return n;
}

static void unpin_all(struct grant_mapping *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (m[i].hva)
			memslots_unpin(&m[i].pin);
}

/* None is mapped; so many had been acquired. */
static void give_up(struct domain *d, struct grant_mapping *m, unsigned n, unsigned held)
{
	for (unsigned i = 0; i < held; i++)
		grant_release(d, &m[i].hold);
	for (unsigned i = 0; i < n; i++)
		m[i].hva = NULL;
}

int grant_map_all(struct domain *d, const grant_ref_t *refs, unsigned n, bool write,
		  struct grant_mapping *m, unsigned *failed)
{
	int rc = GNTST_okay;
	unsigned held = grant_acquire_all(d, refs, n, BACKEND, write, m, &rc);
	unsigned pinned = held == n ? pin_all(d, m, n, write, &rc) : 0;

	if (pinned == n)
		return GNTST_okay;
	unpin_all(m, pinned);
	give_up(d, m, n, held);
	if (failed)
		*failed = held < n ? held : pinned;
	return rc;
}

/* First it is told that the pages were written to, then the guest may see that nobody uses them. */
void grant_unmap_all(struct domain *d, struct grant_mapping *m, unsigned n, bool written)
{
	if (written)
		tell_written(d, m, n);
	unpin_all(m, n);
	grant_release_all(d, m, n);
}

static int check_range(const struct grant_hold *h, unsigned offset, unsigned len)
{
	return offset < h->bytes.start || offset + len > (unsigned)h->bytes.start + h->bytes.length
		       ? GNTST_general_error
		       : GNTST_okay;
}

/* A page of which these bytes are granted. */
static int hold_bytes(struct domain *d, grant_ref_t ref, unsigned offset, unsigned len, bool write,
		      struct grant_mapping *m)
{
	int rc;

	if (offset > GUEST_PAGE_SIZE || len > GUEST_PAGE_SIZE - offset)
		return GNTST_bad_copy_arg;
	rc = hold_page(d, ref, write, false, m);
	if (rc != GNTST_okay)
		return rc;
	rc = check_range(&m->hold, offset, len);
	if (rc != GNTST_okay)
		grant_unmap(d, m, false);
	return rc;
}

int grant_copy_from(struct domain *d, grant_ref_t ref, unsigned offset, void *to, unsigned len)
{
	struct grant_mapping m;
	int rc = hold_bytes(d, ref, offset, len, false, &m);

	if (rc != GNTST_okay)
		return rc;
	memcpy(to, m.hva + offset, len);
	grant_unmap(d, &m, false);
	return GNTST_okay;
}

int grant_copy_to(struct domain *d, grant_ref_t ref, unsigned offset, const void *from,
		  unsigned len)
{
	struct grant_mapping m;
	int rc = hold_bytes(d, ref, offset, len, true, &m);

	if (rc != GNTST_okay)
		return rc;
	memcpy(m.hva + offset, from, len);
	grant_unmap(d, &m, true);
	return GNTST_okay;
}
