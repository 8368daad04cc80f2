/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's virtual machine: the memory of its monitor (shim/pv/monitor/boot.h), and its vCPUs'
 * first registers.
 *
 * Life: pv_monitor_size() bytes are an area of the VM's; pv_monitor_create(); the guest is loaded,
 * and vCPU 0's context written (pv_first_context()); pv_vcpu_start() for each vCPU.
 */
#ifndef HOST_KVM_PV_H
#define HOST_KVM_PV_H

#include "host/kvm/vm.h"
#include "host/loader/pv.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv_frames.h"

/* Everything of the monitor's, in guest-physical memory and where we see it. */
struct pv_monitor {
	uint64_t gpa, size;
	uint8_t *hva;
	uint64_t max_mfn; /* exclusive: of frames that the guest may name */
	struct pv_frame *frames;
	uint64_t *m2p;
	struct pv_image_header image;
	uint8_t *image_hva;
	struct pv_boot *boot;
	uint64_t root; /* gpa of an L4 table with the monitor's slots only */
	struct pv_monitor_tables {
		uint64_t next, end; /* gpa */
	} tables;
	uint64_t windows; /* gpa of the first window's own pages */
};

/*
 * Before any of it: can KVM run the monitor, with so many vCPUs? 0, or -1 with the reason. Runs a
 * guest of a few instructions, so not in a sandbox.
 */
int pv_check(const char *device, unsigned vcpus, struct problem *p);

/* Where RAM of so many bytes ends, and how much memory the monitor needs then. */
uint64_t pv_monitor_start(uint64_t memory);
uint64_t pv_monitor_size(uint64_t memory, unsigned vcpus);

/*
 * Fill the monitor's memory: [m->gpa, m->gpa + m->size), fresh, at m->hva. The RAM of `ram` is the
 * guest's. 0, or -1 with the reason.
 */
int pv_monitor_create(struct pv_monitor *m, const struct ram *ram, domid_t domid, unsigned vcpus,
		      struct problem *p);

/* The window's data of a vCPU: where it is, and as we see it. */
uint64_t pv_monitor_window_gpa(const struct pv_monitor *m, unsigned vcpu);
struct pv_window *pv_monitor_window(const struct pv_monitor *m, unsigned vcpu);

/* The VM's own, in the last of its areas, kept at vm->pv. 0, or -1 with the reason. */
int vm_pv_create(struct vm *vm, struct problem *p);
/* Its domain is a PV domain from now on: before it runs, with all vCPUs and its grant table. */
int vm_become_pv(struct vm *vm, struct problem *p);

/* What vCPU 0 begins with, as Xen's tools have it: for its window. */
void pv_first_context(const struct pv_monitor *m, const struct pv_start *start);

/* Registers with which a vCPU begins in the monitor. */
int pv_vcpu_set_state(struct vm_vcpu *vv, const struct pv_monitor *m, struct problem *p);

/* Where its vcpu_info is, the monitor wants to know, too. Any thread; of others than PV nothing. */
void pv_vcpu_info_moved(struct vm_vcpu *vv);
/* The guest shall have an NMI. Any thread. */
void pv_vcpu_nmi(struct vm_vcpu *vv);

/*
 * Before a vCPU waits that another has called down: is it within its monitor or the guest still, or
 * has it locks of the monitor's? Then it is to run until it comes out by a hypercall without any,
 * which it has been asked to. Only of PV guests.
 */
bool pv_vcpu_comes_out(struct vm_vcpu *vv);

/* An exit that is the monitor's word for us; false: the port is another. */
bool pv_vcpu_exit(struct vm_vcpu *vv);

#endif
