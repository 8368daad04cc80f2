// SPDX-License-Identifier: BSD-2-Clause
/*
 * Real TCP through all of it: Linux's own stack, in a network namespace, is the guest's. Its tap
 * device is pumped to and from a frontend's rings; behind the backend is passt, or libslirp, and
 * behind that a server on the host's loopback.
 *
 *	client - tap - rings - engine - passt - server
 *
 * Megabytes each way arrive as they were sent: so what is said of checksums and large segments
 * is true in both directions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/fake_front.h"
#include "host/backend/net/slirp_main.h"
#include "shim/fake_test.h"

#define AMOUNT (16u << 20)
#define CHUNK  65536u

/* The client's exit status. */
#define CLIENT_OK        0
#define CLIENT_FAILED    1
#define CLIENT_FORBIDDEN 2 /* no namespace, no tap */

struct subject {
	struct fake *fake;
	struct fake_front front;
	struct net_link *link;
	struct net_engine *engine;
	struct net_stats stats;
	int report_fd;
	int server; /* listens */
	uint16_t port;
	uint32_t address, gateway;
	pid_t client;
	int tap;
	uint32_t free_pages;
	bool held; /* a frame from the tap that found no room */
	uint32_t held_len;
	struct virtio_net_hdr held_header;
	uint8_t data[sizeof(struct virtio_net_hdr) + NET_FRAME_MAX];
	struct front_packet packet;
	unsigned large_out, large_in; /* frames of many segments */
};

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 24);
}

/*
 * The two ends of the connection: each sends AMOUNT bytes in its turn, and checks the other's.
 */

static bool send_all(int fd)
{
	uint8_t bytes[CHUNK];

	for (uint64_t at = 0; at < AMOUNT; at += CHUNK) {
		for (uint64_t i = 0; i < CHUNK; i++)
			bytes[i] = byte_at(at + i);
		for (size_t done = 0; done < CHUNK;) {
			ssize_t n = send(fd, bytes + done, CHUNK - done, MSG_NOSIGNAL);

			if (n <= 0)
				return false;
			done += (size_t)n;
		}
	}
	return true;
}

static bool receive_all(int fd)
{
	uint8_t bytes[CHUNK];
	uint64_t at = 0;

	while (at < AMOUNT) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

		if (n <= 0)
			return false;
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] != byte_at(at++))
				return false;
	}
	return at == AMOUNT;
}

static void *serve(void *opaque)
{
	const struct subject *s = opaque;
	int fd = accept(s->server, NULL, NULL);

	if (fd >= 0 && receive_all(fd))
		send_all(fd);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/*
 * The client's process, in namespaces of its own.
 */

static bool send_tap(int socket, int tap)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = space,
			   .msg_controllen = sizeof(space)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &tap, sizeof(tap));
	return sendmsg(socket, &m, 0) == 1;
}

static int receive_tap(int socket)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = space,
			   .msg_controllen = sizeof(space)};
	int fd = -1;

	if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static bool configure(const struct subject *s, struct ifreq *r)
{
	struct sockaddr_in *a = (struct sockaddr_in *)(void *)&r->ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool ok;

	*a = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(s->address)};
	ok = !ioctl(fd, SIOCSIFADDR, r);
	a->sin_addr.s_addr = htonl(0xffffff00);
	ok = ok && !ioctl(fd, SIOCSIFNETMASK, r);
	r->ifr_flags = IFF_UP | IFF_RUNNING;
	ok = ok && !ioctl(fd, SIOCSIFFLAGS, r);
	close(fd);
	return ok;
}

static int open_tap(const struct subject *s)
{
	struct ifreq r = {.ifr_name = "eth0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd;

	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET))
		return -1;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) || !configure(s, &r))
		return -1;
	return fd;
}

static int client_fails(const char *what)
{
	fprintf(stderr, "the client cannot %s: %s\n", what, strerror(errno));
	return CLIENT_FAILED;
}

static int be_client(const struct subject *s, int socket_of_parent)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(s->port),
				 .sin_addr.s_addr = htonl(s->gateway)};
	const struct timeval patience = {.tv_sec = 5};
	int tap = open_tap(s), fd;

	if (tap < 0)
		return CLIENT_FORBIDDEN;
	if (!send_tap(socket_of_parent, tap))
		return CLIENT_FAILED;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return client_fails("connect");
	if (!send_all(fd))
		return client_fails("send");
	if (!receive_all(fd))
		return client_fails("receive");
	return CLIENT_OK;
}

static void start_client(struct subject *s)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	s->client = fork();
	assert_true(s->client >= 0);
	if (!s->client) {
		close(ends[0]);
		_exit(be_client(s, ends[1]));
	}
	close(ends[1]);
	s->tap = receive_tap(ends[0]);
	close(ends[0]);
}

