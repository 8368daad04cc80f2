// SPDX-License-Identifier: BSD-2-Clause
/*
 * passt and libslirp as they are started for a guest, with the test as the guest: DHCP, ARP, UDP to
 * the host's loopback and back, a port of the host forwarded.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/link.h"
#include "host/backend/net/slirp_main.h"

#define PATIENCE_MS 5000

static const uint8_t guest_mac[6] = {0x00, 0x16, 0x3e, 0x0a, 0x0b, 0x0c};

/* As the engine, which has had an event. */
static int receive(struct net_link *link, struct net_frame *f)
{
	link->readable = true;
	return link->ops->receive(link, f);
}

struct guest {
	struct net_link *link;
	uint32_t address, gateway; /* 0: not known yet */
	uint8_t gateway_mac[6];
	uint16_t forwarded; /* a UDP port of the host's that leads to our port 7777 */
};

static void transmit(struct net_link *link, const uint8_t *data, uint32_t len)
{
	struct net_frame f = {.data = link->ops->reserve(link, 1), .len = len};

	assert_non_null(f.data);
	memcpy(f.data, data, len);
	assert_true(link->ops->commit(link, &f));
	assert_int_equal(link->ops->flush(link), 0);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The next frame that `wanted` says yes to. */
static void await(struct guest *g, bool (*wanted)(struct guest *g, const struct net_frame *f),
		  struct net_frame *f)
{
	struct pollfd pfd = {.fd = g->link->fd, .events = POLLIN};
	int64_t end = now_ms() + PATIENCE_MS;
	int rc;

	for (;;) {
		while ((rc = receive(g->link, f)) > 0)
			if (wanted(g, f))
				return;
		assert_int_equal(rc, 0);
		if (now_ms() >= end || poll(&pfd, 1, (int)(end - now_ms())) <= 0)
			fail_msg("no answer");
	}
}

static uint32_t put_udp(uint8_t *f, const uint8_t *to, uint32_t from_ip, uint32_t to_ip,
			uint16_t from, uint16_t port, const void *payload, uint32_t n)
{
	struct net_frame frame = {.data = f, .len = 42 + n};

	memcpy(f, to, 6);
	memcpy(f + 6, guest_mac, 6);
	net_put16(f + 12, 0x0800);
	memset(f + 14, 0, 20);
	f[14] = 0x45;
	net_put16(f + 16, 28 + n);
	f[22] = 64;
	f[23] = NET_PROTO_UDP;
	net_put32(f + 26, from_ip);
	net_put32(f + 30, to_ip);
	net_checksum_ipv4(f + 14, 20);
	net_put16(f + 34, from);
	net_put16(f + 36, port);
	net_put16(f + 38, 8 + n);
	memcpy(f + 42, payload, n);
	assert_true(net_checksum_complete(&frame));
	return frame.len;
}

/* An offer to our DISCOVER of transaction "real": the address, and the router from its options. */
static bool is_offer(struct guest *g, const struct net_frame *f)
{
	const uint8_t *bootp = f->data + 42, *option = bootp + 240;
	const uint8_t *end = f->data + f->len;

	if (f->len < 42 + 240 || net_get16(f->data + 12) != 0x0800 ||
	    net_get16(f->data + 36) != 68 || memcmp(bootp + 4, "real", 4) != 0)
		return false;
	g->address = net_get32(bootp + 16);
	while (option + 6 <= end && *option != 255) {
		if (*option == 3)
			g->gateway = net_get32(option + 2);
		option += *option ? 2 + option[1] : 1;
	}
	return true;
}

static void ask_dhcp(struct guest *g)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t frame[512], bootp[300] = {1, 1, 6, 0, 'r', 'e', 'a', 'l'};
	const uint8_t options[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, 2, 1, 3, 255};
	struct net_frame f;

	memcpy(bootp + 28, guest_mac, 6);
	memcpy(bootp + 236, options, sizeof(options));
	transmit(g->link, frame,
		 put_udp(frame, everybody, 0, UINT32_MAX, 68, 67, bootp, sizeof(bootp)));
	await(g, is_offer, &f);
	assert_true(g->address && g->gateway);
}

