/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device of a backend in the store: the life that blkback, netback and their kin share (public
 * header io/xenbus.h, docs/misc/xenstore-paths). Event loop's thread only.
 *
 *	xenbus_add	both folders are written, backend state InitWait
 *	the frontend writes its rings and ports, and state Initialised or Connected
 *	ops->connect	then backend state Connected
 *	the frontend goes (Closing, Closed), the device is removed, or the guest is reset
 *	ops->disconnect	then backend state Closing, Closed; and InitWait again when the frontend
 *begins anew (Initialising)
 */
#ifndef HOST_BACKEND_XENBUS_H
#define HOST_BACKEND_XENBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/xenstore/store.h"
#include "shim/domain.h"

struct xenbus_device;

struct xenbus_ops {
	const char *type; /* "vbd", "vif", "console" */

	/*
	 * Write what the backend offers (features, sizes) with xenbus_write_back(), and what the
	 * frontend is to know with xenbus_write_front(). Before InitWait is shown, each time.
	 */
	void (*advertise)(struct xenbus_device *dev);

	/*
	 * The frontend is ready: read its side with xenbus_read_front() and begin. 0, or -1 with
	 * the reason: it goes to the device's "error" nodes and to stderr, and the device to
	 * Closing. All that was begun is undone.
	 */
	int (*connect)(struct xenbus_device *dev, struct problem *p);

	/* Stop, give everything of the guest's back; after each connect that succeeded. */
	void (*disconnect)(struct xenbus_device *dev);

	/* May be NULL. A node of the frontend's other than its state has changed (its path below
	 * the front folder), while connected. */
	void (*front_changed)(struct xenbus_device *dev, const char *name);
};

/* Embedded in the backend's own structure; owned by the caller; in place until xenbus_remove. */
struct xenbus_device {
	const struct xenbus_ops *ops;
	struct store *store;
	struct domain *domain;
	unsigned id;              /* 51712 for xvda, 0 for the first vif */
	char front[96], back[96]; /* folders in the store */
	enum xenbus_state front_state, back_state;
	bool connected, removing;
	void (*removed)(struct xenbus_device *dev); /* of xenbus_detach */
	void *opaque;                               /* for that */
	struct store_watch front_watch;
};

/*
 * Fill in *dev and show the device to the guest: /local/domain/N/device/TYPE/ID and
 * /local/domain/0/backend/TYPE/N/ID. 0, or -1 with the reason.
 */
int xenbus_add(struct xenbus_device *dev, const struct xenbus_ops *ops, struct store *store,
	       struct domain *d, unsigned id, struct problem *p);

/*
 * detach: ask the frontend to let go (backend state Closing, "online" 0); removed() is called once
 * it has and the folders are gone, which is within this call if no frontend is connected. remove:
 * at once, whatever the frontend does; removed() is not called.
 */
void xenbus_detach(struct xenbus_device *dev, void (*removed)(struct xenbus_device *dev));
void xenbus_remove(struct xenbus_device *dev);

/*
 * The guest has begun anew (soft reset): disconnect, and offer the device as at first; one that is
 * being detached goes now, as nobody is left to be asked (removed() within this call). No vCPU
 * runs.
 */
void xenbus_reset(struct xenbus_device *dev);

/*
 * Something of the guest's side is beyond use (a ring that makes no sense): disconnect, say why in
 * the store's error nodes and on stderr, state Closing. The process goes on. From the loop's
 * thread.
 */
void xenbus_fatal(struct xenbus_device *dev, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Nodes in the device's own folders. 0 or -errno. */
int xenbus_write_back(struct xenbus_device *dev, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int xenbus_write_front(struct xenbus_device *dev, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* -ENOENT, -EINVAL (no number, or above max). */
int xenbus_read_front(struct xenbus_device *dev, const char *name, uint64_t max, uint64_t *value);
/* To be freed; NULL: it is not there. */
char *xenbus_read_front_string(struct xenbus_device *dev, const char *name);

#endif
