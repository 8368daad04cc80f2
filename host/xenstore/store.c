// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/event.h"
#include "host/xenstore/access.h"
#include "host/xenstore/path.h"
#include "host/xenstore/state.h"

static const struct quotas default_quotas = {
	.nodes = 1000,
	.watches = 128,
	.transactions = 10,
	.outstanding = 20,
	.transaction_nodes = 1024,
	.memory = 2560 * 1024,
	.node_size = 2048,
	.permissions = 5,
};

static struct view view(struct store *s)
{
	return (struct view){.store = s, .who = &s->privileged};
}

/*
 * Watches of our own: their events wait for the loop.
 */

static void kick(struct store *s)
{
	event_raise(s->kick.fd);
}

static void own_event(struct watcher *w, struct store_watch_entry *e, const char *path)
{
	struct store *s = (struct store *)((char *)w - offsetof(struct store, own));
	size_t size = strlen(path) + 1;
	struct store_event *event = malloc(sizeof(*event) + size);

	/* Without memory the watch misses it, as xenstored's do. */
	if (!event)
		return;
	event->watch = e;
	memcpy(event->path, path, size);
	if (TAILQ_EMPTY(&s->events))
		kick(s);
	TAILQ_INSERT_TAIL(&s->events, event, link);
}

/* They stay where they are, for deliver() may be on its way through them. */
static void drop_events(struct store *s, const struct store_watch_entry *e)
{
	struct store_event *event;

	TAILQ_FOREACH (event, &s->events, link)
		if (event->watch == e)
			event->watch = NULL;
}

static void free_event(struct store *s, struct store_event *event)
{
	TAILQ_REMOVE(&s->events, event, link);
	free(event);
}

static void free_events(struct store *s)
{
	struct store_event *event = TAILQ_FIRST(&s->events), *next;

	for (; event; event = next) {
		next = TAILQ_NEXT(event, link);
		free_event(s, event);
	}
}

/* Those that are there now: who makes new ones all the time must not keep the loop to himself. */
static void deliver(void *opaque, uint32_t events)
{
	struct store *s = opaque;
	struct store_event marker = {.watch = NULL}, *event, *next;

	(void)events;
	if (!event_take(s->kick.fd))
		return;
	TAILQ_INSERT_TAIL(&s->events, &marker, link);
	for (event = TAILQ_FIRST(&s->events); event != &marker; event = next) {
		struct store_watch *w = event->watch ? event->watch->own : NULL;

		if (w)
			w->fired(w->opaque, event->path);
		next = TAILQ_NEXT(event, link);
		free_event(s, event);
	}
	TAILQ_REMOVE(&s->events, &marker, link);
	if (!TAILQ_EMPTY(&s->events))
		kick(s);
}

int store_watch(struct store *s, struct store_watch *w, const char *path)
{
	struct store_watch_entry *e;

	if (!path_special(path) && !path_valid(path))
		return -EINVAL;
	e = watch_add(&s->own, path, "");
	if (!e)
		return -ENOMEM;
	e->own = w;
	w->entry = e;
	watch_fire_first(e);
	return 0;
}

void store_unwatch(struct store *s, struct store_watch *w)
{
	if (!w->entry)
		return;
	drop_events(s, w->entry);
	watch_remove(w->entry);
	w->entry = NULL;
}

/*
 * The store.
 */

static int make_special(struct store *s)
{
	for (int i = 0; i < SPECIAL_COUNT; i++) {
		s->special[i] = perms_new(1);
		if (!s->special[i])
			return -ENOMEM;
		s->special[i]->list[0] = (struct perm){.domid = 0, .right = STORE_NONE};
	}
	return 0;
}

static int make_first_nodes(struct store *s)
{
	int rc = store_mkdir(s, "/tool/xenstored");

	return rc ? rc : store_mkdir(s, "/local/domain");
}

