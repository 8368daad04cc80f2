/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions. Each works on a tree of its own, a snapshot of the store's, and keeps a list of the
 * nodes that it has looked at or changed. It commits if none of those has changed in the store
 * meanwhile: value, permissions, names of children, being there or not; of a removed node, nothing
 * below it either. Else -EAGAIN. So who has committed has seen and changed the store in one moment.
 */
#ifndef HOST_XENSTORE_TRANSACTION_H
#define HOST_XENSTORE_TRANSACTION_H

#include <sys/queue.h>

#include "host/xenstore/tree.h"

struct store;

struct accessed {
	const char *path; /* what follows; first, for the index */
	TAILQ_ENTRY(accessed) link;
	bool modified; /* it is another one now, or has gone */
	bool removed;  /* there was a moment when it, and all below it, had gone */
	bool tell;     /* watches fire */
	char bytes[];
};

struct transaction {
	TAILQ_ENTRY(transaction) link; /* its connection's */
	uint32_t id;
	struct caller *who;
	struct tree tree;
	struct node *base; /* the store's root when it began */
	bool failed;       /* it cannot be committed any more: no memory, or too large */
	void *index;       /* of tsearch() */
	unsigned nr_accessed;
	uint64_t held;               /* bytes; part of who->held */
	TAILQ_HEAD(, accessed) list; /* in the order of first access */
};

/* The caller links it and gives it its id. *who must outlive it. NULL: no memory. */
struct transaction *transaction_start(struct store *s, struct caller *who);
void transaction_discard(struct transaction *t);

/*
 * Commit, tell the watches, free. 0; -EAGAIN; -ENOSPC: its owner would have too many nodes;
 * -ENOMEM: that, or it had failed. After an error nothing has changed, and it is freed as well.
 */
int transaction_commit(struct store *s, struct transaction *t);

/*
 * The entry of a path that is about to be looked at. NULL with *rc -ENOSPC (too many) or -ENOMEM:
 * the transaction has failed.
 */
struct accessed *transaction_note(struct store *s, struct transaction *t, const char *path,
				  int *rc);

#endif
