/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest as its configuration describes it: xl.cfg(5), already checked, with all defaults filled
 * in. Plain data: every string is owned by it, NULL where the file says nothing. How it is written
 * stands in xenolith.cfg(5).
 */
#ifndef HOST_CONFIG_GUEST_CONFIG_H
#define HOST_CONFIG_GUEST_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/kvm/vm.h"
#include "host/problem.h"

enum guest_type {
	GUEST_PVH,
	GUEST_PV,
	GUEST_HVM,
};

/* What happens when the guest has ended in some way (on_poweroff and its kin). */
enum guest_action {
	ACTION_DESTROY,
	ACTION_RESTART,
	ACTION_RENAME_RESTART,
	ACTION_PRESERVE,
	ACTION_COREDUMP_DESTROY,
	ACTION_COREDUMP_RESTART,
	ACTION_SOFT_RESET,
};

enum disk_format {
	DISK_RAW, /* a file or a block device, as it is */
	DISK_QCOW,
	DISK_QCOW2,
	DISK_QED,
	DISK_VHD,
	DISK_EMPTY, /* a drive without a medium */
};

/* xl-disk-configuration(5). */
struct disk_config {
	char *target; /* path; NULL: empty */
	enum disk_format format;
	char *vdev;     /* as written: xvda, xvda1, hda, sdb2, d0p1 */
	uint32_t devid; /* its number in the store: 51712 for xvda */
	bool readonly, cdrom;
	bool discard; /* offer it to the guest (default: if it is writable) */
	bool direct_io_safe;
	char *script, *backendtype;
};

enum nic_mode {
	NIC_USER,   /* user-mode network: no bridge and no vifname given */
	NIC_TAP,    /* the tap device `vifname`, made if it is not there */
	NIC_BRIDGE, /* a tap device in the bridge `bridge` */
};

/* One "forward=": a port of the host that leads to one of the guest. */
struct port_forward {
	bool udp;
	char *host_address; /* NULL: all of loopback's */
	uint16_t host_port, guest_port;
};

/* xl-network-configuration(5). */
struct nic_config {
	uint32_t devid;
	enum nic_mode mode;
	uint8_t mac[6]; /* given, or 00:16:3e and three random bytes */
	char *bridge, *vifname, *ip, *script, *model, *type, *gatewaydev;
	uint32_t mtu;      /* 0: the default */
	uint64_t rate_bps; /* bytes per interval; 0: no limit */
	uint32_t rate_interval_us;
	struct port_forward *forwards; /* of NIC_USER */
	unsigned nr_forwards;
};

struct channel_config {
	char *name, *connection, *path; /* connection: "pty" or "socket" */
};

struct guest_config {
	char *file; /* where it comes from, for messages; NULL: arguments only */
	char *name;
	enum guest_type type;
	uint8_t uuid[16]; /* given, or random */

	/* Of bootloader="pygrub" and firmware="pvgrub64", the kernel is GRUB's own Xen image. */
	char *kernel, *ramdisk; /* kernel: NULL only for GUEST_HVM */
	char *cmdline;          /* "cmdline", or "root" and "extra" put together as xl does */

	uint64_t memory, maxmem;  /* bytes; maxmem >= memory */
	unsigned vcpus, maxvcpus; /* online at first; in all */

	enum guest_action on_poweroff, on_reboot, on_crash, on_watchdog, on_soft_reset;

	struct disk_config *disks;
	unsigned nr_disks;
	struct nic_config *nics;
	unsigned nr_nics;
	struct channel_config *channels;
	unsigned nr_channels;

	uint32_t max_grant_frames, max_maptrack_frames, max_event_channels;
	unsigned max_grant_version; /* 1 or 2 */

	/* Ours, also as xenolith_device= and xenolith_accel= in the file. */
	char *device; /* KVM's; "/dev/kvm" */
	enum accel accel;
};

/* Hears what is odd about a configuration and can be done without; each a line for the user. */
struct config_warnings {
	void (*warn)(void *opaque, const char *line);
	void *opaque;
};

/*
 * The configuration that `text` and then the KEY=VALUE `arguments` say: a pure function. `file`
 * names the text in messages and in *c; NULL: there are arguments only. What is random if not given
 * (uuid, MACs) stays zero. 0, or -1 with the reason, which names file and line, and nothing in *c.
 */
int guest_config_parse(struct guest_config *c, const char *file, const char *text, size_t size,
		       char *const *arguments, unsigned nr_arguments,
		       const struct config_warnings *w, struct problem *p);

/* The same from the file itself (NULL: arguments only), and with what is random. */
int guest_config_read(struct guest_config *c, const char *file, char *const *arguments,
		      unsigned nr_arguments, const struct config_warnings *w, struct problem *p);

void guest_config_free(struct guest_config *c);

/* Is one of those actions what follows some end of the guest's? */
bool guest_config_has_action(const struct guest_config *c,
			     bool (*wanted)(enum guest_action action));

/* Can a guest have that name? 0, or -1 with the reason. */
int guest_name_check(const char *name, struct problem *p);

/* "pvh", "pv", "hvm" and "destroy", "rename-restart", ... as they are written in files. */
const char *guest_type_name(enum guest_type type);
const char *guest_action_name(enum guest_action action);

#endif
