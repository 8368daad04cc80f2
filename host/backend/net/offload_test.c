// SPDX-License-Identifier: BSD-2-Clause
/* What the network backend computes: headers, checksums, hashes, credit, the filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/backend/net/credit.h"
#include "host/backend/net/hash.h"
#include "host/backend/net/mcast.h"
#include "host/backend/net/test_frame.h"

#define SECOND 1000000000ull

/* RFC 1071, 3. */
static void sum_of_the_rfc(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(net_fold(net_sum(data, sizeof(data), 0)), 0xddf2);
	assert_int_equal(net_fold(net_sum(data, 7, 0)),
			 net_fold(0x0001 + 0xf203 + 0xf4f5 + 0xf600));
}

static uint16_t slow_sum(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint64_t)p[i] << 8;
	return net_fold(sum);
}

/* Any length at any alignment. */
static void sum_is_the_plain_one(void **state)
{
	uint8_t data[300];

	(void)state;
	srandom(1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)random();
	for (size_t at = 0; at < 16; at++)
		for (size_t len = 0; len < 200; len++)
			assert_int_equal(net_fold(net_sum(data + at, len, 0)),
					 slow_sum(data + at, len));
	memset(data, 0xff, sizeof(data));
	assert_int_equal(net_fold(net_sum(data, 256, 0)), 0xffff);
}

