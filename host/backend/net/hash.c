// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/hash.h"

#include <string.h>

/* Both addresses of IPv6 and both ports. */
#define TUPLE_MAX 36

uint32_t net_hash_toeplitz(const uint8_t *key, const uint8_t *data, unsigned len)
{
	uint64_t window = 0, hash = 0;
	unsigned next = 0;

	for (; next < 8; next++)
		window = window << 8 | key[next];
	for (unsigned i = 0; i < len; i++, next++) {
		for (int bit = 7; bit >= 0; bit--) {
			if (data[i] >> bit & 1)
				hash ^= window;
			window <<= 1;
		}
		if (next < NET_HASH_KEY_MAX)
			window |= key[next];
	}
	return hash >> 32;
}

/* The addresses and, if wanted, the ports, one after the other; how many bytes. */
static unsigned tuple(const struct net_frame *f, const struct net_headers *h, bool ports,
		      uint8_t *out)
{
	unsigned len = h->version == 4 ? 8 : 32;

	memcpy(out, f->data + h->ip + (h->version == 4 ? 12 : 8), len);
	if (!ports)
		return len;
	memcpy(out + len, f->data + h->transport, 4);
	return len + 4;
}

int net_hash_frame(const struct net_hash *hash, const struct net_frame *f, uint32_t *value)
{
	uint8_t data[TUPLE_MAX];
	struct net_headers h;
	int plain, tcp;

	if (hash->algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ || !hash->types)
		return -1;
	net_headers_parse(f->data, f->len, &h);
	if (!h.version)
		return -1;
	plain = h.version == 4 ? _XEN_NETIF_CTRL_HASH_TYPE_IPV4 : _XEN_NETIF_CTRL_HASH_TYPE_IPV6;
	tcp = h.version == 4 ? _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP
			     : _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP;
	if (hash->types >> tcp & 1 && h.protocol == NET_PROTO_TCP && h.payload) {
		*value = net_hash_toeplitz(hash->key, data, tuple(f, &h, true, data));
		return tcp;
	}
	if (!(hash->types >> plain & 1))
		return -1;
	*value = net_hash_toeplitz(hash->key, data, tuple(f, &h, false, data));
	return plain;
}

/* A connection's frames stay on one queue, in order; which one makes no difference (FNV-1a). */
static uint32_t flow_hash(const struct net_frame *f)
{
	uint8_t data[TUPLE_MAX];
	uint32_t hash = 2166136261u;
	struct net_headers h;
	unsigned len;

	net_headers_parse(f->data, f->len, &h);
	if (!h.version)
		return 0;
	len = tuple(f, &h, h.payload, data);
	for (unsigned i = 0; i < len; i++)
		hash = (hash ^ data[i]) * 16777619u;
	return hash ^ hash >> 16;
}

unsigned net_hash_queue(const struct net_hash *hash, const struct net_frame *f, int type,
			uint32_t value, unsigned nr_queues)
{
	uint32_t queue;

	if (nr_queues == 1)
		return 0;
	if (type < 0)
		return flow_hash(f) % nr_queues;
	queue = hash->mapping_size ? hash->mapping[value % hash->mapping_size] : value;
	return queue % nr_queues;
}
