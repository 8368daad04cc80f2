// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/access.h"

#include <errno.h>
#include <string.h>

#include "host/xenstore/path.h"
#include "host/xenstore/state.h"
#include "host/xenstore/transaction.h"

static struct tree *tree_of(const struct view *v)
{
	return v->transaction ? &v->transaction->tree : &v->store->tree;
}

/* The path will be looked at. In a transaction *a (may be NULL) becomes its entry, else NULL. */
static int note(const struct view *v, const char *path, struct accessed **a)
{
	struct accessed *entry = NULL;
	int rc = 0;

	if (v->transaction)
		entry = transaction_note(v->store, v->transaction, path, &rc);
	if (a)
		*a = entry;
	return rc;
}

static int note_part(const struct view *v, const char *path, size_t len, struct accessed **a)
{
	char part[XENSTORE_ABS_PATH_MAX + 1];

	memcpy(part, path, len);
	part[len] = '\0';
	return note(v, part, a);
}

/* What a caller is told who wanted to do `want` and cannot: the parents say what he may know. */
static int refuse(const struct view *v, const char *path, unsigned want, int error)
{
	const struct node *parent;
	size_t len;
	int rc;

	if (v->who->privileged)
		return error;
	parent = tree_nearest(tree_of(v), path, &len);
	if (!path[len]) {
		len = path_parent_len(path);
		parent = node_find_part(tree_of(v)->root, path, len);
	}
	rc = note_part(v, path, len, NULL);
	if (rc)
		return rc;
	return perms_rights(parent->perms, v->who) & want ? error : -EACCES;
}

int access_find(const struct view *v, const char *path, unsigned want, const struct node **out)
{
	const struct node *n;
	int rc;

	if (!path_valid(path))
		return -EINVAL;
	rc = note(v, path, NULL);
	if (rc)
		return rc;
	n = tree_find(tree_of(v), path);
	if (!n)
		return refuse(v, path, want, -ENOENT);
	if ((perms_rights(n->perms, v->who) & want) != want)
		return refuse(v, path, want, -EACCES);
	*out = n;
	return 0;
}

/*
 * Quotas.
 */

/* A node of the caller's is to have this size, `more` bytes more than before. */
static int check_size(const struct view *v, uint32_t size, uint32_t more)
{
	const struct quotas *q = &v->store->quotas;

	if (v->who->privileged)
		return 0;
	if (size >= q->node_size)
		return -ENOSPC;
	if (tree_owned(tree_of(v), v->who->domid).bytes + v->who->held + more > q->memory)
		return -ENOMEM;
	return 0;
}

/* rest: what is to be created below parent. */
static int check_new(const struct view *v, const struct node *parent, const char *rest, size_t len)
{
	struct owner owned = tree_owned(tree_of(v), v->who->domid);
	size_t first = 0, name_len;
	unsigned levels = 0;
	uint32_t more = len;
	int rc;

	if (v->who->privileged)
		return 0;
	while (path_step(&rest, &name_len)) {
		first = levels++ ? first : name_len + 1;
		more += node_size_of(0, parent->perms->n, name_len + 1);
	}
	if (owned.nodes + levels > v->store->quotas.nodes)
		return -ENOSPC;
	rc = check_size(v, node_size(parent) + first, more);
	return rc ? rc : check_size(v, node_size_of(len, parent->perms->n, 0), more);
}

/*
 * Telling of a change.
 */

/* `a` is the path's in a transaction. */
static void changed(const struct view *v, const char *path, struct accessed *a,
		    const struct perms *before, struct node *gone)
{
	const struct node *n = tree_find(tree_of(v), path);
	struct change c = {path, before, n ? n->perms : NULL, NULL, gone};

	if (a) {
		a->modified = a->tell = true;
		a->removed |= gone != NULL;
		return;
	}
	c.parent = node_find_parent(tree_of(v)->root, path)->perms;
	watch_fire(v->store, &c);
}

/*
 * Changes. What they change is noted before.
 */

