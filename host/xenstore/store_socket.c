// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/store_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/xenstore/conn.h"

#define CLIENTS_MAX 256
#define BACKLOG     16
#define PIECES      32 /* messages that are sent at once */

struct client {
	struct conn conn; /* first */
	TAILQ_ENTRY(client) link;
	struct store_socket *socket;
	struct watch watch;
	uint32_t armed; /* events that are waited for */
	bool busy;      /* its turn ends with looking for output: it need not be woken */
	unsigned start, end;
	char in[4096]; /* read, not taken yet */
};

struct store_socket {
	struct store *store;
	struct loop *loop;
	struct watch listen;
	int reserve; /* given up when descriptors are short, to turn a client away */
	unsigned nr_clients;
	TAILQ_HEAD(, client) clients;
	struct sockaddr_un address;
	bool bound; /* and then the socket is this file: */
	dev_t dev;
	ino_t ino;
};

/*
 * Clients.
 */

static void hang_up(struct client *c)
{
	struct store_socket *k = c->socket;

	conn_close(&c->conn);
	loop_unwatch(k->loop, &c->watch);
	close(c->watch.fd);
	TAILQ_REMOVE(&k->clients, c, link);
	k->nr_clients--;
	free(c);
}

static void arm(struct client *c, uint32_t events)
{
	if (events != c->armed)
		loop_rearm(c->socket->loop, &c->watch, events);
	c->armed = events;
}

static void wake(struct conn *conn)
{
	struct client *c = (struct client *)conn;

	if (!c->busy)
		arm(c, c->armed | EPOLLOUT);
}