/*
 * The guest's driver: between the tap and the rings.
 */

static bool take_answers(struct subject *s)
{
	struct netif_tx_response r;
	bool moved = false;

	while (front_take(&s->front.queues[0].tx, &r, sizeof(r))) {
		if (r.status == NETIF_RSP_NULL)
			continue;
		assert_int_equal(r.status, NETIF_RSP_OKAY);
		s->free_pages++;
		moved = true;
	}
	return moved;
}

static bool put_held(struct subject *s)
{
	const struct virtio_net_hdr *h = &s->held_header;
	uint32_t pages = (s->held_len + NET_PAGE - 1) / NET_PAGE;
	uint16_t flags = 0;
	uint8_t gso = 0;

	if (!s->held || s->free_pages < pages)
		return false;
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		flags = NETTXF_csum_blank | NETTXF_data_validated;
	if (h->gso_type == VIRTIO_NET_HDR_GSO_TCPV4)
		gso = XEN_NETIF_GSO_TYPE_TCPV4;
	else if (h->gso_type == VIRTIO_NET_HDR_GSO_TCPV6)
		gso = XEN_NETIF_GSO_TYPE_TCPV6;
	s->large_out += !!gso;
	front_put_frame(&s->front, 0, s->data + sizeof(*h), s->held_len, flags, gso,
			gso ? h->gso_size : 0);
	s->free_pages -= pages;
	s->held = false;
	return true;
}

static bool pump_out(struct subject *s)
{
	bool moved = false;
	ssize_t n;

	do {
		moved |= put_held(s);
		if (s->held)
			break;
		n = read(s->tap, s->data, sizeof(s->data));
		if (n <= (ssize_t)sizeof(s->held_header))
			break;
		memcpy(&s->held_header, s->data, sizeof(s->held_header));
		s->held_len = (uint32_t)n - sizeof(s->held_header);
		s->held = true;
	} while (true);
	if (moved && front_push(&s->front.queues[0].tx))
		fake_send(s->fake, s->front.guest.queues[0].tx_port);
	return moved;
}

static void describe(const struct front_packet *p, struct virtio_net_hdr *header)
{
	const struct netif_extra_info *gso = &p->extra[XEN_NETIF_EXTRA_TYPE_GSO];
	struct net_headers h;

	*header = (struct virtio_net_hdr){0};
	if (p->flags & NETRXF_csum_blank) {
		net_headers_parse(p->data, p->len, &h);
		header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		header->csum_start = h.transport;
		header->csum_offset = h.csum_offset;
		header->hdr_len = h.payload;
	}
	if (!gso->type)
		return;
	header->gso_size = gso->u.gso.size;
	header->gso_type = gso->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 ? VIRTIO_NET_HDR_GSO_TCPV4
								       : VIRTIO_NET_HDR_GSO_TCPV6;
}

static bool pump_in(struct subject *s)
{
	static uint8_t out[sizeof(struct virtio_net_hdr) + NET_FRAME_MAX];
	struct virtio_net_hdr header;
	bool moved = false;

	while (front_receive(&s->front, 0, &s->packet)) {
		assert_int_equal(s->packet.error, 0);
		describe(&s->packet, &header);
		s->large_in += !!header.gso_type;
		memcpy(out, &header, sizeof(header));
		memcpy(out + sizeof(header), s->packet.data, s->packet.len);
		assert_int_equal(write(s->tap, out, sizeof(header) + s->packet.len),
				 sizeof(header) + s->packet.len);
		front_offer(&s->front, 0, s->packet.slots);
		moved = true;
	}
	return moved;
}

static int pump_until_client_ends(struct subject *s)
{
	const struct timespec step = {.tv_nsec = 50000};
	int status;

	for (;;) {
		bool moved = take_answers(s);

		moved |= pump_out(s);
		moved |= pump_in(s);
		if (moved)
			continue;
		if (waitpid(s->client, &status, WNOHANG) == s->client)
			return WIFEXITED(status) ? WEXITSTATUS(status) : CLIENT_FAILED;
		nanosleep(&step, NULL);
	}
}

/*
 * All together.
 */

/* Address and gateway, as the user-mode networks give them: by asking once, as link_test.c does in
 * full. */
static bool learn_addresses(struct subject *s)
{
	struct net_frame f;

	for (int i = 0; i < 200; i++) {
		const struct timespec step = {.tv_nsec = 10000000};

		s->link->readable = true;
		/* The answer to the link's own first question. */
		while (s->link->ops->receive(s->link, &f) > 0) {
			if (f.len < 282 || net_get16(f.data + 12) != 0x0800 ||
			    net_get16(f.data + 36) != 68)
				continue;
			s->address = net_get32(f.data + 42 + 16);
			s->gateway = net_get32(f.data + 26); /* who answers */
			return true;
		}
		nanosleep(&step, NULL);
	}
	return false;
}

