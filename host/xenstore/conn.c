// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/path.h"
#include "host/xenstore/state.h"
#include "host/xenstore/wire.h"

/* A tool that takes no answers is asked nothing more, and one that takes no events is shut out. */
#define TOOL_ANSWERS  64
#define TOOL_HELD_MAX (16u << 20)

/* How many messages are looked through for the same event. */
#define LOOK_BACK 256

/*
 * Output.
 */

/* It is not in the queue any more. */
static void release(struct conn *c, struct message *m)
{
	c->answers -= m->answer;
	c->who.held -= message_cost(m);
	if (m->watch)
		m->watch->pending--;
	free(m);
}

static void drop(struct conn *c, struct message *m)
{
	TAILQ_REMOVE(&c->out, m, link);
	release(c, m);
}

static void drop_all(struct conn *c)
{
	struct message *m = TAILQ_FIRST(&c->out), *next;

	for (; m; m = next) {
		next = TAILQ_NEXT(m, link);
		release(c, m);
	}
	TAILQ_INIT(&c->out);
}

static struct message *message_new(uint32_t type, size_t len)
{
	struct message *m = malloc(sizeof(*m) + len);

	if (!m)
		return NULL;
	*m = (struct message){
		.size = sizeof(m->header) + len,
		.header = {.type = type, .len = len},
	};
	return m;
}

static void queue(struct conn *c, struct message *m)
{
	bool was_empty = TAILQ_EMPTY(&c->out);

	TAILQ_INSERT_TAIL(&c->out, m, link);
	c->answers += m->answer;
	c->who.held += message_cost(m);
	if (m->watch)
		m->watch->pending++;
	if (was_empty)
		c->wake(c);
}

static void fail(struct conn *c, uint32_t error)
{
	c->failed = error;
	c->wake(c);
}

struct message *conn_answer(struct conn *c, uint32_t type, size_t len)
{
	struct message *m = message_new(type, len);

	if (!m) {
		fail(c, XENSTORE_ERROR_COMM);
		return NULL;
	}
	m->answer = true;
	m->header.req_id = c->header.req_id;
	m->header.tx_id = c->header.tx_id;
	return m;
}

void conn_send(struct conn *c, struct message *m)
{
	queue(c, m);
}

/* The same event is on its way, and its sending has not begun: he will look again anyway. */
static bool on_its_way(const struct conn *c, const struct store_watch_entry *e,
		       const struct message *event)
{
	const struct message *m;
	unsigned looked_at = 0;

	if (!e->pending || path_special(event->payload))
		return false;
	TAILQ_FOREACH_REVERSE (m, &c->out, messages, link) {
		if (m->watch == e && !m->sent && m->size == event->size &&
		    !memcmp(m->payload, event->payload, event->header.len))
			return true;
		if (++looked_at == LOOK_BACK)
			break;
	}
	return false;
}

/*
 * What cannot be queued is lost for a domain, as with xenstored; a tool is better off without a
 * connection than with one that misses events.
 */
static void lose(struct conn *c, struct message *m)
{
	free(m);
	if (c->tool)
		fail(c, XENSTORE_ERROR_COMM);
}

static void watch_event(struct watcher *w, struct store_watch_entry *e, const char *path)
{
	struct conn *c = (struct conn *)((char *)w - offsetof(struct conn, watcher));
	size_t path_size = strlen(path) + 1, token_size = strlen(e->token) + 1;
	struct message *m;

	if (c->closed || c->failed || path_size + token_size > XENSTORE_PAYLOAD_MAX)
		return;
	m = message_new(XS_WATCH_EVENT, path_size + token_size);
	if (!m || conn_too_large(c, message_cost(m))) {
		lose(c, m);
		return;
	}
	memcpy(m->payload, path, path_size);
	memcpy(m->payload + path_size, e->token, token_size);
	if (on_its_way(c, e, m)) {
		free(m);
		return;
	}
	m->watch = e;
	queue(c, m);
}

bool conn_too_large(const struct conn *c, size_t more)
{
	uint64_t held = c->who.held + more;

	if (c->who.privileged)
		return held > TOOL_HELD_MAX;
	return held + tree_owned(&c->store->tree, c->who.domid).bytes > c->store->quotas.memory;
}

const char *conn_output(const struct conn *c, size_t *len)
{
	const struct message *m = TAILQ_FIRST(&c->out);

	if (!m)
		return NULL;
	*len = m->size - m->sent;
	return (const char *)&m->header + m->sent;
}

unsigned conn_outputs(const struct conn *c, struct iovec *pieces, unsigned max)
{
	struct message *m;
	unsigned n = 0;

	TAILQ_FOREACH (m, &c->out, link) {
		if (n == max)
			break;
		pieces[n++] = (struct iovec){(char *)&m->header + m->sent, m->size - m->sent};
	}
	return n;
}

void conn_sent(struct conn *c, size_t len)
{
	struct message *m = TAILQ_FIRST(&c->out), *next;

	for (; len; m = next) {
		size_t part = m->size - m->sent < len ? m->size - m->sent : len;

		next = TAILQ_NEXT(m, link);
		m->sent += part;
		len -= part;
		if (m->sent == m->size)
			drop(c, m);
	}
}

