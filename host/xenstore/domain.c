// SPDX-License-Identifier: BSD-2-Clause
/* Domains of a store: which there are, and telling of their coming and going. */
#include <errno.h>
#include <stdlib.h>

#include "host/xenstore/conn.h"
#include "host/xenstore/state.h"
#include "host/xenstore/store.h"

struct store_domain *store_domain(struct store *s, domid_t domid)
{
	struct store_domain *d;

	TAILQ_FOREACH (d, &s->domains, link)
		if (d->domid == domid)
			return d;
	return NULL;
}

int store_introduce(struct store *s, domid_t domid)
{
	struct store_domain *d;

	if (domid >= DOMID_FIRST_RESERVED)
		return -EINVAL;
	if (store_domain(s, domid))
		return -EEXIST;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->domid = domid;
	TAILQ_INSERT_TAIL(&s->domains, d, link);
	watch_fire_special(s, SPECIAL_INTRODUCE, domid);
	return 0;
}

void store_domain_stopped(struct store *s, domid_t domid)
{
	if (store_domain(s, domid))
		watch_fire_special(s, SPECIAL_RELEASE, domid);
}

void store_release(struct store *s, domid_t domid)
{
	struct store_domain *d = store_domain(s, domid);
	struct conn *c = conn_of(s, domid);

	if (!d)
		return;
	if (c)
		conn_shut(c);
	TAILQ_REMOVE(&s->domains, d, link);
	free(d);
	watch_fire_special(s, SPECIAL_RELEASE, domid);
}
