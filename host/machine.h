/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole PVH guest: virtual machine, kernel, ACPI tables, console. What `xenolith run` starts.
 */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "host/backend/console.h"
#include "host/kvm/vm.h"

struct machine_config {
	const char *device;                    /* KVM's */
	const char *kernel, *initrd, *cmdline; /* initrd and cmdline may be NULL */
	enum accel accel;
	uint64_t memory;     /* bytes */
	uint64_t max_memory; /* the same; 0: as memory */
	unsigned vcpus;      /* 1 to DOMAIN_MAX_VCPUS */
	bool ioapic;         /* an I/O APIC, as HVM guests have */
	int in_fd, out_fd;   /* the guest's console; in_fd may be -1 */
};

struct machine {
	struct loop *loop;
	struct vm vm;
	struct console console;
	struct watch reset;   /* eventfd: the guest wants to begin anew */
	char debug_line[256]; /* of the hypervisor's console, until its line is complete */
	size_t debug_len;
};

/* Everything up to the guest's first instruction. 0, or -1 with the reason in *p and nothing held.
 */
int machine_create(struct machine *m, const struct machine_config *config, struct loop *loop,
		   struct problem *p);

/* Run the guest until it ends or the loop is stopped. 0, or -1 with the reason in *p. */
int machine_run(struct machine *m, struct problem *p);

void machine_destroy(struct machine *m);

#endif
