// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/xenbus.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any node of a device. */
#define PATH_MAX_NODE 256

static int node_path(char *path, const char *folder, const char *name)
{
	int n = snprintf(path, PATH_MAX_NODE, "%s/%s", folder, name);

	return n < PATH_MAX_NODE ? 0 : -EINVAL;
}

static int write_node(struct xenbus_device *dev, const char *folder, const char *name,
		      const char *fmt, va_list args)
{
	char path[PATH_MAX_NODE], value[XENSTORE_PAYLOAD_MAX];
	int rc = node_path(path, folder, name);

	if (!rc && vsnprintf(value, sizeof(value), fmt, args) >= (int)sizeof(value))
		rc = -E2BIG;
	return rc ? rc : store_write(dev->store, path, value);
}

int xenbus_write_back(struct xenbus_device *dev, const char *name, const char *fmt, ...)
{
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = write_node(dev, dev->back, name, fmt, args);
	va_end(args);
	return rc;
}

int xenbus_write_front(struct xenbus_device *dev, const char *name, const char *fmt, ...)
{
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = write_node(dev, dev->front, name, fmt, args);
	va_end(args);
	return rc;
}

int xenbus_read_front(struct xenbus_device *dev, const char *name, uint64_t max, uint64_t *value)
{
	char path[PATH_MAX_NODE];
	uint64_t v;
	int rc = node_path(path, dev->front, name);

	if (!rc)
		rc = store_read_uint(dev->store, path, &v);
	if (rc)
		return rc;
	if (v > max)
		return -EINVAL;
	*value = v;
	return 0;
}

char *xenbus_read_front_string(struct xenbus_device *dev, const char *name)
{
	char path[PATH_MAX_NODE];

	return node_path(path, dev->front, name) ? NULL : store_read(dev->store, path, NULL);
}

static void show_state(struct xenbus_device *dev, enum xenbus_state state)
{
	dev->back_state = state;
	xenbus_write_back(dev, "state", "%d", state);
}

static void disconnect(struct xenbus_device *dev)
{
	if (!dev->connected)
		return;
	dev->connected = false;
	dev->ops->disconnect(dev);
}

static void offer(struct xenbus_device *dev)
{
	disconnect(dev);
	dev->ops->advertise(dev);
	show_state(dev, XenbusStateInitWait);
}

/* Where Linux's and Xen's own backends leave it: below "error" of the domain that found it. */
static void tell_error(struct xenbus_device *dev, const char *text)
{
	char path[PATH_MAX_NODE];

	fprintf(stderr, "xenolith: %s %u of domain %u: %s\n", dev->ops->type, dev->id,
		dev->domain->id, text);
	snprintf(path, sizeof(path), "/local/domain/0/error/backend/%s/%u/%u/error", dev->ops->type,
		 dev->domain->id, dev->id);
	store_write(dev->store, path, text);
}

static void fail(struct xenbus_device *dev, const char *text)
{
	tell_error(dev, text);
	disconnect(dev);
	show_state(dev, XenbusStateClosing);
}

void xenbus_fatal(struct xenbus_device *dev, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fail(dev, text);
}

static void connect(struct xenbus_device *dev)
{
	struct problem p;

	if (dev->connected || dev->back_state != XenbusStateInitWait)
		return;
	if (dev->ops->connect(dev, &p)) {
		fail(dev, p.text);
		return;
	}
	dev->connected = true;
	show_state(dev, XenbusStateConnected);
}

static void remove_folders(struct xenbus_device *dev)
{
	store_unwatch(dev->store, &dev->front_watch);
	store_rm(dev->store, dev->front);
	store_rm(dev->store, dev->back);
}

/* The frontend has let go, or its folder is gone. */
static void closed(struct xenbus_device *dev)
{
	disconnect(dev);
	if (dev->back_state != XenbusStateClosed)
		show_state(dev, XenbusStateClosed);
	if (!dev->removing)
		return;
	dev->removing = false;
	remove_folders(dev);
	dev->removed(dev);
}

