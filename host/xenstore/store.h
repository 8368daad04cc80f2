/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore of a guest's process, as its own backends and toolstack use it: with the rights of
 * domain 0 and without a connection. Guests and tools speak the wire protocol (wire.h) to the same
 * tree.
 *
 * Everything here is for the event loop's thread. Watches fire from the loop, after the change is
 * complete: never inside the call that made it. Paths are absolute. Functions return 0 or -errno:
 * -ENOENT, -EINVAL (no legal path), -ENOMEM, -EEXIST, -E2BIG (value longer than
 * XENSTORE_PAYLOAD_MAX).
 */
#ifndef HOST_XENSTORE_STORE_H
#define HOST_XENSTORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/loop.h"
#include "host/problem.h"
#include "xen-abi/xen.h"

struct store;

/* An empty store: "/", "/tool/xenstored" and "/local/domain". NULL with the reason. */
struct store *store_create(struct loop *loop, struct problem *p);
/* Its connections are closed before. Not from within fired(). */
void store_destroy(struct store *s);

/* Who may do what with a node: the first is its owner, with the rights of all others. */
enum store_right {
	STORE_NONE,
	STORE_READ,
	STORE_WRITE,
	STORE_READ_WRITE,
};
struct store_perm {
	domid_t domid;
	enum store_right right;
};

/* The value, 0-terminated (it may hold zeros; *len, which may be NULL, counts without the last),
 * to be freed; NULL: errno says why. */
char *store_read(struct store *s, const char *path, size_t *len);
/* A decimal number in the node. -EINVAL: it is none, or does not fit. */
int store_read_uint(struct store *s, const char *path, uint64_t *value);
bool store_exists(struct store *s, const char *path);
/* The names of the children, NULL-terminated, to be freed in one piece; NULL: errno says why. */
char **store_list(struct store *s, const char *path, unsigned *count);

int store_write(struct store *s, const char *path, const char *value);
int store_writef(struct store *s, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int store_mkdir(struct store *s, const char *path);
/* With all below. -ENOENT: it is not there. -EINVAL: also "/". */
int store_rm(struct store *s, const char *path);
int store_set_perms(struct store *s, const char *path, const struct store_perm *perms, unsigned n);

/* Owned by the caller; must stay in place while it is set. Also tells of what changes below. */
struct store_watch {
	void (*fired)(void *opaque, const char *path);
	void *opaque;
	struct store_watch_entry *entry; /* the store's own */
};

/* Fires once at first, as every watch does. `path` may be "@introduceDomain" or "@releaseDomain".
 */
int store_watch(struct store *s, struct store_watch *w, const char *path);
void store_unwatch(struct store *s, struct store_watch *w);

/*
 * Domains. Introduced: GET_DOMAIN_PATH knows it, @introduceDomain fires. Released: its connection,
 * watches and transactions go, @releaseDomain fires; nodes that belong to it stay its.
 */
int store_introduce(struct store *s, domid_t domid);
/* It runs no more, but is still there (it has crashed, or shut down): @releaseDomain fires. */
void store_domain_stopped(struct store *s, domid_t domid);
void store_release(struct store *s, domid_t domid);

/* store_ring.h has the guest's connection, store_socket.h the tools'. */

#endif