static bool is_arp_reply(struct guest *g, const struct net_frame *f)
{
	if (f->len < 42 || net_get16(f->data + 12) != 0x0806 || net_get16(f->data + 20) != 2 ||
	    net_get32(f->data + 28) != g->gateway)
		return false;
	memcpy(g->gateway_mac, f->data + 22, 6);
	return true;
}

static void put_arp(uint8_t *a, uint16_t op, uint32_t from, uint32_t to)
{
	memset(a, 0, 42);
	memset(a, 0xff, 6);
	memcpy(a + 6, guest_mac, 6);
	net_put16(a + 12, 0x0806);
	net_put16(a + 14, 1);
	net_put16(a + 16, 0x0800);
	a[18] = 6;
	a[19] = 4;
	net_put16(a + 20, op);
	memcpy(a + 22, guest_mac, 6);
	net_put32(a + 28, from);
	net_put32(a + 38, to);
}

static void ask_arp(struct guest *g)
{
	uint8_t a[42];
	struct net_frame f;

	put_arp(a, 1, g->address, g->gateway);
	transmit(g->link, a, sizeof(a));
	await(g, is_arp_reply, &f);
}

/* A UDP socket of the host's on its loopback. */
static int host_socket(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*port = ntohs(a.sin_port);
	return fd;
}

static bool is_udp_to(const struct net_frame *f, uint16_t port)
{
	return f->len > 42 && net_get16(f->data + 12) == 0x0800 && f->data[23] == NET_PROTO_UDP &&
	       net_get16(f->data + 36) == port;
}

/* Who does not know our address yet asks for it. */
static void answer_arp(struct guest *g, const struct net_frame *f)
{
	uint8_t a[42];

	if (f->len < 42 || net_get16(f->data + 12) != 0x0806 || net_get16(f->data + 20) != 1 ||
	    net_get32(f->data + 38) != g->address)
		return;
	put_arp(a, 2, g->address, net_get32(f->data + 28));
	memcpy(a, f->data + 6, 6);
	memcpy(a + 32, f->data + 22, 6);
	transmit(g->link, a, sizeof(a));
}

static bool is_echo(struct guest *g, const struct net_frame *f)
{
	answer_arp(g, f);
	return is_udp_to(f, 5555);
}

static bool is_forwarded(struct guest *g, const struct net_frame *f)
{
	answer_arp(g, f);
	return is_udp_to(f, 7777);
}

/* The gateway's address is the host's loopback. */
static void udp_to_the_host_and_back(struct guest *g)
{
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	struct net_frame f;
	uint8_t frame[100];
	char text[16] = "";
	uint16_t port;
	int fd = host_socket(&port);

	transmit(g->link, frame,
		 put_udp(frame, g->gateway_mac, g->address, g->gateway, 5555, port, "ping", 4));
	assert_int_equal(recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &from_len),
			 4);
	assert_memory_equal(text, "ping", 4);
	assert_int_equal(sendto(fd, "pong!", 5, 0, (struct sockaddr *)&from, from_len), 5);
	await(g, is_echo, &f);
	assert_memory_equal(f.data + 42, "pong!", 5);
	assert_int_equal(net_get32(f.data + 26), g->gateway);
	close(fd);
}

static void a_forwarded_port(struct guest *g)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct net_frame f;
	uint8_t frame[100];
	char text[16] = "";
	uint16_t own;
	int fd = host_socket(&own);

	to.sin_port = htons(g->forwarded);
	assert_int_equal(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	await(g, is_forwarded, &f);
	assert_memory_equal(f.data + 42, "hello", 5);
	transmit(g->link, frame,
		 put_udp(frame, f.data + 6, g->address, net_get32(f.data + 26), 7777,
			 net_get16(f.data + 34), "world", 5));
	assert_int_equal(recv(fd, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "world", 5);
	close(fd);
}

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
	uint16_t port;

	close(host_socket(&port));
	return port;
}

static struct net_link *open_user(struct guest *g, struct problem *p)
{
	struct port_forward forward = {.udp = true, .guest_port = 7777};
	struct nic_config config = {.mode = NIC_USER, .forwards = &forward, .nr_forwards = 1};

