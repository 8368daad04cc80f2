/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes as somebody sees and changes them: with his rights, within his quotas, in a transaction or
 * at once. A change at once fires the watches, one in a transaction notes it for the commit.
 *
 * Functions return 0 or -errno, with the choice of errno that xenstored makes: who has no right to
 * know is told -EACCES in place of -ENOENT.
 */
#ifndef HOST_XENSTORE_ACCESS_H
#define HOST_XENSTORE_ACCESS_H

#include "host/xenstore/tree.h"

struct store;
struct transaction;

struct view {
	struct store *store;
	struct caller *who;
	struct transaction *transaction; /* NULL: the store itself */
};

/*
 * The node, if the caller has all of `want` (RIGHT_*); valid until something changes. -EINVAL: no
 * legal path. -ENOENT, -EACCES; -ENOSPC: the transaction has grown too large.
 */
int access_find(const struct view *v, const char *path, unsigned want, const struct node **out);

/*
 * These also say -ENOSPC: the caller's nodes are too many or too large; -ENOMEM: too much memory is
 * used for him, or there is none. The value has at most XENSTORE_PAYLOAD_MAX bytes.
 */
int access_write(const struct view *v, const char *path, const void *value, size_t len);
/* Leaves one that is there as it is. */
int access_mkdir(const struct view *v, const char *path);
/* -EINVAL: "/". */
int access_rm(const struct view *v, const char *path);
/* Is there a node above the (valid) path, whatever his rights? -ENOENT: no. */
int access_find_parent(const struct view *v, const char *path);
/* -EPERM: only the privileged give a node away. */
int access_set_perms(const struct view *v, const char *path, struct perms *perms);

#endif
