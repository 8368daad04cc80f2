// SPDX-License-Identifier: BSD-2-Clause
/* What the network backend computes: headers, checksums, segments, hashes, credit, the filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/backend/net/credit.h"
#include "host/backend/net/hash.h"
#include "host/backend/net/link.h"
#include "host/backend/net/mcast.h"
#include "host/backend/net/merge.h"
#include "host/backend/net/segment.h"
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

static void segments_of(bool ipv6, uint32_t payload, uint16_t size)
{
	const struct test_frame t = {.ipv6 = ipv6,
				     .payload = payload,
				     .first = 7,
				     .seq = 0xfffffff0,
				     .tcp_flags = 0x80 | 0x10 | 0x08 | 0x01,
				     .blank = true};
	const uint32_t headers = ipv6 ? TEST_HEADERS_6 : TEST_HEADERS_4, tcp = headers - 20;
	uint8_t *data = calloc(2, NET_FRAME_MAX), *out = data + NET_FRAME_MAX;
	struct net_frame f = {.data = data, .csum_blank = true, .gso_size = size}, piece;
	struct net_segmenter s;
	uint32_t seen = 0, n = 0;

	assert_non_null(data);
	f.gso = ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
	f.len = test_frame_build(&t, data);
	assert_true(net_segment_begin(&s, &f));
	for (; s.active; n++) {
		uint32_t part = payload - seen < size ? payload - seen : size;
		bool last = seen + part == payload;

		assert_true(net_segment_next(&s, out, &piece));
		assert_ptr_equal(piece.data, out);
		assert_int_equal(piece.len, headers + part);
		assert_int_equal(piece.gso, 0);
		assert_false(piece.csum_blank);
		assert_true(test_frame_is_right(out, piece.len));
		assert_int_equal(net_get32(out + tcp + 4), 0xfffffff0 + seen);
		assert_int_equal(out[tcp + 13], 0x10 | (n ? 0 : 0x80) | (last ? 0x09 : 0));
		if (!ipv6)
			assert_int_equal(net_get16(out + 18), (uint16_t)(0x1234 + n));
		for (uint32_t i = 0; i < part; i++)
			assert_int_equal(out[headers + i], (uint8_t)(7 + seen + i));
		seen += part;
	}
	assert_int_equal(seen, payload);
	assert_int_equal(n, (payload + size - 1) / size);
	assert_false(net_segment_next(&s, out, &piece));
	free(data);
}

static void segmentation(void **state)
{
	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		segments_of(ipv6, 1, 1);
		segments_of(ipv6, 100, 100);
		segments_of(ipv6, 101, 100);
		segments_of(ipv6, 64000, 1448);
		segments_of(ipv6, 65000, 65000);
		segments_of(ipv6, 500, 1);
	}
}

static void no_segments(void **state)
{
	uint8_t data[300];
	struct net_frame f = {.data = data, .gso = XEN_NETIF_GSO_TYPE_TCPV4, .gso_size = 10};
	struct net_segmenter s;

	(void)state;
	f.len = test_frame_build(&(struct test_frame){.udp = true, .payload = 50}, data);
	assert_false(net_segment_begin(&s, &f)); /* UDP */
	f.len = test_frame_build(&(struct test_frame){.ipv6 = true, .payload = 50}, data);
	assert_false(net_segment_begin(&s, &f)); /* the other IP */
	f.len = test_frame_build(&(struct test_frame){.payload = 0}, data);
	assert_false(net_segment_begin(&s, &f)); /* nothing to cut */
	f.len = test_frame_build(&(struct test_frame){.payload = 50}, data);
	f.gso_size = 0;
	assert_false(net_segment_begin(&s, &f));
	f.gso_size = 10;
	assert_true(net_segment_begin(&s, &f));
	f.len = 40;
	assert_false(net_segment_begin(&s, &f));
}

#define CAN_ALL (NET_CAN_CSUM4 | NET_CAN_CSUM6 | NET_CAN_GSO4 | NET_CAN_GSO6)

/* What has been cut is put together again. */
static void merging_undoes_segmentation(void **state)
{
	uint8_t *data = calloc(4, NET_FRAME_MAX), *out = data + NET_FRAME_MAX;

	(void)state;
	assert_non_null(data);
	for (uint32_t payload = 2; payload < 65000; payload += 5003) {
		for (int ipv6 = 0; ipv6 < 2; ipv6++) {
			const struct test_frame t = {.ipv6 = ipv6,
						     .payload = payload,
						     .first = 7,
						     .seq = 0xfffffff0,
						     .tcp_flags = 0x18,
						     .blank = true};
			struct net_frame f = {.data = data, .gso = ipv6 ? 2 : 1, .gso_size = 1400};
			struct net_frame piece, whole;
			struct net_segmenter s;
			struct net_merge m = {.open = true};
			uint8_t *at = out;

			f.len = test_frame_build(&t, data);
			assert_true(net_segment_begin(&s, &f));
			while (net_segment_next(&s, at, &piece)) {
				if (at == out)
					net_merge_begin(&m, &piece, CAN_ALL);
				else
					assert_true(net_merge_add(&m, at, piece.len));
				at += piece.len;
			}
			net_merge_end(&m, &whole);
			assert_false(m.open); /* PSH */
			assert_int_equal(whole.len, f.len);
			assert_int_equal(whole.gso, payload > 1400 ? f.gso : 0);
			if (whole.gso) {
				assert_int_equal(whole.gso_size, 1400);
				assert_true(whole.csum_blank);
				assert_true(net_checksum_complete(&whole));
			}
			assert_true(test_frame_is_right(whole.data, whole.len));
			assert_true(net_checksum_complete(&f));
			assert_memory_equal(whole.data, data, f.len);
		}
	}
	free(data);
}

