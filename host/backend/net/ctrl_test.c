// SPDX-License-Identifier: BSD-2-Clause
/* What the guest asks of the backend: hashes by the control ring, the multicast filter. */
#include <string.h>

#include "host/backend/net/test_engine.h"

static uint32_t control(struct subject *s, uint16_t type, uint32_t a, uint32_t b, uint32_t c,
			uint32_t *data)
{
	struct xen_netif_ctrl_response r;
	uint16_t id = (uint16_t)s->front.ctrl.req_prod;

	front_control(&s->front, type, a, b, c);
	serve(s);
	assert_true(front_take(&s->front.ctrl, &r, sizeof(r)));
	assert_int_equal(r.id, id);
	assert_int_equal(r.type, type);
	if (data)
		*data = r.data;
	return r.status;
}

#define assert_control(s, status, type, a, b, c)                                \
	assert_int_equal(control(s, XEN_NETIF_CTRL_TYPE_##type, a, b, c, NULL), \
			 XEN_NETIF_CTRL_STATUS_##status)

static void hash_flags(void **state)
{
	struct subject *s = *state;
	uint32_t data;

	assert_control(s, NOT_SUPPORTED, GET_HASH_FLAGS, 0, 0, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_FLAGS, 1, 0, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_ALGORITHM, 2, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_ALGORITHM, 1, 0, 0);
	assert_int_equal(control(s, XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS, 0, 0, 0, &data), 0);
	assert_int_equal(data, 0xf);
	assert_control(s, INVALID_PARAMETER, SET_HASH_FLAGS, 0x10, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_FLAGS, 0xf, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_ALGORITHM, 0, 0, 0);
}

static void hash_key(void **state)
{
	struct subject *s = *state;
	uint8_t *page = fake_front_page(&s->front, FRONT_DATA_REF);

	memset(page, 7, 100);
	assert_control(s, SUCCESS, SET_HASH_KEY, FRONT_DATA_REF, 40, 0);
	assert_int_equal(s->engine->hash.key[39], 7);
	assert_control(s, SUCCESS, SET_HASH_KEY, FRONT_DATA_REF, 3, 0);
	assert_int_equal(s->engine->hash.key[2], 7);
	assert_int_equal(s->engine->hash.key[3], 0);
	assert_control(s, BUFFER_OVERFLOW, SET_HASH_KEY, FRONT_DATA_REF, 41, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_KEY, FRONT_BAD_REF, 40, 0);
	assert_control(s, SUCCESS, SET_HASH_KEY, 0, 0, 0);
	assert_int_equal(s->engine->hash.key[0], 0);
}

static void hash_mapping(void **state)
{
	struct subject *s = *state;
	uint32_t *page = (uint32_t *)(void *)fake_front_page(&s->front, FRONT_DATA_REF);
	uint32_t data;

	assert_int_equal(control(s, XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0, &data), 0);
	assert_int_equal(data, NET_HASH_MAPPING_MAX);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING_SIZE, data + 1, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_MAPPING_SIZE, 8, 0, 0);
	page[0] = page[2] = 1;
	page[1] = 0;
	assert_control(s, SUCCESS, SET_HASH_MAPPING, FRONT_DATA_REF, 3, 5);
	assert_int_equal(s->engine->hash.mapping[5], 1);
	assert_int_equal(s->engine->hash.mapping[7], 1);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_DATA_REF, 4, 5);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_DATA_REF, 2, UINT32_MAX);
	assert_control(s, BUFFER_OVERFLOW, SET_HASH_MAPPING, FRONT_DATA_REF, 129, 0);
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_BAD_REF, 1, 0);
	page[1] = FRONT_QUEUES; /* no such queue: nothing is changed */
	assert_control(s, INVALID_PARAMETER, SET_HASH_MAPPING, FRONT_DATA_REF, 2, 0);
	assert_int_equal(s->engine->hash.mapping[0], 0);
}

/* Kept grants are not offered, so their messages are not supported; nor is one of no type. */
static void other_control_messages(void **state)
{
	struct subject *s = *state;

	assert_control(s, NOT_SUPPORTED, GET_GREF_MAPPING_SIZE, 0, 0, 0);
	assert_control(s, NOT_SUPPORTED, ADD_GREF_MAPPING, 0, FRONT_DATA_REF, 1);
	assert_control(s, NOT_SUPPORTED, DEL_GREF_MAPPING, 0, FRONT_DATA_REF, 1);
	assert_control(s, NOT_SUPPORTED, INVALID, 0, 0, 0);
}

