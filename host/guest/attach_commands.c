// SPDX-License-Identifier: BSD-2-Clause
/*
 * Devices that come while the guest runs. Its process may open nothing any more: the client has
 * opened what is behind them, and sends the descriptors.
 */
#include <stdlib.h>
#include <string.h>

#include "host/config/disk_spec.h"
#include "host/config/nic_spec.h"
#include "host/guest/process.h"

/* The descriptors are somebody else's from now on. */
static void hand_over(struct control_call *call, int *fds)
{
	memcpy(fds, call->fds, sizeof(call->fds));
	call->nr_fds = 0;
}

static int add_disk(struct guest_disk *disk, struct control_call *call, struct problem *p)
{
	struct guest *g = disk->guest;
	unsigned nr_fds = call->nr_fds;
	int fds[CONTROL_FDS_MAX];

	if (g->nr_disks == GUEST_DISKS_MAX)
		return problem(p, "a guest has at most %d disks", GUEST_DISKS_MAX);
	if (guest_find_disk(g, disk->own.devid))
		return problem(p, "%s has a disk %s already", g->config->name, disk->own.vdev);
	hand_over(call, fds);
	disk->image = block_image_adopt(&disk->own, fds, nr_fds, &g->rings, p);
	if (!disk->image || guest_disk_show(disk, p))
		return -1;
	g->disks[g->nr_disks++] = disk;
	return 0;
}

void guest_block_attach(struct guest *g, struct control_call *call)
{
	const char *spec = json_string_value(json_object_get(call->request, "disk"));
	struct guest_disk *disk = calloc(1, sizeof(*disk));
	struct problem p;

	if (!spec || !disk) {
		control_fail(call, spec ? "no memory for the disk" : "block-attach needs a disk");
		free(disk);
		return;
	}
	disk->guest = g;
	disk->config = &disk->own;
	if (disk_spec_parse(&spec, 1, &disk->own, &p) || add_disk(disk, call, &p)) {
		control_fail(call, "%s", p.text);
		guest_disk_free(disk);
		return;
	}
	control_answer(call, json_pack("{s:I}", "devid", (json_int_t)disk->own.devid));
}

/* The configuration follows: it is what lists show, and what a guest that restarts begins with. */
static void swap_medium(struct disk_config *a, struct disk_config *b)
{
	const enum disk_format format = a->format;
	char *target = a->target;

	a->target = b->target;
	a->format = b->format;
	b->target = target;
	b->format = format;
}

static int change_medium(struct guest *g, struct control_call *call, struct disk_config *config,
			 struct problem *p)
{
	struct guest_disk *disk = guest_find_disk(g, config->devid);
	unsigned nr_fds = call->nr_fds;
	int fds[CONTROL_FDS_MAX];

	if (!disk)
		return problem(p, "%s has no disk %s", g->config->name, config->vdev);
	hand_over(call, fds);
	if (block_device_change_medium(disk->device, config, fds, nr_fds, p))
		return -1;
	swap_medium(disk->config, config);
	return 0;
}

void guest_cd_insert(struct guest *g, struct control_call *call)
{
	const char *spec = json_string_value(json_object_get(call->request, "disk"));
	struct disk_config config = {0};
	struct problem p;

	if (!spec)
		control_fail(call, "cd-insert needs a disk");
	else if (disk_spec_parse(&spec, 1, &config, &p) || change_medium(g, call, &config, &p))
		control_fail(call, "%s", p.text);
	else
		control_answer(call, NULL);
	disk_config_free(&config);
}

static int add_nic(struct guest_nic *nic, struct control_call *call, struct problem *p)
{
	struct guest *g = nic->guest;
	int fds[CONTROL_FDS_MAX];

	if (g->nr_nics == GUEST_NICS_MAX)
		return problem(p, "a guest has at most %d network interfaces", GUEST_NICS_MAX);
	if (call->nr_fds != 1)
		return problem(p, "one descriptor is to come with a network interface, not %u",
			       call->nr_fds);
	if (nic->own.devid == NIC_DEVID_NONE)
		return problem(p, "network-attach needs a devid");
	if (guest_find_nic(g, nic->own.devid))
		return problem(p, "%s has a network interface %u already", g->config->name,
			       nic->own.devid);
	hand_over(call, fds);
	nic->link = net_link_adopt(fds[0], p);
	if (!nic->link || guest_nic_show(nic, p))
		return -1;
	g->nics[g->nr_nics++] = nic;
	return 0;
}

void guest_network_attach(struct guest *g, struct control_call *call)
{
	const char *spec = json_string_value(json_object_get(call->request, "nic"));
	struct guest_nic *nic = calloc(1, sizeof(*nic));
	struct problem p;

	if (!spec || !nic) {
		control_fail(call, spec ? "no memory for the network interface"
					: "network-attach needs a nic");
		free(nic);
		return;
	}
	nic->guest = g;
	nic->config = &nic->own;
	if (nic_spec_parse(&spec, 1, &nic->own, NULL, &p) || add_nic(nic, call, &p)) {
		control_fail(call, "%s", p.text);
		guest_nic_free(nic);
		return;
	}
	control_answer(call, json_pack("{s:I}", "devid", (json_int_t)nic->own.devid));
}
