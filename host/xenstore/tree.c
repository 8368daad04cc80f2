// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/path.h"

int tree_init(struct tree *t, uint64_t *generation)
{
	struct blob *empty = blob_new("", 0);
	struct perms *perms = perms_new(1);

	*t = (struct tree){.generation = generation};
	t->owners = calloc(1, sizeof(*t->owners));
	if (t->owners && empty && perms) {
		perms->list[0] = (struct perm){.domid = 0, .right = STORE_NONE};
		t->root = node_new(empty, empty, perms);
	}
	blob_put(empty);
	perms_put(perms);
	if (!t->owners || !t->root) {
		tree_destroy(t);
		return -ENOMEM;
	}
	t->root->generation = ++*generation;
	t->nr_owners = 1;
	t->owners[0] = (struct owner){.nodes = 1, .bytes = node_size(t->root)};
	return 0;
}

int tree_clone(struct tree *t, const struct tree *from)
{
	struct owner *owners = malloc(from->nr_owners * sizeof(*owners));

	if (!owners)
		return -ENOMEM;
	memcpy(owners, from->owners, from->nr_owners * sizeof(*owners));
	*t = *from;
	t->owners = owners;
	node_get(t->root);
	return 0;
}

void tree_destroy(struct tree *t)
{
	node_put(t->root);
	free(t->owners);
}

struct node *tree_nearest(const struct tree *t, const char *path, size_t *len)
{
	struct node *n = t->root;
	const char *rest = path, *name;
	size_t name_len;

	*len = 1;
	while ((name = path_step(&rest, &name_len))) {
		struct node *child = node_child(n, name, name_len);

		if (!child)
			break;
		n = child;
		*len = rest - path;
	}
	return n;
}

/*
 * Books. An owner, once he has had a place, keeps it: so only a node's first owner, or its new one,
 * can want memory.
 */

static struct owner *owner(const struct tree *t, domid_t domid)
{
	for (unsigned i = 0; i < t->nr_owners; i++)
		if (t->owners[i].domid == domid)
			return &t->owners[i];
	return NULL;
}

struct owner tree_owned(const struct tree *t, domid_t domid)
{
	const struct owner *o = owner(t, domid);

	return o ? *o : (struct owner){.domid = domid};
}

static int make_owner(struct tree *t, domid_t domid)
{
	struct owner *owners;

	if (owner(t, domid))
		return 0;
	owners = realloc(t->owners, (t->nr_owners + 1) * sizeof(*owners));
	if (!owners)
		return -ENOMEM;
	t->owners = owners;
	owners[t->nr_owners++] = (struct owner){.domid = domid};
	return 0;
}

static void enter(struct tree *t, const struct node *n)
{
	struct owner *o = owner(t, n->perms->list[0].domid);

	o->nodes++;
	o->bytes += node_size(n);
}

static void strike(struct tree *t, const struct node *n)
{
	struct owner *o = owner(t, n->perms->list[0].domid);

	o->nodes--;
	o->bytes -= node_size(n);
}

static void strike_all(struct tree *t, const struct node *n)
{
	for (uint32_t i = 0; i < n->nr_children; i++)
		strike_all(t, n->children[i].node);
	strike(t, n);
}

/* The node named by `len` bytes of path, which is there: ours alone, and so is the way to it. */
static struct node *own(struct tree *t, const char *path, size_t len)
{
	const char *end = path + len, *name;
	struct child root = {t->root}, *slot = &root;
	size_t name_len;

	if (!node_unshare(slot))
		return NULL;
	t->root = root.node;
	while ((name = path_step(&path, &name_len)) && name < end) {
		slot = node_slot(slot->node, name, name_len);
		if (!node_unshare(slot))
			return NULL;
	}
	return slot->node;
}

static void touch(struct tree *t, struct node *n)
{
	n->generation = ++*t->generation;
}

/* A new node for the component [name, name + len). */
static struct node *fresh(const char *name, size_t len, struct blob *value, struct perms *perms)
{
	struct blob *b = blob_new(name, len);
	struct node *n = b ? node_new(b, value, perms) : NULL;

	blob_put(b);
	return n;
}

