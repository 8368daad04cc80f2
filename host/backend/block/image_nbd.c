// SPDX-License-Identifier: BSD-2-Clause
/*
 * Images in other formats, by way of a server of our own (nbd_server.h) and libnbd. One connection,
 * as long as the image is open, so one queue: what a flush covers is what that connection has
 * written.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/backend/block/image.h"
#include "host/backend/block/image_lock.h"
#include "host/backend/block/nbd_library.h"
#include "host/backend/block/nbd_server.h"

#define DEFAULT_GRANULARITY 65536u /* a cluster of qcow2 */

struct nbd_image {
	struct image common;
	struct nbd_handle *nbd;
	struct nbd_server server;
	int lock_fd;
	bool can_flush, dead;
	char path[];
};

struct nbd_queue {
	struct image_queue common;
	int kick;
	struct image_request *finished;
};

/*
 * Requests.
 */

static void gather(const struct image_request *r, char *to)
{
	for (unsigned i = 0; i < r->iovcnt; i++) {
		memcpy(to, r->iov[i].iov_base, r->iov[i].iov_len);
		to += r->iov[i].iov_len;
	}
}

static void scatter(const struct image_request *r, const char *from)
{
	for (unsigned i = 0; i < r->iovcnt; i++) {
		memcpy(r->iov[i].iov_base, from, r->iov[i].iov_len);
		from += r->iov[i].iov_len;
	}
}

static void finish(struct image_request *r, int error)
{
	if (r->bounce && r->op == IMAGE_READ && !error)
		scatter(r, r->bounce);
	free(r->bounce);
	r->done(r, error);
}

/* libnbd's, with its lock held: nothing may be asked of it here. */
static int command_done(void *opaque, int *error)
{
	struct image_request *r = opaque;
	struct nbd_queue *q = (struct nbd_queue *)r->queue;

	r->result = -*error;
	r->next = q->finished;
	q->finished = r;
	return 1;
}

/* A buffer of `len` bytes in one piece: the protocol's library knows no other. */
static void *flat(struct image_request *r)
{
	if (r->iovcnt == 1)
		return r->iov[0].iov_base;
	r->bounce = malloc(r->len);
	if (r->bounce && r->op == IMAGE_WRITE)
		gather(r, r->bounce);
	return r->bounce;
}

/* A command's length has 32 bits, a discard's has not. */
#define DISCARD_PIECE (UINT64_C(1) << 30)

static uint64_t discard_piece(const struct image_request *r)
{
	return r->len < DISCARD_PIECE ? r->len : DISCARD_PIECE;
}

/* The command's cookie, or -1. */
static int64_t send_command(struct nbd_image *n, struct image_request *r)
{
	nbd_completion_callback done = {.callback = command_done, .user_data = r};
	void *buffer;

	if (r->op == IMAGE_FLUSH)
		return nbd.aio_flush(n->nbd, done, 0);
	if (r->op == IMAGE_DISCARD)
		return nbd.aio_trim(n->nbd, discard_piece(r), r->offset, done, 0);
	buffer = flat(r);
	if (!buffer)
		return -1;
	if (r->op == IMAGE_READ)
		return nbd.aio_pread(n->nbd, buffer, r->len, r->offset, done, 0);
	return nbd.aio_pwrite(n->nbd, buffer, r->len, r->offset, done, 0);
}

static void submit(struct image_queue *q, struct image_request *r)
{
	struct nbd_image *n = (struct nbd_image *)q->image;

	r->queue = q;
	r->bounce = NULL;
	if (r->op == IMAGE_FLUSH && !n->can_flush)
		finish(r, 0); /* nothing is ever written */
	else if (n->dead || send_command(n, r) < 0)
		finish(r, -EIO);
	else
		q->in_flight++;
}

static void push(struct image_queue *q)
{
	(void)q; /* libnbd sends as soon as it can */
}

static void say_dead(struct nbd_image *n)
{
	char words[400];

	n->dead = true;
	nbd_server_last_words(&n->server, 0, words, sizeof(words));
	fprintf(stderr,
		"xenolith: %s: its qemu-nbd has gone, so nothing of it can be read or written any more: %s\n",
		n->common.name, words);
}

/* Let libnbd do what its socket is ready for. */
static void serve_socket(struct nbd_image *n, short revents)
{
	unsigned direction = nbd.aio_get_direction(n->nbd);

	if (revents & (POLLIN | POLLHUP | POLLERR) && direction & LIBNBD_AIO_DIRECTION_READ)
		nbd.aio_notify_read(n->nbd);
	else if (revents & (POLLOUT | POLLHUP | POLLERR) && direction & LIBNBD_AIO_DIRECTION_WRITE)
		nbd.aio_notify_write(n->nbd);
	if (!n->dead && (nbd.aio_is_dead(n->nbd) || nbd.aio_is_closed(n->nbd)))
		say_dead(n);
}

/* poll() of the server's socket and, unless it is -1, of `kick`. Is there a kick? */
static bool step(struct nbd_image *n, int kick, int timeout)
{
	unsigned direction = n->dead ? 0 : nbd.aio_get_direction(n->nbd);
	struct pollfd fds[] = {
		{.fd = kick, .events = POLLIN},
		{.fd = n->dead ? -1 : nbd.aio_get_fd(n->nbd)},
	};

	if (direction & LIBNBD_AIO_DIRECTION_READ)
		fds[1].events |= POLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		fds[1].events |= POLLOUT;
	if (poll(fds, 2, timeout) <= 0)
		return false;
	if (fds[1].revents)
		serve_socket(n, fds[1].revents);
	return fds[0].revents;
}