/* The levels of the path beyond the first `len` bytes will be made. */
static int note_new(const struct view *v, const char *path, size_t len)
{
	const char *rest = path + len;
	struct accessed *a;
	size_t name_len;
	int rc;

	if (!v->transaction)
		return 0;
	rc = note_part(v, path, len, NULL);
	while (!rc && path_step(&rest, &name_len)) {
		rc = note_part(v, path, rest - path, &a);
		if (!rc)
			a->modified = true;
	}
	return rc;
}

static int create(const struct view *v, const char *path, const void *value, size_t len)
{
	struct tree *t = tree_of(v);
	size_t parent_len;
	const struct node *parent = tree_nearest(t, path, &parent_len);
	struct blob *b;
	struct accessed *a;
	int rc = check_new(v, parent, path + parent_len, len);

	if (!rc)
		rc = note_new(v, path, parent_len);
	if (!rc)
		rc = note(v, path, &a);
	if (rc)
		return rc;
	b = blob_new(value, len);
	rc = b ? tree_create(t, path, b, v->who->privileged ? NULL : &v->who->domid) : -ENOMEM;
	blob_put(b);
	if (!rc)
		changed(v, path, a, NULL, NULL);
	return rc;
}

int access_write(const struct view *v, const char *path, const void *value, size_t len)
{
	const struct node *n;
	struct blob *b;
	struct accessed *a;
	int rc = access_find(v, path, RIGHT_WRITE, &n);

	if (rc == -ENOENT)
		return create(v, path, value, len);
	if (!rc)
		rc = check_size(v, node_size_of(len, n->perms->n, n->names_len),
				len > n->value->len ? len - n->value->len : 0);
	if (!rc)
		rc = note(v, path, &a);
	if (rc)
		return rc;
	b = blob_new(value, len);
	rc = b ? tree_set_value(tree_of(v), path, b) : -ENOMEM;
	blob_put(b);
	if (!rc)
		changed(v, path, a, NULL, NULL);
	return rc;
}

int access_mkdir(const struct view *v, const char *path)
{
	const struct node *n;
	int rc = access_find(v, path, RIGHT_WRITE, &n);

	return rc == -ENOENT ? create(v, path, "", 0) : rc;
}

int access_rm(const struct view *v, const char *path)
{
	const struct node *n;
	struct node *gone;
	struct accessed *a;
	int rc = access_find(v, path, RIGHT_WRITE, &n);

	if (!rc && !path[1])
		rc = -EINVAL;
	if (!rc)
		rc = note_part(v, path, path_parent_len(path), NULL);
	if (!rc)
		rc = note(v, path, &a);
	if (rc)
		return rc;
	gone = node_get(tree_find(tree_of(v), path));
	rc = tree_remove(tree_of(v), path);
	if (!rc)
		changed(v, path, a, gone->perms, gone);
	node_put(gone);
	return rc;
}

int access_find_parent(const struct view *v, const char *path)
{
	size_t len = path_parent_len(path);
	int rc = note_part(v, path, len, NULL);

	if (rc)
		return rc;
	return node_find_part(tree_of(v)->root, path, len) ? 0 : -ENOENT;
}

int access_set_perms(const struct view *v, const char *path, struct perms *perms)
{
	const struct node *n;
	struct perms *before;
	struct accessed *a;
	int rc = access_find(v, path, RIGHT_WRITE | RIGHT_OWNER, &n);

	if (!rc && !v->who->privileged && perms->list[0].domid != n->perms->list[0].domid)
		rc = -EPERM;
	if (!rc)
		rc = check_size(v, node_size_of(n->value->len, perms->n, n->names_len), 0);
	if (!rc)
		rc = note(v, path, &a);
	if (rc)
		return rc;
	before = perms_get(n->perms);
	rc = tree_set_perms(tree_of(v), path, perms);
	if (!rc)
		changed(v, path, a, before, NULL);
	perms_put(before);
	return rc;
}