static void front_state_changed(struct xenbus_device *dev, enum xenbus_state state)
{
	dev->front_state = state;
	switch (state) {
	case XenbusStateInitialising:
		/* A driver that begins, for the first time or again. */
		if (dev->removing)
			closed(dev);
		else if (dev->back_state != XenbusStateInitWait)
			offer(dev);
		break;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		if (!dev->removing)
			connect(dev);
		break;
	case XenbusStateClosing:
		disconnect(dev);
		if (dev->back_state != XenbusStateClosed)
			show_state(dev, XenbusStateClosing);
		break;
	case XenbusStateClosed:
	case XenbusStateUnknown:
		closed(dev);
		break;
	default:
		break;
	}
}

static void front_fired(void *opaque, const char *path)
{
	struct xenbus_device *dev = opaque;
	size_t folder = strlen(dev->front);
	uint64_t state;

	if (xenbus_read_front(dev, "state", XenbusStateReconfigured, &state))
		state = XenbusStateUnknown;
	if ((enum xenbus_state)state != dev->front_state)
		front_state_changed(dev, state);
	else if (dev->connected && dev->ops->front_changed && strlen(path) > folder)
		dev->ops->front_changed(dev, path + folder + 1);
}

/* The folders as libxl makes them: each side may read the other's. */
static int make_folders(struct xenbus_device *dev)
{
	domid_t domid = dev->domain->id;
	const struct store_perm front[] = {{domid, STORE_NONE}, {0, STORE_READ}};
	const struct store_perm back[] = {{0, STORE_NONE}, {domid, STORE_READ}};
	struct store *s = dev->store;
	int rc;

	store_rm(s, dev->front);
	store_rm(s, dev->back);
	rc = store_mkdir(s, dev->back);
	if (!rc)
		rc = store_set_perms(s, dev->back, back, ARRAY_SIZE(back));
	if (!rc)
		rc = xenbus_write_back(dev, "frontend", "%s", dev->front);
	if (!rc)
		rc = xenbus_write_back(dev, "frontend-id", "%u", domid);
	if (!rc)
		rc = xenbus_write_back(dev, "online", "1");
	if (!rc)
		rc = store_mkdir(s, dev->front);
	if (!rc)
		rc = store_set_perms(s, dev->front, front, ARRAY_SIZE(front));
	if (!rc)
		rc = xenbus_write_front(dev, "backend", "%s", dev->back);
	if (!rc)
		rc = xenbus_write_front(dev, "backend-id", "0");
	return rc;
}

/* The frontend's state comes last: from then on the guest acts on the device. */
static int show(struct xenbus_device *dev)
{
	int rc = make_folders(dev);

	if (rc)
		return rc;
	dev->front_state = XenbusStateInitialising;
	offer(dev);
	return xenbus_write_front(dev, "state", "%d", XenbusStateInitialising);
}

int xenbus_add(struct xenbus_device *dev, const struct xenbus_ops *ops, struct store *store,
	       struct domain *d, unsigned id, struct problem *p)
{
	int rc;

	*dev = (struct xenbus_device){
		.ops = ops,
		.store = store,
		.domain = d,
		.id = id,
		.front_watch = {.fired = front_fired, .opaque = dev},
	};
	snprintf(dev->front, sizeof(dev->front), "/local/domain/%u/device/%s/%u", d->id, ops->type,
		 id);
	snprintf(dev->back, sizeof(dev->back), "/local/domain/0/backend/%s/%u/%u", ops->type, d->id,
		 id);
	if (store_exists(store, dev->back))
		return problem(p, "domain %u has a %s %u already", d->id, ops->type, id);
	rc = show(dev);
	if (!rc)
		rc = store_watch(store, &dev->front_watch, dev->front);
	if (!rc)
		return 0;
	store_rm(store, dev->front);
	store_rm(store, dev->back);
	return problem(p, "cannot show %s %u in the store: %s", ops->type, id, strerror(-rc));
}

void xenbus_detach(struct xenbus_device *dev, void (*removed)(struct xenbus_device *dev))
{
	dev->removed = removed;
	dev->removing = true;
	xenbus_write_back(dev, "online", "0");
	/* A frontend without a driver will never answer. */
	if (!dev->connected)
		closed(dev);
	else
		show_state(dev, XenbusStateClosing);
}

void xenbus_remove(struct xenbus_device *dev)
{
	disconnect(dev);
	remove_folders(dev);
}

void xenbus_reset(struct xenbus_device *dev)
{
	int rc;

	if (dev->removing) {
		closed(dev);
		return;
	}
	disconnect(dev);
	rc = show(dev);
	if (rc)
		tell_error(dev, strerror(-rc));
}
