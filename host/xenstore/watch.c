// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/path.h"
#include "host/xenstore/state.h"

static const char *const special_names[SPECIAL_COUNT] = {
	[SPECIAL_INTRODUCE] = "@introduceDomain",
	[SPECIAL_RELEASE] = "@releaseDomain",
};

void watcher_add(struct store *s, struct watcher *w)
{
	TAILQ_INIT(&w->watches);
	w->nr_watches = 0;
	TAILQ_INSERT_TAIL(&s->watchers, w, link);
}

void watcher_remove(struct store *s, struct watcher *w)
{
	watch_remove_all(w);
	TAILQ_REMOVE(&s->watchers, w, link);
}

struct store_watch_entry *watch_add(struct watcher *w, const char *path, const char *token)
{
	size_t path_size = strlen(path) + 1, token_size = strlen(token) + 1;
	struct store_watch_entry *e = malloc(sizeof(*e) + path_size + token_size);

	if (!e)
		return NULL;
	*e = (struct store_watch_entry){
		.watcher = w,
		.path = memcpy(e->strings, path, path_size),
		.depth = WATCH_ANY_DEPTH,
		.token = memcpy(e->strings + path_size, token, token_size),
	};
	TAILQ_INSERT_TAIL(&w->watches, e, link);
	w->nr_watches++;
	return e;
}

void watch_remove(struct store_watch_entry *e)
{
	TAILQ_REMOVE(&e->watcher->watches, e, link);
	e->watcher->nr_watches--;
	free(e);
}

void watch_remove_all(struct watcher *w)
{
	struct store_watch_entry *e = TAILQ_FIRST(&w->watches), *next;

	for (; e; e = next) {
		next = TAILQ_NEXT(e, link);
		watch_remove(e);
	}
}

struct store_watch_entry *watch_find(struct watcher *w, const char *path, const char *token)
{
	struct store_watch_entry *e;

	TAILQ_FOREACH (e, &w->watches, link)
		if (!strcmp(e->path, path) && !strcmp(e->token, token))
			return e;
	return NULL;
}

static void tell(struct store_watch_entry *e, const char *path)
{
	e->watcher->event(e->watcher, e, path + e->hidden);
}

void watch_fire_first(struct store_watch_entry *e)
{
	tell(e, e->path);
}

static bool may_read(const struct perms *p, const struct caller *who)
{
	return p && perms_rights(p, who) & RIGHT_READ;
}

/* Who can read it, could read it, or can read the names of its parent's children. */
static bool permitted(const struct change *c, const struct caller *who)
{
	return who->privileged || may_read(c->before, who) || may_read(c->after, who) ||
	       may_read(c->parent, who);
}

static bool within(const char *path, const struct store_watch_entry *e)
{
	if (!path_within(path, e->path))
		return false;
	return e->depth == WATCH_ANY_DEPTH || path_levels(path, e->path) <= (unsigned)e->depth;
}

/* Was what is watched below what has gone, and readable for him? */
static bool has_gone(const struct change *c, const struct store_watch_entry *e)
{
	const char *rest = e->path + strlen(c->path);
	struct node *n = c->gone, *above = NULL;
	const struct caller *who = e->watcher->who;
	const char *name;
	size_t len;

	while (n && (name = path_step(&rest, &len))) {
		above = n;
		n = node_child(n, name, len);
	}
	if (!n || !above)
		return false;
	return who->privileged || may_read(n->perms, who) || may_read(above->perms, who);
}

/*
 * Nobody takes a watch away meanwhile: a watcher's event() only notes it.
 */
void watch_fire(struct store *s, const struct change *c)
{
	struct watcher *w;
	struct store_watch_entry *e;

	TAILQ_FOREACH (w, &s->watchers, link) {
		bool may = permitted(c, w->who);

		TAILQ_FOREACH (e, &w->watches, link) {
			if (may && within(c->path, e))
				tell(e, c->path);
			else if (c->gone && path_within(e->path, c->path) && has_gone(c, e))
				tell(e, e->path);
		}
	}
}

enum special watch_special(const char *path)
{
	int i;

	for (i = 0; i < SPECIAL_COUNT; i++)
		if (!strcmp(path, special_names[i]))
			break;
	return i;
}

void watch_fire_special(struct store *s, enum special what, domid_t domid)
{
	const char *name = special_names[what];
	char with_domid[sizeof("@introduceDomain/65535")];
	struct watcher *w;
	struct store_watch_entry *e;

	snprintf(with_domid, sizeof(with_domid), "%s/%u", name, domid);
	TAILQ_FOREACH (w, &s->watchers, link) {
		if (!may_read(s->special[what], w->who))
			continue;
		TAILQ_FOREACH (e, &w->watches, link) {
			if (!strcmp(e->path, with_domid))
				tell(e, with_domid);
			else if (!strcmp(e->path, name))
				tell(e, e->depth > 0 ? with_domid : name);
		}
	}
}
