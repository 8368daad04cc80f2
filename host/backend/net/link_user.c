// SPDX-License-Identifier: BSD-2-Clause
/*
 * The user-mode network: passt(1), or, where it is missing or does not come up, ourselves with
 * libslirp ("xenolith net-slirp", slirp_main.c). Both are another process that holds one end of a
 * socket pair, and ends when ours is closed, however we end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/link.h"
#include "host/backend/net/slirp_main.h"

/* The descriptor of the socket in the child. */
#define CHILD_FD 3

#define ARGS_MAX 128

/*
 * What passt tells a guest that asks (DHCP, NDP). Its own default is 65520, in frames that it reads
 * wrongly now and then (link_stream.c).
 */
#define PASST_MTU 32000u

/* How long the process may take until it answers. */
#define START_MS 5000

/* What it says while it starts is kept up to this many bytes, for the message. */
#define LOG_MAX 4096

extern char **environ;

struct args {
	char *argv[ARGS_MAX];
	int argc;
};

/* One too many, or no memory: complete() tells of it. */
__attribute__((format(printf, 2, 3))) static void add(struct args *a, const char *fmt, ...)
{
	char *text = NULL;
	va_list list;

	va_start(list, fmt);
	if (vasprintf(&text, fmt, list) < 0)
		text = NULL;
	va_end(list);
	if (a->argc < ARGS_MAX)
		a->argv[a->argc] = text;
	else
		free(text);
	a->argc++;
}

static void free_args(struct args *a)
{
	for (int i = 0; i < a->argc && i < ARGS_MAX; i++)
		free(a->argv[i]);
}

static bool complete(struct args *a)
{
	if (a->argc >= ARGS_MAX)
		return false;
	for (int i = 0; i < a->argc; i++)
		if (!a->argv[i])
			return false;
	a->argv[a->argc] = NULL;
	return true;
}

static const char *forward_address(const struct port_forward *f)
{
	return f->host_address ? f->host_address : "127.0.0.1";
}

static void passt_args(struct args *a, const struct nic_config *config)
{
	add(a, "passt");
	add(a, "--foreground");
	add(a, "--quiet");
	add(a, "--one-off");
	add(a, "--fd");
	add(a, "%d", CHILD_FD);
	add(a, "--mtu");
	add(a, "%u", config->mtu ? config->mtu : PASST_MTU);
	for (unsigned i = 0; i < config->nr_forwards; i++) {
		const struct port_forward *f = &config->forwards[i];

		add(a, f->udp ? "-u" : "-t");
		add(a, "%s/%u:%u", forward_address(f), f->host_port, f->guest_port);
	}
}

static void slirp_args(struct args *a, const struct nic_config *config)
{
	add(a, "xenolith");
	add(a, NET_SLIRP_COMMAND);
	add(a, "%d", CHILD_FD);
	for (unsigned i = 0; i < config->nr_forwards; i++) {
		const struct port_forward *f = &config->forwards[i];

		add(a, "%s:%s:%u:%u", f->udp ? "udp" : "tcp", forward_address(f), f->host_port,
		    f->guest_port);
	}
}

/* A file of fixed size that is nowhere: a child that says more cannot fill anything. */
static int open_log(void)
{
	int fd = memfd_create("net-link", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, LOG_MAX))
		fd = (close(fd), -1);
	if (fd >= 0)
		fcntl(fd, F_ADD_SEALS, F_SEAL_GROW);
	return fd;
}

/* The last line of the log, without its newline; "" if there is none. */
static void last_line(int log, char *line, size_t size)
{
	char text[LOG_MAX + 1] = "";
	char *end, *begin;

	line[0] = 0;
	if (pread(log, text, LOG_MAX, 0) <= 0)
		return;
	end = text + strlen(text);
	while (end > text && (end[-1] == '\n' || end[-1] == ' '))
		*--end = 0;
	begin = strrchr(text, '\n');
	snprintf(line, size, "%s", begin ? begin + 1 : text);
}

/*
 * In a session of its own: what the user types to end us (^C) is not for it. Signals as at first.
 * 0 or an errno.
 */
static int spawn(pid_t *child, const char *program, struct args *a, int socket, int log)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0) ||
	     posix_spawn_file_actions_adddup2(&files, 0, 1) ||
	     posix_spawn_file_actions_adddup2(&files, log, 2) ||
	     posix_spawn_file_actions_adddup2(&files, socket, CHILD_FD);
	rc = rc || !complete(a) ? ENOMEM
				: posix_spawnp(child, program, &files, &attr, a->argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return rc;
}

/* A frame with the length before it. */
static bool send_probe(int fd, const uint8_t *frame, uint32_t len)
{
	uint8_t buffer[4 + 512];

	net_put32(buffer, len);
	memcpy(buffer + 4, frame, len);
	return send(fd, buffer, (size_t)4 + len, MSG_NOSIGNAL) == (ssize_t)len + 4;
}

