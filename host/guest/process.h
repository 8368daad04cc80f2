/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the process of a guest: what it is made of. Everything happens on the event loop's thread.
 *
 * What the host has given (images, links, the pty, descriptors) is opened once, before the sandbox
 * is armed, and outlives the machine, which is made anew when the guest reboots.
 */
#ifndef HOST_GUEST_PROCESS_H
#define HOST_GUEST_PROCESS_H

#include "host/backend/block/block.h"
#include "host/backend/block/image_rings.h"
#include "host/backend/net/net.h"
#include "host/config/guest_config.h"
#include "host/control/control_server.h"
#include "host/guest/channel.h"
#include "host/guest/core.h"
#include "host/guest/folder.h"
#include "host/guest/tty.h"
#include "host/machine.h"
#include "host/xenstore/store.h"
#include "host/xenstore/store_socket.h"

#define GUEST_DISKS_MAX 64
#define GUEST_NICS_MAX  16
#define GUEST_DMESG_MAX 16384u

struct guest;

struct guest_disk {
	struct guest *guest;
	struct disk_config
		*config; /* the guest's configuration's, or `own`, of one attached later */
	struct disk_config own;
	struct block_image *image;
	struct block_device *device; /* NULL: not shown */
	struct control_call *detaching;
};

struct guest_nic {
	struct guest *guest;
	struct nic_config *config; /* as of a disk */
	struct nic_config own;
	struct net_link *link;
	struct net_device *device;
	struct control_call *detaching;
};

/* How the guest has ended, as `wait` tells it. */
enum guest_end {
	GUEST_RUNS,
	GUEST_POWEROFF,
	GUEST_REBOOT,
	GUEST_SUSPEND,
	GUEST_CRASH,
	GUEST_WATCHDOG,
	GUEST_SOFT_RESET, /* where the configuration forbids it */
	GUEST_DESTROYED,
};

struct guest {
	struct guest_config *config;
	struct guest_folder folder;
	struct loop loop;
	struct guest_tty tty;
	struct guest_core core;
	struct store *store;
	struct store_socket *socket;
	struct control_server *control;

	struct machine *machine; /* NULL: none */
	struct watch ended;      /* eventfd: the machine has */
	struct watch signals;    /* signalfd: SIGTERM and its kin destroy the guest */
	uint64_t started;        /* CLOCK_MONOTONIC, ns */
	enum guest_end end;
	int successor_fd;  /* a byte there starts this guest's successor; -1: has none */
	bool domain_shown; /* in the store, with its devices */
	bool paused;       /* by the user */

	unsigned vcpus_online;  /* as we have asked the guest */
	uint64_t memory_target; /* the same, bytes */

	struct image_rings rings; /* of the disks, and of those to come */
	unsigned nr_disks, nr_nics;
	struct guest_disk *disks[GUEST_DISKS_MAX];
	struct guest_nic *nics[GUEST_NICS_MAX];
	unsigned nr_channels;           /* that are open */
	struct guest_channel *channels; /* as many as the configuration has */

	struct control_call *waiters;    /* `wait`, until the guest ends */
	struct control_call *destroyers; /* `destroy`, until it is gone */

	pthread_mutex_t dmesg_lock; /* vCPUs write */
	char dmesg[GUEST_DMESG_MAX];
	size_t dmesg_len;
};

/*
 * process.c: the guest from its configuration to its end. `ready`, called once, when it runs.
 * 0, or -1 with the reason.
 */
int guest_run(struct guest_config *config, const struct guest_folder *folder, bool paused,
	      int successor_fd, void (*ready)(void *opaque), void *opaque, struct problem *p);
/* The guest shall be no more; its process ends when the loop has its turn. */
void guest_destroy(struct guest *g);

/*
 * life.c. bring_up: a machine, shown in the store with its devices; start_machine: its first
 * instruction. 0, or -1 with the reason and no machine. take_down: nothing of it is left.
 */
int guest_bring_up(struct guest *g, struct problem *p);
int guest_start_machine(struct guest *g, struct problem *p);
void guest_take_down(struct guest *g);
/* It has stopped: do what the configuration says. */
void guest_machine_ended(struct guest *g);
bool guest_wants_core(enum guest_action action);

/* nodes.c: the domain in the store, as libxl writes it. 0 or -errno. */
int guest_nodes_write(struct guest *g);
void guest_nodes_remove(struct guest *g);
/* A node of the domain's own folder. 0 or -errno. */
int guest_node_writef(struct guest *g, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Which vCPUs shall be online: vcpus_online of them. 0 or -errno. */
int guest_write_vcpus(struct guest *g);

/* devices.c. Open: what the host gives. Show: to the guest. All return 0, or -1 with the reason. */
int guest_devices_open(struct guest *g, struct problem *p);
void guest_devices_close(struct guest *g);
int guest_devices_show(struct guest *g, struct problem *p);
void guest_devices_hide(struct guest *g);
/* The guest has begun anew (soft reset). */
void guest_devices_reset(struct guest *g);
/* One of them; it has been opened. */
int guest_disk_show(struct guest_disk *disk, struct problem *p);
int guest_nic_show(struct guest_nic *nic, struct problem *p);
/* The one with that number; NULL: there is none. */
struct guest_disk *guest_find_disk(const struct guest *g, uint32_t devid);
struct guest_nic *guest_find_nic(const struct guest *g, uint32_t devid);
/* With what belongs to it; its device has been taken away. */
void guest_disk_free(struct guest_disk *disk);
void guest_nic_free(struct guest_nic *nic);

/* commands.c: requests of the control socket. */
/* Another name: 0, or -1 with the reason. */
int guest_rename(struct guest *g, const char *name, struct problem *p);
void guest_command(void *opaque, struct control_call *call);
/* The guest has ended: tell those who wait. `action` is what happens next. */
void guest_tell_waiters(struct guest *g, const char *action);
/* For commands that need it to run, or a number from 0 to max: false, and the call has failed. */
bool guest_still_runs(const struct guest *g, struct control_call *call);
bool guest_number_argument(struct control_call *call, const char *name, int64_t max, int64_t *n);

/* device_commands.c: block-*, cd-insert and network-*. False: the command is none of them. */
bool guest_device_command(struct guest *g, struct control_call *call);
/* The guest has ended: what it was asked to let go of goes. */
void guest_finish_detaching(struct guest *g);
/* What block-list and network-list answer. */
json_t *guest_disks_json(const struct guest *g);
json_t *guest_nics_json(const struct guest *g);
/* attach_commands.c: three of those. */
void guest_block_attach(struct guest *g, struct control_call *call);
void guest_cd_insert(struct guest *g, struct control_call *call);
void guest_network_attach(struct guest *g, struct control_call *call);

const char *guest_end_name(enum guest_end end);

#endif
