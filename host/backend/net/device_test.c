// SPDX-License-Identifier: BSD-2-Clause
/*
 * A network interface from the store to the link: the device and its thread, with a frontend that
 * the test plays, a real store, and a socket pair for the network.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "host/backend/net/fake_front.h"
#include "host/backend/net/test_frame.h"
#include "host/xenstore/test_loop.h"
#include "shim/fake_test.h"

#define FRONT "/local/domain/7/device/vif/0"
#define BACK  "/local/domain/0/backend/vif/7/0"
#define FAULT "/local/domain/0/error/backend/vif/7/0/error"

#define PATIENCE_MS 10000

struct subject {
	struct loop loop;
	struct store *store;
	struct fake *fake;
	struct fake_front front;
	struct nic_config config;
	struct net_link *link;
	struct net_device *device;
	int far; /* the network's end of the link */
	uint8_t data[NET_FRAME_MAX], got[NET_FRAME_MAX];
	struct front_packet packet;
};

static void run(struct subject *s)
{
	test_loop_settle(&s->loop);
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p = {""};
	int ends[2];

	*state = s;
	if (!s || loop_init(&s->loop) || !(s->fake = fake_create(true)) ||
	    !(s->store = store_create(&s->loop, &p)) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	fake_front_init(&s->front, s->fake, FRONT_QUEUES);
	s->config = (struct nic_config){.mac = {0x00, 0x16, 0x3e, 0x01, 0x02, 0xaf}};
	s->far = ends[1];
	s->link = net_link_stream(ends[0], 0, &p);
	if (!s->link)
		return -1;
	s->device = net_device_add(&s->config, s->link, &s->loop, s->store, &s->fake->domain, &p);
	run(s);
	return s->device ? 0 : -1;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	if (s->device)
		net_device_remove(s->device);
	/* Nothing of the guest's is kept. */
	for (unsigned i = 0; i < FRONT_QUEUES; i++)
		assert_int_equal(fake_grant_status(s->fake, s->front.guest.queues[i].tx_ref), 0);
	net_link_close(s->link);
	if (s->far >= 0)
		close(s->far);
	store_destroy(s->store);
	loop_destroy(&s->loop);
	fake_destroy(s->fake);
	free(s);
	return 0;
}

static void front_writes(struct subject *s, const char *name, unsigned value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), FRONT "/%s", name);
	snprintf(text, sizeof(text), "%u", value);
	assert_int_equal(store_write(s->store, path, text), 0);
}

static void front_state(struct subject *s, enum xenbus_state state)
{
	front_writes(s, "state", state);
	run(s);
}

static void check_node(struct subject *s, const char *path, const char *value)
{
	char *is = store_read(s->store, path, NULL);

	if (!is || strcmp(is, value) != 0)
		fail_msg("%s is \"%s\", not \"%s\"", path, is ? is : "(not there)", value);
	free(is);
}

static void check_state(struct subject *s, enum xenbus_state state)
{
	uint64_t is;

	assert_int_equal(store_read_uint(s->store, BACK "/state", &is), 0);
	assert_int_equal(is, state);
}

static void write_features(struct subject *s)
{
	front_writes(s, "request-rx-copy", 1);
	front_writes(s, "feature-rx-notify", 1);
	front_writes(s, "feature-sg", 1);
	front_writes(s, "feature-gso-tcpv4", 1);
	front_writes(s, "feature-gso-tcpv6", 1);
	front_writes(s, "feature-ipv6-csum-offload", 1);
}

static void write_queue(struct subject *s, const char *folder, unsigned i)
{
	const struct net_guest_queue *q = &s->front.guest.queues[i];
	char name[64];

	snprintf(name, sizeof(name), "%stx-ring-ref", folder);
	front_writes(s, name, q->tx_ref);
	snprintf(name, sizeof(name), "%srx-ring-ref", folder);
	front_writes(s, name, q->rx_ref);
	snprintf(name, sizeof(name), "%sevent-channel-tx", folder);
	front_writes(s, name, q->tx_port);
	snprintf(name, sizeof(name), "%sevent-channel-rx", folder);
	front_writes(s, name, q->rx_port);
}