/* False: it has hung up. */
static bool receive(struct client *c)
{
	ssize_t n;

	if (c->start < c->end)
		return true;
	n = recv(c->watch.fd, c->in, sizeof(c->in), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->start = 0;
	c->end = n;
	return n;
}

static bool transmit(struct client *c)
{
	struct iovec pieces[PIECES];
	struct msghdr msg = {.msg_iov = pieces};

	while ((msg.msg_iovlen = conn_outputs(&c->conn, pieces, PIECES))) {
		ssize_t n = sendmsg(c->watch.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		conn_sent(&c->conn, n);
	}
	return true;
}

/* Read once, serve, send; whoever sends without end lets others have their turn. */
static bool turn(struct client *c, uint32_t events)
{
	size_t len;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(c))
		return false;
	c->start += conn_input(&c->conn, c->in + c->start, c->end - c->start);
	if (!transmit(c))
		return false;
	/* Taking what is there may have made room for more of what has been read. */
	c->start += conn_input(&c->conn, c->in + c->start, c->end - c->start);
	if (c->conn.failed || c->conn.closed)
		return false;
	events = conn_output(&c->conn, &len) ? EPOLLOUT : 0;
	if (c->start == c->end)
		events |= EPOLLIN;
	arm(c, events ? events : EPOLLIN);
	return true;
}

static void client_ready(void *opaque, uint32_t events)
{
	struct client *c = opaque;
	bool goes_on;

	c->busy = true;
	goes_on = turn(c, events);
	c->busy = false;
	if (!goes_on)
		hang_up(c);
}

static void welcome(struct store_socket *k, int fd)
{
	struct client *c = k->nr_clients < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	c->socket = k;
	c->watch = (struct watch){fd, client_ready, c};
	c->armed = EPOLLIN;
	if (loop_watch(k->loop, &c->watch, EPOLLIN)) {
		close(fd);
		free(c);
		return;
	}
	conn_open(&c->conn, k->store, 0, true, wake);
	TAILQ_INSERT_TAIL(&k->clients, c, link);
	k->nr_clients++;
}

/* Who waits in the queue would keep the loop awake for ever. */
static void turn_away(struct store_socket *k)
{
	int fd;

	close(k->reserve);
	fd = accept4(k->listen.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	k->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void client_knocks(void *opaque, uint32_t events)
{
	struct store_socket *k = opaque;
	int fd = accept4(k->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0)
		welcome(k, fd);
	else if (errno == EMFILE || errno == ENFILE)
		turn_away(k);
}

/*
 * The socket.
 */

/* Does anybody listen there? */
static bool served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd < 0 || !connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
		   errno != ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return yes;
}

static int remove_stale(const struct sockaddr_un *address, struct problem *p)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return problem(p,
			       "%s: is there already, and is no socket: remove it or name another",
			       path);
	if (st.st_uid != geteuid())
		return problem(p, "%s: is somebody else's socket: name another", path);
	if (served(address))
		return problem(p, "%s: another process serves there: name another", path);
	if (unlink(path))
		return problem(p, "%s: cannot remove the old socket: %s", path, strerror(errno));
	return 0;
}

static int try_bind(const struct store_socket *k)
{
	return bind(k->listen.fd, (const struct sockaddr *)&k->address, sizeof(k->address)) ? -errno
											    : 0;
}

static int bind_socket(struct store_socket *k, struct problem *p)
{
	const char *path = k->address.sun_path;
	struct stat st;
	int rc;

	/* On Linux the file gets the mode of the socket. */
	if (fchmod(k->listen.fd, 0600))
		return problem(p, "%s: cannot make it the user's own: %s", path, strerror(errno));
	rc = try_bind(k);
	if (rc == -EADDRINUSE) {
		if (remove_stale(&k->address, p))
			return -1;
		rc = try_bind(k);
	}
	if (rc)
		return problem(p, "%s: cannot make the socket: %s", path, strerror(-rc));
	k->bound = !lstat(path, &st);
	k->dev = st.st_dev;
	k->ino = st.st_ino;
	return 0;
}

static int set_up(struct store_socket *k, const char *path, struct problem *p)
{
	int rc;

	if (strlen(path) >= sizeof(k->address.sun_path))
		return problem(p,
			       "%s: too long for a socket, which may have %zu bytes: name another",
			       path, sizeof(k->address.sun_path) - 1);
	memcpy(k->address.sun_path, path, strlen(path) + 1);
	if (k->listen.fd < 0 || k->reserve < 0)
		return problem(p, "cannot create the xenstore's socket: %s", strerror(errno));
	if (bind_socket(k, p))
		return -1;
	if (listen(k->listen.fd, BACKLOG))
		return problem(p, "%s: cannot listen: %s", path, strerror(errno));
	rc = loop_watch(k->loop, &k->listen, EPOLLIN);
	return rc ? problem(p, "%s: cannot watch it: %s", path, strerror(-rc)) : 0;
}

struct store_socket *store_socket_open(struct store *s, struct loop *loop, const char *path,
				       struct problem *p)
{
	struct store_socket *k = calloc(1, sizeof(*k));

	if (!k) {
		problem(p, "no memory for the xenstore's socket");
		return NULL;
	}
	k->store = s;
	k->loop = loop;
	k->address.sun_family = AF_UNIX;
	TAILQ_INIT(&k->clients);
	k->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	k->listen = (struct watch){
		.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.ready = client_knocks,
		.opaque = k,
	};
	if (set_up(k, path, p)) {
		store_socket_close(k);
		return NULL;
	}
	return k;
}

void store_socket_close(struct store_socket *k)
{
	struct client *c, *next;
	struct stat st;

	for (c = TAILQ_FIRST(&k->clients); c; c = next) {
		next = TAILQ_NEXT(c, link);
		hang_up(c);
	}
	if (k->bound && !lstat(k->address.sun_path, &st) && st.st_dev == k->dev &&
	    st.st_ino == k->ino)
		unlink(k->address.sun_path);
	if (k->listen.fd >= 0) {
		loop_unwatch(k->loop, &k->listen);
		close(k->listen.fd);
	}
	if (k->reserve >= 0)
		close(k->reserve);
	free(k);
}
