// SPDX-License-Identifier: BSD-2-Clause
/*
 * A tool and two domains with small quotas send requests, whole ones and bytes; answers are taken
 * as the input says, allocations fail when it says so. After each step the books are checked, and
 * each commit against what it should have done (wire_fuzz.h). At the end nothing is left.
 */
#include "host/xenstore/wire_fuzz.h"

#include "host/xenstore/test_loop.h"
#include "shim/fuzz_input.h"
#include "shim/memslot/fail_alloc.h"

#define CONNS   3
#define RECORDS 4

static const struct quotas small = {
	.nodes = 12,
	.watches = 4,
	.transactions = 3,
	.outstanding = 4,
	.transaction_nodes = 10,
	.memory = 8192,
	.node_size = 128,
	.permissions = 3,
};

struct subject {
	struct loop loop;
	struct store *store;
	struct conn conns[CONNS];
	struct record records[CONNS][RECORDS];
	unsigned fail_at; /* this allocation of the next request fails; 0: none */
	uint32_t req_id;
};

static const char *const paths[] = {
	"/",
	"/a",
	"/a/b",
	"/a/b/c",
	"/a/bb",
	"/d",
	"x",
	"x/y",
	"x/y/z",
	"//",
	"/local/domain/1",
	"/d/e/f",
	"/a/b/",
	"/tool",
	"/a-",
	"@releaseDomain",
};