/* DHCPDISCOVER (RFC 2131), as the guest will send it. */
static uint32_t dhcp_discover(uint8_t *f, const uint8_t *mac)
{
	static const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255};
	const uint32_t udp = 14 + 20, bootp = udp + 8, len = bootp + 236 + 64;
	struct net_frame frame = {.data = f, .len = len};

	memset(f, 0, len);
	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	net_put16(f + 12, 0x0800);
	f[14] = 0x45;
	net_put16(f + 16, len - 14);
	f[22] = 64;
	f[23] = NET_PROTO_UDP;
	memset(f + 30, 0xff, 4);
	net_checksum_ipv4(f + 14, 20);
	net_put16(f + udp, 68);
	net_put16(f + udp + 2, 67);
	net_put16(f + udp + 4, len - udp);
	f[bootp] = f[bootp + 1] = 1;
	f[bootp + 2] = 6;
	memcpy(f + bootp + 28, mac, 6);
	memcpy(f + bootp + 236, options, sizeof(options));
	net_checksum_complete(&frame);
	return len;
}

/* A router solicitation (RFC 4861), for a host that has IPv6 only. */
static uint32_t router_solicitation(uint8_t *f, const uint8_t *mac)
{
	static const uint8_t routers[16] = {0xff, 0x02, [15] = 0x02};
	const uint32_t icmp = 14 + 40, len = icmp + 8;
	struct net_headers h = {.version = 6, .protocol = 58, .ip = 14, .transport = icmp};

	memset(f, 0, len);
	memcpy(f, (const uint8_t[6]){0x33, 0x33, 0, 0, 0, 2}, 6);
	memcpy(f + 6, mac, 6);
	net_put16(f + 12, 0x86dd);
	f[14] = 0x60;
	net_put16(f + 18, len - icmp);
	f[20] = 58;
	f[21] = 255;
	memcpy(f + 22, (const uint8_t[8]){0xfe, 0x80}, 8);
	memcpy(f + 30,
	       (const uint8_t[8]){mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]},
	       8);
	memcpy(f + 38, routers, sizeof(routers));
	f[icmp] = 133;
	net_put16(f + icmp + 2,
		  ~net_fold(net_sum(f + icmp, len - icmp, net_pseudo_sum(f, &h, len - icmp))));
	return len;
}

/* Does it answer, as it would the guest? The answer stays in the socket: the guest ignores it. */
static bool answers(int fd, const uint8_t *mac)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint8_t frame[512];

	if (!send_probe(fd, frame, dhcp_discover(frame, mac)) ||
	    !send_probe(fd, frame, router_solicitation(frame, mac)))
		return false;
	return poll(&pfd, 1, START_MS) > 0 &&
	       recv(fd, frame, sizeof(frame), MSG_PEEK | MSG_DONTWAIT) > 0;
}

static struct net_link *give_up(int fd, pid_t child, int log, const char *what, struct problem *p)
{
	char line[200];

	close(fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	last_line(log, line, sizeof(line));
	problem(p, "%s %s%s", what, line[0] ? "says: " : "does not answer", line);
	return NULL;
}

/* As far as the host permits (net.core.wmem_max): bursts are long. */
static void widen(int fd)
{
	const int bytes = 4 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static struct net_link *start_with(const char *program, struct args *a, const uint8_t *mac, int log,
				   const char *what, struct problem *p)
{
	struct net_link *link;
	pid_t child;
	int ends[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		problem(p, "no socket for %s: %s", what, strerror(errno));
		return NULL;
	}
	widen(ends[0]);
	widen(ends[1]);
	rc = spawn(&child, program, a, ends[1], log);
	close(ends[1]);
	if (rc) {
		close(ends[0]);
		problem(p, "%s cannot be started: %s", what, strerror(rc));
		return NULL;
	}
	if (!answers(ends[0], mac))
		return give_up(ends[0], child, log, what, p);
	link = net_link_stream(ends[0], child, p);
	if (!link) {
		struct problem none;

		give_up(ends[0], child, log, what, &none);
	}
	return link;
}

static struct net_link *start(const char *program, const struct nic_config *config,
			      void (*build)(struct args *, const struct nic_config *),
			      const char *what, struct problem *p)
{
	struct args a = {.argc = 0};
	struct net_link *link;
	int log = open_log();

	if (log < 0) {
		problem(p, "no memory for the messages of %s: %s", what, strerror(errno));
		return NULL;
	}
	build(&a, config);
	link = start_with(program, &a, config->mac, log, what, p);
	free_args(&a);
	close(log);
	return link;
}

struct net_link *net_link_open_user(const struct nic_config *config, struct problem *p)
{
	struct problem first, second;
	struct net_link *link = start("passt", config, passt_args, "passt", &first);

	if (link) {
		snprintf(link->description, sizeof(link->description), "user-mode network (passt)");
		return link;
	}
	link = start("/proc/self/exe", config, slirp_args, "libslirp", &second);
	if (link) {
		snprintf(link->description, sizeof(link->description),
			 "user-mode network (libslirp, because %.100s)", first.text);
		return link;
	}
	problem(p, "vif %u: no user-mode network: %.200s; %.200s", config->devid, first.text,
		second.text);
	return NULL;
}
