/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which multicast frames the guest wants (public header io/netif.h, "feature-multicast-control").
 * The device's thread only.
 */
#ifndef HOST_BACKEND_NET_MCAST_H
#define HOST_BACKEND_NET_MCAST_H

#include "host/backend/net/headers.h"

/* As Linux's netback. */
#define NET_MCAST_MAX 64u

struct net_mcast {
	unsigned nr;
	uint8_t addr[NET_MCAST_MAX][NET_ETHER_ADDR];
};

static inline int net_mcast_find(const struct net_mcast *m, const uint8_t *addr)
{
	for (unsigned i = 0; i < m->nr; i++)
		if (!memcmp(m->addr[i], addr, NET_ETHER_ADDR))
			return i;
	return -1;
}

/* false: the list is full. */
static inline bool net_mcast_add(struct net_mcast *m, const uint8_t *addr)
{
	if (net_mcast_find(m, addr) >= 0)
		return true;
	if (m->nr == NET_MCAST_MAX)
		return false;
	memcpy(m->addr[m->nr++], addr, NET_ETHER_ADDR);
	return true;
}

static inline void net_mcast_del(struct net_mcast *m, const uint8_t *addr)
{
	int i = net_mcast_find(m, addr);

	if (i >= 0)
		memmove(m->addr[i], m->addr[--m->nr], NET_ETHER_ADDR);
}

/* Is a frame to this address for the guest, when the list counts? Broadcast always is. */
static inline bool net_mcast_wanted(const struct net_mcast *m, const uint8_t *to)
{
	static const uint8_t broadcast[NET_ETHER_ADDR] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return !(to[0] & 1) || !memcmp(to, broadcast, NET_ETHER_ADDR) || net_mcast_find(m, to) >= 0;
}

#endif
