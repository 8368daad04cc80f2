/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit views of hypercall arguments that xen/foreign/x86_32.h lacks: structures whose layout
 * depends on the word size. xen-abi/layout.c is compiled with -m32 too and checks each against the
 * public header's own.
 */
#ifndef XEN_ABI_X86_32_H
#define XEN_ABI_X86_32_H

#include <stdint.h>

struct xen_add_to_physmap_x86_32 {
	uint16_t domid;
	uint16_t size;
	uint32_t space;
	uint32_t idx;
	uint32_t gpfn;
};

struct xen_add_to_physmap_batch_x86_32 {
	uint16_t domid;
	uint16_t space;
	uint16_t size;
	uint16_t u;                 /* domid of the foreign domain, or reserved */
	uint32_t idxs, gpfns, errs; /* guest handles */
};

struct xen_remove_from_physmap_x86_32 {
	uint16_t domid;
	uint32_t gpfn;
};

struct gnttab_copy_x86_32 {
	struct gnttab_copy_ptr_x86_32 {
		uint32_t frame; /* or a grant reference */
		uint16_t domid;
		uint16_t offset;
	} source, dest;
	uint16_t len;
	uint16_t flags;
	int16_t status;
};

struct gnttab_setup_table_x86_32 {
	uint16_t dom;
	uint32_t nr_frames;
	int16_t status;
	uint32_t frame_list; /* guest handle */
};

struct xen_memory_map_x86_32 {
	uint32_t nr_entries;
	uint32_t buffer; /* guest handle */
};

struct xen_foreign_memory_map_x86_32 {
	uint16_t domid;
	struct xen_memory_map_x86_32 map;
};

struct xen_memory_reservation_x86_32 {
	uint32_t extent_start; /* guest handle */
	uint32_t nr_extents;
	uint32_t extent_order;
	uint32_t mem_flags;
	uint16_t domid;
};

struct xen_memory_exchange_x86_32 {
	struct xen_memory_reservation_x86_32 in, out;
	uint32_t nr_exchanged;
};

struct xen_platform_parameters_x86_32 {
	uint32_t virt_start;
};

struct xen_build_id_x86_32 {
	uint32_t len;
	uint8_t buf[];
};

struct sched_poll_x86_32 {
	uint32_t ports; /* guest handle */
	uint32_t nr_ports;
	uint64_t timeout;
};

struct multicall_entry_x86_32 {
	uint32_t op, result;
	uint32_t args[6];
};

/* { u64 timeout_abs_ns; u32 flags; } without tail padding */
#define VCPU_SET_SINGLESHOT_TIMER_SIZE_X86_32 12

/* vcpu_runstate_info: 64-bit fields are aligned to 4 bytes. */
struct vcpu_runstate_info_x86_32 {
	int32_t state;
	uint64_t state_entry_time;
	uint64_t time[4];
} __attribute__((packed, aligned(4)));

#endif