static void listen_on_loopback(struct subject *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	/* passt promises the guest a local server's whole window, and loses what its own socket
	 * then does not take: which can stop a connection for good. */
	const int window = 256 << 10;

	s->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(s->server, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	assert_int_equal(bind(s->server, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->server, 1), 0);
	assert_int_equal(getsockname(s->server, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));

	*state = s;
	if (!s || !(s->fake = fake_create(true)))
		return -1;
	fake_front_init(&s->front, s->fake, 1);
	s->free_pages = FRONT_TX_PAGES;
	s->tap = -1;
	s->report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	listen_on_loopback(s);
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	if (s->engine)
		net_engine_stop(s->engine);
	if (s->link)
		net_link_close(s->link);
	if (s->tap >= 0)
		close(s->tap);
	close(s->server);
	close(s->report_fd);
	fake_destroy(s->fake);
	free(s);
	return 0;
}

static void open_link(struct subject *s)
{
	const struct nic_config config = {.mode = NIC_USER, .mac = {0, 0x16, 0x3e, 1, 2, 3}};
	struct problem p = {""};

	s->link = net_link_open(&config, 1, &p);
	if (!s->link)
		fail_msg("%s", p.text);
	else
		assert_true(learn_addresses(s));
}

static void run_engine(struct subject *s)
{
	struct problem p = {""};

	front_offer(&s->front, 0, FRONT_RX_PAGES);
	s->engine = net_engine_start(&s->fake->domain, s->link, &s->front.guest, 0, 0, &s->stats,
				     s->report_fd, &p);
	assert_non_null(s->engine);
}

/* CLIENT_*. */
static int attempt(struct subject *s)
{
	pthread_t server;
	int status;

	open_link(s);
	start_client(s);
	if (s->tap < 0) {
		waitpid(s->client, &status, 0);
		return WEXITSTATUS(status);
	}
	assert_int_equal(pthread_create(&server, NULL, serve, s), 0);
	run_engine(s);
	status = pump_until_client_ends(s);
	shutdown(s->server, SHUT_RDWR);
	pthread_join(server, NULL);
	return status;
}

/*
 * The passt of 2023 stops a connection once in a hundred times, when it has more to do than CPUs:
 * it is given more tries than one.
 */
static struct subject *transfer(void **state, unsigned can, int tries)
{
	struct subject *s = *state;
	int status;

	s->front.guest.can = can;
	while ((status = attempt(s)) == CLIENT_FAILED && --tries) {
		print_message("once more\n");
		teardown(state);
		if (setup(state))
			abort();
		s = *state;
		s->front.guest.can = can;
	}
	if (status == CLIENT_FORBIDDEN) {
		print_message("SKIP: no network namespace or no tap device for this user here\n");
		skip();
	}
	assert_int_equal(status, CLIENT_OK);
	print_message("%s: %u frames out, %u of them large; %u in, %u large\n",
		      net_link_description(s->link), (unsigned)s->stats.tx_packets, s->large_out,
		      (unsigned)s->stats.rx_packets, s->large_in);
	assert_int_equal(s->stats.tx_errors, 0);
	assert_int_equal(s->stats.rx_dropped, 0);
	return s;
}

#define CAN_ALL (NET_CAN_CSUM4 | NET_CAN_CSUM6 | NET_CAN_GSO4 | NET_CAN_GSO6)

static void by_the_default(void **state)
{
	const struct subject *s = transfer(state, CAN_ALL, 3);

	assert_true(s->large_out > 100);
	assert_true(s->large_in > 100);
}

/* A driver that takes neither blank checksums nor large segments. */
static void by_the_default_without_offload(void **state)
{
	assert_int_equal(transfer(state, 0, 3)->large_in, 0);
}

static void by_libslirp(void **state)
{
	const char *path = getenv("PATH");
	char *before = strdup(path ? path : "");

	assert_non_null(before);
	setenv("PATH", "/nonexistent", 1);
	transfer(state, CAN_ALL, 1);
	setenv("PATH", before, 1);
	free(before);
}

#define TCP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TCP_TEST(by_the_default),
		TCP_TEST(by_the_default_without_offload),
		TCP_TEST(by_libslirp),
	};

	/* We are the program that the link starts again. */
	if (argc > 1 && !strcmp(argv[1], NET_SLIRP_COMMAND))
		return net_slirp_main(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
