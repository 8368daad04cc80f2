// SPDX-License-Identifier: BSD-2-Clause
/* One large segment becomes many, and many become one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/backend/net/link.h"
#include "host/backend/net/merge.h"
#include "host/backend/net/segment.h"
#include "host/backend/net/test_frame.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segmentation),
		cmocka_unit_test(no_segments),
		cmocka_unit_test(merging_undoes_segmentation),
		cmocka_unit_test(only_what_continues_is_merged),
		cmocka_unit_test(what_does_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
