// SPDX-License-Identifier: BSD-2-Clause
/* Commands for domains: the toolstack's, but for GET_DOMAIN_PATH. */
#include <errno.h>
#include <stdio.h>

#include "host/xenstore/state.h"
#include "host/xenstore/wire.h"

/* The first `n` arguments are domids. */
static int domids(const struct request *r, unsigned n, unsigned *ids)
{
	const char *args[2];

	if (wire_strings(r, args, n) < n)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if (!wire_number(args[i], UINT16_MAX, &ids[i]))
			return -EINVAL;
	return 0;
}

/* The one argument is a domain that has a connection of its own. */
static int connected(const struct request *r, unsigned *id)
{
	int rc = wire_only_string(r) ? domids(r, 1, id) : -EINVAL;

	if (rc || !*id)
		return -EINVAL;
	if (!store_domain(r->c->store, *id))
		return -ENOENT;
	return conn_of(r->c->store, *id) ? 0 : -EINVAL;
}

/*
 * A domain's ring is offered where the guest is made (store_ring_open), and nobody else can map it.
 * What remains is that the connection of one that is introduced begins anew.
 */
int wire_introduce(struct request *r)
{
	const char *args[3];
	unsigned id, port;
	struct conn *c;

	if (wire_strings(r, args, 3) < 3 || !wire_number(args[0], UINT16_MAX, &id) ||
	    !wire_number(args[2], INT32_MAX, &port) || !port)
		return -EINVAL;
	c = store_domain(r->c->store, id) ? conn_of(r->c->store, id) : NULL;
	if (!c || c->closed)
		return -EINVAL;
	c->reintroduced = true;
	c->wake(c);
	return wire_ok(r);
}

int wire_release(struct request *r)
{
	unsigned id;
	int rc = connected(r, &id);

	if (rc)
		return rc;
	store_release(r->c->store, id);
	return wire_ok(r);
}

/* Who stops a domain says so each time (store_domain_stopped): there is nothing to be forgotten. */
int wire_resume(struct request *r)
{
	unsigned id;
	int rc = connected(r, &id);

	return rc ? rc : wire_ok(r);
}

int wire_set_target(struct request *r)
{
	unsigned ids[2];
	int rc = domids(r, 2, ids);
	struct conn *c;

	for (int i = 0; !rc && i < 2; i++)
		if (!store_domain(r->c->store, ids[i]))
			rc = -ENOENT;
		else if (!conn_of(r->c->store, ids[i]))
			rc = -EINVAL;
	if (rc)
		return rc;
	c = conn_of(r->c->store, ids[0]);
	c->who.target = ids[1];
	c->who.has_target = true;
	return wire_ok(r);
}

int wire_get_domain_path(struct request *r)
{
	char path[sizeof("/local/domain/65535")];
	unsigned id;
	int rc = wire_only_string(r) ? domids(r, 1, &id) : -EINVAL;

	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/local/domain/%u", id);
	return wire_answer_string(r, path);
}

int wire_is_domain_introduced(struct request *r)
{
	unsigned id;
	int rc = wire_only_string(r) ? domids(r, 1, &id) : -EINVAL;

	if (rc)
		return rc;
	return wire_answer_string(r, id == DOMID_SELF || store_domain(r->c->store, id) ? "T" : "F");
}
