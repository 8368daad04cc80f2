/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests (cmocka): connections without a transport. Bytes go into conn_input() and come out of
 * conn_output().
 */
#ifndef HOST_XENSTORE_TEST_CONN_H
#define HOST_XENSTORE_TEST_CONN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/xenstore/conn.h"
#include "host/xenstore/state.h"

/* A string as it travels: Z with its 0, B without. */
#define Z(literal) (literal), sizeof(literal)
#define B(literal) (literal), sizeof(literal) - 1

/* A tool and two domains that are introduced. */
struct test_conns {
	struct loop loop;
	struct store *store;
	struct conn tool, one, two; /* domains 0, 1 and 2 */
	unsigned woken;
};

/* cmocka's setup and teardown: *state is a struct test_conns. The latter looks for leaks. */
int test_conns_setup(void **state);
int test_conns_teardown(void **state);

/* Send a request; its req_id is `type` + 1000. */
void ask(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len);

/* The next message, which must be there and be just this. */
void expect(struct conn *c, uint32_t type, const char *payload, size_t len);
void expect_error(struct conn *c, const char *name);
void expect_event(struct conn *c, const char *path, const char *token);
void expect_nothing(struct conn *c);

/* The next message; returns the length of its payload, which gets a 0. */
uint32_t take(struct conn *c, uint32_t *type, char payload[XENSTORE_PAYLOAD_MAX + 1]);

/* Both in one: the answer is of the request's type. */
void get(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len,
	 const char *answer, size_t answer_len);
void ok(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len);
void refused(struct conn *c, uint32_t type, uint32_t tx, const char *payload, size_t len,
	     const char *error);

/* A new transaction's number. */
uint32_t begin(struct conn *c);

#endif
