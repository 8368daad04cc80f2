// SPDX-License-Identifier: BSD-2-Clause
/* Commands for nodes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/path.h"
#include "host/xenstore/state.h"
#include "host/xenstore/wire.h"

static int find(struct request *r, const char *path, const struct node **n)
{
	char absolute[WIRE_PATH_SIZE];
	int rc = path ? wire_path(r, path, absolute) : -EINVAL;

	return rc ? rc : access_find(&r->view, absolute, RIGHT_READ, n);
}

int wire_read(struct request *r)
{
	const struct node *n;
	int rc = find(r, wire_only_string(r), &n);

	return rc ? rc : wire_answer(r, n->value->bytes, n->value->len);
}

static void copy_names(const struct node *n, char *to)
{
	for (uint32_t i = 0; i < n->nr_children; i++) {
		const struct blob *name = n->children[i].node->name;

		memcpy(to, name->bytes, name->len + 1);
		to += name->len + 1;
	}
}

int wire_directory(struct request *r)
{
	const struct node *n;
	char names[XENSTORE_PAYLOAD_MAX];
	int rc = find(r, wire_only_string(r), &n);

	if (rc)
		return rc;
	if (n->names_len > sizeof(names))
		return -E2BIG;
	copy_names(n, names);
	return wire_answer(r, names, n->names_len);
}

/* Of the names from `offset` on, how many bytes of whole ones fit into `room`. */
static size_t whole_names(const char *names, size_t offset, size_t end, size_t room)
{
	size_t len = 0;

	while (offset + len < end) {
		size_t size = strlen(names + offset + len) + 1;

		if (len + size > room)
			break;
		len += size;
	}
	return len;
}

/* The generation, names, and if these are the last ones an empty one. */
static int answer_part(struct request *r, const struct node *n, size_t offset)
{
	char answer[XENSTORE_PAYLOAD_MAX];
	size_t head = snprintf(answer, sizeof(answer), "%" PRIu64, n->generation) + 1, len = 0;
	char *names = malloc(n->names_len + 1);

	if (!names)
		return -ENOMEM;
	copy_names(n, names);
	if (offset < n->names_len)
		len = whole_names(names, offset, n->names_len, sizeof(answer) - head - 1);
	memcpy(answer + head, names + offset, len);
	free(names);
	if (offset + len >= n->names_len)
		answer[head + len++] = '\0';
	return wire_answer(r, answer, head + len);
}

int wire_directory_part(struct request *r)
{
	const char *args[2];
	const struct node *n;
	unsigned offset;
	int rc;

	if (wire_strings(r, args, 2) != 2 || !wire_number(args[1], INT32_MAX, &offset))
		return -EINVAL;
	rc = find(r, args[0], &n);
	if (rc)
		return rc;
	return answer_part(r, n, offset < n->names_len ? offset : n->names_len);
}

int wire_write(struct request *r)
{
	char absolute[WIRE_PATH_SIZE];
	const char *path;
	size_t size;
	int rc;

	if (!wire_strings(r, &path, 1))
		return -EINVAL;
	size = strlen(path) + 1;
	rc = wire_path(r, path, absolute);
	if (!rc)
		rc = access_write(&r->view, absolute, r->payload + size, r->len - size);
	return rc ? rc : wire_ok(r);
}

int wire_mkdir(struct request *r)
{
	char absolute[WIRE_PATH_SIZE];
	const char *path = wire_only_string(r);
	int rc = path ? wire_path(r, path, absolute) : -EINVAL;

	if (!rc)
		rc = access_mkdir(&r->view, absolute);
	return rc ? rc : wire_ok(r);
}

/* What is not there, in a place that is, has been removed. */
int wire_rm(struct request *r)
{
	char absolute[WIRE_PATH_SIZE];
	const char *path = wire_only_string(r);
	int rc = path ? wire_path(r, path, absolute) : -EINVAL;

	if (!rc)
		rc = access_rm(&r->view, absolute);
	if (rc == -ENOENT)
		rc = access_find_parent(&r->view, absolute);
	return rc ? rc : wire_ok(r);
}

/*
 * Permissions.
 */

int wire_get_perms(struct request *r)
{
	const struct node *n;
	char answer[XENSTORE_PAYLOAD_MAX + PERM_STRING_MAX];
	size_t len = 0;
	int rc = find(r, wire_only_string(r), &n);

	if (rc)
		return rc;
	for (unsigned i = 0; i < n->perms->n && len <= XENSTORE_PAYLOAD_MAX; i++)
		len += perm_to_string(&n->perms->list[i], answer + len);
	return wire_answer(r, answer, len);
}

static bool domain_exists(struct store *s, domid_t domid)
{
	return !domid || store_domain(s, domid) || conn_of(s, domid);
}

/* An owner must exist; for others that do not, it is as if nothing had been said. */
static int parse_perms(struct store *s, const char *string, struct perms *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		int rc = perm_from_string(string, &p->list[i]);

		if (rc)
			return rc;
		p->list[i].ignored = !domain_exists(s, p->list[i].domid);
		string += strlen(string) + 1;
	}
	return p->list[0].ignored ? -ENOENT : 0;
}

static int set_special(struct request *r, const char *path, struct perms *p)
{
	const unsigned needed = RIGHT_WRITE | RIGHT_OWNER;
	enum special which = watch_special(path);
	struct perms **slot = &r->c->store->special[which];

	if (which == SPECIAL_COUNT)
		return -EINVAL;
	if ((perms_rights(*slot, &r->c->who) & needed) != needed)
		return -EACCES;
	perms_put(*slot);
	*slot = perms_get(p);
	return 0;
}

static int set_perms(struct request *r, const char *path, struct perms *p)
{
	char absolute[WIRE_PATH_SIZE];
	int rc = parse_perms(r->c->store, path + strlen(path) + 1, p);

	if (rc)
		return rc;
	if (path_special(path))
		return set_special(r, path, p);
	rc = wire_path(r, path, absolute);
	return rc ? rc : access_set_perms(&r->view, absolute, p);
}

int wire_set_perms(struct request *r)
{
	const char *path;
	unsigned n = wire_strings(r, &path, 1);
	struct perms *p;
	int rc;

	if (n < 2)
		return -EINVAL;
	if (!r->c->who.privileged && n - 1 > r->c->store->quotas.permissions)
		return -ENOSPC;
	p = perms_new(n - 1);
	if (!p)
		return -ENOMEM;
	rc = set_perms(r, path, p);
	perms_put(p);
	return rc ? rc : wire_ok(r);
}