static void ipv4_header(void **state)
{
	uint8_t ip[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
			0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	(void)state;
	net_checksum_ipv4(ip, sizeof(ip));
	assert_int_equal(net_get16(ip + 10), 0xb861);
}

static void checksums_are_completed(void **state)
{
	uint8_t data[2000];

	(void)state;
	for (int kind = 0; kind < 8; kind++) {
		for (uint32_t payload = 0; payload < 70; payload++) {
			struct test_frame t = {.ipv6 = kind & 1,
					       .udp = kind & 2,
					       .vlan = kind & 4,
					       .payload = payload,
					       .first = 3,
					       .blank = true};
			struct net_frame f = {.data = data, .csum_blank = true};

			f.len = test_frame_build(&t, data);
			assert_false(test_frame_is_right(data, f.len));
			assert_true(net_checksum_complete(&f));
			assert_false(f.csum_blank);
			assert_true(test_frame_is_right(data, f.len));
		}
	}
}

/* Ethernet's padding, and what else follows the IP packet, does not count. */
static void padding_does_not_count(void **state)
{
	const struct test_frame t = {.payload = 3, .blank = true};
	uint8_t data[100];
	struct net_frame f = {.data = data};

	(void)state;
	memset(data, 0xee, sizeof(data));
	f.len = test_frame_build(&t, data) + 20;
	assert_true(net_checksum_complete(&f));
	assert_true(test_frame_is_right(data, f.len));
}

/* A UDP checksum that comes out as 0 is sent as 0xffff. */
static void udp_has_no_zero_checksum(void **state)
{
	struct test_frame t = {.udp = true, .payload = 2};
	uint8_t data[64];
	struct net_frame f = {.data = data};

	(void)state;
	f.len = test_frame_build(&t, data);
	/* The payload's word, which was 1, takes the checksum in: the sum of all is then 0xffff. */
	net_put16(data + 42, net_get16(data + 40) + 1);
	assert_true(net_checksum_complete(&f));
	assert_int_equal(net_get16(data + 40), 0xffff);
	assert_true(test_frame_is_right(data, f.len));
}

static void prepared_as_linux_has_it(void **state)
{
	const struct test_frame t = {.payload = 10, .blank = true};
	uint8_t data[100];
	struct net_frame f = {.data = data};

	(void)state;
	f.len = test_frame_build(&t, data);
	assert_true(net_checksum_prepare(&f));
	assert_true(f.csum_blank);
	assert_int_equal(f.csum_start, 34);
	assert_int_equal(f.csum_offset, 16);
	/* Whoever completes it sums up from there, the field included. */
	net_put16(data + 50, (uint16_t)~slow_sum(data + 34, f.len - 34));
	assert_true(test_frame_is_right(data, f.len));
}

static void headers_of(const struct test_frame *t, uint8_t *data, struct net_headers *h)
{
	net_headers_parse(data, test_frame_build(t, data), h);
}

static void headers_are_found(void **state)
{
	uint8_t data[200];
	struct net_headers h;

	(void)state;
	headers_of(&(struct test_frame){.payload = 5}, data, &h);
	assert_int_equal(h.version, 4);
	assert_int_equal(h.protocol, NET_PROTO_TCP);
	assert_int_equal(h.ip, 14);
	assert_int_equal(h.transport, 34);
	assert_int_equal(h.payload, 54);
	assert_int_equal(h.end, 59);
	headers_of(&(struct test_frame){.ipv6 = true, .udp = true, .vlan = true}, data, &h);
	assert_int_equal(h.version, 6);
	assert_int_equal(h.protocol, NET_PROTO_UDP);
	assert_int_equal(h.ip, 18);
	assert_int_equal(h.transport, 58);
	assert_int_equal(h.payload, 66);
	assert_int_equal(h.csum_offset, 6);
}

/* Hop-by-hop options, then a TCP header. */
static void ipv6_extensions_are_followed(void **state)
{
	const struct test_frame t = {.ipv6 = true, .payload = 4};
	uint8_t data[200];
	struct net_headers h;
	uint32_t len;

	(void)state;
	len = test_frame_build(&t, data);
	memmove(data + 62, data + 54, len - 54);
	memset(data + 54, 0, 8);
	data[20] = 0;
	data[54] = NET_PROTO_TCP;
	net_put16(data + 18, len - 54 + 8);
	net_headers_parse(data, len + 8, &h);
	assert_int_equal(h.protocol, NET_PROTO_TCP);
	assert_int_equal(h.transport, 62);
	assert_int_equal(h.payload, 82);
	/* A fragment: what follows may be anything. */
	data[20] = 44;
	net_put16(data + 56, 8);
	net_headers_parse(data, len + 8, &h);
	assert_true(h.fragment);
	assert_int_equal(h.payload, 0);
}

/* Every prefix of a frame, and every length a header may claim: no transport header beyond the end.
 */
static void truncated_headers(void **state)
{
	(void)state;
	for (int kind = 0; kind < 8; kind++) {
		const struct test_frame t = {
			.ipv6 = kind & 1, .udp = kind & 2, .vlan = kind & 4, .payload = 9};
		uint8_t data[200];
		uint32_t whole = test_frame_build(&t, data);

		for (uint32_t len = 0; len <= whole; len++) {
			uint8_t *copy = malloc(len + 1);
			struct net_headers h;

			assert_non_null(copy);
			memcpy(copy, data, len);
			net_headers_parse(copy, len, &h);
			assert_true(h.end <= len && h.transport <= h.end && h.payload <= h.end);
			free(copy);
		}
	}
}

static void malformed_headers(void **state)
{
	uint8_t data[200];
	struct net_headers h;
	uint32_t len;

	(void)state;
	len = test_frame_build(&(struct test_frame){.payload = 9}, data);
	data[14] = 0x44; /* an IP header of 16 bytes */
	net_headers_parse(data, len, &h);
	assert_int_equal(h.version, 0);
	data[14] = 0x4f; /* of 60, with fewer in the packet */
	net_put16(data + 16, 50);
	net_headers_parse(data, len, &h);
	assert_int_equal(h.version, 0);
	test_frame_build(&(struct test_frame){.payload = 9}, data);
	data[46] = 0x40; /* a TCP header of 16 bytes */
	net_headers_parse(data, len, &h);
	assert_int_equal(h.payload, 0);
	data[46] = 0xf0; /* of 60 */
	net_headers_parse(data, len, &h);
	assert_int_equal(h.payload, 0);
	test_frame_build(&(struct test_frame){.payload = 9}, data);
	net_put16(data + 20, 0x2000); /* more fragments */
	net_headers_parse(data, len, &h);
	assert_true(h.fragment);
	assert_int_equal(h.payload, 0);
}

/* The known key, addresses and results by which network cards are verified. */
static const uint8_t rss_key[NET_HASH_KEY_MAX] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static void toeplitz(void **state)
{
	static const uint8_t v4[] = {66,  9,  149,       187,        161,       142,
				     100, 80, 2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255};
	static const uint8_t v6[] = {
		0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00,      0x1f,       0xff,      0,
		0,    0,    0,    0,    0,    0,         7,          0x3f,      0xfe,
		0x25, 0x01, 0x02, 0x00, 0x00, 0x03,      0,          0,         0,
		0,    0,    0,    0,    1,    2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255};

	(void)state;
	assert_int_equal(net_hash_toeplitz(rss_key, v4, 8), 0x323e8fc2);
	assert_int_equal(net_hash_toeplitz(rss_key, v4, 12), 0x51ccc178);
	assert_int_equal(net_hash_toeplitz(rss_key, v6, 32), 0x2cc18cd5);
	assert_int_equal(net_hash_toeplitz(rss_key, v6, 36), 0x40207d3d);
}

static struct net_hash a_hash(uint32_t types)
{
	struct net_hash hash = {.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ,
				.types = types};

	memcpy(hash.key, rss_key, sizeof(rss_key));
	return hash;
}

static void hash_of_a_frame(void **state)
{
	struct net_hash hash = a_hash(NET_HASH_TYPES);
	uint8_t data[100];
	struct net_frame f = {.data = data};
	uint32_t value, without;

	(void)state;
	f.len = test_frame_build(
		&(struct test_frame){.source_port = 2794, .destination_port = 1766}, data);
	net_put32(data + 26, 66u << 24 | 9 << 16 | 149 << 8 | 187);
	net_put32(data + 30, 161u << 24 | 142 << 16 | 100 << 8 | 80);
	assert_int_equal(net_hash_frame(&hash, &f, &value), _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP);
	assert_int_equal(value, 0x51ccc178);
	hash.types = XEN_NETIF_CTRL_HASH_TYPE_IPV4;
	assert_int_equal(net_hash_frame(&hash, &f, &value), _XEN_NETIF_CTRL_HASH_TYPE_IPV4);
	assert_int_equal(value, 0x323e8fc2);
	hash.types = XEN_NETIF_CTRL_HASH_TYPE_IPV6;
	assert_int_equal(net_hash_frame(&hash, &f, &without), -1);
	hash = a_hash(0);
	assert_int_equal(net_hash_frame(&hash, &f, &without), -1);
	hash = a_hash(NET_HASH_TYPES);
	f.len = test_frame_build(&(struct test_frame){.ipv6 = true, .udp = true}, data);
	assert_int_equal(net_hash_frame(&hash, &f, &value), _XEN_NETIF_CTRL_HASH_TYPE_IPV6);
	net_put16(data + 12, 0x0806);
	assert_int_equal(net_hash_frame(&hash, &f, &value), -1);
}

static void queue_of_a_hash(void **state)
{
	struct net_hash hash = a_hash(NET_HASH_TYPES);
	uint8_t data[100];
	struct net_frame f = {.data = data};
	unsigned seen = 0;

	(void)state;
	assert_int_equal(net_hash_queue(&hash, &f, 1, 7, 1), 0);
	assert_int_equal(net_hash_queue(&hash, &f, 1, 7, 4), 3);
	hash.mapping_size = 4;
	hash.mapping[3] = 2;
	assert_int_equal(net_hash_queue(&hash, &f, 1, 7, 4), 2);
	/* Without the guest's hash: a connection has its queue, and all are used. */
	for (uint16_t port = 0; port < 64; port++) {
		f.len = test_frame_build(&(struct test_frame){.source_port = port}, data);
		seen |= 1u << net_hash_queue(&hash, &f, -1, 0, 4);
		assert_int_equal(net_hash_queue(&hash, &f, -1, 0, 4),
				 net_hash_queue(&hash, &f, -1, 0, 4));
	}
	assert_int_equal(seen, 0xf);
}

static void credit(void **state)
{
	struct net_credit c;
	uint64_t until = 0;

	(void)state;
	net_credit_init(&c, 0, 0, 5);
	assert_true(net_credit_take(&c, UINT32_MAX, 5, &until));
	/* 1000 bytes in a second. */
	net_credit_init(&c, 1000, 1000000, 5 * SECOND);
	assert_true(net_credit_take(&c, 600, 5 * SECOND, &until));
	assert_false(net_credit_take(&c, 600, 5 * SECOND, &until));
	assert_int_equal(until, 6 * SECOND);
	assert_false(net_credit_take(&c, 600, until - 1, &until));
	assert_true(net_credit_take(&c, 600, until, &until));
	assert_true(net_credit_take(&c, 800, until, &until));
	/* A frame of more than an interval's worth: after several. */
	assert_false(net_credit_take(&c, 60000, 7 * SECOND, &until));
	assert_false(net_credit_take(&c, 60000, 60 * SECOND, &until));
	assert_true(net_credit_take(&c, 60000, 70 * SECOND, &until));
	/* It does not pile up without end. */
	assert_false(net_credit_take(&c, NET_CREDIT_BURST + 1, 1000000 * SECOND, &until));
	assert_true(net_credit_take(&c, NET_CREDIT_BURST, 1000000 * SECOND, &until));
	assert_false(net_credit_take(&c, 1, 1000000 * SECOND, &until));
}

static void filter(void **state)
{
	static const uint8_t broadcast[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t addr[NET_ETHER_ADDR] = {0x33, 0x33, 0, 0, 0, 0};
	const uint8_t unicast[NET_ETHER_ADDR] = {0, 0x16, 0x3e, 1, 2, 3};
	struct net_mcast m = {0};

	(void)state;
	assert_true(net_mcast_wanted(&m, unicast));
	assert_true(net_mcast_wanted(&m, broadcast));
	assert_false(net_mcast_wanted(&m, addr));
	for (unsigned i = 0; i < NET_MCAST_MAX; i++) {
		addr[5] = (uint8_t)i;
		assert_true(net_mcast_add(&m, addr));
		assert_true(net_mcast_add(&m, addr)); /* it is there already */
		assert_true(net_mcast_wanted(&m, addr));
	}
	addr[5] = NET_MCAST_MAX;
	assert_false(net_mcast_add(&m, addr));
	addr[5] = 7;
	net_mcast_del(&m, addr);
	net_mcast_del(&m, addr);
	assert_false(net_mcast_wanted(&m, addr));
	addr[5] = NET_MCAST_MAX - 1;
	assert_true(net_mcast_wanted(&m, addr));
	addr[5] = NET_MCAST_MAX;
	assert_true(net_mcast_add(&m, addr));
	assert_false(net_mcast_add(&m, unicast));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_of_the_rfc),
		cmocka_unit_test(sum_is_the_plain_one),
		cmocka_unit_test(ipv4_header),
		cmocka_unit_test(checksums_are_completed),
		cmocka_unit_test(padding_does_not_count),
		cmocka_unit_test(udp_has_no_zero_checksum),
		cmocka_unit_test(prepared_as_linux_has_it),
		cmocka_unit_test(headers_are_found),
		cmocka_unit_test(ipv6_extensions_are_followed),
		cmocka_unit_test(truncated_headers),
		cmocka_unit_test(malformed_headers),
		cmocka_unit_test(toeplitz),
		cmocka_unit_test(hash_of_a_frame),
		cmocka_unit_test(queue_of_a_hash),
		cmocka_unit_test(credit),
		cmocka_unit_test(filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
