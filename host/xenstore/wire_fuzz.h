/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the wire's fuzzer holds the store to: that a transaction which commits has seen and done
 * just what it would have if it had run at once, at the moment of its commit.
 *
 * Its requests and answers are written down. At the commit they are put once more to a second
 * store, whose tree is a clone of the first's: the answers, and then the trees, must be the same.
 */
#ifndef HOST_XENSTORE_WIRE_FUZZ_H
#define HOST_XENSTORE_WIRE_FUZZ_H

#include "host/xenstore/conn.h"
#include "host/xenstore/state.h"

#define RECORD_MAX 64

/* One request of a transaction's and what came of it. */
struct recorded {
	uint32_t type, len, answer_type, answer_len;
	char *payload, *answer;
};

struct record {
	uint32_t tx; /* 0: not in use */
	bool full;   /* there were more than these: it is not looked at any more */
	unsigned n;
	struct recorded list[RECORD_MAX];
};

void record_begin(struct record *r, uint32_t tx);
void record_add(struct record *r, const struct conn *c, const char *payload,
		const struct xsd_sockmsg *answer, const char *answer_payload);
void record_end(struct record *r);

/* The store as it is before a commit. */
struct shadow {
	struct loop loop;
	struct store *store;
	struct conn conn;
};
void shadow_begin(struct shadow *s, const struct store *of, const struct conn *c);
/* Run all of it; aborts if anything is different, or the tree is not as `after`. */
void shadow_compare(struct shadow *s, const struct record *r, const struct tree *after);
void shadow_end(struct shadow *s);

#endif