/*
 * Input.
 */

bool conn_wants_input(const struct conn *c)
{
	unsigned most = c->who.privileged ? TOOL_ANSWERS : c->store->quotas.outstanding;

	return !c->closed && !c->failed && c->answers < most;
}

/* Take what belongs to [have, end) of the request. */
static size_t fill(struct conn *c, void *to, unsigned start, unsigned end, const char *bytes,
		   size_t len)
{
	size_t n = end - c->have;

	if (n > len)
		n = len;
	memcpy((char *)to + (c->have - start), bytes, n);
	c->have += n;
	return n;
}

/* Bytes of at most one request. */
static size_t take(struct conn *c, const char *bytes, size_t len)
{
	const unsigned head = sizeof(c->header);
	size_t taken = 0;

	if (c->have < head) {
		taken = fill(c, &c->header, 0, head, bytes, len);
		if (c->have < head)
			return taken;
		if (c->header.len > XENSTORE_PAYLOAD_MAX) {
			fail(c, XENSTORE_ERROR_PROTO);
			return taken;
		}
	}
	taken += fill(c, c->payload, head, head + c->header.len, bytes + taken, len - taken);
	if (c->have < head + c->header.len)
		return taken;
	c->payload[c->header.len] = '\0';
	c->have = 0;
	wire_serve(c);
	return taken;
}

size_t conn_input(struct conn *c, const char *bytes, size_t len)
{
	size_t taken = 0;

	while (taken < len && conn_wants_input(c))
		taken += take(c, bytes + taken, len - taken);
	return taken;
}

/*
 * Watches and transactions.
 */

static size_t watch_size(const struct store_watch_entry *e)
{
	return sizeof(*e) + strlen(e->path) + strlen(e->token);
}

struct store_watch_entry *conn_watch(struct conn *c, const char *path, const char *token)
{
	struct store_watch_entry *e = watch_add(&c->watcher, path, token);

	if (e)
		c->who.held += watch_size(e);
	return e;
}

void conn_unwatch(struct conn *c, struct store_watch_entry *e)
{
	struct message *m;

	if (e->pending)
		TAILQ_FOREACH (m, &c->out, link)
			if (m->watch == e)
				m->watch = NULL;
	c->who.held -= watch_size(e);
	watch_remove(e);
}

void conn_unwatch_all(struct conn *c)
{
	struct store_watch_entry *e = TAILQ_FIRST(&c->watcher.watches), *next;

	for (; e; e = next) {
		next = TAILQ_NEXT(e, link);
		conn_unwatch(c, e);
	}
}

struct transaction *conn_transaction(struct conn *c, uint32_t id)
{
	struct transaction *t;

	TAILQ_FOREACH (t, &c->transactions, link)
		if (t->id == id)
			return t;
	return NULL;
}

struct transaction *conn_start_transaction(struct conn *c)
{
	struct transaction *t = transaction_start(c->store, &c->who);

	if (!t)
		return NULL;
	do
		t->id = ++c->next_transaction;
	while (!t->id || conn_transaction(c, t->id));
	TAILQ_INSERT_TAIL(&c->transactions, t, link);
	c->nr_transactions++;
	return t;
}

void conn_take_transaction(struct conn *c, struct transaction *t)
{
	TAILQ_REMOVE(&c->transactions, t, link);
	c->nr_transactions--;
}

void conn_discard_transactions(struct conn *c)
{
	struct transaction *t = TAILQ_FIRST(&c->transactions), *next;

	for (; t; t = next) {
		next = TAILQ_NEXT(t, link);
		conn_take_transaction(c, t);
		transaction_discard(t);
	}
}

/*
 * Its life.
 */

void conn_open(struct conn *c, struct store *s, domid_t domid, bool tool,
	       void (*wake)(struct conn *c))
{
	*c = (struct conn){
		.store = s,
		.who = {.domid = domid, .privileged = !domid},
		.tool = tool,
		.wake = wake,
		.watcher = {.who = &c->who, .event = watch_event},
	};
	snprintf(c->home, sizeof(c->home), "/local/domain/%u", domid);
	TAILQ_INIT(&c->transactions);
	TAILQ_INIT(&c->out);
	watcher_add(s, &c->watcher);
	TAILQ_INSERT_TAIL(&s->conns, c, link);
}

void conn_reset(struct conn *c)
{
	conn_discard_transactions(c);
	drop_all(c);
	conn_unwatch_all(c);
	c->have = 0;
	c->failed = XENSTORE_ERROR_NONE;
	c->reintroduced = false;
}

void conn_stop(struct conn *c, uint32_t error)
{
	conn_reset(c);
	c->failed = error;
}

void conn_shut(struct conn *c)
{
	conn_reset(c);
	c->closed = true;
}

void conn_close(struct conn *c)
{
	conn_reset(c);
	watcher_remove(c->store, &c->watcher);
	TAILQ_REMOVE(&c->store->conns, c, link);
}

struct conn *conn_of(struct store *s, domid_t domid)
{
	struct conn *c;

	TAILQ_FOREACH (c, &s->conns, link)
		if (!c->tool && c->who.domid == domid)
			return c;
	return NULL;
}
