// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/transaction.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/path.h"
#include "host/xenstore/state.h"

struct transaction *transaction_start(struct store *s, struct caller *who)
{
	struct transaction *t = calloc(1, sizeof(*t));

	if (!t || tree_clone(&t->tree, &s->tree)) {
		free(t);
		return NULL;
	}
	t->who = who;
	t->base = node_get(s->tree.root);
	TAILQ_INIT(&t->list);
	return t;
}

void transaction_discard(struct transaction *t)
{
	tdestroy(t->index, free);
	t->who->held -= t->held;
	node_put(t->base);
	tree_destroy(&t->tree);
	free(t);
}

/* The pointer to the path is the first member. */
static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct accessed *add(struct transaction *t, const char *path)
{
	size_t size = strlen(path) + 1;
	struct accessed *a = malloc(sizeof(*a) + size);

	if (!a)
		return NULL;
	*a = (struct accessed){.path = a->bytes};
	memcpy(a->bytes, path, size);
	if (!tsearch(a, &t->index, compare)) {
		free(a);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&t->list, a, link);
	t->nr_accessed++;
	t->held += sizeof(*a) + size;
	t->who->held += sizeof(*a) + size;
	return a;
}

struct accessed *transaction_note(struct store *s, struct transaction *t, const char *path, int *rc)
{
	struct accessed **found = tfind(&path, &t->index, compare), *a = NULL;

	*rc = 0;
	if (found)
		return *found;
	if (!t->who->privileged && t->nr_accessed >= s->quotas.transaction_nodes) {
		*rc = -ENOSPC;
	} else {
		a = add(t, path);
		*rc = a ? 0 : -ENOMEM;
	}
	t->failed |= !a;
	return a;
}

/*
 * Conflicts.
 */

static bool conflicts(const struct store *s, const struct transaction *t, const struct accessed *a)
{
	const struct node *then = node_find(t->base, a->path);
	const struct node *now = tree_find(&s->tree, a->path);

	/* What has changed, or has something changed below it, is another node. */
	if (then == now)
		return false;
	return a->removed || !then || !now || then->generation != now->generation;
}

static bool any_conflict(const struct store *s, const struct transaction *t)
{
	const struct accessed *a;

	TAILQ_FOREACH (a, &t->list, link)
		if (conflicts(s, t, a))
			return true;
	return false;
}

/*
 * Others have changed the store, but nothing that concerns us: our nodes go into it one by one.
 */

static int merge_one(struct tree *to, const struct transaction *t, const struct accessed *a)
{
	const struct node *old = tree_find(to, a->path), *new = tree_find(&t->tree, a->path);
	int rc = 0;

	if (old && (a->removed || !new)) {
		rc = tree_remove(to, a->path);
		old = NULL;
	}
	if (rc || !new)
		return rc;
	if (!old)
		rc = tree_create(to, a->path, new->value, NULL);
	else if (old->value != new->value)
		rc = tree_set_value(to, a->path, new->value);
	if (rc || tree_find(to, a->path)->perms == new->perms)
		return rc;
	return tree_set_perms(to, a->path, new->perms);
}

struct merge {
	struct tree tree;
	const struct transaction *t;
	int rc;
};

/* In the order of paths, in which a node comes before what is below it. */
static void merge_next(const void *nodep, VISIT which, void *closure)
{
	const struct accessed *a = *(const struct accessed *const *)nodep;
	struct merge *m = closure;

	if ((which == postorder || which == leaf) && a->modified && !m->rc)
		m->rc = merge_one(&m->tree, m->t, a);
}

static int merge(struct store *s, struct transaction *t)
{
	struct merge m = {.t = t};
	struct tree old = s->tree;

	if (any_conflict(s, t))
		return -EAGAIN;
	if (tree_clone(&m.tree, &s->tree))
		return -ENOMEM;
	twalk_r(t->index, merge_next, &m);
	if (!m.rc && !t->who->privileged &&
	    tree_owned(&m.tree, t->who->domid).nodes > s->quotas.nodes &&
	    tree_owned(&m.tree, t->who->domid).nodes > tree_owned(&old, t->who->domid).nodes)
		m.rc = -ENOSPC;
	if (m.rc) {
		tree_destroy(&m.tree);
		return m.rc;
	}
	s->tree = m.tree;
	tree_destroy(&old);
	return 0;
}

/* Nobody has changed anything since we began: our tree is the store's. */
static void take_over(struct store *s, struct transaction *t)
{
	struct tree old = s->tree;

	s->tree = t->tree;
	t->tree = old;
}

static const struct perms *perms_of(const struct node *n)
{
	return n ? n->perms : NULL;
}

static void tell(struct store *s, struct transaction *t, const struct accessed *a)
{
	struct node *then = node_find(t->base, a->path);
	struct change c = {
		.path = a->path,
		.before = perms_of(then),
		.after = perms_of(node_find(s->tree.root, a->path)),
		.parent = perms_of(node_find_parent(s->tree.root, a->path)),
		.gone = a->removed ? then : NULL,
	};

	if (!c.before && !c.after)
		return; /* made and removed: it was never there */
	if (!c.parent)
		c.parent = perms_of(node_find_parent(t->base, a->path));
	watch_fire(s, &c);
}

int transaction_commit(struct store *s, struct transaction *t)
{
	const struct accessed *a;
	int rc = 0;

	if (t->failed)
		rc = -ENOMEM;
	else if (s->tree.root == t->base)
		take_over(s, t);
	else
		rc = merge(s, t);
	TAILQ_FOREACH (a, &t->list, link)
		if (!rc && a->tell)
			tell(s, t, a);
	transaction_discard(t);
	return rc;
}
