// SPDX-License-Identifier: BSD-2-Clause
/* A network interface of the guest's: its place in the store, and a connection while there is one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/backend/net/front.h"
#include "host/event.h"

struct net_device {
	struct xenbus_device bus;
	const struct nic_config *config;
	struct net_link *link;
	struct loop *loop;
	struct net_engine *engine; /* NULL: not connected */
	struct watch report;       /* the engine's thread has something to say */
	bool link_ended;           /* and it has been said */
	struct net_stats stats;    /* atomics */
};

static struct net_device *device_of(struct xenbus_device *bus)
{
	return (struct net_device *)((char *)bus - offsetof(struct net_device, bus));
}

static unsigned max_queues(const struct net_device *n)
{
	unsigned vcpus = n->bus.domain->nr_vcpus;

	if (!vcpus)
		return 1;
	return vcpus < NET_QUEUES_MAX ? vcpus : NET_QUEUES_MAX;
}

static void advertise(struct xenbus_device *bus)
{
	struct net_device *n = device_of(bus);

	net_front_advertise(bus, n->config, n->link, max_queues(n));
	if (n->link_ended)
		xenbus_write_back(bus, "carrier", "0");
}

static int connect(struct xenbus_device *bus, struct problem *p)
{
	struct net_device *n = device_of(bus);
	struct net_guest guest;

	if (net_front_read(bus, max_queues(n), &guest, p))
		return -1;
	n->engine = net_engine_start(bus->domain, n->link, &guest, n->config->rate_bps,
				     n->config->rate_interval_us, &n->stats, n->report.fd, p);
	return n->engine ? 0 : -1;
}

static void disconnect(struct xenbus_device *bus)
{
	struct net_device *n = device_of(bus);

	net_engine_stop(n->engine);
	n->engine = NULL;
}

static void front_changed(struct xenbus_device *bus, const char *name)
{
	struct net_device *n = device_of(bus);

	if (!strcmp(name, "request-multicast-control"))
		__atomic_store_n(&n->engine->mcast_control, net_front_flag(bus, name),
				 __ATOMIC_RELAXED);
}

static const struct xenbus_ops ops = {
	.type = "vif",
	.advertise = advertise,
	.connect = connect,
	.disconnect = disconnect,
	.front_changed = front_changed,
};

static void reported(void *opaque, uint32_t events)
{
	struct net_device *n = opaque;
	struct net_engine *e = n->engine;

	(void)events;
	if (!event_take(n->report.fd) || !e)
		return;
	if (__atomic_load_n(&e->link_ended, __ATOMIC_ACQUIRE) && !n->link_ended) {
		n->link_ended = true;
		fprintf(stderr, "xenolith: vif %u of domain %u: the %s has ended\n", n->bus.id,
			n->bus.domain->id, n->link->description);
		xenbus_write_back(&n->bus, "carrier", "0");
	}
	if (__atomic_load_n(&e->failed, __ATOMIC_ACQUIRE))
		xenbus_fatal(&n->bus, "%s", e->failure);
}

static int show(struct net_device *n, struct store *store, struct domain *d, struct problem *p)
{
	int rc = loop_event_open(n->loop, &n->report, reported, n);

	if (rc)
		return problem(p, "vif %u: no event: %s", n->config->devid, strerror(-rc));
	rc = xenbus_add(&n->bus, &ops, store, d, n->config->devid, p);
	if (rc)
		loop_unwatch(n->loop, &n->report);
	return rc;
}

struct net_device *net_device_add(const struct nic_config *config, struct net_link *link,
				  struct loop *loop, struct store *store, struct domain *d,
				  struct problem *p)
{
	struct net_device *n = calloc(1, sizeof(*n));

	if (!n) {
		problem(p, "vif %u: no memory", config->devid);
		return NULL;
	}
	n->config = config;
	n->link = link;
	n->loop = loop;
	if (!show(n, store, d, p))
		return n;
	if (n->report.fd >= 0)
		close(n->report.fd);
	free(n);
	return NULL;
}

struct xenbus_device *net_device_bus(struct net_device *n)
{
	return &n->bus;
}

void net_device_remove(struct net_device *n)
{
	xenbus_remove(&n->bus);
	loop_unwatch(n->loop, &n->report);
	close(n->report.fd);
	free(n);
}

static uint64_t counted(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void net_device_stats(struct net_device *n, struct net_stats *stats)
{
	const struct net_stats *now = &n->stats;

	*stats = (struct net_stats){
		.rx_packets = counted(&now->rx_packets),
		.rx_bytes = counted(&now->rx_bytes),
		.rx_dropped = counted(&now->rx_dropped),
		.tx_packets = counted(&now->tx_packets),
		.tx_bytes = counted(&now->tx_bytes),
		.tx_errors = counted(&now->tx_errors),
		.events_in = counted(&now->events_in),
		.events_out = counted(&now->events_out),
		.grants_copied = counted(&now->grants_copied),
	};
}