/* As Linux's netfront. */
static void connect_one(struct subject *s)
{
	write_features(s);
	write_queue(s, "", 0);
	front_state(s, XenbusStateConnected);
}

static void connect_two(struct subject *s)
{
	write_features(s);
	front_writes(s, "multi-queue-num-queues", 2);
	write_queue(s, "queue-0/", 0);
	write_queue(s, "queue-1/", 1);
	front_state(s, XenbusStateConnected);
}

/* Until it is so; the loop and the device's thread run meanwhile. */
static void wait_until(struct subject *s, bool (*so)(struct subject *s))
{
	const struct timespec step = {.tv_nsec = 1000000};

	for (int ms = 0; ms < PATIENCE_MS; ms++) {
		run(s);
		if (so(s))
			return;
		nanosleep(&step, NULL);
	}
	fail_msg("it does not happen");
}

static void network_sends(struct subject *s, uint32_t len)
{
	uint8_t head[4];

	net_put32(head, len);
	assert_int_equal(send(s->far, head, 4, MSG_NOSIGNAL), 4);
	assert_int_equal(send(s->far, s->data, len, MSG_NOSIGNAL), len);
}

static uint32_t network_receives(struct subject *s)
{
	uint8_t head[4];
	uint32_t len;

	assert_int_equal(recv(s->far, head, 4, MSG_WAITALL), 4);
	len = net_get32(head);
	assert_true(len <= sizeof(s->got));
	assert_int_equal(recv(s->far, s->got, len, MSG_WAITALL), len);
	return len;
}

static bool queue_0_has_a_packet(struct subject *s)
{
	return front_receive(&s->front, 0, &s->packet);
}

static bool queue_1_has_a_packet(struct subject *s)
{
	return front_receive(&s->front, 1, &s->packet);
}

static void guest_sends(struct subject *s, unsigned queue, uint32_t len)
{
	front_put_frame(&s->front, queue, s->data, len, 0, 0, 0);
	if (front_push(&s->front.queues[queue].tx))
		fake_send(s->fake, s->front.guest.queues[queue].tx_port);
}

static void both_ways(struct subject *s, unsigned queue)
{
	struct test_frame t = {.payload = 9000, .first = (uint8_t)queue};
	uint32_t len = test_frame_build(&t, s->data);

	guest_sends(s, queue, len);
	assert_int_equal(network_receives(s), len);
	assert_memory_equal(s->got, s->data, len);
	front_offer(&s->front, 0, 10);
	front_offer(&s->front, 1, 10);
	network_sends(s, len);
}

static void offered_as_xl_writes_it(void **state)
{
	struct subject *s = *state;

	check_state(s, XenbusStateInitWait);
	check_node(s, BACK "/mac", "00:16:3e:01:02:af");
	check_node(s, BACK "/handle", "0");
	check_node(s, BACK "/type", "vif");
	check_node(s, BACK "/hotplug-status", "connected");
	check_node(s, BACK "/feature-rx-copy", "1");
	check_node(s, BACK "/feature-rx-flip", "0");
	check_node(s, BACK "/feature-sg", "1");
	check_node(s, BACK "/feature-gso-tcpv4", "1");
	check_node(s, BACK "/feature-gso-tcpv6", "1");
	check_node(s, BACK "/feature-ipv6-csum-offload", "1");
	check_node(s, BACK "/feature-multicast-control", "1");
	check_node(s, BACK "/feature-dynamic-multicast-control", "1");
	check_node(s, BACK "/feature-split-event-channels", "1");
	check_node(s, BACK "/feature-ctrl-ring", "1");
	check_node(s, BACK "/multi-queue-max-queues", "3"); /* FAKE_VCPUS */
	check_node(s, FRONT "/mac", "00:16:3e:01:02:af");
	check_node(s, FRONT "/handle", "0");
	check_node(s, FRONT "/trusted", "1");
	assert_false(store_exists(s->store, BACK "/rate"));
	assert_false(store_exists(s->store, FRONT "/mtu"));
}

static char bridge[] = "xenbr0", script[] = "vif-bridge", ip[] = "10.0.0.7";

