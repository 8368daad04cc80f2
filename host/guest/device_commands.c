// SPDX-License-Identifier: BSD-2-Clause
/*
 * Commands about devices (docs/control-protocol.md): lists, and what comes and goes while the guest
 * runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/disk_spec.h"
#include "host/guest/process.h"
#include "host/text.h"

/* A number that the frontend has written, for the device or its first queue; JSON's null if it has
 * not. */
static json_t *front_number(struct xenbus_device *dev, const char *name)
{
	char of_queue[64];
	uint64_t value;

	snprintf(of_queue, sizeof(of_queue), "queue-0/%s", name);
	if (xenbus_read_front(dev, name, UINT32_MAX, &value) &&
	    xenbus_read_front(dev, of_queue, UINT32_MAX, &value))
		return json_null();
	return json_integer(value);
}

static json_t *front_state(const struct xenbus_device *dev)
{
	return json_integer(dev->front_state);
}

/*
 * Disks.
 */

static json_t *disk_stats(struct block_device *b)
{
	struct block_stats s;

	block_device_stats(b, &s);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "reads",
			 (json_int_t)s.reads, "writes", (json_int_t)s.writes, "flushes",
			 (json_int_t)s.flushes, "discards", (json_int_t)s.discards, "errors",
			 (json_int_t)s.errors, "read_bytes", (json_int_t)s.read_bytes,
			 "written_bytes", (json_int_t)s.written_bytes, "events_in",
			 (json_int_t)s.events_in, "events_out", (json_int_t)s.events_out,
			 "grants_mapped", (json_int_t)s.grants_mapped);
}

static json_t *describe_disk(const struct guest_disk *disk)
{
	struct xenbus_device *dev = block_device_bus(disk->device);
	const struct disk_config *c = disk->config;

	return json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:s, s:s, s:s?, s:s, s:s, s:o}", "devid",
			 c->devid, "backend_id", 0, "handle", c->devid, "state", front_state(dev),
			 "event_channel", front_number(dev, "event-channel"), "ring_ref",
			 front_number(dev, "ring-ref"), "backend_path", dev->back, "vdev", c->vdev,
			 "target", c->target, "format", disk_format_name(c->format), "mode",
			 c->readonly ? "r" : "w", "stats", disk_stats(disk->device));
}

json_t *guest_disks_json(const struct guest *g)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < g->nr_disks; i++)
		if (g->disks[i]->device)
			json_array_append_new(all, describe_disk(g->disks[i]));
	return all;
}

static void block_list(struct guest *g, struct control_call *call)
{
	control_answer(call, guest_disks_json(g));
}

static void forget_disk(struct guest_disk *disk)
{
	struct guest *g = disk->guest;
	unsigned i = 0;

	while (g->disks[i] != disk)
		i++;
	g->disks[i] = g->disks[--g->nr_disks];
	block_device_remove(disk->device);
	if (disk->detaching)
		control_answer(disk->detaching, NULL);
	guest_disk_free(disk);
}

static void disk_let_go(struct xenbus_device *dev)
{
	forget_disk(dev->opaque);
}

/*
 * Network interfaces.
 */

static json_t *nic_stats(struct net_device *n)
{
	struct net_stats s;

	net_device_stats(n, &s);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "rx_packets",
			 (json_int_t)s.rx_packets, "rx_bytes", (json_int_t)s.rx_bytes, "rx_dropped",
			 (json_int_t)s.rx_dropped, "tx_packets", (json_int_t)s.tx_packets,
			 "tx_bytes", (json_int_t)s.tx_bytes, "tx_errors", (json_int_t)s.tx_errors,
			 "events_in", (json_int_t)s.events_in, "events_out",
			 (json_int_t)s.events_out, "grants_copied", (json_int_t)s.grants_copied);
}

static json_t *describe_nic(const struct guest_nic *nic)
{
	struct xenbus_device *dev = net_device_bus(nic->device);
	char mac[MAC_TEXT];

	return json_pack("{s:i, s:i, s:s, s:i, s:o, s:o, s:o, s:o, s:s, s:o}", "devid",
			 nic->config->devid, "backend_id", 0, "mac",
			 mac_text(mac, nic->config->mac), "handle", nic->config->devid, "state",
			 front_state(dev), "event_channel", front_number(dev, "event-channel"),
			 "tx_ring_ref", front_number(dev, "tx-ring-ref"), "rx_ring_ref",
			 front_number(dev, "rx-ring-ref"), "backend_path", dev->back, "stats",
			 nic_stats(nic->device));
}

json_t *guest_nics_json(const struct guest *g)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < g->nr_nics; i++)
		if (g->nics[i]->device)
			json_array_append_new(all, describe_nic(g->nics[i]));
	return all;
}

static void network_list(struct guest *g, struct control_call *call)
{
	control_answer(call, guest_nics_json(g));
}

