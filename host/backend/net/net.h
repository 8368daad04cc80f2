/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netback: a network interface of the guest's (public header io/netif.h). The link (user-mode
 * network, tap) outlives the guest's reboots: it is opened once, and shown by a device to one
 * domain after another.
 *
 * Devices are made and destroyed on the event loop's thread; packets are moved by a thread of the
 * device's own.
 */
#ifndef HOST_BACKEND_NET_NET_H
#define HOST_BACKEND_NET_NET_H

#include "host/backend/xenbus.h"
#include "host/config/guest_config.h"

struct net_link;
struct net_device;

/*
 * NIC_USER: starts passt, or, where it is missing or cannot run, our own process with libslirp;
 * NIC_TAP, NIC_BRIDGE: opens the tap device, which without a vifname is called as xl's are,
 * "vif1.0" of domain 1 and devid 0, or if somebody else has one of that name, by the first number
 * that is free in place of the domain's. NULL with the reason.
 */
struct net_link *net_link_open(const struct nic_config *config, domid_t domid, struct problem *p);
/* No device may use it. A user-mode network's process has ended on return. */
void net_link_close(struct net_link *link);

/*
 * The same in two processes, for a guest whose own may open nothing any more. prepare: the link's
 * descriptor, to be passed on, or -1 with the reason; what is behind it ends with the last of its
 * kind. adopt: the link of such a descriptor, which it owns, also if it fails.
 */
int net_link_prepare(const struct nic_config *config, domid_t domid, struct problem *p);
struct net_link *net_link_adopt(int fd, struct problem *p);
/* What it is, for the user: "user-mode network (passt)", "tap device vif1.0 in bridge xenbr0". */
const char *net_link_description(const struct net_link *link);

/*
 * Show it to the domain at config->devid. The configuration stays the caller's, as it is, until the
 * device is removed. NULL with the reason.
 */
struct net_device *net_device_add(const struct nic_config *config, struct net_link *link,
				  struct loop *loop, struct store *store, struct domain *d,
				  struct problem *p);
struct xenbus_device *net_device_bus(struct net_device *n);
/* At once. The link stays. */
void net_device_remove(struct net_device *n);

struct net_stats {
	uint64_t rx_packets, rx_bytes, rx_dropped; /* to the guest */
	uint64_t tx_packets, tx_bytes, tx_errors;  /* from it */
	uint64_t events_in, events_out, grants_copied;
};
void net_device_stats(struct net_device *n, struct net_stats *stats);

#endif
