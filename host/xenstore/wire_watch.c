// SPDX-License-Identifier: BSD-2-Clause
/* Commands for watches and transactions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/xenstore/path.h"
#include "host/xenstore/state.h"
#include "host/xenstore/wire.h"

/* The path to watch, absolute; *hidden bytes of it the caller has not given. */
static int watched_path(struct request *r, const char *path, char absolute[WIRE_PATH_SIZE],
			unsigned *hidden)
{
	bool relative = path[0] != '/' && path[0] != '@';
	int rc = wire_path(r, path, absolute);

	if (rc)
		return rc;
	if (path_special(path))
		rc = strlen(path) > XENSTORE_REL_PATH_MAX ? -EINVAL : 0;
	else
		rc = path_valid(absolute) ? 0 : -EINVAL;
	*hidden = relative ? strlen(r->c->home) + 1 : 0;
	return rc;
}

static int may_watch(struct conn *c, const char *path, const char *token)
{
	const size_t strings = strlen(path) + strlen(token) + 2;

	if (watch_find(&c->watcher, path, token))
		return -EEXIST;
	if (!c->who.privileged && c->watcher.nr_watches >= c->store->quotas.watches)
		return -E2BIG;
	/* With its first event and the answer, that none is lost. */
	return conn_too_large(
		       c, 2 * (strings + sizeof(struct message) + sizeof(struct store_watch_entry)))
		       ? -ENOMEM
		       : 0;
}

/* The third argument, which is younger than the others: depth. */
int wire_watch(struct request *r)
{
	const char *args[3];
	char absolute[WIRE_PATH_SIZE];
	unsigned n = wire_strings(r, args, 3), hidden, depth = 0;
	struct store_watch_entry *e;
	int rc;

	if (n < 2 || n > 3 || (n == 3 && !wire_number(args[2], INT32_MAX, &depth)))
		return -EINVAL;
	rc = watched_path(r, args[0], absolute, &hidden);
	if (!rc)
		rc = may_watch(r->c, absolute, args[1]);
	if (rc)
		return rc;
	e = conn_watch(r->c, absolute, args[1]);
	if (!e)
		return -ENOMEM;
	e->hidden = hidden;
	e->depth = n == 3 ? (int)depth : WATCH_ANY_DEPTH;
	wire_ok(r);
	watch_fire_first(e);
	return 0;
}

int wire_unwatch(struct request *r)
{
	const char *args[2];
	char absolute[WIRE_PATH_SIZE];
	struct store_watch_entry *e;
	int rc;

	if (wire_strings(r, args, 2) != 2)
		return -EINVAL;
	rc = wire_path(r, args[0], absolute);
	if (rc)
		return rc;
	e = watch_find(&r->c->watcher, absolute, args[1]);
	if (!e)
		return -ENOENT;
	conn_unwatch(r->c, e);
	return wire_ok(r);
}

int wire_reset_watches(struct request *r)
{
	conn_unwatch_all(r->c);
	conn_discard_transactions(r->c);
	return wire_ok(r);
}

int wire_transaction_start(struct request *r)
{
	struct conn *c = r->c;
	struct transaction *t;
	char id[sizeof("4294967295")];

	if (r->view.transaction)
		return -EBUSY;
	if (!c->who.privileged && c->nr_transactions >= c->store->quotas.transactions)
		return -ENOSPC;
	t = conn_start_transaction(c);
	if (!t)
		return -ENOMEM;
	snprintf(id, sizeof(id), "%u", t->id);
	return wire_answer_string(r, id);
}

int wire_transaction_end(struct request *r)
{
	const char *how = wire_only_string(r);
	struct transaction *t = r->view.transaction;
	int rc = 0;

	if (!how || (strcmp(how, "T") != 0 && strcmp(how, "F") != 0))
		return -EINVAL;
	if (!t)
		return -ENOENT;
	conn_take_transaction(r->c, t);
	if (*how == 'T')
		rc = transaction_commit(r->c->store, t);
	else
		transaction_discard(t);
	return rc ? rc : wire_ok(r);
}
