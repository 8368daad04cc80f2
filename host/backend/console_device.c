// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/console_device.h"

#include <stddef.h>

static struct console_device *device_of(struct xenbus_device *bus)
{
	return (struct console_device *)((char *)bus - offsetof(struct console_device, bus));
}

/* As libxl writes them for consoles that the device model serves. */
static void advertise(struct xenbus_device *bus)
{
	const struct console_device *c = device_of(bus);

	xenbus_write_front(bus, "limit", "1048576");
	xenbus_write_front(bus, "type", "ioemu");
	xenbus_write_front(bus, "output", c->tty ? "pty" : "chardev:socket");
	xenbus_write_front(bus, "protocol", "vt100");
	if (c->name)
		xenbus_write_front(bus, "name", "%s", c->name);
	if (c->connection)
		xenbus_write_front(bus, "connection", "%s", c->connection);
	if (c->tty)
		xenbus_write_front(bus, "tty", "%s", c->tty);
}

static int connect(struct xenbus_device *bus, struct problem *p)
{
	struct console_device *c = device_of(bus);
	struct console_ring ring = {0};
	uint64_t ref, port;

	if (xenbus_read_front(bus, "ring-ref", UINT32_MAX, &ref) ||
	    xenbus_read_front(bus, "port", UINT32_MAX, &port))
		return problem(p, "the frontend has written no ring-ref or no port");
	if (grant_map(bus->domain, ref, true, &c->ring) != GNTST_okay)
		return problem(p, "the frontend does not grant its ring (ring-ref %u)",
			       (unsigned)ref);
	ring.hva = c->ring.hva;
	ring.port = port;
	if (console_open(&c->console, c->loop, bus->domain, &ring, c->in_fd, c->out_fd, p)) {
		grant_unmap(bus->domain, &c->ring, true);
		return -1;
	}
	console_set_hung_up(&c->console, c->hung_up, c->opaque);
	if (!console_keep(&c->console, -1))
		return 0;
	console_close(&c->console);
	grant_unmap(bus->domain, &c->ring, true);
	return problem(p, "no memory for the console's output");
}

static void disconnect(struct xenbus_device *bus)
{
	struct console_device *c = device_of(bus);

	console_close(&c->console);
	grant_unmap(bus->domain, &c->ring, true);
}

static const struct xenbus_ops ops = {
	.type = "console",
	.advertise = advertise,
	.connect = connect,
	.disconnect = disconnect,
};

int console_device_add(struct console_device *c, struct loop *loop, struct store *store,
		       struct domain *d, unsigned id, struct problem *p)
{
	c->loop = loop;
	return xenbus_add(&c->bus, &ops, store, d, id, p);
}

void console_device_attach(struct console_device *c, int in_fd, int out_fd)
{
	c->in_fd = in_fd;
	c->out_fd = out_fd;
	if (c->bus.connected)
		console_attach(&c->console, in_fd, out_fd);
}

void console_device_remove(struct console_device *c)
{
	xenbus_remove(&c->bus);
}