static void forget_nic(struct guest_nic *nic)
{
	struct guest *g = nic->guest;
	unsigned i = 0;

	while (g->nics[i] != nic)
		i++;
	g->nics[i] = g->nics[--g->nr_nics];
	net_device_remove(nic->device);
	if (nic->detaching)
		control_answer(nic->detaching, NULL);
	guest_nic_free(nic);
}

static void nic_let_go(struct xenbus_device *dev)
{
	forget_nic(dev->opaque);
}

/*
 * Detaching: asked of the frontend, or done without it.
 */

void guest_finish_detaching(struct guest *g)
{
	for (unsigned i = g->nr_disks; i-- > 0;)
		if (g->disks[i]->detaching)
			forget_disk(g->disks[i]);
	for (unsigned i = g->nr_nics; i-- > 0;)
		if (g->nics[i]->detaching)
			forget_nic(g->nics[i]);
}

static bool is_forced(const struct control_call *call)
{
	return json_is_true(json_object_get(call->request, "force"));
}

static bool devid_argument(struct control_call *call, uint32_t *devid)
{
	int64_t n;

	if (!guest_number_argument(call, "devid", UINT32_MAX, &n))
		return false;
	*devid = n;
	return true;
}

static void detach_disk(struct guest_disk *disk, struct control_call *call)
{
	struct xenbus_device *dev = block_device_bus(disk->device);

	if (disk->detaching && !is_forced(call)) {
		control_fail(call,
			     "%s is being detached already; --force does not wait for the guest",
			     disk->config->vdev);
		return;
	}
	if (disk->detaching)
		control_fail(disk->detaching, "detached by force");
	disk->detaching = call;
	dev->opaque = disk;
	if (is_forced(call))
		forget_disk(disk);
	else
		xenbus_detach(dev, disk_let_go);
}

/* By the name that the client was given, if it tells. */
static void no_disk(const struct guest *g, struct control_call *call, uint32_t devid)
{
	const char *vdev = json_string_value(json_object_get(call->request, "vdev"));
	char number[16];

	snprintf(number, sizeof(number), "%u", devid);
	control_fail(call, "%s has no disk %s; `xenolith block-list %s` shows them",
		     g->config->name, vdev ? vdev : number, g->config->name);
}

static void block_detach(struct guest *g, struct control_call *call)
{
	struct guest_disk *disk;
	uint32_t devid;

	if (!devid_argument(call, &devid))
		return;
	disk = guest_find_disk(g, devid);
	if (disk)
		detach_disk(disk, call);
	else
		no_disk(g, call, devid);
}

static void block_resize(struct guest *g, struct control_call *call)
{
	struct guest_disk *disk;
	uint32_t devid;
	int rc;

	if (!devid_argument(call, &devid))
		return;
	disk = guest_find_disk(g, devid);
	if (!disk) {
		no_disk(g, call, devid);
		return;
	}
	rc = block_device_resized(disk->device);
	if (rc)
		control_fail(call, "%s: its size cannot be had: %s", disk->config->vdev,
			     strerror(-rc));
	else
		control_answer(call, json_pack("{s:I}", "bytes",
					       (json_int_t)block_image_size(disk->image)));
}

static void detach_nic(struct guest_nic *nic, struct control_call *call)
{
	struct xenbus_device *dev = net_device_bus(nic->device);

	if (nic->detaching && !is_forced(call)) {
		control_fail(call,
			     "it is being detached already; --force does not wait for the guest");
		return;
	}
	if (nic->detaching)
		control_fail(nic->detaching, "detached by force");
	nic->detaching = call;
	dev->opaque = nic;
	if (is_forced(call))
		forget_nic(nic);
	else
		xenbus_detach(dev, nic_let_go);
}

static void network_detach(struct guest *g, struct control_call *call)
{
	struct guest_nic *nic;
	uint32_t devid;

	if (!devid_argument(call, &devid))
		return;
	nic = guest_find_nic(g, devid);
	if (nic)
		detach_nic(nic, call);
	else
		control_fail(call,
			     "%s has no network interface %u; `xenolith network-list %s` shows "
			     "them",
			     g->config->name, devid, g->config->name);
}

static const struct command {
	const char *name;
	void (*run)(struct guest *g, struct control_call *call);
} commands[] = {
	{"block-attach", guest_block_attach},     {"block-list", block_list},
	{"block-resize", block_resize},           {"block-detach", block_detach},
	{"network-attach", guest_network_attach}, {"network-list", network_list},
	{"network-detach", network_detach},       {"cd-insert", guest_cd_insert},
};

/* Of a guest that is kept after its end, too. */
static bool only_looks(void (*run)(struct guest *g, struct control_call *call))
{
	return run == block_list || run == network_list;
}

bool guest_device_command(struct guest *g, struct control_call *call)
{
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, call->command) != 0)
			continue;
		if (only_looks(commands[i].run) || guest_still_runs(g, call))
			commands[i].run(g, call);
		return true;
	}
	return false;
}