/* The guest's hash decides on the queue, and comes with the frame, beside a GSO's extra info. */
static void frames_are_steered(void **state)
{
	struct subject *s = *state;
	uint8_t *page = fake_front_page(&s->front, FRONT_DATA_REF);
	const struct netif_extra_info *extra = &s->packet.extra[XEN_NETIF_EXTRA_TYPE_HASH];
	uint32_t len, hash;
	struct net_frame f = large_frame(s, false, 9000, &len);

	for (unsigned i = 0; i < 40; i++)
		page[i] = (uint8_t)(i * 29 + 7);
	assert_control(s, SUCCESS, SET_HASH_ALGORITHM, 1, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_FLAGS, 0xf, 0, 0);
	assert_control(s, SUCCESS, SET_HASH_KEY, FRONT_DATA_REF, 40, 0);
	assert_control(s, SUCCESS, SET_HASH_MAPPING_SIZE, 1, 0, 0);
	offer(s, 20);
	hash = net_hash_toeplitz(page, s->data + 26, 12);
	for (uint32_t queue = 0; queue < FRONT_QUEUES; queue++) {
		page[0] = (uint8_t)queue;
		memset(page + 1, 0, 3);
		assert_control(s, SUCCESS, SET_HASH_MAPPING, FRONT_DATA_REF, 1, 0);
		fake_link_put(s->link, &f, s->data, len);
		serve(s);
		assert_false(front_receive(&s->front, !queue, &s->packet));
		assert_true(front_receive(&s->front, queue, &s->packet));
		assert_int_equal(s->packet.len, len);
		assert_int_equal(s->packet.slots, 3 + 2);
		assert_int_equal(s->packet.extra[XEN_NETIF_EXTRA_TYPE_GSO].flags,
				 XEN_NETIF_EXTRA_FLAG_MORE);
		assert_int_equal(extra->u.hash.type, _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP);
		assert_int_equal(extra->u.hash.algorithm, 1);
		assert_memory_equal(extra->u.hash.value, &hash, 4);
	}
}

static void multicast(void **state)
{
	static const uint8_t group[6] = {0x33, 0x33, 0, 0, 0, 1};
	struct subject *s = *state;
	struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD};
	uint32_t len = test_frame_build(&(struct test_frame){.to = group, .payload = 40}, s->data);

	offer(s, 20);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_received(s, len); /* no filter */
	__atomic_store_n(&s->engine->mcast_control, true, __ATOMIC_RELAXED);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_false(received(s));
	memcpy(extra.u.mcast.addr, group, 6);
	put_slot(s, 0, NETTXF_extra_info);
	front_put(&s->front.queues[0].tx, &extra, sizeof(extra));
	push(s);
	assert_int_equal(front_status(&s->front, 0, 2), NETIF_RSP_OKAY);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_received(s, len);
	extra.type = XEN_NETIF_EXTRA_TYPE_MCAST_DEL;
	put_slot(s, 0, NETTXF_extra_info);
	front_put(&s->front.queues[0].tx, &extra, sizeof(extra));
	push(s);
	assert_int_equal(front_status(&s->front, 0, 2), NETIF_RSP_OKAY);
	fake_link_put(s->link, &(struct net_frame){0}, s->data, len);
	serve(s);
	assert_false(received(s));
	assert_int_equal(s->link->out_nr, 0);
}

static void too_many_multicast_addresses(void **state)
{
	struct subject *s = *state;
	struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD};

	for (unsigned i = 0; i <= NET_MCAST_MAX; i++) {
		extra.u.mcast.addr[5] = (uint8_t)i;
		put_slot(s, 0, NETTXF_extra_info);
		front_put(&s->front.queues[0].tx, &extra, sizeof(extra));
		push(s);
		assert_int_equal(front_status(&s->front, 0, 2),
				 i < NET_MCAST_MAX ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NET_TEST(hash_flags),
		NET_TEST(hash_key),
		NET_TEST(hash_mapping),
		NET_TEST(other_control_messages),
		NET_TEST(frames_are_steered),
		NET_TEST(multicast),
		NET_TEST(too_many_multicast_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