static void offered_with_all_that_is_configured(void **state)
{
	struct subject *s = *state;
	struct problem p;

	net_device_remove(s->device);
	s->config.bridge = bridge;
	s->config.script = script;
	s->config.ip = ip;
	s->config.mtu = 9000;
	s->config.rate_bps = 125000;
	s->config.rate_interval_us = 50000;
	snprintf(s->link->interface, sizeof(s->link->interface), "vif7.0");
	s->device = net_device_add(&s->config, s->link, &s->loop, s->store, &s->fake->domain, &p);
	assert_non_null(s->device);
	check_node(s, BACK "/bridge", "xenbr0");
	check_node(s, BACK "/script", "vif-bridge");
	check_node(s, BACK "/ip", "10.0.0.7");
	check_node(s, BACK "/mtu", "9000");
	check_node(s, FRONT "/mtu", "9000");
	check_node(s, BACK "/rate", "125000,50000");
	check_node(s, BACK "/vifname", "vif7.0");
}

static void frames_both_ways(void **state)
{
	struct subject *s = *state;
	struct net_stats stats;

	connect_one(s);
	check_state(s, XenbusStateConnected);
	both_ways(s, 0);
	wait_until(s, queue_0_has_a_packet);
	assert_int_equal(s->packet.len, 9054);
	assert_memory_equal(s->packet.data, s->data, 9054);
	net_device_stats(s->device, &stats);
	assert_int_equal(stats.tx_packets, 1);
	assert_int_equal(stats.tx_bytes, 9054);
	assert_int_equal(stats.rx_packets, 1);
	assert_int_equal(stats.rx_bytes, 9054);
	assert_int_equal(stats.grants_copied, 6);
	assert_int_not_equal(stats.events_in, 0);
	assert_int_not_equal(stats.events_out, 0);
}

static bool a_queue_has_a_packet(struct subject *s)
{
	return queue_0_has_a_packet(s) || queue_1_has_a_packet(s);
}

static void two_queues(void **state)
{
	struct subject *s = *state;

	connect_two(s);
	check_state(s, XenbusStateConnected);
	for (unsigned queue = 0; queue < 2; queue++) {
		both_ways(s, queue);
		wait_until(s, a_queue_has_a_packet);
		assert_int_equal(s->packet.len, 9054);
		assert_memory_equal(s->packet.data, s->data, 9054);
	}
}

static void refused_with(struct subject *s, const char *why)
{
	char *text;

	front_state(s, XenbusStateConnected);
	check_state(s, XenbusStateClosing);
	text = store_read(s->store, FAULT, NULL);
	assert_non_null(text);
	if (!strstr(text, why))
		fail_msg("refused because \"%s\"", text);
	free(text);
}

static void without_rx_copy(void **state)
{
	struct subject *s = *state;

	write_queue(s, "", 0);
	refused_with(s, FRONT "/request-rx-copy is not 1");
}

static void without_a_ring(void **state)
{
	write_features(*state);
	refused_with(*state, FRONT "/tx-ring-ref is not there");
}

static void too_many_queues(void **state)
{
	struct subject *s = *state;

	write_features(s);
	front_writes(s, "multi-queue-num-queues", 4);
	refused_with(s, "multi-queue-num-queues is 4, and may be 1 to 3");
}

static void no_queues(void **state)
{
	struct subject *s = *state;

	write_features(s);
	front_writes(s, "multi-queue-num-queues", 0);
	refused_with(s, "multi-queue-num-queues is 0");
}

static void a_queue_is_missing(void **state)
{
	struct subject *s = *state;

	write_features(s);
	front_writes(s, "multi-queue-num-queues", 2);
	write_queue(s, "queue-0/", 0);
	refused_with(s, FRONT "/queue-1/tx-ring-ref");
}

static void without_event_channel(void **state)
{
	struct subject *s = *state;

	write_features(s);
	write_queue(s, "", 0);
	store_rm(s->store, FRONT "/event-channel-rx");
	refused_with(s, FRONT "/event-channel is not there");
}

static void control_ring_without_event_channel(void **state)
{
	struct subject *s = *state;

	write_features(s);
	write_queue(s, "", 0);
	front_writes(s, "ctrl-ring-ref", FRONT_CTRL_REF);
	refused_with(s, FRONT "/event-channel-ctrl");
}