/* The nodes for all components of `rest`, one in the other; the last one has the value. */
static struct node *chain(struct tree *t, const char *rest, struct blob *empty, struct blob *value,
			  struct perms *perms)
{
	struct node *top = NULL, *last = NULL;
	const char *name;
	size_t len;

	while ((name = path_step(&rest, &len))) {
		struct node *n = fresh(name, len, *rest ? empty : value, perms);

		if (!n || (last && !node_make_room(last))) {
			node_put(n);
			node_put(top);
			return NULL;
		}
		touch(t, n);
		if (last)
			node_add_child(last, n);
		else
			top = n;
		last = n;
	}
	return top;
}

static struct node *chain_below(struct tree *t, const struct node *parent, const char *rest,
				struct blob *value, const domid_t *owner_id)
{
	struct blob *empty = blob_new("", 0);
	struct perms *perms =
		owner_id ? perms_with_owner(parent->perms, *owner_id) : perms_get(parent->perms);
	struct node *top = NULL;

	if (empty && perms && !make_owner(t, perms->list[0].domid))
		top = chain(t, rest, empty, value, perms);
	blob_put(empty);
	perms_put(perms);
	return top;
}

int tree_create(struct tree *t, const char *path, struct blob *value, const domid_t *owner_id)
{
	size_t len;
	struct node *parent = tree_nearest(t, path, &len);
	struct node *top = chain_below(t, parent, path + len, value, owner_id);

	parent = top ? own(t, path, len) : NULL;
	if (!parent || !node_make_room(parent)) {
		node_put(top);
		return -ENOMEM;
	}
	strike(t, parent);
	node_add_child(parent, top);
	enter(t, parent);
	touch(t, parent);
	for (const struct node *n = top; n; n = n->nr_children ? n->children[0].node : NULL)
		enter(t, n);
	return 0;
}

int tree_set_value(struct tree *t, const char *path, struct blob *value)
{
	struct node *n = own(t, path, strlen(path));

	if (!n)
		return -ENOMEM;
	blob_get(value);
	strike(t, n);
	blob_put(n->value);
	n->value = value;
	enter(t, n);
	touch(t, n);
	return 0;
}

int tree_set_perms(struct tree *t, const char *path, struct perms *perms)
{
	struct node *n;

	if (make_owner(t, perms->list[0].domid))
		return -ENOMEM;
	n = own(t, path, strlen(path));
	if (!n)
		return -ENOMEM;
	perms_get(perms);
	strike(t, n);
	perms_put(n->perms);
	n->perms = perms;
	enter(t, n);
	touch(t, n);
	return 0;
}

int tree_remove(struct tree *t, const char *path)
{
	size_t len = path_parent_len(path);
	struct node *parent = own(t, path, len);
	struct child *slot;
	const char *name = strrchr(path, '/') + 1;

	if (!parent)
		return -ENOMEM;
	slot = node_slot(parent, name, strlen(name));
	strike_all(t, slot->node);
	strike(t, parent);
	node_remove_child(parent, slot);
	enter(t, parent);
	touch(t, parent);
	return 0;
}

/* The books once more, by counting. */
static bool count(struct tree *t, const struct node *n)
{
	uint32_t names_len = 0;

	if (!n->refs || !n->perms->n || n->nr_children > n->room ||
	    n->generation > *t->generation || make_owner(t, n->perms->list[0].domid))
		return false;
	for (uint32_t i = 0; i < n->nr_children; i++) {
		names_len += n->children[i].node->name->len + 1;
		if (i && strcmp(n->children[i - 1].node->name->bytes,
				n->children[i].node->name->bytes) >= 0)
			return false;
		if (!count(t, n->children[i].node))
			return false;
	}
	enter(t, n);
	return names_len == n->names_len;
}

bool tree_check(const struct tree *t)
{
	struct tree counted = {.generation = t->generation};
	bool right = count(&counted, t->root);

	for (unsigned i = 0; right && i < t->nr_owners; i++) {
		const struct owner *o = &t->owners[i];
		struct owner really = tree_owned(&counted, o->domid);

		right = o->nodes == really.nodes && o->bytes == really.bytes;
	}
	right = right && counted.nr_owners <= t->nr_owners;
	free(counted.owners);
	return right;
}
