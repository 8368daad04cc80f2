// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_socket(const struct guest_channel *c)
{
	return !strcmp(c->config->connection, "socket");
}

/*
 * Who connects to a socket. While somebody is there, others wait; while nobody is, the console
 * keeps the last of what the guest says.
 */

static void drop_client(struct guest_channel *c)
{
	if (c->client < 0)
		return;
	close(c->client);
	close(c->client_out);
	c->client = c->client_out = -1;
}

static void client_gone(void *opaque)
{
	struct guest_channel *c = opaque;

	console_device_attach(&c->device, -1, -1);
	drop_client(c);
	loop_rearm(c->loop, &c->listener, EPOLLIN);
}

static void client_came(void *opaque, uint32_t events)
{
	struct guest_channel *c = opaque;
	int fd = accept4(c->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	c->client = fd;
	c->client_out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	loop_rearm(c->loop, &c->listener, 0);
	console_device_attach(&c->device, c->client, c->client_out);
}

static int listen_at(struct guest_channel *c, struct problem *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const char *path = c->config->path;

	if (strlen(path) >= sizeof(addr.sun_path))
		return problem(p, "channel: %s: too long for a socket's path", path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	c->listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener.fd < 0 || bind(c->listener.fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(c->listener.fd, 1))
		return problem(p, "channel: cannot listen at %s: %s; is it left over, or in use?",
			       path, strerror(errno));
	return loop_watch(c->loop, &c->listener, EPOLLIN)
		       ? problem(p, "channel: cannot watch %s", path)
		       : 0;
}

int guest_channel_open(struct guest_channel *c, const struct channel_config *config,
		       struct loop *loop, struct problem *p)
{
	int rc;

	*c = (struct guest_channel){
		.config = config,
		.loop = loop,
		.device = {.in_fd = -1, .out_fd = -1, .hung_up = NULL},
		.tty = GUEST_TTY_CLOSED,
		.listener = {.fd = -1, .ready = client_came, .opaque = c},
		.client = -1,
		.client_out = -1,
	};
	if (is_socket(c)) {
		c->device.hung_up = client_gone;
		c->device.opaque = c;
		rc = listen_at(c, p);
	} else {
		rc = guest_tty_open(&c->tty, NULL, p);
		c->device.tty = c->tty.path;
		c->device.in_fd = c->tty.master;
		c->device.out_fd = c->tty.out;
	}
	c->device.name = config->name;
	c->device.connection = config->connection;
	if (rc)
		guest_channel_close(c);
	return rc;
}

void guest_channel_close(struct guest_channel *c)
{
	drop_client(c);
	if (c->listener.fd >= 0) {
		loop_unwatch(c->loop, &c->listener);
		close(c->listener.fd);
		unlink(c->config->path);
	}
	guest_tty_close(&c->tty);
}

int guest_channel_show(struct guest_channel *c, struct store *store, struct domain *d, unsigned id,
		       struct problem *p)
{
	int rc = console_device_add(&c->device, c->loop, store, d, id, p);

	c->shown = !rc;
	return rc;
}

void guest_channel_hide(struct guest_channel *c)
{
	if (c->shown)
		console_device_remove(&c->device);
	c->shown = false;
}
