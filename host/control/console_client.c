// SPDX-License-Identifier: BSD-2-Clause
#include "host/control/console_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host/cli/terminal.h"

#define ESCAPE 0x1d /* ^] */

struct relay {
	int pty;
	bool in_ended, typed; /* typed: stdin is a terminal, where ^] must always be heard */
	char input[4096];     /* read from stdin, not taken by the guest yet */
	size_t input_len;
};

enum step { GOES_ON, LEFT, ENDED, FAILED };

static int open_pty(const struct control_guest *guest, unsigned number, struct problem *p)
{
	json_t *answer = control_request(
		guest, json_pack("{s:s, s:i}", "command", "console", "number", (int)number), NULL,
		0, p);
	const char *path = json_string_value(json_object_get(answer, "pty"));
	struct termios raw;
	int fd = -1;

	if (answer && (!path || !*path))
		problem(p, "guest '%s' has its console on the terminal that it was created on",
			guest->name);
	else if (answer) {
		fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			problem(p, "cannot open the console of guest '%s', %s: %s", guest->name,
				path, strerror(errno));
	}
	json_decref(answer);
	if (fd >= 0 && !tcgetattr(fd, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd out = {fd, POLLOUT, 0};

			poll(&out, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		length -= n;
	}
	return true;
}

/* A pty whose other end is closed says EIO. */
static enum step from_guest(struct relay *r, struct problem *p)
{
	char bytes[4096];
	ssize_t n = read(r->pty, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return GOES_ON;
	if (n <= 0)
		return ENDED;
	if (write_all(STDOUT_FILENO, bytes, n))
		return GOES_ON;
	problem(p, "cannot write what the guest says: %s", strerror(errno));
	return FAILED;
}

static void to_guest(struct relay *r)
{
	ssize_t n = write(r->pty, r->input, r->input_len);

	if (n <= 0)
		return;
	memmove(r->input, r->input + n, r->input_len - n);
	r->input_len -= n;
}

/* What is typed and finds no room is lost, as at any terminal; other input waits. */
static enum step from_stdin(struct relay *r)
{
	char bytes[sizeof(r->input)];
	size_t room = sizeof(r->input) - r->input_len;
	ssize_t n = read(STDIN_FILENO, bytes, r->typed ? sizeof(bytes) : room);
	char *escape;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return GOES_ON;
	if (n <= 0) {
		r->in_ended = true;
		return GOES_ON;
	}
	escape = memchr(bytes, ESCAPE, n);
	if (escape)
		n = escape - bytes;
	if ((size_t)n > room)
		n = (ssize_t)room;
	memcpy(r->input + r->input_len, bytes, n);
	r->input_len += n;
	to_guest(r);
	return escape ? LEFT : GOES_ON;
}

static enum step step(struct relay *r, struct problem *p)
{
	bool listens = !r->in_ended && (r->typed || r->input_len < sizeof(r->input));
	struct pollfd fds[] = {
		{r->pty, POLLIN | (r->input_len ? POLLOUT : 0), 0},
		{listens ? STDIN_FILENO : -1, POLLIN, 0},
	};
	enum step next = GOES_ON;

	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? GOES_ON : ENDED;
	if (fds[0].revents & POLLOUT)
		to_guest(r);
	if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		next = from_guest(r, p);
	if (next == GOES_ON && fds[1].revents)
		next = from_stdin(r);
	return next;
}

int console_client_run(const struct control_guest *guest, unsigned number, struct problem *p)
{
	struct relay r = {.pty = open_pty(guest, number, p)};
	enum step next = GOES_ON;

	if (r.pty < 0)
		return -1;
	r.typed = terminal_raw(STDIN_FILENO);
	while (next == GOES_ON)
		next = step(&r, p);
	terminal_restore();
	close(r.pty);
	return next == FAILED ? -1 : 0;
}
