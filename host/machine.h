/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PVH guest without devices: virtual machine, kernel, ACPI tables, console, the ring of its
 * xenstore. What `xenolith run` starts, and what a configured guest (host/guest/) is built on.
 */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "host/backend/console.h"
#include "host/kvm/vm.h"
#include "host/loader/pv.h"
#include "host/loader/pvh.h"
#include "host/xenstore/store_ring.h"

struct machine_config {
	const char *device;                    /* KVM's */
	const char *kernel, *initrd, *cmdline; /* initrd and cmdline may be NULL */
	enum accel accel;
	uint64_t memory;     /* bytes */
	uint64_t max_memory; /* the same; 0: as memory */
	unsigned vcpus;      /* 1 to DOMAIN_MAX_VCPUS */
	bool pv;             /* a PV guest: its kernel enters as one (docs/pv.md) */
	bool ioapic;         /* an I/O APIC, as HVM guests have */
	int in_fd, out_fd;   /* the guest's console; in_fd may be -1 */

	domid_t domid;       /* 0: that of `run`, 1 */
	const uint8_t *uuid; /* 16 bytes, copied; NULL: zeros */
	/* Of its grant tables (grants_configure); 0: Xen's defaults. */
	unsigned max_grant_frames, max_maptrack_frames, max_grant_version;
	struct store *store;  /* NULL: the guest has none */
	bool soft_reset_ends; /* the guest may not begin anew: it ends (SHUTDOWN_soft_reset) */
	bool nobody_reads;    /* out_fd, perhaps: console_keep() */
	int log_fd;           /* then: of the console; -1: none */
	/* Each may be NULL: the guest has ended (once, any thread; NULL: the loop stops); it has
	 * begun anew: devices are to be offered again (loop's thread, no vCPU runs); it has said
	 * something on the hypervisor's console (a line without its end; any thread; NULL: to
	 * stderr). */
	void (*ended)(void *opaque);
	void (*reset)(void *opaque);
	void (*debug_line)(void *opaque, const char *line);
	void *opaque;
};

struct machine {
	struct machine_config config;
	struct loop *loop;
	struct vm vm;
	struct console console;
	struct store_ring *store_ring; /* NULL: no store */
	struct pvh_start start;
	struct pv_start pv_start; /* in its place, of a PV guest */
	struct watch reset;       /* eventfd: the guest wants to begin anew */
	char debug_line[256];     /* of the hypervisor's console, until its line is complete */
	size_t debug_len;
};

/*
 * Everything up to the guest's first instruction, which machine_start() lets it run. The strings of
 * *config must stay until then. 0, or -1 with the reason in *p (and of create, nothing held).
 */
int machine_create(struct machine *m, const struct machine_config *config, struct loop *loop,
		   struct problem *p);
int machine_start(struct machine *m, struct problem *p);

/* Run the loop until the guest ends or the loop is stopped, then machine_stop(). 0, or -1 with the
 * reason in *p. */
int machine_run(struct machine *m, struct problem *p);

/* No vCPU runs any more. 0, or -1 with the reason why KVM or the host could not go on. */
int machine_stop(struct machine *m, struct problem *p);

void machine_destroy(struct machine *m);

#endif