struct store *store_create(struct loop *loop, struct problem *p)
{
	struct store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		problem(p, "no memory for the xenstore");
		return NULL;
	}
	s->loop = loop;
	s->privileged = (struct caller){.domid = 0, .privileged = true};
	s->quotas = default_quotas;
	s->own = (struct watcher){.who = &s->privileged, .event = own_event};
	TAILQ_INIT(&s->domains);
	TAILQ_INIT(&s->conns);
	TAILQ_INIT(&s->watchers);
	TAILQ_INIT(&s->events);
	watcher_add(s, &s->own);
	if ((rc = loop_event_open(loop, &s->kick, deliver, s)) ||
	    (rc = tree_init(&s->tree, &s->generation)) || (rc = make_special(s)) ||
	    (rc = make_first_nodes(s))) {
		problem(p, "cannot set up the xenstore: %s", strerror(-rc));
		store_destroy(s);
		return NULL;
	}
	return s;
}

void store_destroy(struct store *s)
{
	struct store_domain *d, *next;

	watcher_remove(s, &s->own);
	free_events(s);
	for (d = TAILQ_FIRST(&s->domains); d; d = next) {
		next = TAILQ_NEXT(d, link);
		free(d);
	}
	for (int i = 0; i < SPECIAL_COUNT; i++)
		perms_put(s->special[i]);
	tree_destroy(&s->tree);
	if (s->kick.fd >= 0) {
		loop_unwatch(s->loop, &s->kick);
		close(s->kick.fd);
	}
	free(s);
}

/*
 * Nodes.
 */

char *store_read(struct store *s, const char *path, size_t *len)
{
	struct view v = view(s);
	const struct node *n;
	int rc = access_find(&v, path, RIGHT_READ, &n);
	char *value = rc ? NULL : malloc(n->value->len + 1);

	if (!value) {
		errno = rc ? -rc : ENOMEM;
		return NULL;
	}
	memcpy(value, n->value->bytes, n->value->len + 1);
	if (len)
		*len = n->value->len;
	return value;
}

int store_read_uint(struct store *s, const char *path, uint64_t *value)
{
	struct view v = view(s);
	const struct node *n;
	int rc = access_find(&v, path, RIGHT_READ, &n);
	uint64_t sum = 0;

	if (rc)
		return rc;
	for (uint32_t i = 0; i < n->value->len; i++) {
		unsigned digit = (unsigned char)n->value->bytes[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return -EINVAL;
	}
	if (!n->value->len)
		return -EINVAL;
	*value = sum;
	return 0;
}

bool store_exists(struct store *s, const char *path)
{
	struct view v = view(s);
	const struct node *n;

	return !access_find(&v, path, RIGHT_READ, &n);
}

char **store_list(struct store *s, const char *path, unsigned *count)
{
	struct view v = view(s);
	const struct node *n;
	int rc = access_find(&v, path, RIGHT_READ, &n);
	char **list = NULL, *names;

	if (!rc)
		list = malloc((n->nr_children + 1) * sizeof(*list) + n->names_len);
	if (!list) {
		errno = rc ? -rc : ENOMEM;
		return NULL;
	}
	names = (char *)&list[n->nr_children + 1];
	for (uint32_t i = 0; i < n->nr_children; i++) {
		const struct blob *name = n->children[i].node->name;

		list[i] = memcpy(names, name->bytes, name->len + 1);
		names += name->len + 1;
	}
	list[n->nr_children] = NULL;
	if (count)
		*count = n->nr_children;
	return list;
}

int store_write(struct store *s, const char *path, const char *value)
{
	struct view v = view(s);
	size_t len = strlen(value);

	return len > XENSTORE_PAYLOAD_MAX ? -E2BIG : access_write(&v, path, value, len);
}

int store_writef(struct store *s, const char *path, const char *fmt, ...)
{
	char value[XENSTORE_PAYLOAD_MAX + 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return store_write(s, path, value);
}

int store_mkdir(struct store *s, const char *path)
{
	struct view v = view(s);

	return access_mkdir(&v, path);
}

int store_rm(struct store *s, const char *path)
{
	struct view v = view(s);

	return access_rm(&v, path);
}

int store_set_perms(struct store *s, const char *path, const struct store_perm *perms, unsigned n)
{
	struct view v = view(s);
	struct perms *list;
	int rc;

	if (!n)
		return -EINVAL;
	list = perms_new(n);
	if (!list)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		list->list[i] = (struct perm){.domid = perms[i].domid, .right = perms[i].right & 3};
	rc = access_set_perms(&v, path, list);
	perms_put(list);
	return rc;
}