/* Is this one taken as the continuation of a frame of 100 bytes from sequence number 1000 on? */
static bool continues(const struct test_frame *t, void (*change)(uint8_t *frame))
{
	const struct test_frame first = {.seq = 1000, .payload = 100, .tcp_flags = 0x10};
	uint8_t data[1000];
	struct net_frame f = {.data = data};
	struct net_merge m;
	uint32_t len;

	f.len = test_frame_build(&first, data);
	len = test_frame_build(t, data + f.len);
	if (change)
		change(data + f.len);
	net_merge_begin(&m, &f, CAN_ALL);
	assert_true(m.open);
	return net_merge_add(&m, data + f.len, len);
}

static void other_ttl(uint8_t *frame)
{
	frame[22]--;
}

static void other_source(uint8_t *frame)
{
	frame[6]++;
}

static void other_ack(uint8_t *frame)
{
	frame[45]++;
}

static void other_window(uint8_t *frame)
{
	frame[48]++;
}

static void false_length(uint8_t *frame)
{
	frame[17]--;
}

static void more_fragments(uint8_t *frame)
{
	frame[20] |= 0x20;
}

static void only_what_continues_is_merged(void **state)
{
	void (*const changes[])(uint8_t *) = {other_ttl,    other_source, other_ack,
					      other_window, false_length, more_fragments};
	struct test_frame t = {.seq = 1100, .payload = 100, .tcp_flags = 0x10};

	(void)state;
	assert_true(continues(&t, NULL));
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		assert_false(continues(&t, changes[i]));
	t.payload = 101;
	assert_false(continues(&t, NULL));
	t.payload = 0;
	assert_false(continues(&t, NULL));
	t.payload = 99;
	assert_true(continues(&t, NULL));
	t.seq = 1101;
	assert_false(continues(&t, NULL));
	t.seq = 1100;
	t.source_port = 1;
	assert_false(continues(&t, NULL));
	t.source_port = 0;
	t.udp = true;
	assert_false(continues(&t, NULL));
	t.udp = false;
	t.ipv6 = true;
	assert_false(continues(&t, NULL));
	t.ipv6 = false;
	for (unsigned flags = 0; flags < 256; flags++) {
		t.tcp_flags = (uint8_t)flags;
		assert_int_equal(continues(&t, NULL), flags == 0x10 || flags == 0x18);
	}
}

static bool may_grow(const struct test_frame *t, unsigned can)
{
	uint8_t data[300];
	struct net_frame f = {.data = data};
	struct net_merge m;

	f.len = test_frame_build(t, data);
	net_merge_begin(&m, &f, can);
	return m.open;
}

static void what_does_not_grow(void **state)
{
	struct test_frame t = {.payload = 10, .tcp_flags = 0x10};

	(void)state;
	assert_true(may_grow(&t, CAN_ALL));
	assert_true(may_grow(&t, NET_CAN_CSUM4 | NET_CAN_GSO4));
	assert_false(may_grow(&t, NET_CAN_CSUM6 | NET_CAN_GSO6));
	assert_false(may_grow(&t, NET_CAN_GSO4));
	assert_false(may_grow(&t, 0));
	t.tcp_flags = 0x18;
	assert_false(may_grow(&t, CAN_ALL));
	t.tcp_flags = 0x11;
	assert_false(may_grow(&t, CAN_ALL));
	t.tcp_flags = 0x10;
	t.payload = 0;
	assert_false(may_grow(&t, CAN_ALL));
	t.payload = 10;
	t.udp = true;
	assert_false(may_grow(&t, CAN_ALL));
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
		cmocka_unit_test(segmentation),
		cmocka_unit_test(no_segments),
		cmocka_unit_test(merging_undoes_segmentation),
		cmocka_unit_test(only_what_continues_is_merged),
		cmocka_unit_test(what_does_not_grow),
		cmocka_unit_test(toeplitz),
		cmocka_unit_test(hash_of_a_frame),
		cmocka_unit_test(queue_of_a_hash),
		cmocka_unit_test(credit),
		cmocka_unit_test(filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
