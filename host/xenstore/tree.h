/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree of nodes and what each domain has in it. The store has one; each transaction has its own,
 * that begins as a clone (in no time: they share their nodes) and goes its own way.
 *
 * Nothing here asks for rights or quotas (access.h does), and paths are valid ones. Functions
 * return 0 or -errno: -ENOMEM, and nothing has changed.
 */
#ifndef HOST_XENSTORE_TREE_H
#define HOST_XENSTORE_TREE_H

#include "host/xenstore/node.h"

struct owner {
	domid_t domid;
	uint32_t nodes;
	uint64_t bytes; /* node_size() of all of them */
};

struct tree {
	struct node *root;
	uint64_t *generation; /* of the last change in any tree of this store */
	unsigned nr_owners;
	struct owner *owners;
};

/* Only "/", which belongs to domain 0. */
int tree_init(struct tree *t, uint64_t *generation);
int tree_clone(struct tree *t, const struct tree *from);
void tree_destroy(struct tree *t);

/* NULL: it is not there. Valid until the tree changes. */
static inline struct node *tree_find(const struct tree *t, const char *path)
{
	return node_find(t->root, path);
}

/* The last node on the way to `path` that is there; *len bytes of path name it. */
struct node *tree_nearest(const struct tree *t, const char *path, size_t *len);

/* What a domain has; zeros if nothing. */
struct owner tree_owned(const struct tree *t, domid_t domid);

/*
 * A node that is not there, with all missing ones above it, which are empty. They have the
 * permissions of the last one that is there; `owner` if it is not NULL is their owner.
 */
int tree_create(struct tree *t, const char *path, struct blob *value, const domid_t *owner);

/* Of a node that is there. They take references of their own. */
int tree_set_value(struct tree *t, const char *path, struct blob *value);
int tree_set_perms(struct tree *t, const char *path, struct perms *perms);

/* With all below; not "/". */
int tree_remove(struct tree *t, const char *path);

/* Is what it says of itself true? For tests, and CONTROL's check. False also without memory. */
bool tree_check(const struct tree *t);

#endif
