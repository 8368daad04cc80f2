// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tap devices and bridges, in a network namespace of the test's own (and a user namespace, where it
 * is not root): frames with and without work left to do, against the kernel's own stack.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/link.h"
#include "host/backend/net/test_frame.h"

#define HOST        "192.0.2.1" /* test_frame.c sends to .2 from .1: addresses are swapped below */
#define GUEST       0xc0000202u
#define PATIENCE_MS 5000

static bool alone; /* in namespaces of our own */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Why it cannot be is told as the tests' reason to skip. */
static const char *leave_host(void)
{
	char map[64];
	unsigned uid = geteuid();

	if (access("/dev/net/tun", R_OK | W_OK))
		return "/dev/net/tun cannot be opened";
	if (!uid) {
		if (!unshare(CLONE_NEWNET))
			return NULL;
		return "unshare(CLONE_NEWNET) is refused";
	}
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return "unshare(CLONE_NEWUSER | CLONE_NEWNET) is refused";
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", map))
		return "the user cannot be mapped";
	return NULL;
}

static int control(unsigned long request, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	assert_true(fd >= 0);
	rc = ioctl(fd, request, r);
	close(fd);
	return rc;
}

static struct ifreq interface(const char *name)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return r;
}

static void set_address(const char *name)
{
	struct ifreq r = interface(name);
	struct sockaddr_in *a = (struct sockaddr_in *)(void *)&r.ifr_addr;

	a->sin_family = AF_INET;
	inet_pton(AF_INET, HOST, &a->sin_addr);
	assert_int_equal(control(SIOCSIFADDR, &r), 0);
	inet_pton(AF_INET, "255.255.255.0", &a->sin_addr);
	assert_int_equal(control(SIOCSIFNETMASK, &r), 0);
}

static struct net_link *open_as(struct nic_config *config)
{
	struct problem p = {""};
	struct net_link *link = net_link_open(config, 7, &p);

	if (!link)
		fail_msg("%s", p.text);
	return link;
}

static void refused(struct nic_config *config, const char *why)
{
	struct problem p = {""};

	assert_null(net_link_open(config, 7, &p));
	if (!strstr(p.text, why))
		fail_msg("refused because \"%s\"", p.text);
}

static char tap0[] = "tap0", br0[] = "br0", nobr[] = "nobr", odd[] = "a-name-of-16-cha",
	    mq[] = "mq0";

static int setup(void **state)
{
	struct nic_config config = {.mode = NIC_TAP, .vifname = tap0, .mtu = 9000};

	if (!alone)
		return 0;
	*state = open_as(&config);
	set_address(tap0);
	return 0;
}

static int teardown(void **state)
{
	if (alone)
		net_link_close(*state);
	return 0;
}

static void next_frame(struct net_link *link, struct net_frame *f,
		       bool (*wanted)(const struct net_frame *f))
{
	struct pollfd pfd = {.fd = link->fd, .events = POLLIN};
	int rc;

	for (;;) {
		link->readable = true;
		while ((rc = link->ops->receive(link, f)) > 0)
			if (wanted(f))
				return;
		assert_int_equal(rc, 0);
		if (poll(&pfd, 1, PATIENCE_MS) <= 0)
			fail_msg("no frame");
	}
}

static bool transmit(struct net_link *link, const struct net_frame *f, const uint8_t *data)
{
	struct net_frame copy = *f;

	copy.data = link->ops->reserve(link, 1);
	memcpy(copy.data, data, f->len);
	if (copy.csum_blank)
		assert_true(net_checksum_prepare(&copy));
	return link->ops->commit(link, &copy) && !link->ops->flush(link);
}

static bool is_arp_request(const struct net_frame *f)
{
	return f->len >= 42 && net_get16(f->data + 12) == 0x0806 && net_get16(f->data + 20) == 1 &&
	       net_get32(f->data + 38) == GUEST;
}

static bool is_udp(const struct net_frame *f)
{
	return f->len > 42 && net_get16(f->data + 12) == 0x0800 && f->data[23] == NET_PROTO_UDP;
}

static bool is_reset(const struct net_frame *f)
{
	return f->len >= 54 && net_get16(f->data + 12) == 0x0800 && f->data[23] == NET_PROTO_TCP &&
	       f->data[47] & 0x04;
}

