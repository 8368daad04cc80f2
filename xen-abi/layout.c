// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every layout of the guest ABI that the code relies on, checked when this file compiles: once for
 * 64-bit guests, once (-m32) for 32-bit ones. There is nothing in the object.
 */
#include <stddef.h>

#include "xen-abi/blkif.h"
#include "xen-abi/xen.h"
#include "xen-abi/netif.h"
#include "xen-abi/x86_32.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#define OFFSET(type, member, bytes) \
	_Static_assert(offsetof(type, member) == (bytes), #type "." #member)

/* The same in both word sizes: read and written without looking at the caller's. */
SIZE(struct evtchn_alloc_unbound, 8);
SIZE(struct evtchn_bind_interdomain, 12);
SIZE(struct evtchn_bind_virq, 12);
SIZE(struct evtchn_bind_ipi, 8);
SIZE(struct evtchn_close, 4);
SIZE(struct evtchn_send, 4);
SIZE(struct evtchn_status, 24);
SIZE(struct evtchn_bind_vcpu, 8);
SIZE(struct evtchn_unmask, 4);
SIZE(struct xen_hvm_param, 16);
OFFSET(struct xen_hvm_param, value, 8);
SIZE(struct xen_hvm_evtchn_upcall_vector, 8);
SIZE(struct vcpu_register_vcpu_info, 16);
SIZE(struct xen_feature_info, 8);
SIZE(struct xen_vnuma_topology_info, 40);
SIZE(struct xen_compile_info, 144);
SIZE(struct sched_shutdown, 4);
SIZE(struct sched_remote_shutdown, 8);
SIZE(struct sched_watchdog, 8);
SIZE(struct vcpu_set_periodic_timer, 8);
SIZE(struct vcpu_hvm_context, 128);
OFFSET(struct vcpu_hvm_context, cpu_regs, 8);
OFFSET(struct vcpu_hvm_x86_32, efer, 56);
OFFSET(struct vcpu_hvm_x86_32, cs_ar, 104);
SIZE(struct vcpu_register_runstate_memory_area, 8);
SIZE(struct vcpu_register_time_memory_area, 8);
SIZE(struct vcpu_time_info, 32);
SIZE(struct vcpu_info, 64);
OFFSET(struct vcpu_info, time, 32);
SIZE(struct hvm_start_info, 56);
SIZE(struct hvm_modlist_entry, 32);
SIZE(struct hvm_memmap_table_entry, 24);
SIZE(struct xencons_interface, 3088);
SIZE(struct grant_entry_v1, 8);
SIZE(union grant_entry_v2, 16);
SIZE(struct gnttab_map_grant_ref, 32);
OFFSET(struct gnttab_map_grant_ref, status, 18);
OFFSET(struct gnttab_map_grant_ref, dev_bus_addr, 24);
SIZE(struct gnttab_unmap_grant_ref, 24);
OFFSET(struct gnttab_unmap_grant_ref, status, 20);
SIZE(struct gnttab_query_size, 16);
SIZE(struct gnttab_set_version, 4);
SIZE(struct gnttab_get_version, 8);
SIZE(struct gnttab_swap_grant_ref, 12);
SIZE(struct xen_remove_from_physmap, sizeof(xen_ulong_t) * 2);
SIZE(struct netif_tx_request, 12);
OFFSET(struct netif_tx_request, offset, 4);
OFFSET(struct netif_tx_request, flags, 6);
OFFSET(struct netif_tx_request, id, 8);
OFFSET(struct netif_tx_request, size, 10);
SIZE(struct netif_tx_response, 4);
OFFSET(struct netif_tx_response, status, 2);
SIZE(struct netif_rx_request, 8);
OFFSET(struct netif_rx_request, gref, 4);
SIZE(struct netif_rx_response, 8);
OFFSET(struct netif_rx_response, status, 6);
SIZE(struct netif_extra_info, 8);
OFFSET(struct netif_extra_info, u.gso.type, 4);
OFFSET(struct netif_extra_info, u.hash.value, 4);
SIZE(struct xen_netif_ctrl_request, 16);
SIZE(struct xen_netif_ctrl_response, 12);
SIZE(union netif_tx_sring_entry, 12);
SIZE(union netif_rx_sring_entry, 8);
SIZE(union xen_netif_ctrl_sring_entry, 16);
OFFSET(struct netif_tx_sring, ring, 64);
OFFSET(struct netif_tx_sring, rsp_prod, 8);
OFFSET(struct netif_rx_sring, ring, 64);
OFFSET(struct xen_netif_ctrl_sring, ring, 64);

/* The disk's ring: indexes and segments are alike, entries are not. */
SIZE(struct blkif_request_segment, 8);
OFFSET(struct blkif_request_segment, first_sect, 4);
OFFSET(struct blkif_request_segment, last_sect, 5);
OFFSET(struct blkif_sring, req_event, offsetof(struct blkif_ring_indexes, req_event));
OFFSET(struct blkif_sring, rsp_prod, offsetof(struct blkif_ring_indexes, rsp_prod));
OFFSET(struct blkif_sring, rsp_event, offsetof(struct blkif_ring_indexes, rsp_event));
OFFSET(struct blkif_sring, ring, BLKIF_RING_HEADER);

SIZE(union blkif_entry_x86_32, 108);
SIZE(struct blkif_request_discard_x86_32, 28);
OFFSET(struct blkif_request_x86_32, id, 4);
OFFSET(struct blkif_request_x86_32, sector_number, 12);
OFFSET(struct blkif_request_x86_32, seg, 20);
OFFSET(struct blkif_request_indirect_x86_32, handle, 20);
OFFSET(struct blkif_request_indirect_x86_32, indirect_grefs, 24);
SIZE(struct blkif_response_x86_32, 12);
SIZE(union blkif_entry_x86_64, 112);
SIZE(struct blkif_request_discard_x86_64, 32);
OFFSET(struct blkif_request_x86_64, id, 8);
OFFSET(struct blkif_request_x86_64, sector_number, 16);
OFFSET(struct blkif_request_x86_64, seg, 24);
OFFSET(struct blkif_request_indirect_x86_64, handle, 24);
OFFSET(struct blkif_request_indirect_x86_64, indirect_grefs, 28);
SIZE(struct blkif_response_x86_64, 16);

/* The public header's, in this word size, against ours of the same name. */
#ifdef __i386__
#define BLKIF(name) struct blkif_##name##_x86_32
#define BLKIF_ENTRY union blkif_entry_x86_32
#else
#define BLKIF(name) struct blkif_##name##_x86_64
#define BLKIF_ENTRY union blkif_entry_x86_64
#endif
#define BLKIF_AT(name, m) OFFSET(struct blkif_##name, m, offsetof(BLKIF(name), m))
SIZE(union blkif_sring_entry, sizeof(BLKIF_ENTRY));
SIZE(struct blkif_request, sizeof(BLKIF(request)));
BLKIF_AT(request, nr_segments);
BLKIF_AT(request, handle);
BLKIF_AT(request, id);
BLKIF_AT(request, sector_number);
BLKIF_AT(request, seg);
SIZE(struct blkif_request_discard, sizeof(BLKIF(request_discard)));
BLKIF_AT(request_discard, flag);
BLKIF_AT(request_discard, id);
BLKIF_AT(request_discard, sector_number);
BLKIF_AT(request_discard, nr_sectors);
BLKIF_AT(request_indirect, indirect_op);
BLKIF_AT(request_indirect, nr_segments);
BLKIF_AT(request_indirect, id);
BLKIF_AT(request_indirect, sector_number);
BLKIF_AT(request_indirect, handle);
BLKIF_AT(request_indirect, indirect_grefs);
SIZE(struct blkif_response, sizeof(BLKIF(response)));
BLKIF_AT(response, id);
BLKIF_AT(response, operation);
BLKIF_AT(response, status);

#ifdef __i386__

#define ALIKE(name)       SIZE(struct name, sizeof(struct name##_x86_32))
#define ALIKE_AT(name, m) OFFSET(struct name, m, offsetof(struct name##_x86_32, m))
ALIKE(xen_add_to_physmap);
ALIKE_AT(xen_add_to_physmap, space);
ALIKE_AT(xen_add_to_physmap, idx);
ALIKE_AT(xen_add_to_physmap, gpfn);
ALIKE(xen_add_to_physmap_batch);
ALIKE_AT(xen_add_to_physmap_batch, u);
ALIKE_AT(xen_add_to_physmap_batch, idxs);
ALIKE_AT(xen_add_to_physmap_batch, errs);
ALIKE(xen_remove_from_physmap);
ALIKE_AT(xen_remove_from_physmap, gpfn);
ALIKE(gnttab_copy);
ALIKE_AT(gnttab_copy, dest);
ALIKE_AT(gnttab_copy, len);
ALIKE_AT(gnttab_copy, status);
ALIKE(gnttab_setup_table);
ALIKE_AT(gnttab_setup_table, status);
ALIKE_AT(gnttab_setup_table, frame_list);
ALIKE(xen_memory_map);
ALIKE_AT(xen_memory_map, buffer);
ALIKE(xen_foreign_memory_map);
ALIKE_AT(xen_foreign_memory_map, map);
ALIKE(xen_memory_reservation);
ALIKE_AT(xen_memory_reservation, nr_extents);
ALIKE_AT(xen_memory_reservation, extent_order);
ALIKE_AT(xen_memory_reservation, mem_flags);
ALIKE_AT(xen_memory_reservation, domid);
ALIKE(xen_memory_exchange);
ALIKE_AT(xen_memory_exchange, out);
ALIKE_AT(xen_memory_exchange, nr_exchanged);
ALIKE(xen_platform_parameters);
ALIKE(sched_poll);
ALIKE_AT(sched_poll, ports);
ALIKE_AT(sched_poll, timeout);
ALIKE(multicall_entry);
ALIKE_AT(multicall_entry, result);
ALIKE_AT(multicall_entry, args);
ALIKE(vcpu_runstate_info);
ALIKE_AT(vcpu_runstate_info, state_entry_time);
ALIKE_AT(vcpu_runstate_info, time);
OFFSET(struct xen_build_id, buf, offsetof(struct xen_build_id_x86_32, buf));
SIZE(struct vcpu_set_singleshot_timer, VCPU_SET_SINGLESHOT_TIMER_SIZE_X86_32);
/* The package's foreign header against the real 32-bit one. */
ALIKE(shared_info);
ALIKE_AT(shared_info, evtchn_pending);
ALIKE_AT(shared_info, evtchn_mask);
ALIKE_AT(shared_info, wc_version);
ALIKE_AT(shared_info, arch.wc_sec_hi);
ALIKE(vcpu_info);
ALIKE_AT(vcpu_info, evtchn_pending_sel);
ALIKE_AT(vcpu_info, time);
OFFSET(struct shared_info, wc_version, 0x900);

#else

SIZE(struct xen_add_to_physmap, 24);
OFFSET(struct xen_add_to_physmap, idx, 8);
SIZE(struct xen_add_to_physmap_batch, 32);
SIZE(struct gnttab_copy, 40);
SIZE(struct gnttab_setup_table, 24);
SIZE(struct xen_memory_map, 16);
SIZE(struct xen_foreign_memory_map, 24);
OFFSET(struct xen_foreign_memory_map, map, 8);
SIZE(struct xen_memory_reservation, 32);
OFFSET(struct xen_memory_reservation, domid, 24);
SIZE(struct xen_memory_exchange, 72);
OFFSET(struct xen_memory_exchange, nr_exchanged, 64);
SIZE(struct xen_platform_parameters, 8);
SIZE(struct vcpu_runstate_info, 48);
SIZE(struct sched_poll, 24);
SIZE(struct multicall_entry, 64);
SIZE(struct vcpu_set_singleshot_timer, 16);
OFFSET(struct shared_info, evtchn_pending, 0x800);
OFFSET(struct shared_info, evtchn_mask, 0xa00);
OFFSET(struct shared_info, wc_version, 0xc00);
OFFSET(struct shared_info, wc_sec_hi, 0xc0c);
OFFSET(struct vcpu_info, evtchn_pending_sel, 8);

#endif
