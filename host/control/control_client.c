// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/control/control.h"

int control_connect(const struct control_guest *guest, struct problem *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, length;

	length = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control", guest->folder);
	if (length < 0 || (size_t)length >= sizeof(addr.sun_path))
		return problem(p, "%s/control: too long for a socket's path", guest->folder);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return problem(p, "cannot create a socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		problem(p, "cannot reach the process of guest '%s' at %s: %s", guest->name,
			addr.sun_path,
			errno == ENOENT || errno == ECONNREFUSED ? "it has ended, or only begins"
								 : strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* What is left of the line, the descriptors with its first byte. Bytes sent, or -1. */
static ssize_t send_some(int fd, char *line, size_t length, const int *fds, unsigned nr_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {line, length};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nr_fds) {
		struct cmsghdr *m = &control.align;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(m), fds, nr_fds * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static int send_line(int fd, char *line, size_t length, const int *fds, unsigned nr_fds,
		     struct problem *p)
{
	while (length) {
		ssize_t n = send_some(fd, line, length, fds, nr_fds);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return problem(p, "cannot talk to the guest's process: %s",
				       strerror(errno));
		line += n;
		length -= n;
		nr_fds = 0;
	}
	return 0;
}

int control_send(int fd, json_t *request, const int *fds, unsigned nr_fds, struct problem *p)
{
	char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t length = line ? strlen(line) : 0;
	int rc;

	json_decref(request);
	if (!line)
		return problem(p, "a request that cannot be written as JSON, such as a text that "
				  "is not UTF-8");
	if (length >= CONTROL_LINE_MAX || nr_fds > CONTROL_FDS_MAX) {
		free(line);
		return problem(p, "a request of %zu bytes is too long", length);
	}
	line[length] = '\n'; /* in place of the end */
	rc = send_line(fd, line, length + 1, fds, nr_fds, p);
	free(line);
	return rc;
}

/* A line into `line`, without its line feed. 1, 0 at the end of the stream, or -1. */
static int receive_line(int fd, char *line, struct problem *p)
{
	size_t length = 0;

	while (length < CONTROL_LINE_MAX) {
		ssize_t n = recv(fd, line + length, CONTROL_LINE_MAX - length, 0);
		char *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return 0;
		if (n < 0) /* EAGAIN: the caller has set a time limit on the socket */
			return problem(p, "cannot hear the guest's process: %s",
				       errno == EAGAIN ? "it takes too long" : strerror(errno));
		end = memchr(line + length, '\n', n);
		length += n;
		if (end) {
			*end = '\0';
			return 1;
		}
	}
	return problem(p, "the guest's process answers with more than %d bytes", CONTROL_LINE_MAX);
}

/* The reference to the answer is taken. */
static json_t *take_answer(json_t *answer, struct problem *p)
{
	const char *error = json_string_value(json_object_get(answer, "error"));
	json_t *ok = json_object_get(answer, "ok");

	if (error)
		problem(p, "%s", error);
	else if (!ok)
		problem(p, "the guest's process gives an answer that is none");
	if (error)
		ok = NULL;
	json_incref(ok);
	json_decref(answer);
	return ok;
}

json_t *control_receive(int fd, bool *gone, struct problem *p)
{
	char *line = malloc(CONTROL_LINE_MAX);
	json_t *ok = NULL;
	int rc;

	*gone = false;
	if (!line) {
		problem(p, "out of memory");
		return NULL;
	}
	rc = receive_line(fd, line, p);
	if (rc > 0)
		ok = take_answer(json_loads(line, 0, NULL), p);
	else if (!rc)
		problem(p, "the guest's process has ended before it answered");
	*gone = !rc;
	free(line);
	return ok;
}

json_t *control_request(const struct control_guest *guest, json_t *request, const int *fds,
			unsigned nr_fds, struct problem *p)
{
	int fd = control_connect(guest, p);
	json_t *ok = NULL;
	bool gone;

	if (fd < 0) {
		json_decref(request);
		return NULL;
	}
	if (!control_send(fd, request, fds, nr_fds, p))
		ok = control_receive(fd, &gone, p);
	close(fd);
	return ok;
}
