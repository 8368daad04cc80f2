// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/node.h"

#include <stdlib.h>
#include <string.h>

#include "host/xenstore/path.h"

/* Xen's record of a node has a header and so much for each permission. */
#define RECORD_HEADER 24
#define RECORD_PERM   8

struct blob *blob_new(const void *bytes, size_t len)
{
	struct blob *b = malloc(sizeof(*b) + len + 1);

	if (!b)
		return NULL;
	b->refs = 1;
	b->len = len;
	if (len)
		memcpy(b->bytes, bytes, len);
	b->bytes[len] = '\0';
	return b;
}

struct blob *blob_get(struct blob *b)
{
	b->refs++;
	return b;
}

void blob_put(struct blob *b)
{
	if (b && !--b->refs)
		free(b);
}

struct node *node_new(struct blob *name, struct blob *value, struct perms *perms)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->refs = 1;
	n->name = blob_get(name);
	n->value = blob_get(value);
	n->perms = perms_get(perms);
	return n;
}

struct node *node_get(struct node *n)
{
	n->refs++;
	return n;
}

/* As deep as the longest path has components: some thousand at most. */
void node_put(struct node *n)
{
	if (!n || --n->refs)
		return;
	for (uint32_t i = 0; i < n->nr_children; i++)
		node_put(n->children[i].node);
	free(n->children);
	blob_put(n->name);
	blob_put(n->value);
	perms_put(n->perms);
	free(n);
}

static bool set_room(struct node *n, uint32_t room)
{
	struct child *children = realloc(n->children, room * sizeof(*children));

	if (!children)
		return false;
	n->children = children;
	n->room = room;
	return true;
}

static struct node *copy(const struct node *old)
{
	struct node *n = node_new(old->name, old->value, old->perms);

	if (!n)
		return NULL;
	if (old->nr_children && !set_room(n, old->nr_children)) {
		node_put(n);
		return NULL;
	}
	for (uint32_t i = 0; i < old->nr_children; i++)
		n->children[i].node = node_get(old->children[i].node);
	n->nr_children = old->nr_children;
	n->names_len = old->names_len;
	n->generation = old->generation;
	return n;
}

bool node_unshare(struct child *slot)
{
	struct node *n;

	if (slot->node->refs == 1)
		return true;
	n = copy(slot->node);
	if (!n)
		return false;
	node_put(slot->node);
	slot->node = n;
	return true;
}

/* The name against a child's, as strcmp. */
static int compare(const char *name, size_t len, const struct blob *child)
{
	int order = memcmp(name, child->bytes, len < child->len ? len : child->len);

	if (order)
		return order;
	return len < child->len ? -1 : len > child->len;
}

/* Where the name is, or where it would be. */
static uint32_t search(const struct node *n, const char *name, size_t len, bool *found)
{
	uint32_t low = 0, high = n->nr_children;

	*found = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare(name, len, n->children[middle].node->name);

		if (!order) {
			*found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct child *node_slot(const struct node *n, const char *name, size_t len)
{
	bool found;
	uint32_t at = search(n, name, len, &found);

	return found ? &n->children[at] : NULL;
}

struct node *node_child(const struct node *n, const char *name, size_t len)
{
	struct child *slot = node_slot(n, name, len);

	return slot ? slot->node : NULL;
}

struct node *node_find_part(struct node *n, const char *path, size_t len)
{
	const char *end = path + len, *name;
	size_t name_len;

	while (n && (name = path_step(&path, &name_len)) && name < end)
		n = node_child(n, name, name_len);
	return n;
}

struct node *node_find(struct node *n, const char *path)
{
	return node_find_part(n, path, strlen(path));
}

struct node *node_find_parent(struct node *n, const char *path)
{
	return node_find_part(n, path, path_parent_len(path));
}

bool node_make_room(struct node *n)
{
	return n->nr_children < n->room || set_room(n, n->room ? 2 * n->room : 4);
}

void node_add_child(struct node *n, struct node *child)
{
	bool found;
	uint32_t at = search(n, child->name->bytes, child->name->len, &found);

	memmove(&n->children[at + 1], &n->children[at],
		(n->nr_children - at) * sizeof(*n->children));
	n->children[at].node = child;
	n->nr_children++;
	n->names_len += child->name->len + 1;
}

void node_remove_child(struct node *n, struct child *slot)
{
	struct node *child = slot->node;
	uint32_t at = slot - n->children;

	n->names_len -= child->name->len + 1;
	n->nr_children--;
	memmove(slot, slot + 1, (n->nr_children - at) * sizeof(*slot));
	node_put(child);
}

uint32_t node_size_of(uint32_t value_len, unsigned nr_perms, uint32_t names_len)
{
	return RECORD_HEADER + RECORD_PERM * nr_perms + value_len + names_len;
}

uint32_t node_size(const struct node *n)
{
	return node_size_of(n->value->len, n->perms->n, n->names_len);
}
