// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/slirp_main.h"
#include "host/backend/net/headers.h"
#include "host/clock.h"
#include "host/library.h"
#include "shim/types.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD     4u
#define IN_ROOM  (HEAD + NET_FRAME_MAX)
#define OUT_ROOM (1u << 20) /* what the guest does not take in time is lost, as on any wire */

#define FDS_MAX 4096

/* To whom we belong when we are root: nobody, nogroup. */
#define NOBODY 65534

/* What is used of libslirp: slirp_new() is slirp.new() here, and so on. */
#define FUNCTIONS(X)    \
	X(new)          \
	X(cleanup)      \
	X(input)        \
	X(handle_timer) \
	X(add_hostfwd)  \
	X(pollfds_fill) \
	X(pollfds_poll)

static struct {
#define MEMBER(name) __typeof__(slirp_##name) *name;
	FUNCTIONS(MEMBER)
#undef MEMBER
} slirp;

/* One timer of libslirp's, in a list. */
struct timer {
	struct timer *next;
	SlirpTimerId id;
	void *opaque;
	int64_t due; /* ms; -1: off */
};

struct network {
	Slirp *slirp;
	int fd;
	bool ended;
	struct timer *timers;
	int nr_fds;
	struct pollfd fds[FDS_MAX];
	uint32_t in_len, out_len;
	uint8_t in[IN_ROOM], out[OUT_ROOM];
};

static int64_t clock_ns(void *opaque)
{
	(void)opaque;
	return (int64_t)clock_now_ns();
}

static int64_t clock_ms(void)
{
	return clock_ns(NULL) / 1000000;
}

static void flush(struct network *n)
{
	uint32_t done = 0;

	while (done < n->out_len) {
		ssize_t rc =
			send(n->fd, n->out + done, n->out_len - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (rc < 0 && errno == EINTR)
			continue;
		if (rc < 0) {
			n->ended |= errno != EAGAIN;
			break;
		}
		done += rc;
	}
	memmove(n->out, n->out + done, n->out_len - done);
	n->out_len -= done;
}

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
	struct network *n = opaque;
	uint8_t *to = n->out + n->out_len;

	if (len > NET_FRAME_MAX || OUT_ROOM - n->out_len < HEAD + len)
		return (ssize_t)len;
	net_put32(to, (uint32_t)len);
	memcpy(to + HEAD, buf, len);
	n->out_len += HEAD + (uint32_t)len;
	return (ssize_t)len;
}

static void guest_error(const char *msg, void *opaque)
{
	(void)msg;
	(void)opaque;
}

static void *timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	struct network *n = opaque;
	struct timer *t = malloc(sizeof(*t));

	if (!t)
		abort(); /* libslirp does not do without, and nor can it be told */
	*t = (struct timer){.next = n->timers, .id = id, .opaque = cb_opaque, .due = -1};
	n->timers = t;
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct network *n = opaque;
	struct timer **place = &n->timers;

	while (*place && *place != timer)
		place = &(*place)->next;
	if (*place)
		*place = (*place)->next;
	free(timer);
}

static void timer_mod(void *timer, int64_t due, void *opaque)
{
	struct timer *t = timer;

	(void)opaque;
	t->due = due;
}

static void ignore_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void ignore_notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new_opaque = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = ignore_fd,
	.unregister_poll_fd = ignore_fd,
	.notify = ignore_notify,
};

