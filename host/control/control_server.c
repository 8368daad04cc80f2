// SPDX-License-Identifier: BSD-2-Clause
#include "host/control/control_server.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64

/* How long the last answers may take to be read when the guest's process ends. */
#define LAST_WORDS_MS 1000

struct control_client {
	struct control_server *server;
	struct control_client *next;
	struct watch watch;
	struct control_call *calls; /* of it, not ended */

	char *line; /* CONTROL_LINE_MAX bytes: what has come of a request */
	size_t line_len;
	int fds[CONTROL_FDS_MAX];
	unsigned nr_fds;

	char *out; /* answers not sent yet */
	size_t out_len;
};

struct control_server {
	struct loop *loop;
	struct watch listener;
	void (*handle)(void *opaque, struct control_call *call);
	void *opaque;
	struct control_client *clients;
	unsigned nr_clients;
};

static void close_fds(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void forget_calls(struct control_client *c)
{
	for (struct control_call *call = c->calls; call; call = call->next)
		call->client = NULL;
}

static void drop_client(struct control_client *c)
{
	struct control_client **at = &c->server->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->server->nr_clients--;
	loop_unwatch(c->server->loop, &c->watch);
	close(c->watch.fd);
	close_fds(c->fds, c->nr_fds);
	forget_calls(c);
	free(c->line);
	free(c->out);
	free(c);
}

/*
 * Answers.
 */

/* Send what can be sent now. False: the client is gone. */
static bool flush_answers(struct control_client *c)
{
	ssize_t n = send(c->watch.fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	memmove(c->out, c->out + n, c->out_len - n);
	c->out_len -= n;
	return true;
}

static void watch_client(struct control_client *c)
{
	loop_rearm(c->server->loop, &c->watch, EPOLLIN | (c->out_len ? EPOLLOUT : 0));
}

/* A client that does not read its answers is not kept: it has had CONTROL_LINE_MAX of room twice.
 */
static void queue_answer(struct control_client *c, const char *text)
{
	size_t len = strlen(text);
	char *out = len < CONTROL_LINE_MAX && c->out_len < CONTROL_LINE_MAX
			    ? realloc(c->out, c->out_len + len + 1)
			    : NULL;

	if (!out) {
		shutdown(c->watch.fd, SHUT_RDWR);
		return;
	}
	c->out = out;
	memcpy(c->out + c->out_len, text, len);
	c->out[c->out_len + len] = '\n';
	c->out_len += len + 1;
	if (flush_answers(c))
		watch_client(c);
}

static void end_call(struct control_call *call, json_t *answer)
{
	struct control_client *c = call->client;
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (c) {
		struct control_call **at = &c->calls;

		while (*at != call)
			at = &(*at)->next;
		*at = call->next;
		queue_answer(c, text ? text : "{\"error\":\"out of memory\"}");
	}
	free(text);
	json_decref(answer);
	json_decref(call->request);
	close_fds(call->fds, call->nr_fds);
	free(call);
}

void control_answer(struct control_call *call, json_t *ok)
{
	end_call(call, json_pack("{s:o}", "ok", ok ? ok : json_true()));
}

void control_fail(struct control_call *call, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	end_call(call, json_pack("{s:s+}", "error", text, ""));
}

/*
 * Requests.
 */

static void handle_line(struct control_client *c, const char *line, size_t len)
{
	struct control_call *call = calloc(1, sizeof(*call));
	json_error_t error;

	if (!call) {
		shutdown(c->watch.fd, SHUT_RDWR);
		return;
	}
	call->client = c;
	call->next = c->calls;
	c->calls = call;
	memcpy(call->fds, c->fds, sizeof(c->fds));
	call->nr_fds = c->nr_fds;
	c->nr_fds = 0;
	call->request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	call->command = json_string_value(json_object_get(call->request, "command"));
	if (!call->request)
		control_fail(call, "this is no JSON: %s", error.text);
	else if (!call->command)
		control_fail(call, "a request is an object with a \"command\"");
	else
		c->server->handle(c->server->opaque, call);
}

/* Complete lines of what has come; the rest stays. */
static void handle_lines(struct control_client *c)
{
	char *start = c->line, *end;

	while ((end = memchr(start, '\n', c->line + c->line_len - start))) {
		handle_line(c, start, end - start);
		start = end + 1;
	}
	c->line_len -= start - c->line;
	memmove(c->line, start, c->line_len);
}

static void take_fds(struct control_client *c, struct msghdr *msg)
{
	for (struct cmsghdr *m = CMSG_FIRSTHDR(msg); m; m = CMSG_NXTHDR(msg, m)) {
		unsigned n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
			continue;
		for (unsigned i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(m) + i * sizeof(fd), sizeof(fd));
			if (c->nr_fds < CONTROL_FDS_MAX)
				c->fds[c->nr_fds++] = fd;
			else
				close(fd);
		}
	}
}

/* False: the client has gone, or does not keep to the rules. */
static bool read_client(struct control_client *c)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {c->line + c->line_len, CONTROL_LINE_MAX - c->line_len};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(c->watch.fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	take_fds(c, &msg);
	if (!n)
		return false;
	c->line_len += n;
	handle_lines(c);
	return c->line_len < CONTROL_LINE_MAX;
}

static void client_ready(void *opaque, uint32_t events)
{
	struct control_client *c = opaque;
	bool stays = true;

	if (events & EPOLLOUT)
		stays = flush_answers(c);
	if (stays && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		stays = read_client(c);
	if (stays)
		watch_client(c);
	else
		drop_client(c);
}

static void client_came(void *opaque, uint32_t events)
{
	struct control_server *s = opaque;
	int fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct control_client *c;

	(void)events;
	if (fd < 0)
		return;
	c = s->nr_clients < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (c)
		c->line = malloc(CONTROL_LINE_MAX);
	if (!c || !c->line) {
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	c->watch = (struct watch){fd, client_ready, c};
	c->next = s->clients;
	s->clients = c;
	s->nr_clients++;
	if (loop_watch(s->loop, &c->watch, EPOLLIN))
		drop_client(c);
}

/*
 * Life.
 */

static int listen_at(struct control_server *s, const char *path, struct problem *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return problem(
			p,
			"%s: too long for a socket's path; set XENOLITH_RUN_DIR to a shorter "
			"folder",
			path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return problem(p, "cannot create a socket: %s", strerror(errno));
	s->listener = (struct watch){fd, client_came, s};
	/* The mode is set before anybody can connect. */
	if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    chmod(path, 0600) || listen(fd, 16) || loop_watch(s->loop, &s->listener, EPOLLIN)) {
		close(fd);
		return problem(p, "cannot listen at %s: %s", path, strerror(errno));
	}
	return 0;
}

struct control_server *control_server_open(struct loop *loop, const char *path,
					   void (*handle)(void *opaque, struct control_call *call),
					   void *opaque, struct problem *p)
{
	struct control_server *s = calloc(1, sizeof(*s));

	if (!s) {
		problem(p, "no memory for the control socket");
		return NULL;
	}
	*s = (struct control_server){.loop = loop, .handle = handle, .opaque = opaque};
	if (listen_at(s, path, p)) {
		free(s);
		return NULL;
	}
	return s;
}

/* The last answers of a process that ends ("destroyed") are worth a moment. */
static void say_last_words(struct control_client *c)
{
	struct pollfd pfd = {.fd = c->watch.fd, .events = POLLOUT};

	while (c->out_len && poll(&pfd, 1, LAST_WORDS_MS) > 0)
		if (!flush_answers(c))
			return;
}

void control_server_close(struct control_server *s)
{
	for (struct control_client *c = s->clients, *next; c; c = next) {
		next = c->next;
		say_last_words(c);
		drop_client(c);
	}
	loop_unwatch(s->loop, &s->listener);
	close(s->listener.fd);
	free(s);
}