	memcpy(config.mac, guest_mac, 6);
	g->forwarded = forward.host_port = free_port();
	return net_link_open(&config, 1, p);
}

static void open_well(struct guest *g)
{
	struct problem p = {""};

	g->link = open_user(g, &p);
	if (!g->link)
		print_message("%s\n", p.text);
	assert_non_null(g->link);
}

static void all_of_it(struct guest *g)
{
	ask_dhcp(g);
	ask_arp(g);
	udp_to_the_host_and_back(g);
	a_forwarded_port(g);
}

static bool has_children(void)
{
	return waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
}

static void passt(void **state)
{
	struct guest g = {0};

	(void)state;
	open_well(&g);
	if (strcmp(net_link_description(g.link), "user-mode network (passt)") != 0) {
		print_message("SKIP: no passt here: %s\n", net_link_description(g.link));
		net_link_close(g.link);
		skip();
	}
	all_of_it(&g);
	net_link_close(g.link);
	assert_false(has_children());
}

static void with_path(const char *path, void (*test)(void))
{
	const char *is = getenv("PATH");
	char *before = strdup(is ? is : "");

	assert_non_null(before);
	setenv("PATH", path, 1);
	test();
	setenv("PATH", before, 1);
	free(before);
}

static void without_passt(void)
{
	struct guest g = {0};

	open_well(&g);
	assert_non_null(strstr(net_link_description(g.link), "libslirp, because passt cannot be "
							     "started: No such file or directory"));
	all_of_it(&g);
	net_link_close(g.link);
	assert_false(has_children());
}

static void libslirp(void **state)
{
	(void)state;
	with_path("/nonexistent", without_passt);
}

/* A passt that ends at once: what it said is told, and libslirp takes its place. */
static char broken[] = "/tmp/net-link-test-XXXXXX";

static void with_a_broken_passt(void)
{
	struct guest g = {0};

	open_well(&g);
	assert_string_equal(net_link_description(g.link),
			    "user-mode network (libslirp, because passt says: I cannot)");
	ask_dhcp(&g);
	net_link_close(g.link);
}

static void a_passt_that_fails(void **state)
{
	char program[64];
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(broken));
	snprintf(program, sizeof(program), "%s/passt", broken);
	file = fopen(program, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\necho First this >&2\necho I cannot >&2\nexit 1\n");
	fchmod(fileno(file), 0755);
	fclose(file);
	with_path(broken, with_a_broken_passt);
	unlink(program);
	rmdir(broken);
}

/* A forward to a port that somebody has: neither can, and both say why. */
static void a_port_in_use(void **state)
{
	struct port_forward forward = {.udp = true, .guest_port = 1};
	struct nic_config config = {.mode = NIC_USER, .forwards = &forward, .nr_forwards = 1};
	struct problem p = {""};
	int fd = host_socket(&forward.host_port);

	(void)state;
	assert_null(net_link_open(&config, 1, &p));
	assert_non_null(strstr(p.text, "libslirp says: "));
	assert_non_null(strstr(p.text, "Address already in use"));
	assert_false(has_children());
	close(fd);
}

/* However we end, the processes do, too: their socket is closed with us. */
static void killed_with_the_link_open(void **state)
{
	struct guest g = {0};
	struct problem p = {""};
	int pipe_ends[2], status;
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(pipe_ends[0]);
		/* The pipe is inherited: its end is that of all who hold it. */
		if (open_user(&g, &p))
			raise(SIGKILL);
		_exit(1);
	}
	close(pipe_ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	alarm(10);
	assert_int_equal(read(pipe_ends[0], &byte, 1), 0);
	alarm(0);
	close(pipe_ends[0]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passt),
		cmocka_unit_test(libslirp),
		cmocka_unit_test(a_passt_that_fails),
		cmocka_unit_test(a_port_in_use),
		cmocka_unit_test(killed_with_the_link_open),
	};

	/* We are the program that the link starts again. */
	if (argc > 1 && !strcmp(argv[1], NET_SLIRP_COMMAND))
		return net_slirp_main(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
