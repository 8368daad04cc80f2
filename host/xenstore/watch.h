/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who wants to know what has changed, and telling him. The far ends of watches, connections and the
 * program's own backends, are watchers; each gets its events in the order in which they happen.
 */
#ifndef HOST_XENSTORE_WATCH_H
#define HOST_XENSTORE_WATCH_H

#include <sys/queue.h>

#include "host/xenstore/node.h"

struct store;
struct watcher;

enum special {
	SPECIAL_INTRODUCE,
	SPECIAL_RELEASE,
	SPECIAL_COUNT,
};

#define WATCH_ANY_DEPTH (-1)

struct store_watch_entry {
	TAILQ_ENTRY(store_watch_entry) link;
	struct watcher *watcher;
	const char *path; /* absolute, or special */
	/* How many first bytes of a path its owner is not told: he gave a relative one. */
	unsigned hidden;
	int depth;               /* levels below path that count, or WATCH_ANY_DEPTH */
	const char *token;       /* connections'; ours are empty */
	unsigned pending;        /* events on their way; connections' */
	struct store_watch *own; /* ours */
	char strings[];
};

struct watcher {
	TAILQ_ENTRY(watcher) link;
	TAILQ_HEAD(, store_watch_entry) watches;
	unsigned nr_watches;
	const struct caller *who;
	/* `path` is as its owner is told it. */
	void (*event)(struct watcher *w, struct store_watch_entry *e, const char *path);
};

void watcher_add(struct store *s, struct watcher *w);
/* With all its watches. */
void watcher_remove(struct store *s, struct watcher *w);

/* A watch on an absolute or special path, without the initial event. NULL: no memory. */
struct store_watch_entry *watch_add(struct watcher *w, const char *path, const char *token);
void watch_remove(struct store_watch_entry *e);
struct store_watch_entry *watch_find(struct watcher *w, const char *path, const char *token);
void watch_remove_all(struct watcher *w);
/* The event that each watch begins with. */
void watch_fire_first(struct store_watch_entry *e);

/* A change that is complete. The permissions, where there are any, say who may be told. */
struct change {
	const char *path;
	const struct perms *before, *after; /* of the node; NULL: it was, or is, not there */
	const struct perms *parent;         /* of the one above it */
	struct node *gone;                  /* what was removed with all below it, or NULL */
};
void watch_fire(struct store *s, const struct change *c);

/* A domain has come or gone. */
void watch_fire_special(struct store *s, enum special what, domid_t domid);
/* Which one a path "@..." is: exactly, without a domain. SPECIAL_COUNT: none. */
enum special watch_special(const char *path);

#endif
