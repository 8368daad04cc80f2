/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which queue a frame to the guest takes: by the hash that the guest has set up on the control ring
 * (public header io/netif.h, "Hash types" and "Control messages"), or, without one, by one of ours.
 */
#ifndef HOST_BACKEND_NET_HASH_H
#define HOST_BACKEND_NET_HASH_H

#include "host/backend/net/headers.h"

/* As Linux's netback. */
#define NET_HASH_KEY_MAX     40u
#define NET_HASH_MAPPING_MAX 128u

#define NET_HASH_TYPES                                                       \
	(XEN_NETIF_CTRL_HASH_TYPE_IPV4 | XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP | \
	 XEN_NETIF_CTRL_HASH_TYPE_IPV6 | XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

struct net_hash {
	uint32_t algorithm, types;
	uint8_t key[NET_HASH_KEY_MAX];
	uint32_t mapping_size; /* entries; 0: the hash modulo the number of queues */
	uint32_t mapping[NET_HASH_MAPPING_MAX];
};

/* Toeplitz' hash of `len` bytes. */
uint32_t net_hash_toeplitz(const uint8_t *key, const uint8_t *data, unsigned len);

/*
 * The guest's hash of a frame: its type (_XEN_NETIF_CTRL_HASH_TYPE_*) and *value, or -1: the guest
 * wants none of such a frame.
 */
int net_hash_frame(const struct net_hash *hash, const struct net_frame *f, uint32_t *value);

/* The queue (< nr_queues) of a frame with that hash, or, with type -1, without. */
unsigned net_hash_queue(const struct net_hash *hash, const struct net_frame *f, int type,
			uint32_t value, unsigned nr_queues);

#endif
