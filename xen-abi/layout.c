// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every layout of the guest ABI that the code relies on, checked when this file compiles: once for
 * 64-bit guests, once (-m32) for 32-bit ones. There is nothing in the object.
 */
#include <stddef.h>

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

#ifdef __i386__

#define ALIKE(name)       SIZE(struct name, sizeof(struct name##_x86_32))
#define ALIKE_AT(name, m) OFFSET(struct name, m, offsetof(struct name##_x86_32, m))
ALIKE(xen_add_to_physmap);
ALIKE_AT(xen_add_to_physmap, space);
ALIKE_AT(xen_add_to_physmap, idx);
ALIKE_AT(xen_add_to_physmap, gpfn);
ALIKE(xen_memory_map);
ALIKE_AT(xen_memory_map, buffer);
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
SIZE(struct xen_memory_map, 16);
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