/* What libslirp and poll() call the same. */
static const struct {
	int slirp;
	short poll;
} poll_events[] = {
	{SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
	{SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};

static int add_poll(int fd, int events, void *opaque)
{
	struct network *n = opaque;
	struct pollfd wanted = {.fd = fd};

	if (n->nr_fds == FDS_MAX)
		return -1;
	for (unsigned i = 0; i < ARRAY_SIZE(poll_events); i++)
		if (events & poll_events[i].slirp)
			wanted.events |= poll_events[i].poll;
	n->fds[n->nr_fds] = wanted;
	return n->nr_fds++;
}

static int get_revents(int idx, void *opaque)
{
	const struct network *n = opaque;
	int got = idx < 0 ? 0 : n->fds[idx].revents, events = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(poll_events); i++)
		if (got & poll_events[i].poll)
			events |= poll_events[i].slirp;
	return events;
}

static void take_frames(struct network *n)
{
	uint32_t at = 0;

	while (n->in_len - at >= HEAD) {
		const uint8_t *p = n->in + at;
		uint32_t len = net_get32(p);

		if (len > NET_FRAME_MAX) {
			n->ended = true;
			return;
		}
		if (n->in_len - at - HEAD < len)
			break;
		slirp.input(n->slirp, p + HEAD, (int)len);
		at += HEAD + len;
	}
	memmove(n->in, n->in + at, n->in_len - at);
	n->in_len -= at;
}

static void receive(struct network *n)
{
	ssize_t rc = recv(n->fd, n->in + n->in_len, IN_ROOM - n->in_len, MSG_DONTWAIT);

	if (!rc || (rc < 0 && errno != EAGAIN && errno != EINTR)) {
		n->ended = true;
		return;
	}
	if (rc > 0) {
		n->in_len += rc;
		take_frames(n);
	}
}

static int until_timer(const struct network *n, uint32_t timeout)
{
	int64_t now = clock_ms(), wait = timeout;

	for (const struct timer *t = n->timers; t; t = t->next)
		if (t->due >= 0 && t->due - now < wait)
			wait = t->due > now ? t->due - now : 0;
	return wait > INT32_MAX ? -1 : (int)wait;
}

static void fire_timers(struct network *n)
{
	int64_t now = clock_ms();

	for (struct timer *t = n->timers; t; t = t->next) {
		if (t->due < 0 || t->due > now)
			continue;
		t->due = -1;
		slirp.handle_timer(n->slirp, t->id, t->opaque);
	}
}

static void serve(struct network *n)
{
	uint32_t timeout = UINT32_MAX;
	int rc;

	n->nr_fds = 1;
	n->fds[0] = (struct pollfd){.fd = n->fd, .events = POLLIN};
	if (n->out_len)
		n->fds[0].events |= POLLOUT;
	slirp.pollfds_fill(n->slirp, &timeout, add_poll, n);
	rc = poll(n->fds, n->nr_fds, until_timer(n, timeout));
	slirp.pollfds_poll(n->slirp, rc < 0, get_revents, n);
	fire_timers(n);
	if (rc > 0 && n->fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		receive(n);
	flush(n);
}

static void configure(SlirpConfig *c)
{
	*c = (SlirpConfig){.version = 4, .in_enabled = true, .in6_enabled = true};
	inet_pton(AF_INET, "10.0.2.0", &c->vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &c->vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &c->vhost);
	inet_pton(AF_INET, "10.0.2.15", &c->vdhcp_start);
	inet_pton(AF_INET, "10.0.2.3", &c->vnameserver);
	inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
	c->vprefix_len = 64;
	inet_pton(AF_INET6, "fec0::2", &c->vhost6);
	inet_pton(AF_INET6, "fec0::3", &c->vnameserver6);
	c->vhostname = "xenolith";
}

static int complain(const char *what, const char *value, const char *why)
{
	fprintf(stderr, "xenolith " NET_SLIRP_COMMAND ": %s %s: %s\n", what, value, why);
	return -1;
}

/* A number up to `max` that is all of the text, or -1. */
static int number(const char *text, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	return errno || end == text || *end || value < 0 || value > max ? -1 : (int)value;
}

/* The next part of a text that colons divide; "" after the last. */
static const char *part(char **text)
{
	const char *is = strsep(text, ":");

	return is ? is : "";
}

/* tcp|udp:HOST-ADDRESS:HOST-PORT:GUEST-PORT */
static int forward(struct network *n, const char *text)
{
	struct in_addr host, guest = {0};
	char copy[128], *rest = copy;
	int host_port, guest_port;
	bool udp;

	snprintf(copy, sizeof(copy), "%s", text);
	udp = !strcmp(part(&rest), "udp");
	if (inet_pton(AF_INET, part(&rest), &host) != 1)
		return complain("forward", text, "libslirp forwards ports of IPv4 addresses only");
	host_port = number(part(&rest), 65535);
	guest_port = number(part(&rest), 65535);
	if (host_port < 0 || guest_port < 0)
		return complain("forward", text, "a port is a number up to 65535");
	if (slirp.add_hostfwd(n->slirp, udp, host, host_port, guest, guest_port))
		return complain("forward", text, strerror(errno));
	return 0;
}

/*
 * What parses a hostile guest's frames shall have no rights worth having. Root of a user namespace
 * may not be able to become another user, and has none.
 */
static int drop_rights(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	if (!geteuid() && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)) &&
	    errno != EINVAL && errno != EPERM)
		return complain("user", "nobody", strerror(errno));
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int load_library(void)
{
#define NAME(name) "slirp_" #name,
	static const char *const names[] = {FUNCTIONS(NAME)};
#undef NAME
	const struct library lib = {"libslirp.so.0", "libslirp0", names, ARRAY_SIZE(names)};
	struct problem p;

	_Static_assert(sizeof(slirp) == sizeof(names), "a pointer for each name");
	if (!library_load(&lib, (void **)&slirp, &p))
		return 0;
	fprintf(stderr, "xenolith " NET_SLIRP_COMMAND ": %s\n", p.text);
	return -1;
}

static int begin(struct network *n, int argc, char **argv)
{
	SlirpConfig config;

	if (load_library())
		return -1;
	configure(&config);
	n->slirp = slirp.new(&config, &callbacks, n);
	if (!n->slirp)
		return complain("network", "10.0.2.0/24", "libslirp refuses");
	for (int i = 2; i < argc; i++)
		if (forward(n, argv[i]))
			return -1;
	return drop_rights();
}

static int serve_all(struct network *n, int argc, char **argv)
{
	int rc;

	n->fd = number(argv[1], INT32_MAX);
	rc = begin(n, argc, argv);
	while (!rc && !n->ended)
		serve(n);
	if (n->slirp)
		slirp.cleanup(n->slirp);
	return rc ? 1 : 0;
}

int net_slirp_main(int argc, char **argv)
{
	struct network *n = argc < 2 ? NULL : calloc(1, sizeof(*n));
	int rc;

	if (!n)
		return 2;
	rc = serve_all(n, argc, argv);
	free(n);
	return rc;
}