static bool is_closing(struct subject *s)
{
	uint64_t is = 0;

	store_read_uint(s->store, BACK "/state", &is);
	return is == XenbusStateClosing;
}

/* A ring that makes no sense ends the connection; the next one works. */
static void a_hostile_ring(void **state)
{
	struct subject *s = *state;
	char *text;

	connect_one(s);
	s->front.queues[0].tx.req_prod += 1000;
	front_push(&s->front.queues[0].tx);
	fake_send(s->fake, s->front.guest.queues[0].tx_port);
	wait_until(s, is_closing);
	text = store_read(s->store, FAULT, NULL);
	assert_non_null(strstr(text, "1000 requests"));
	free(text);
	assert_int_equal(fake_grant_status(s->fake, s->front.guest.queues[0].tx_ref), 0);
	front_state(s, XenbusStateClosed);
	front_state(s, XenbusStateInitialising);
	check_state(s, XenbusStateInitWait);
	fake_front_init(&s->front, s->fake, FRONT_QUEUES);
	connect_one(s);
	check_state(s, XenbusStateConnected);
	both_ways(s, 0);
	wait_until(s, queue_0_has_a_packet);
}

static void the_guest_begins_anew(void **state)
{
	struct subject *s = *state;

	connect_one(s);
	xenbus_reset(net_device_bus(s->device));
	run(s);
	check_state(s, XenbusStateInitWait);
	assert_int_equal(fake_grant_status(s->fake, s->front.guest.queues[0].tx_ref), 0);
	fake_front_init(&s->front, s->fake, FRONT_QUEUES);
	connect_one(s);
	both_ways(s, 0);
	wait_until(s, queue_0_has_a_packet);
}

static bool carrier_is_lost(struct subject *s)
{
	uint64_t is = 1;

	store_read_uint(s->store, BACK "/carrier", &is);
	return !is;
}

static bool tx_is_answered(struct subject *s)
{
	return front_status(&s->front, 0, 1) == NETIF_RSP_DROPPED;
}

static void the_network_ends(void **state)
{
	struct subject *s = *state;

	connect_one(s);
	close(s->far);
	s->far = -1;
	wait_until(s, carrier_is_lost);
	check_state(s, XenbusStateConnected);
	guest_sends(s, 0, test_frame_build(&(struct test_frame){.payload = 1}, s->data));
	wait_until(s, tx_is_answered);
	/* It stays so for a guest that begins anew. */
	xenbus_reset(net_device_bus(s->device));
	run(s);
	check_node(s, BACK "/carrier", "0");
}

/* What the frontend wants may change while it is connected. */
static void multicast_is_filtered_on_request(void **state)
{
	static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0, 0, 1};
	struct subject *s = *state;
	const uint32_t len = 400;

	connect_one(s);
	front_offer(&s->front, 0, 10);
	test_frame_build(&(struct test_frame){.to = group, .payload = 346}, s->data);
	network_sends(s, len);
	wait_until(s, queue_0_has_a_packet);
	front_writes(s, "request-multicast-control", 1);
	run(s);
	network_sends(s, len);
	test_frame_build(&(struct test_frame){.payload = 346}, s->data);
	network_sends(s, len);
	wait_until(s, queue_0_has_a_packet);
	assert_memory_equal(s->packet.data, s->data, len);
}

#define DEVICE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(offered_as_xl_writes_it),
		DEVICE_TEST(offered_with_all_that_is_configured),
		DEVICE_TEST(frames_both_ways),
		DEVICE_TEST(two_queues),
		DEVICE_TEST(without_rx_copy),
		DEVICE_TEST(without_a_ring),
		DEVICE_TEST(too_many_queues),
		DEVICE_TEST(no_queues),
		DEVICE_TEST(a_queue_is_missing),
		DEVICE_TEST(without_event_channel),
		DEVICE_TEST(control_ring_without_event_channel),
		DEVICE_TEST(a_hostile_ring),
		DEVICE_TEST(the_guest_begins_anew),
		DEVICE_TEST(the_network_ends),
		DEVICE_TEST(multicast_is_filtered_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
