/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a store is made of. Only the store's own files include this; all of it belongs to the event
 * loop's thread.
 */
#ifndef HOST_XENSTORE_STATE_H
#define HOST_XENSTORE_STATE_H

#include <sys/queue.h>

#include "host/xenstore/tree.h"
#include "host/xenstore/watch.h"

struct conn;

/* What an unprivileged domain may have. Xen's defaults (xenstored's), which CONTROL can change. */
struct quotas {
	unsigned nodes;
	unsigned watches;
	unsigned transactions;
	unsigned outstanding;       /* requests whose answers have not been taken */
	unsigned transaction_nodes; /* accessed in one transaction */
	unsigned memory;            /* bytes of all that is kept for it */
	unsigned node_size;         /* bytes, as node_size(); it must be less */
	unsigned permissions;       /* of a node */
};

/* Known while it is introduced. */
struct store_domain {
	TAILQ_ENTRY(store_domain) link;
	domid_t domid;
};

/* A watch of our own has fired, and its owner does not know yet. */
struct store_event {
	TAILQ_ENTRY(store_event) link;
	struct store_watch_entry *watch;
	char path[];
};

struct store {
	struct loop *loop;
	struct tree tree;
	uint64_t generation;
	struct caller privileged; /* we ourselves */
	struct quotas quotas;
	TAILQ_HEAD(, store_domain) domains;
	TAILQ_HEAD(, conn) conns;

	TAILQ_HEAD(, watcher) watchers;
	/* Who may watch the domains come and go (SET_PERMS on "@..."). */
	struct perms *special[SPECIAL_COUNT];

	struct watcher own;               /* struct store_watch */
	TAILQ_HEAD(, store_event) events; /* in the order in which they happened */
	struct watch kick;                /* eventfd: there are some */
};

/* NULL: it is not introduced. */
struct store_domain *store_domain(struct store *s, domid_t domid);

#endif