/* The host learns where the guest is. */
static void answer_arp(struct net_link *link, const struct net_frame *request)
{
	uint8_t a[42];
	struct net_frame f = {.len = sizeof(a)};

	memcpy(a, request->data, sizeof(a));
	memcpy(a, request->data + 6, 6);
	memcpy(a + 6, "\x00\x16\x3e\x01\x02\x03", 6);
	net_put16(a + 20, 2);
	memcpy(a + 22, a + 6, 6);
	net_put32(a + 28, GUEST);
	memcpy(a + 32, request->data + 22, 10);
	assert_true(transmit(link, &f, a));
}

static int host_socket(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	assert_true(fd >= 0);
	inet_pton(AF_INET, HOST, &a.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*port = ntohs(a.sin_port);
	return fd;
}

static void host_sends(int fd, const void *bytes, size_t n)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(GUEST)};

	assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&to, sizeof(to)), n);
}

/* The host hears from the guest once, and so knows its address. */
static int meet(struct net_link *link, uint16_t *port)
{
	int fd = host_socket(port);
	struct net_frame f;

	host_sends(fd, "x", 1);
	next_frame(link, &f, is_arp_request);
	answer_arp(link, &f);
	next_frame(link, &f, is_udp);
	return fd;
}

static void skip_unless_alone(void)
{
	if (!alone)
		skip();
}

static void the_kernel_leaves_checksums(void **state)
{
	struct net_link *link = *state;
	struct net_frame f;
	uint16_t port;
	int fd;

	skip_unless_alone();
	fd = meet(link, &port);
	link->ops->receiver(link, NET_CAN_CSUM4 | NET_CAN_CSUM6);
	host_sends(fd, "hello", 5);
	next_frame(link, &f, is_udp);
	assert_true(f.csum_blank);
	assert_false(test_frame_is_right(f.data, f.len));
	assert_int_equal(f.csum_start, 34);
	assert_int_equal(f.csum_offset, 6);
	assert_true(net_checksum_complete(&f));
	assert_true(test_frame_is_right(f.data, f.len));
	/* A guest that takes no blank ones gets none. */
	link->ops->receiver(link, 0);
	host_sends(fd, "hello", 5);
	next_frame(link, &f, is_udp);
	assert_false(f.csum_blank);
	assert_true(test_frame_is_right(f.data, f.len));
	close(fd);
}

/* As the guest: to the host's own MAC address and port. */
static uint32_t frame_to_host(const char *name, const struct test_frame *like, uint8_t *out)
{
	struct ifreq r = interface(name);
	struct test_frame t = *like;
	uint32_t len;
	uint8_t swap[4];

	assert_int_equal(control(SIOCGIFHWADDR, &r), 0);
	t.to = (const uint8_t *)r.ifr_hwaddr.sa_data;
	len = test_frame_build(&t, out);
	memcpy(swap, out + 26, 4);
	memcpy(out + 26, out + 30, 4);
	memcpy(out + 30, swap, 4);
	return len;
}

static void a_blank_checksum_is_completed(void **state)
{
	struct net_link *link = *state;
	struct test_frame t = {.udp = true, .payload = 100, .first = 1, .blank = true};
	uint8_t data[300], got[300];
	struct net_frame f = {.csum_blank = true};
	int fd;

	skip_unless_alone();
	fd = meet(link, &t.destination_port);
	f.len = frame_to_host(link->interface, &t, data);
	assert_true(transmit(link, &f, data));
	assert_int_equal(recv(fd, got, sizeof(got), 0), 100);
	assert_memory_equal(got, data + 42, 100);
	close(fd);
}

/* A segment of 60,000 bytes to a closed port: the reset that comes back acknowledges all of it. */
static void a_large_segment_is_taken_whole(void **state)
{
	struct net_link *link = *state;
	const struct test_frame t = {
		.payload = 60000, .seq = 1000, .destination_port = 9, .blank = true};
	struct net_frame f = {.csum_blank = true, .gso = 1, .gso_size = 1448}, reset;
	uint8_t *data;
	uint16_t port;

	skip_unless_alone();
	data = malloc(NET_FRAME_MAX);
	assert_non_null(data);
	close(meet(link, &port));
	f.len = frame_to_host(link->interface, &t, data);
	assert_true(transmit(link, &f, data));
	next_frame(link, &reset, is_reset);
	assert_int_equal(net_get32(reset.data + 42), 1000 + 60000);
	free(data);
}

