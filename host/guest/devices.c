// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>

#include "host/config/disk_spec.h"
#include "host/config/nic_spec.h"
#include "host/guest/process.h"

/* Each is a descriptor, of which a process has 1024. Queues that find none left do without. */
#define RINGS_MAX 128

static int open_disk(struct guest *g, struct disk_config *config, struct problem *p)
{
	struct guest_disk *disk;

	if (g->nr_disks == GUEST_DISKS_MAX)
		return problem(p, "a guest has at most %d disks", GUEST_DISKS_MAX);
	disk = calloc(1, sizeof(*disk));
	if (!disk)
		return problem(p, "no memory for the disk %s", config->vdev);
	disk->guest = g;
	disk->config = config;
	disk->image = block_image_open(config, &g->rings, p);
	if (!disk->image) {
		free(disk);
		return -1;
	}
	g->disks[g->nr_disks++] = disk;
	return 0;
}

static int open_nic(struct guest *g, struct nic_config *config, struct problem *p)
{
	struct guest_nic *nic;

	if (g->nr_nics == GUEST_NICS_MAX)
		return problem(p, "a guest has at most %d network interfaces", GUEST_NICS_MAX);
	nic = calloc(1, sizeof(*nic));
	if (!nic)
		return problem(p, "no memory for the network interface %u", config->devid);
	nic->guest = g;
	nic->config = config;
	nic->link = net_link_open(config, g->folder.domid, p);
	if (!nic->link) {
		free(nic);
		return -1;
	}
	g->nics[g->nr_nics++] = nic;
	return 0;
}

static int open_channels(struct guest *g, struct problem *p)
{
	struct guest_config *c = g->config;

	if (!c->nr_channels)
		return 0;
	g->channels = calloc(c->nr_channels, sizeof(*g->channels));
	if (!g->channels)
		return problem(p, "no memory for the channels");
	for (; g->nr_channels < c->nr_channels; g->nr_channels++)
		if (guest_channel_open(&g->channels[g->nr_channels], &c->channels[g->nr_channels],
				       &g->loop, p))
			return -1;
	return 0;
}

struct guest_disk *guest_find_disk(const struct guest *g, uint32_t devid)
{
	for (unsigned i = 0; i < g->nr_disks; i++)
		if (g->disks[i]->config->devid == devid)
			return g->disks[i];
	return NULL;
}

struct guest_nic *guest_find_nic(const struct guest *g, uint32_t devid)
{
	for (unsigned i = 0; i < g->nr_nics; i++)
		if (g->nics[i]->config->devid == devid)
			return g->nics[i];
	return NULL;
}

void guest_disk_free(struct guest_disk *disk)
{
	if (disk->image)
		block_image_close(disk->image);
	disk_config_free(&disk->own);
	free(disk);
}

void guest_nic_free(struct guest_nic *nic)
{
	if (nic->link)
		net_link_close(nic->link);
	nic_config_free(&nic->own);
	free(nic);
}

/* No more can be made once the guest runs: enough for each raw disk, and for one to be attached. */
static void open_rings(struct guest *g)
{
	const struct guest_config *c = g->config;
	unsigned queues = c->maxvcpus < BLOCK_MAX_QUEUES ? c->maxvcpus : BLOCK_MAX_QUEUES;
	unsigned rings = queues;

	for (unsigned i = 0; i < c->nr_disks; i++)
		rings += c->disks[i].format == DISK_RAW ? queues : 0;
	image_rings_open(&g->rings, rings < RINGS_MAX ? rings : RINGS_MAX);
}

int guest_devices_open(struct guest *g, struct problem *p)
{
	struct guest_config *c = g->config;
	int rc = open_channels(g, p);

	open_rings(g);
	for (unsigned i = 0; i < c->nr_disks && !rc; i++)
		rc = open_disk(g, &c->disks[i], p);
	for (unsigned i = 0; i < c->nr_nics && !rc; i++)
		rc = open_nic(g, &c->nics[i], p);
	return rc;
}

void guest_devices_close(struct guest *g)
{
	while (g->nr_disks)
		guest_disk_free(g->disks[--g->nr_disks]);
	while (g->nr_nics)
		guest_nic_free(g->nics[--g->nr_nics]);
	while (g->nr_channels)
		guest_channel_close(&g->channels[--g->nr_channels]);
	free(g->channels);
	g->channels = NULL;
	image_rings_close(&g->rings);
}

int guest_disk_show(struct guest_disk *disk, struct problem *p)
{
	struct guest *g = disk->guest;

	disk->device = block_device_add(disk->config, disk->image, &g->loop, g->store,
					&g->machine->vm.domain, p);
	return disk->device ? 0 : -1;
}

int guest_nic_show(struct guest_nic *nic, struct problem *p)
{
	struct guest *g = nic->guest;

	nic->device = net_device_add(nic->config, nic->link, &g->loop, g->store,
				     &g->machine->vm.domain, p);
	return nic->device ? 0 : -1;
}

int guest_devices_show(struct guest *g, struct problem *p)
{
	for (unsigned i = 0; i < g->nr_disks; i++)
		if (guest_disk_show(g->disks[i], p))
			return -1;
	for (unsigned i = 0; i < g->nr_nics; i++)
		if (guest_nic_show(g->nics[i], p))
			return -1;
	/* Console 0 is the one that every guest has. */
	for (unsigned i = 0; i < g->nr_channels; i++)
		if (guest_channel_show(&g->channels[i], g->store, &g->machine->vm.domain, i + 1, p))
			return -1;
	return 0;
}

void guest_devices_hide(struct guest *g)
{
	for (unsigned i = 0; i < g->nr_disks; i++) {
		if (g->disks[i]->device)
			block_device_remove(g->disks[i]->device);
		g->disks[i]->device = NULL;
	}
	for (unsigned i = 0; i < g->nr_nics; i++) {
		if (g->nics[i]->device)
			net_device_remove(g->nics[i]->device);
		g->nics[i]->device = NULL;
	}
	for (unsigned i = 0; i < g->nr_channels; i++)
		guest_channel_hide(&g->channels[i]);
}

/* From the last one on: one that was being detached goes, and the last takes its place. */
void guest_devices_reset(struct guest *g)
{
	for (unsigned i = g->nr_disks; i-- > 0;)
		if (g->disks[i]->device)
			xenbus_reset(block_device_bus(g->disks[i]->device));
	for (unsigned i = g->nr_nics; i-- > 0;)
		if (g->nics[i]->device)
			xenbus_reset(net_device_bus(g->nics[i]->device));
	for (unsigned i = 0; i < g->nr_channels; i++)
		xenbus_reset(&g->channels[i].device.bus);
}
