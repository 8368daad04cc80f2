// SPDX-License-Identifier: BSD-2-Clause
/*
 * CONTROL: those of xenstored's commands that have a meaning here. There is no log, no file and no
 * update of a running daemon.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/xenstore/state.h"
#include "host/xenstore/wire.h"

struct quota {
	const char *name;
	size_t offset;
	const char *text;
};

#define QUOTA(field) offsetof(struct quotas, field)

static const struct quota quotas[] = {
	{"nodes", QUOTA(nodes), "Nodes per domain"},
	{"watches", QUOTA(watches), "Watches per domain"},
	{"transactions", QUOTA(transactions), "Transactions per domain"},
	{"outstanding", QUOTA(outstanding), "Outstanding requests per domain"},
	{"transaction-nodes", QUOTA(transaction_nodes),
	 "Max. number of accessed nodes per transaction"},
	{"memory", QUOTA(memory), "Total Xenstore memory per domain (error level)"},
	{"node-size", QUOTA(node_size), "Max. size of a node"},
	{"permissions", QUOTA(permissions), "Max. number of permissions per node"},
};

#define NR_QUOTAS (sizeof(quotas) / sizeof(*quotas))

static unsigned *value(struct store *s, const struct quota *q)
{
	return (unsigned *)((char *)&s->quotas + q->offset);
}

static int show_quotas(struct request *r)
{
	char text[XENSTORE_PAYLOAD_MAX];
	size_t len = snprintf(text, sizeof(text), "Quota settings:\n");

	for (size_t i = 0; i < NR_QUOTAS; i++)
		len += snprintf(text + len, sizeof(text) - len, "%-17s: %8u %s\n", quotas[i].name,
				*value(r->c->store, &quotas[i]), quotas[i].text);
	return wire_answer_string(r, text);
}

static int set_quota(struct request *r, const char *name, const char *number)
{
	unsigned wanted;

	if (!wire_number(number, INT32_MAX, &wanted) || !wanted)
		return -EINVAL;
	for (size_t i = 0; i < NR_QUOTAS; i++) {
		if (!strcmp(name, quotas[i].name)) {
			*value(r->c->store, &quotas[i]) = wanted;
			return wire_ok(r);
		}
	}
	return -EINVAL;
}

static int show_domain(struct request *r, const char *number)
{
	char text[256];
	unsigned domid;
	const struct conn *c;
	struct owner owned;

	if (!wire_number(number, UINT16_MAX, &domid))
		return -EINVAL;
	c = conn_of(r->c->store, domid);
	if (!c)
		return -ENOENT;
	owned = tree_owned(&r->c->store->tree, domid);
	snprintf(
		text, sizeof(text),
		"Domain %u:\n%-16s: %8u\n%-16s: %8u\n%-16s: %8u\n%-16s: %8u\n%-16s: %8" PRIu64 "\n",
		domid, "nodes", owned.nodes, "watches", c->watcher.nr_watches, "transactions",
		c->nr_transactions, "outstanding", c->answers, "memory", owned.bytes + c->who.held);
	return wire_answer_string(r, text);
}

static int quota(struct request *r, const char **args, unsigned n)
{
	if (!n)
		return show_quotas(r);
	if (!strcmp(args[0], "set"))
		return n == 3 ? set_quota(r, args[1], args[2]) : -EINVAL;
	return n == 1 ? show_domain(r, args[0]) : -EINVAL;
}

static int check(struct request *r, const char **args, unsigned n)
{
	(void)args;
	if (n)
		return -EINVAL;
	return tree_check(&r->c->store->tree) ? wire_ok(r) : -EIO;
}

static int print(struct request *r, const char **args, unsigned n)
{
	if (n != 1)
		return -EINVAL;
	fprintf(stderr, "xenolith: xenstore: %s\n", args[0]);
	return wire_ok(r);
}

static const struct {
	const char *name, *args;
	int (*run)(struct request *r, const char **args, unsigned n);
} commands[] = {
	{"check", "", check},
	{"print", "<string>", print},
	{"quota", "[set <name> <val>|<domid>]", quota},
};

static int help(struct request *r)
{
	char text[512];
	size_t len = 0;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		len += snprintf(text + len, sizeof(text) - len, "%s\t%s\n", commands[i].name,
				commands[i].args);
	snprintf(text + len, sizeof(text) - len, "help\t\n");
	return wire_answer_string(r, text);
}

#define MOST_ARGS 4

int wire_control(struct request *r)
{
	const char *args[1 + MOST_ARGS];
	unsigned n = wire_strings(r, args, 1 + MOST_ARGS);

	if (!n || n > 1 + MOST_ARGS)
		return -EINVAL;
	if (!strcmp(args[0], "help"))
		return n == 1 ? help(r) : -EINVAL;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(args[0], commands[i].name))
			return commands[i].run(r, args + 1, n - 1);
	return -EINVAL;
}
