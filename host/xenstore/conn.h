/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One who speaks the wire protocol (public header io/xs_wire.h, docs/misc/xenstore.txt): a stream
 * of requests in, a queue of answers and watch events out. How the bytes travel is the business of
 * store_ring.c and store_socket.c.
 */
#ifndef HOST_XENSTORE_CONN_H
#define HOST_XENSTORE_CONN_H

#include <sys/queue.h>
#include <sys/uio.h>

#include "host/xenstore/perms.h"
#include "host/xenstore/transaction.h"
#include "host/xenstore/watch.h"

/* A message on its way out. */
struct message {
	TAILQ_ENTRY(message) link;
	struct store_watch_entry
		*watch; /* whose event it is; NULL: an answer, or the watch is gone */
	bool answer;
	uint32_t size, sent; /* bytes, with the header */
	struct xsd_sockmsg header;
	char payload[];
};

/* The bytes that it counts for while it waits. */
static inline size_t message_cost(const struct message *m)
{
	return sizeof(*m) + m->header.len;
}

struct conn {
	TAILQ_ENTRY(conn) link; /* the store's */
	struct store *store;
	struct caller who;
	bool tool;   /* by the socket, not a domain's own */
	bool closed; /* it is served no more */
	/* Its transport shall stop it when its turn comes, or has: XENSTORE_ERROR_*, until a reset.
	 */
	uint32_t failed;
	bool reintroduced; /* its transport shall begin anew when its turn comes */
	/* There is output, after there was none. Any time in the loop's thread. */
	void (*wake)(struct conn *c);

	char home[sizeof("/local/domain/65535")]; /* what relative paths begin with */
	struct watcher watcher;
	TAILQ_HEAD(, transaction) transactions;
	unsigned nr_transactions;
	uint32_t next_transaction;

	unsigned have; /* bytes of the request that have come */
	struct xsd_sockmsg header;
	char payload[XENSTORE_PAYLOAD_MAX + 1]; /* 0-terminated when complete */

	TAILQ_HEAD(messages, message) out;
	unsigned answers; /* of those */
};

/* domid 0 is privileged. wake() is the transport's. */
void conn_open(struct conn *c, struct store *s, domid_t domid, bool tool,
	       void (*wake)(struct conn *c));
void conn_close(struct conn *c);

/* As new: no watches, no transactions, nothing half read or half sent. */
void conn_reset(struct conn *c);
/* The same, and it is not served until it is reset, or not any more. */
void conn_stop(struct conn *c, uint32_t error);
void conn_shut(struct conn *c);

/* The connection of a domain's own, or NULL. */
struct conn *conn_of(struct store *s, domid_t domid);

/* False: it shall take some answers first (or is closed). */
bool conn_wants_input(const struct conn *c);
/* How many of the bytes were taken: fewer than all if it wants no more, or has failed. */
size_t conn_input(struct conn *c, const char *bytes, size_t len);

/* The next bytes to send, of one message; NULL: none. The same of up to `max` messages. */
const char *conn_output(const struct conn *c, size_t *len);
unsigned conn_outputs(const struct conn *c, struct iovec *pieces, unsigned max);
/* So many of them have gone. */
void conn_sent(struct conn *c, size_t len);

/*
 * For the commands. Room for an answer to what is in c->header (NULL: no memory, the connection
 * has failed), and sending it.
 */
struct message *conn_answer(struct conn *c, uint32_t type, size_t len);
void conn_send(struct conn *c, struct message *m);

/* A watch of c's with what goes with it; NULL: no memory. */
struct store_watch_entry *conn_watch(struct conn *c, const char *path, const char *token);
void conn_unwatch(struct conn *c, struct store_watch_entry *e);
void conn_unwatch_all(struct conn *c);

/* With its link and its count; NULL: no memory. */
struct transaction *conn_start_transaction(struct conn *c);
struct transaction *conn_transaction(struct conn *c, uint32_t id);
/* It is the caller's now. */
void conn_take_transaction(struct conn *c, struct transaction *t);
void conn_discard_transactions(struct conn *c);

/* Would the domain have more than its share of memory, with `more` bytes? */
bool conn_too_large(const struct conn *c, size_t more);

#endif
