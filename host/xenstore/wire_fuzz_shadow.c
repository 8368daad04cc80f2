// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/wire_fuzz.h"

#include "shim/fuzz_input.h"

void record_begin(struct record *r, uint32_t tx)
{
	record_end(r);
	r->tx = tx;
}

static char *copy(const char *bytes, size_t len)
{
	char *p = malloc(len + 1);

	if (!p)
		abort();
	memcpy(p, bytes, len);
	return p;
}

/* What a transaction is about; DIRECTORY_PART's answer has a generation in it. */
static bool is_about_nodes(uint32_t type, const char *payload)
{
	switch (type) {
	case XS_DIRECTORY:
	case XS_READ:
	case XS_GET_PERMS:
	case XS_WRITE:
	case XS_MKDIR:
	case XS_RM:
		return true;
	case XS_SET_PERMS:
		return payload[0] != '@';
	default:
		return false;
	}
}

void record_add(struct record *r, const struct conn *c, const char *payload,
		const struct xsd_sockmsg *answer, const char *answer_payload)
{
	if (!is_about_nodes(c->header.type, payload))
		return;
	if (r->n == RECORD_MAX) {
		r->full = true;
		return;
	}
	r->list[r->n++] = (struct recorded){
		.type = c->header.type,
		.len = c->header.len,
		.payload = copy(payload, c->header.len),
		.answer_type = answer->type,
		.answer_len = answer->len,
		.answer = copy(answer_payload, answer->len),
	};
}

void record_end(struct record *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		free(r->list[i].payload);
		free(r->list[i].answer);
	}
	r->tx = r->n = 0;
	r->full = false;
}

static void wake(struct conn *c)
{
	(void)c;
}

void shadow_begin(struct shadow *s, const struct store *of, const struct conn *c)
{
	struct problem p;

	if (loop_init(&s->loop) || !(s->store = store_create(&s->loop, &p)))
		fail("no shadow\n");
	tree_destroy(&s->store->tree);
	if (tree_clone(&s->store->tree, &of->tree))
		fail("no clone\n");
	s->store->generation = of->generation;
	s->store->tree.generation = &s->store->generation;
	for (int i = 0; i < SPECIAL_COUNT; i++) {
		perms_put(s->store->special[i]);
		s->store->special[i] = perms_get(of->special[i]);
	}
	/* What it was refused for want of room it is not asked again. */
	s->store->quotas.nodes = s->store->quotas.memory = UINT32_MAX;
	s->store->quotas.transaction_nodes = UINT32_MAX;
	s->store->quotas.node_size = of->quotas.node_size;
	s->store->quotas.permissions = of->quotas.permissions;
	store_introduce(s->store, 1);
	store_introduce(s->store, 2);
	conn_open(&s->conn, s->store, c->who.domid, c->tool, wake);
	s->conn.who.has_target = c->who.has_target;
	s->conn.who.target = c->who.target;
}

void shadow_end(struct shadow *s)
{
	conn_close(&s->conn);
	store_destroy(s->store);
	loop_destroy(&s->loop);
}

static void put(struct shadow *s, uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	const struct xsd_sockmsg header = {.type = type, .tx_id = tx, .len = len};

	conn_input(&s->conn, (const char *)&header, sizeof(header));
	conn_input(&s->conn, payload, len);
}

static const struct message *answer(struct shadow *s)
{
	const struct message *m = TAILQ_FIRST(&s->conn.out);

	if (!m || !m->answer)
		fail("the shadow does not answer\n");
	return m;
}

static void pass_over(struct shadow *s)
{
	size_t len;

	while (conn_output(&s->conn, &len))
		conn_sent(&s->conn, len);
}

static bool for_want_of_room(const struct recorded *r)
{
	return r->answer_type == XS_ERROR &&
	       (!strcmp(r->answer, "ENOSPC") || !strcmp(r->answer, "ENOMEM"));
}

static void repeat(struct shadow *s, uint32_t tx, const struct recorded *r)
{
	const struct message *m;

	if (for_want_of_room(r))
		return;
	put(s, r->type, tx, r->payload, r->len);
	m = answer(s);
	if (m->header.type != r->answer_type || m->header.len != r->answer_len ||
	    memcmp(m->payload, r->answer, r->answer_len))
		fail("command %u of '%s': '%.*s' then, '%.*s' now\n", r->type, r->payload,
		     (int)r->answer_len, r->answer, (int)m->header.len, m->payload);
	pass_over(s);
}

static bool same_perms(const struct perms *a, const struct perms *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->list[i].domid != b->list[i].domid || a->list[i].right != b->list[i].right ||
		    a->list[i].ignored != b->list[i].ignored)
			return false;
	return true;
}

static bool same(const struct node *a, const struct node *b)
{
	if (a == b)
		return true;
	if (strcmp(a->name->bytes, b->name->bytes) != 0 || a->value->len != b->value->len ||
	    memcmp(a->value->bytes, b->value->bytes, a->value->len) != 0 ||
	    !same_perms(a->perms, b->perms) || a->nr_children != b->nr_children)
		return false;
	for (uint32_t i = 0; i < a->nr_children; i++)
		if (!same(a->children[i].node, b->children[i].node))
			return false;
	return true;
}

void shadow_compare(struct shadow *s, const struct record *r, const struct tree *after)
{
	uint32_t tx;

	put(s, XS_TRANSACTION_START, 0, "", 1);
	tx = strtoul(answer(s)->payload, NULL, 10);
	pass_over(s);
	for (unsigned i = 0; i < r->n; i++)
		repeat(s, tx, &r->list[i]);
	put(s, XS_TRANSACTION_END, tx, "T", 2);
	if (answer(s)->header.type != XS_TRANSACTION_END)
		fail("the shadow cannot commit: %s\n", answer(s)->payload);
	pass_over(s);
	if (!tree_check(&s->store->tree))
		fail("the shadow is broken\n");
	if (!same(s->store->tree.root, after->root))
		fail("after the commit the store is not what it should be\n");
}
