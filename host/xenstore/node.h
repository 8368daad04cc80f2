/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One node of the store. Nodes are counted: trees share them, and who wants to change one that
 * others have, too, makes a copy (which shares the children). So a snapshot of the whole store is
 * one reference to its root.
 *
 * Functions that give a pointer give NULL for want of memory, and nothing has changed.
 */
#ifndef HOST_XENSTORE_NODE_H
#define HOST_XENSTORE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/xenstore/perms.h"

/* Bytes that never change, followed by a 0 that does not count: names and values. */
struct blob {
	unsigned refs;
	uint32_t len;
	char bytes[];
};

struct blob *blob_new(const void *bytes, size_t len);
struct blob *blob_get(struct blob *b);
void blob_put(struct blob *b); /* NULL: nothing */

struct child {
	struct node *node;
};

struct node {
	unsigned refs;
	uint32_t nr_children, room; /* of children */
	uint32_t names_len;         /* bytes of the children's names, each with its 0 */
	uint64_t generation;        /* of value, permissions and names of children */
	struct blob *name;          /* of the last component */
	struct blob *value;
	struct perms *perms;
	struct child *children; /* sorted by name */
};

/* Takes a reference to each of the three. */
struct node *node_new(struct blob *name, struct blob *value, struct perms *perms);
struct node *node_get(struct node *n);
void node_put(struct node *n); /* NULL: nothing */

/* Make what is in this place ours alone. False: no memory. */
bool node_unshare(struct child *slot);

/* The place of a child, or NULL; the child. The name has `len` bytes. */
struct child *node_slot(const struct node *n, const char *name, size_t len);
struct node *node_child(const struct node *n, const char *name, size_t len);
/* What the (valid) path, or its first `len` bytes, names below n; n itself for an empty one. */
struct node *node_find(struct node *n, const char *path);
struct node *node_find_part(struct node *n, const char *path, size_t len);
/* What is above it. */
struct node *node_find_parent(struct node *n, const char *path);

/* n is ours alone, and has no such child: room is made first, so that adding cannot fail. */
bool node_make_room(struct node *n);
void node_add_child(struct node *n, struct node *child); /* takes over the reference */
void node_remove_child(struct node *n, struct child *slot);

/* What it counts for its owner, as Xen's record of a node does: bytes. */
uint32_t node_size(const struct node *n);
uint32_t node_size_of(uint32_t value_len, unsigned nr_perms, uint32_t names_len);

#endif
