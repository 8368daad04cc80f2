// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/grant_cache.h"

void grant_cache_init(struct grant_cache *c, struct domain *d)
{
	*c = (struct grant_cache){.domain = d};
	for (unsigned i = 0; i < GRANT_CACHE_MAX; i++) {
		c->grants[i].next = c->unused;
		c->unused = &c->grants[i];
	}
}

/* References are small numbers, handed out in turn: they spread by themselves. */
static struct kept_grant **head(struct grant_cache *c, grant_ref_t ref)
{
	return &c->heads[ref & (GRANT_CACHE_HEADS - 1)];
}

static void unlink_age(struct grant_cache *c, struct kept_grant *k)
{
	*(k->newer ? &k->newer->older : &c->newest) = k->older;
	*(k->older ? &k->older->newer : &c->oldest) = k->newer;
}

static void link_newest(struct grant_cache *c, struct kept_grant *k)
{
	k->newer = NULL;
	k->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = k;
	c->newest = k;
}

static void drop(struct grant_cache *c, struct kept_grant *k)
{
	struct kept_grant **p = head(c, k->m.hold.ref);

	while (*p != k)
		p = &(*p)->next;
	*p = k->next;
	unlink_age(c, k);
	grant_unmap(c->domain, &k->m, true);
	k->next = c->unused;
	c->unused = k;
}

static void drop_oldest(struct grant_cache *c)
{
	struct kept_grant *k = c->oldest;

	while (k && k->uses)
		k = k->newer;
	if (k)
		drop(c, k);
}

static struct kept_grant *find(struct grant_cache *c, grant_ref_t ref)
{
	struct kept_grant *k = *head(c, ref);

	while (k && k->m.hold.ref != ref)
		k = k->next;
	return k;
}

static int add(struct grant_cache *c, grant_ref_t ref, struct kept_grant **kept)
{
	struct kept_grant *k, **first = head(c, ref);
	int rc;

	if (!c->unused)
		drop_oldest(c);
	k = c->unused;
	*kept = NULL;
	if (!k)
		return GNTST_okay;
	rc = grant_map(c->domain, ref, true, &k->m);
	if (rc != GNTST_okay)
		return rc;
	c->unused = k->next;
	k->next = *first;
	*first = k;
	k->uses = 1;
	link_newest(c, k);
	c->mapped++;
	*kept = k;
	return GNTST_okay;
}

int grant_cache_get(struct grant_cache *c, grant_ref_t ref, struct kept_grant **kept)
{
	struct kept_grant *k = find(c, ref);

	if (!k)
		return add(c, ref, kept);
	k->uses++;
	if (k != c->newest) {
		unlink_age(c, k);
		link_newest(c, k);
	}
	*kept = k;
	return GNTST_okay;
}

void grant_cache_put(struct kept_grant *kept)
{
	kept->uses--;
}

void grant_cache_empty(struct grant_cache *c)
{
	while (c->newest)
		drop(c, c->newest);
}