static void mtu_is_set(void **state)
{
	struct ifreq r = interface(tap0);

	(void)state;
	skip_unless_alone();
	assert_int_equal(control(SIOCGIFMTU, &r), 0);
	assert_int_equal(r.ifr_mtu, 9000);
}

static void description(void **state)
{
	skip_unless_alone();
	assert_string_equal(net_link_description(*state), "tap device tap0");
}

static void a_tap_in_use(void **state)
{
	struct nic_config config = {.mode = NIC_TAP, .vifname = tap0};

	(void)state;
	skip_unless_alone();
	refused(&config, "vifname=tap0: the tap device is in use by somebody else");
}

static void a_name_too_long(void **state)
{
	struct nic_config config = {.mode = NIC_TAP, .vifname = odd};

	(void)state;
	skip_unless_alone();
	refused(&config, "at most 15 characters");
}

/* A persistent tap that was made with several queues, as "ip tuntap add ... multi_queue" does. */
static void a_tap_of_several_queues(void **state)
{
	struct nic_config config = {.mode = NIC_TAP, .vifname = mq};
	struct ifreq r = interface(mq);
	struct net_link *link;
	int fd;

	(void)state;
	skip_unless_alone();
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	r.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR;
	assert_int_equal(ioctl(fd, TUNSETIFF, &r), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
	link = open_as(&config);
	assert_string_equal(link->interface, mq);
	assert_int_not_equal(link->can, 0);
	net_link_close(link);
}

static void bridges(void **state)
{
	struct nic_config config = {.mode = NIC_BRIDGE, .bridge = br0, .devid = 3};
	struct net_link *link, *other;
	struct ifreq r;
	int fd;

	(void)state;
	skip_unless_alone();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(fd, SIOCBRADDBR, br0)) {
		print_message("SKIP: no bridges here: %s\n", strerror(errno));
		close(fd);
		skip();
	}
	link = open_as(&config);
	assert_string_equal(link->interface, "vif7.3");
	assert_string_equal(net_link_description(link), "tap device vif7.3 in bridge br0");
	/* Another user's domain 7. */
	other = open_as(&config);
	assert_string_equal(other->interface, "vif0.3");
	net_link_close(other);
	r = interface(br0);
	r.ifr_ifindex = (int)if_nametoindex(link->interface);
	assert_int_equal(ioctl(fd, SIOCBRADDIF, &r), -1);
	assert_int_equal(errno, EBUSY); /* because it is a member */
	net_link_close(link);
	close(fd);
	config.bridge = nobr;
	refused(&config, "bridge=nobr: there is no such interface");
}

static void set_effective(struct __user_cap_data_struct caps[2])
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	assert_int_equal(syscall(SYS_capset, &head, caps), 0);
}

/* An ordinary user, who may make no interfaces: told what to do. */
static void not_permitted(void **state)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct all[2], none[2];
	struct nic_config config = {.mode = NIC_BRIDGE, .bridge = br0};

	(void)state;
	skip_unless_alone();
	assert_int_equal(syscall(SYS_capget, &head, all), 0);
	memcpy(none, all, sizeof(all));
	none[0].effective = none[1].effective = 0;
	set_effective(none);
	refused(&config, "make a tap for this user (\"ip tuntap add mode tap user");
	set_effective(all);
}

#define TAP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAP_TEST(the_kernel_leaves_checksums),
		TAP_TEST(a_blank_checksum_is_completed),
		TAP_TEST(a_large_segment_is_taken_whole),
		TAP_TEST(mtu_is_set),
		TAP_TEST(description),
		TAP_TEST(a_tap_in_use),
		cmocka_unit_test(a_name_too_long),
		cmocka_unit_test(a_tap_of_several_queues),
		cmocka_unit_test(bridges),
		cmocka_unit_test(not_permitted),
	};
	const char *why = leave_host();

	alone = !why;
	if (why)
		print_message("SKIP: all tests of tap devices: %s\n", why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
