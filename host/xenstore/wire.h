/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of the wire protocol, one handler each: wire_node.c has those for nodes,
 * wire_watch.c for watches and transactions, wire_domain.c for domains, wire_control.c CONTROL.
 */
#ifndef HOST_XENSTORE_WIRE_H
#define HOST_XENSTORE_WIRE_H

#include "host/xenstore/access.h"
#include "host/xenstore/conn.h"

/* Serve the complete request in c->header and c->payload: one answer. */
void wire_serve(struct conn *c);

/* For the handlers. */

struct request {
	struct conn *c;
	struct view view; /* the caller's, in the transaction that the request names */
	const char *payload;
	uint32_t len;
};

/* 0: it has answered; -errno: that is the answer. */
typedef int wire_handler(struct request *r);

wire_handler wire_directory, wire_directory_part, wire_read, wire_get_perms, wire_write, wire_mkdir,
	wire_rm, wire_set_perms;
wire_handler wire_watch, wire_unwatch, wire_reset_watches, wire_transaction_start,
	wire_transaction_end;
wire_handler wire_introduce, wire_release, wire_resume, wire_set_target, wire_get_domain_path,
	wire_is_domain_introduced;
wire_handler wire_control;

/* Each returns what a handler does: 0. Too long for an answer: -E2BIG. */
int wire_answer(struct request *r, const void *bytes, size_t len);
int wire_answer_string(struct request *r, const char *s); /* with its 0 */
int wire_ok(struct request *r);

/*
 * The strings in the payload, each with its 0; what comes after the last 0 is none. Returns how
 * many there are, and where the first `max` begin.
 */
unsigned wire_strings(const struct request *r, const char **strings, unsigned max);
/* The payload is one string and no more; NULL: it is not. */
const char *wire_only_string(const struct request *r);

/* An absolute path, special ones as they are. 0 or -EINVAL: too long. */
#define WIRE_PATH_SIZE (XENSTORE_ABS_PATH_MAX + 1)
int wire_path(const struct request *r, const char *path, char absolute[WIRE_PATH_SIZE]);

/* A decimal number of at most `max`. False: it is none. */
bool wire_number(const char *s, unsigned max, unsigned *value);

#endif