static void wake(struct conn *c)
{
	(void)c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(struct subject *s)
{
	struct problem p;

	if (loop_init(&s->loop) || !(s->store = store_create(&s->loop, &p)))
		fail("no store\n");
	s->store->quotas = small;
	store_introduce(s->store, 1);
	store_introduce(s->store, 2);
	for (int i = 0; i < CONNS; i++)
		conn_open(&s->conns[i], s->store, i, !i, wake);
	store_mkdir(s->store, "/a");
	store_set_perms(s->store, "/a", &(struct store_perm){0, STORE_READ_WRITE}, 1);
	store_mkdir(s->store, "/local/domain/1");
	store_set_perms(s->store, "/local/domain/1", &(struct store_perm){1, STORE_READ}, 1);
}

static void forget(struct record records[RECORDS])
{
	for (int i = 0; i < RECORDS; i++)
		record_end(&records[i]);
}

static void end(struct subject *s)
{
	for (int i = 0; i < CONNS; i++) {
		forget(s->records[i]);
		conn_close(&s->conns[i]);
		if (s->conns[i].who.held)
			fail("domain %d still has %lu bytes\n", i, s->conns[i].who.held);
	}
	store_destroy(s->store);
	loop_destroy(&s->loop);
}

/*
 * The books.
 */

static void check_conn(const struct conn *c, const struct quotas *q)
{
	const struct transaction *t;
	const struct message *m;
	const struct store_watch_entry *e;
	uint64_t held = 0;
	unsigned answers = 0, transactions = 0, watches = 0;

	TAILQ_FOREACH (m, &c->out, link) {
		held += message_cost(m);
		answers += m->answer;
	}
	TAILQ_FOREACH (t, &c->transactions, link) {
		held += t->held;
		transactions++;
		if (!tree_check(&t->tree))
			fail("a transaction's tree is broken\n");
		if (!c->who.privileged && t->nr_accessed > q->transaction_nodes)
			fail("a transaction looks at too much\n");
	}
	TAILQ_FOREACH (e, &c->watcher.watches, link) {
		held += sizeof(*e) + strlen(e->path) + strlen(e->token);
		watches++;
	}
	if (held != c->who.held || answers != c->answers || transactions != c->nr_transactions ||
	    watches != c->watcher.nr_watches)
		fail("the books of domain %u are wrong\n", c->who.domid);
	if (!c->who.privileged &&
	    (watches > q->watches || transactions > q->transactions || answers > q->outstanding))
		fail("domain %u has too much\n", c->who.domid);
}

static void check(const struct subject *s)
{
	if (!tree_check(&s->store->tree))
		fail("the tree is broken\n");
	for (int i = 0; i < CONNS; i++)
		check_conn(&s->conns[i], &small);
}

/*
 * Requests.
 */

/* Each in the form of a command that has it. */
static size_t payload(struct input *in, uint32_t type, char to[256])
{
	const char *path = paths[take(in, 1) % (sizeof(paths) / sizeof(*paths))];
	size_t len = strlen(path) + 1, more = take(in, 1) % 64;

	memcpy(to, path, len);
	switch (type) {
	case XS_WRITE:
		memset(to + len, 'v', more);
		return len + more;
	case XS_SET_PERMS:
		for (size_t i = 0; i < more % 5; i++)
			len += sprintf(to + len, "%c%u", "nrwb"[take(in, 1) % 4],
				       (unsigned)take(in, 1) % 3) +
			       1;
		return len;
	case XS_WATCH:
	case XS_UNWATCH:
		len += sprintf(to + len, "t%zu", more % 4) + 1;
		if (more > 40)
			len += sprintf(to + len, "%zu", more % 3) + 1;
		return len;
	case XS_DIRECTORY_PART:
		return len + sprintf(to + len, "%zu", more) + 1;
	case XS_TRANSACTION_START:
		return 1;
	case XS_TRANSACTION_END:
		memcpy(to, more % 4 ? "T" : "F", 2);
		return 2;
	case XS_SET_TARGET:
		return sprintf(to, "%zu%c%zu", more % 3, 0, more / 4 % 3) + 1;
	default:
		return len;
	}
}

static uint32_t some_transaction(struct input *in, const struct conn *c)
{
	unsigned n = take(in, 1) % 5;
	const struct transaction *t;

	if (n == 4)
		return 77777;
	TAILQ_FOREACH (t, &c->transactions, link)
		if (n-- == 1)
			return t->id;
	return 0;
}

static struct record *record_of(struct record *records, uint32_t tx)
{
	for (int i = 0; i < RECORDS; i++)
		if (records[i].tx == tx)
			return &records[i];
	return NULL;
}

/* The answer to the last request, which is the last answer in the queue. */
static const struct message *last_answer(const struct conn *c)
{
	const struct message *m, *last = NULL;

	TAILQ_FOREACH (m, &c->out, link)
		if (m->answer)
			last = m;
	return last;
}

static void put(struct subject *s, struct conn *c, const struct xsd_sockmsg *header,
		const char *bytes)
{
	conn_input(c, (const char *)header, sizeof(*header));
	fail_alloc(s->fail_at);
	conn_input(c, bytes, header->len);
	fail_alloc(0);
	s->fail_at = 0;
}

/* What it was told about one request in a transaction, or the beginning of one. */
static void note(struct record *records, const struct conn *c, const char *bytes)
{
	const struct message *m = last_answer(c);
	struct record *r;

	if (!m || m->header.req_id != c->header.req_id)
		return; /* no memory for an answer */
	if (c->header.type == XS_TRANSACTION_START && m->header.type == XS_TRANSACTION_START) {
		r = record_of(records, 0);
		if (r)
			record_begin(r, strtoul(m->payload, NULL, 10));
		return;
	}
	r = c->header.tx_id ? record_of(records, c->header.tx_id) : NULL;
	if (r)
		record_add(r, c, bytes, &m->header, m->payload);
}

static bool committed(const struct conn *c, uint32_t req_id)
{
	const struct message *m = last_answer(c);

	return m && m->header.req_id == req_id && m->header.type == XS_TRANSACTION_END;
}

static void finish(struct subject *s, struct conn *c, struct record *r,
		   const struct xsd_sockmsg *header, const char *bytes)
{
	struct shadow shadow;
	bool look = r && !r->full && *bytes == 'T';

	if (look)
		shadow_begin(&shadow, s->store, c);
	put(s, c, header, bytes);
	if (look && committed(c, header->req_id))
		shadow_compare(&shadow, r, &s->store->tree);
	if (look)
		shadow_end(&shadow);
	if (r && !conn_transaction(c, header->tx_id))
		record_end(r);
}

static void request(struct subject *s, struct conn *c, struct record *records, struct input *in)
{
	char bytes[256] = "";
	struct xsd_sockmsg header = {.type = take(in, 1) % (XS_TYPE_COUNT + 1),
				     .req_id = ++s->req_id};
	unsigned nodes = tree_owned(&s->store->tree, c->who.domid).nodes;

	/* It must take this one, and begin with it. */
	if (!conn_wants_input(c) || c->have)
		return;
	header.tx_id = some_transaction(in, c);
	header.len = payload(in, header.type, bytes);
	/* These end connections, or write to stderr. */
	if (header.type == XS_CONTROL)
		return;
	if (header.type == XS_TRANSACTION_END) {
		finish(s, c, record_of(records, header.tx_id), &header, bytes);
	} else {
		put(s, c, &header, bytes);
		note(records, c, bytes);
	}
	if (header.type == XS_RESET_WATCHES)
		forget(records);
	if (header.type == XS_SET_TARGET) /* rights are not what they were */
		for (int i = 0; i < CONNS; i++)
			forget(s->records[i]);
	if (!c->who.privileged && tree_owned(&s->store->tree, c->who.domid).nodes > nodes &&
	    tree_owned(&s->store->tree, c->who.domid).nodes > small.nodes)
		fail("domain %u makes too many nodes\n", c->who.domid);
}

/* Bytes as they come: what is in flight is not written down, and its transactions no more. */
static void raw(struct conn *c, struct record *records, struct input *in)
{
	char bytes[64];
	size_t n = take(in, 1) % sizeof(bytes);

	for (size_t i = 0; i < n; i++)
		bytes[i] = take(in, 1);
	forget(records);
	conn_discard_transactions(c);
	conn_input(c, bytes, n);
}

static void take_output(struct conn *c, struct input *in)
{
	size_t n = take(in, 2), len;

	while (n && conn_output(c, &len)) {
		const struct message *m = TAILQ_FIRST(&c->out);

		if (m->header.len > XENSTORE_PAYLOAD_MAX || m->sent >= m->size)
			fail("a message is too long\n");
		len = len < n ? len : n;
		conn_sent(c, len);
		n -= len;
	}
}

static void reset(struct conn *c, struct record *records)
{
	forget(records);
	conn_reset(c);
}

static void step(struct subject *s, struct input *in)
{
	unsigned which = take(in, 1);
	unsigned i = which % CONNS;
	struct conn *c = &s->conns[i];

	switch (which / CONNS % 10) {
	case 0:
		take_output(c, in);
		break;
	case 1:
		if (i) /* domain 0 could change the quotas */
			raw(c, s->records[i], in);
		break;
	case 2:
		reset(c, s->records[i]);
		break;
	case 3:
		s->fail_at = take(in, 1);
		break;
	case 4:
		if (!store_introduce(s->store, 9))
			store_release(s->store, 9);
		break;
	default:
		request(s, c, s->records[i], in);
	}
	if (c->failed)
		reset(c, s->records[i]);
	check(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct subject *s = calloc(1, sizeof(*s));
	long before = fail_alloc_live();

	if (!s)
		abort();
	start(s);
	while (in.left)
		step(s, &in);
	end(s);
	if (fail_alloc_live() != before)
		fail("%ld allocations are left\n", fail_alloc_live() - before);
	free(s);
	return 0;
}