/* A part of a discard is done: is the next on its way? */
static bool goes_on(struct nbd_image *n, struct image_request *r)
{
	if (r->op != IMAGE_DISCARD || r->result || r->len <= DISCARD_PIECE)
		return false;
	r->offset += DISCARD_PIECE;
	r->len -= DISCARD_PIECE;
	if (!n->dead && send_command(n, r) >= 0)
		return true;
	r->result = -EIO;
	return false;
}

static void reap(struct image_queue *common)
{
	struct nbd_queue *q = (struct nbd_queue *)common;

	if (!q->finished && common->in_flight)
		step((struct nbd_image *)common->image, -1, 0);
	while (q->finished) {
		struct image_request *r = q->finished;

		q->finished = r->next;
		if (goes_on((struct nbd_image *)common->image, r))
			continue;
		common->in_flight--;
		finish(r, r->result);
	}
}

static void wait_for_any(struct image_queue *common)
{
	const struct nbd_queue *q = (struct nbd_queue *)common;

	if (!q->finished && step((struct nbd_image *)common->image, q->kick, -1))
		image_wait_kick(q->kick);
}

static struct image_queue *open_queue(struct image *image, int kick, struct problem *p)
{
	struct nbd_queue *q = calloc(1, sizeof(*q));

	if (!q) {
		problem(p, "%s: no memory", image->name);
		return NULL;
	}
	q->common.image = image;
	q->kick = kick;
	return &q->common;
}

static void close_queue(struct image_queue *q)
{
	free(q);
}

static int64_t measure(struct image *image)
{
	return (int64_t)image_size(image);
}

static void close_nbd(struct image *image)
{
	struct nbd_image *n = (struct nbd_image *)image;

	nbd.shutdown(n->nbd, 0);
	nbd.close(n->nbd);
	nbd_server_end(&n->server);
	nbd_server_free(&n->server);
	close(n->lock_fd);
	free(n);
}

static const struct image_ops nbd_ops = {
	.open_queue = open_queue,
	.close_queue = close_queue,
	.submit = submit,
	.push = push,
	.reap = reap,
	.wait = wait_for_any,
	.measure = measure,
	.close = close_nbd,
};

/*
 * Opening.
 */

static void learn(struct nbd_image *n)
{
	int64_t preferred = nbd.get_block_size(n->nbd, LIBNBD_SIZE_PREFERRED);

	n->common.size = nbd.get_size(n->nbd);
	n->common.physical_sector = n->common.size % 4096 ? IMAGE_SECTOR : 4096;
	n->common.can_discard = nbd.can_trim(n->nbd) > 0;
	n->common.discard_granularity = preferred >= IMAGE_SECTOR && preferred <= UINT32_MAX
						? (uint32_t)preferred
						: DEFAULT_GRANULARITY;
	n->can_flush = nbd.can_flush(n->nbd) > 0;
}

/* The server takes the image's first look while we connect: what it cannot serve shows here. */
static int connect_server(struct nbd_image *n, struct problem *p)
{
	char words[400];
	int status;

	n->nbd = nbd.create();
	if (n->nbd && !nbd.connect_socket(n->nbd, n->server.socket)) {
		n->server.socket = -1; /* libnbd's now, as it is when that fails */
		learn(n);
		return 0;
	}
	if (n->nbd) {
		n->server.socket = -1;
		nbd.close(n->nbd);
	} else {
		close(n->server.socket); /* it ends with that */
		n->server.socket = -1;
	}
	status = nbd_server_end(&n->server);
	nbd_server_last_words(&n->server, status, words, sizeof(words));
	nbd_server_free(&n->server);
	return problem(p, "%s: %s", n->path, words);
}

static struct nbd_image *new_image(const char *path, bool readonly, int lock_fd, struct problem *p)
{
	struct nbd_image *n;

	if (nbd_library_load(p))
		return NULL;
	n = calloc(1, sizeof(*n) + strlen(path) + 1);
	if (!n) {
		problem(p, "%s: no memory", path);
		return NULL;
	}
	memcpy(n->path, path, strlen(path) + 1);
	n->common.ops = &nbd_ops;
	n->common.name = n->path;
	n->common.readonly = readonly;
	n->common.max_queues = 1;
	n->lock_fd = lock_fd;
	return n;
}

static struct image *connect_image(struct nbd_image *n, struct problem *p)
{
	if (!connect_server(n, p))
		return &n->common;
	close(n->lock_fd);
	free(n);
	return NULL;
}

struct image *image_open_nbd(const char *path, const char *format, bool readonly, struct problem *p)
{
	int lock_fd = image_open_locked(path, readonly, p);
	struct nbd_image *n = lock_fd < 0 ? NULL : new_image(path, readonly, lock_fd, p);

	if (n && !nbd_server_start(&n->server, path, format, readonly, false, p))
		return connect_image(n, p);
	if (lock_fd >= 0)
		close(lock_fd);
	free(n);
	return NULL;
}

struct image *image_adopt_nbd(const char *path, int socket, int locked, int log, bool readonly,
			      struct problem *p)
{
	struct nbd_image *n = new_image(path, readonly, locked, p);

	if (n) {
		n->server = (struct nbd_server){.pid = -1, .socket = socket, .log = log};
		return connect_image(n, p);
	}
	close(socket);
	close(locked);
	close(log);
	return NULL;
}
