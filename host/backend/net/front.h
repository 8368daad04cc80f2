/* SPDX-License-Identifier: BSD-2-Clause */
/* A network interface's nodes in the store (public header io/netif.h, docs/misc/xenstore-paths). */
#ifndef HOST_BACKEND_NET_FRONT_H
#define HOST_BACKEND_NET_FRONT_H

#include "host/backend/net/engine.h"

/* What the backend offers and xl would write. max_queues: 1 to NET_QUEUES_MAX. */
void net_front_advertise(struct xenbus_device *bus, const struct nic_config *config,
			 const struct net_link *link, unsigned max_queues);

/* What the frontend has written. 0, or -1 with the reason: a node that is missing or no number. */
int net_front_read(struct xenbus_device *bus, unsigned max_queues, struct net_guest *g,
		   struct problem *p);

/* A number that counts as 0 unless it is there and not 0. */
bool net_front_flag(struct xenbus_device *bus, const char *name);

#endif
