// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/front.h"
#include "host/text.h"

#include <inttypes.h>
#include <stdio.h>

/* Of a node: "queue-7/event-channel-tx". */
#define NODE_MAX 48

static const struct {
	const char *name;
	int value;
} features[] = {
	{"feature-rx-copy", 1},
	{"feature-rx-flip", 0},
	{"feature-sg", 1},
	{"feature-gso-tcpv4", 1},
	{"feature-gso-tcpv6", 1},
	{"feature-no-csum-offload", 0},
	{"feature-ipv6-csum-offload", 1},
	{"feature-multicast-control", 1},
	{"feature-dynamic-multicast-control", 1},
	{"feature-split-event-channels", 1},
	{"feature-ctrl-ring", 1},
};

static void write_text(struct xenbus_device *bus, const char *name, const char *text)
{
	if (text)
		xenbus_write_back(bus, name, "%s", text);
}

static void write_toolstack(struct xenbus_device *bus, const struct nic_config *config,
			    const struct net_link *link)
{
	char mac[MAC_TEXT];

	write_text(bus, "mac", mac_text(mac, config->mac));
	write_text(bus, "bridge", config->bridge);
	write_text(bus, "script", config->script);
	write_text(bus, "ip", config->ip);
	write_text(bus, "gatewaydev", config->gatewaydev);
	write_text(bus, "vifname", link->interface[0] ? link->interface : config->vifname);
	write_text(bus, "type", "vif");
	xenbus_write_back(bus, "handle", "%u", config->devid);
	if (config->rate_bps)
		xenbus_write_back(bus, "rate", "%" PRIu64 ",%u", config->rate_bps,
				  config->rate_interval_us);
	xenbus_write_front(bus, "handle", "%u", config->devid);
	xenbus_write_front(bus, "mac", "%s", mac);
	xenbus_write_front(bus, "trusted", "1");
	if (!config->mtu)
		return;
	xenbus_write_back(bus, "mtu", "%u", config->mtu);
	xenbus_write_front(bus, "mtu", "%u", config->mtu);
}

void net_front_advertise(struct xenbus_device *bus, const struct nic_config *config,
			 const struct net_link *link, unsigned max_queues)
{
	write_toolstack(bus, config, link);
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++)
		xenbus_write_back(bus, features[i].name, "%d", features[i].value);
	xenbus_write_back(bus, "multi-queue-max-queues", "%u", max_queues);
	/* What a hotplug script does is done: the link is open. */
	xenbus_write_back(bus, "hotplug-status", "connected");
}

bool net_front_flag(struct xenbus_device *bus, const char *name)
{
	uint64_t value;

	return !xenbus_read_front(bus, name, UINT32_MAX, &value) && value;
}

static int read_u32(struct xenbus_device *bus, const char *folder, const char *name, uint32_t *out)
{
	char node[NODE_MAX];
	uint64_t value;
	int rc;

	snprintf(node, sizeof(node), "%s%s", folder, name);
	rc = xenbus_read_front(bus, node, UINT32_MAX, &value);
	if (!rc)
		*out = value;
	return rc;
}

static int missing(struct xenbus_device *bus, const char *folder, const char *name,
		   struct problem *p)
{
	return problem(p, "%s/%s%s is not there, or no number", bus->front, folder, name);
}

static int read_channels(struct xenbus_device *bus, const char *folder, struct net_guest_queue *q,
			 struct problem *p)
{
	if (!read_u32(bus, folder, "event-channel-tx", &q->tx_port) &&
	    !read_u32(bus, folder, "event-channel-rx", &q->rx_port))
		return 0;
	if (read_u32(bus, folder, "event-channel", &q->tx_port))
		return missing(bus, folder, "event-channel", p);
	q->rx_port = q->tx_port;
	return 0;
}

static int read_queue(struct xenbus_device *bus, const char *folder, struct net_guest_queue *q,
		      struct problem *p)
{
	if (read_u32(bus, folder, "tx-ring-ref", &q->tx_ref))
		return missing(bus, folder, "tx-ring-ref", p);
	if (read_u32(bus, folder, "rx-ring-ref", &q->rx_ref))
		return missing(bus, folder, "rx-ring-ref", p);
	return read_channels(bus, folder, q, p);
}

static int read_queues(struct xenbus_device *bus, unsigned max_queues, struct net_guest *g,
		       struct problem *p)
{
	uint32_t nr = 1;

	read_u32(bus, "", "multi-queue-num-queues", &nr);
	if (!nr || nr > max_queues)
		return problem(p, "%s/multi-queue-num-queues is %u, and may be 1 to %u", bus->front,
			       nr, max_queues);
	g->nr_queues = nr;
	if (nr == 1)
		return read_queue(bus, "", &g->queues[0], p);
	for (unsigned i = 0; i < nr; i++) {
		char folder[NODE_MAX / 2];

		snprintf(folder, sizeof(folder), "queue-%u/", i);
		if (read_queue(bus, folder, &g->queues[i], p))
			return -1;
	}
	return 0;
}

static int read_ctrl(struct xenbus_device *bus, struct net_guest *g, struct problem *p)
{
	if (read_u32(bus, "", "ctrl-ring-ref", &g->ctrl_ref))
		return 0;
	g->has_ctrl = true;
	if (read_u32(bus, "", "event-channel-ctrl", &g->ctrl_port))
		return missing(bus, "", "event-channel-ctrl", p);
	return 0;
}

static unsigned read_can(struct xenbus_device *bus)
{
	unsigned can = 0;

	if (!net_front_flag(bus, "feature-no-csum-offload"))
		can |= NET_CAN_CSUM4;
	if (net_front_flag(bus, "feature-ipv6-csum-offload"))
		can |= NET_CAN_CSUM6;
	if (net_front_flag(bus, "feature-gso-tcpv4"))
		can |= NET_CAN_GSO4;
	if (net_front_flag(bus, "feature-gso-tcpv6"))
		can |= NET_CAN_GSO6;
	return can;
}

int net_front_read(struct xenbus_device *bus, unsigned max_queues, struct net_guest *g,
		   struct problem *p)
{
	*g = (struct net_guest){
		.can = read_can(bus),
		.sg = net_front_flag(bus, "feature-sg"),
		.rx_notify = net_front_flag(bus, "feature-rx-notify"),
		.mcast_control = net_front_flag(bus, "request-multicast-control"),
	};
	if (!net_front_flag(bus, "request-rx-copy"))
		return problem(p, "%s/request-rx-copy is not 1: frames are only received by copy",
			       bus->front);
	return read_queues(bus, max_queues, g, p) || read_ctrl(bus, g, p) ? -1 : 0;
}
