// SPDX-License-Identifier: BSD-2-Clause
/* The list follows the hypercall numbers; who is offered what is from Xen's hypercall-defs.c. */
#include "docs/coverage_rows.h"

#include "xen-abi/xen.h"

#include <xen/callback.h>
#include <xen/nmi.h>
#include <xen/pmu.h>

#define ROW(hc, num, text, which, who)                        \
	{                                                     \
		__HYPERVISOR_##hc, #hc, num, text, which, who \
	}

#define OP(hc, op, who)            ROW(hc, op, #op, NULL, who)
#define PART(hc, op, which, who)   ROW(hc, op, #op, which, who)
#define WHOLE(hc, who)             ROW(hc, COVERAGE_WHOLE, #hc, NULL, who)
#define WHOLE_PART(hc, which, who) ROW(hc, COVERAGE_WHOLE, #hc, which, who)
/* Not in the public headers that we build with (Xen 4.17), or not for all to see there. */
#define NEWER(hc, num, text, who) ROW(hc, num, text, NULL, who)

/* clang-format off */
const struct coverage_row coverage_rows[] = {
	WHOLE(set_trap_table, PV),

	WHOLE_PART(mmu_update, "MMU_NORMAL_PT_UPDATE", PV),
	WHOLE_PART(mmu_update, "MMU_MACHPHYS_UPDATE", PV),
	WHOLE_PART(mmu_update, "MMU_PT_UPDATE_PRESERVE_AD", PV),
	WHOLE_PART(mmu_update, "MMU_PT_UPDATE_NO_TRANSLATE", PV),

	WHOLE(set_gdt, PV),

	WHOLE(stack_switch, PV),

	WHOLE(set_callbacks, PV),

	WHOLE(fpu_taskswitch, PV),

	WHOLE_PART(sched_op_compat, "yield", PV),
	WHOLE_PART(sched_op_compat, "block", PV),

	WHOLE_PART(platform_op, "XENPF_*", BOTH),

	WHOLE(set_debugreg, PV),

	WHOLE(get_debugreg, PV),

	WHOLE(update_descriptor, PV),

	OP(memory_op, XENMEM_increase_reservation, BOTH),
	OP(memory_op, XENMEM_decrease_reservation, BOTH),
	OP(memory_op, XENMEM_maximum_ram_page, BOTH),
	OP(memory_op, XENMEM_current_reservation, BOTH),
	OP(memory_op, XENMEM_maximum_reservation, BOTH),
	OP(memory_op, XENMEM_machphys_mfn_list, BOTH),
	OP(memory_op, XENMEM_populate_physmap, BOTH),
	PART(memory_op, XENMEM_add_to_physmap, "XENMAPSPACE_shared_info", BOTH),
	PART(memory_op, XENMEM_add_to_physmap, "XENMAPSPACE_grant_table", BOTH),
	PART(memory_op, XENMEM_add_to_physmap, "XENMAPSPACE_gmfn", BOTH),
	PART(memory_op, XENMEM_add_to_physmap, "XENMAPSPACE_gmfn_range", BOTH),
	PART(memory_op, XENMEM_add_to_physmap, "XENMAPSPACE_gmfn_foreign", BOTH),
	PART(memory_op, XENMEM_add_to_physmap, "XENMAPSPACE_dev_mmio", BOTH),
	OP(memory_op, XENMEM_memory_map, BOTH),
	OP(memory_op, XENMEM_machine_memory_map, BOTH),
	OP(memory_op, XENMEM_exchange, BOTH),
	OP(memory_op, XENMEM_machphys_mapping, PV),
	OP(memory_op, XENMEM_set_memory_map, BOTH),
	OP(memory_op, XENMEM_maximum_gpfn, BOTH),
	OP(memory_op, XENMEM_remove_from_physmap, BOTH),
	OP(memory_op, XENMEM_set_pod_target, BOTH),
	OP(memory_op, XENMEM_get_pod_target, BOTH),
	OP(memory_op, XENMEM_get_sharing_freed_pages, BOTH),
	OP(memory_op, XENMEM_get_sharing_shared_pages, BOTH),
	OP(memory_op, XENMEM_paging_op, BOTH),
	OP(memory_op, XENMEM_access_op, BOTH),
	OP(memory_op, XENMEM_sharing_op, BOTH),
	OP(memory_op, XENMEM_add_to_physmap_batch, BOTH),
	OP(memory_op, XENMEM_claim_pages, BOTH),
	OP(memory_op, XENMEM_machphys_compat_mfn_list, PV),
	OP(memory_op, XENMEM_get_vnumainfo, BOTH),
	OP(memory_op, XENMEM_reserved_device_memory_map, BOTH),
	OP(memory_op, XENMEM_acquire_resource, BOTH),

	WHOLE(multicall, BOTH),

	WHOLE(update_va_mapping, PV),

	WHOLE(set_timer_op, BOTH),

	WHOLE(event_channel_op_compat, PV),

	OP(xen_version, XENVER_version, BOTH),
	OP(xen_version, XENVER_extraversion, BOTH),
	OP(xen_version, XENVER_compile_info, BOTH),
	OP(xen_version, XENVER_capabilities, BOTH),
	OP(xen_version, XENVER_changeset, BOTH),
	OP(xen_version, XENVER_platform_parameters, BOTH),
	OP(xen_version, XENVER_get_features, BOTH),
	OP(xen_version, XENVER_pagesize, BOTH),
	OP(xen_version, XENVER_guest_handle, BOTH),
	OP(xen_version, XENVER_commandline, BOTH),
	OP(xen_version, XENVER_build_id, BOTH),
	NEWER(xen_version, 11, "XENVER_extraversion2", BOTH),
	NEWER(xen_version, 12, "XENVER_capabilities2", BOTH),
	NEWER(xen_version, 13, "XENVER_changeset2", BOTH),
	NEWER(xen_version, 14, "XENVER_commandline2", BOTH),

	OP(console_io, CONSOLEIO_write, BOTH),
	OP(console_io, CONSOLEIO_read, BOTH),

	WHOLE(physdev_op_compat, PV),

	OP(grant_table_op, GNTTABOP_map_grant_ref, BOTH),
	OP(grant_table_op, GNTTABOP_unmap_grant_ref, BOTH),
	OP(grant_table_op, GNTTABOP_setup_table, BOTH),
	OP(grant_table_op, GNTTABOP_dump_table, PV),
	OP(grant_table_op, GNTTABOP_transfer, PV),
	OP(grant_table_op, GNTTABOP_copy, BOTH),
	OP(grant_table_op, GNTTABOP_query_size, BOTH),
	OP(grant_table_op, GNTTABOP_unmap_and_replace, PV),
	OP(grant_table_op, GNTTABOP_set_version, BOTH),
	OP(grant_table_op, GNTTABOP_get_status_frames, PV),
	OP(grant_table_op, GNTTABOP_get_version, BOTH),
	OP(grant_table_op, GNTTABOP_swap_grant_ref, BOTH),
	OP(grant_table_op, GNTTABOP_cache_flush, PV),

	WHOLE_PART(vm_assist, "VMASST_TYPE_4gb_segments", PV),
	WHOLE_PART(vm_assist, "VMASST_TYPE_4gb_segments_notify", PV),
	WHOLE_PART(vm_assist, "VMASST_TYPE_writable_pagetables", PV),
	WHOLE_PART(vm_assist, "VMASST_TYPE_pae_extended_cr3", PV),
	WHOLE_PART(vm_assist, "VMASST_TYPE_architectural_iopl", PV),
	WHOLE_PART(vm_assist, "VMASST_TYPE_runstate_update_flag", BOTH),
	WHOLE_PART(vm_assist, "VMASST_TYPE_m2p_strict", PV),

	WHOLE(update_va_mapping_otherdomain, PV),

	WHOLE(iret, PV),

	OP(vcpu_op, VCPUOP_initialise, BOTH),
	OP(vcpu_op, VCPUOP_up, BOTH),
	OP(vcpu_op, VCPUOP_down, BOTH),
	OP(vcpu_op, VCPUOP_is_up, BOTH),
	OP(vcpu_op, VCPUOP_get_runstate_info, BOTH),
	OP(vcpu_op, VCPUOP_register_runstate_memory_area, BOTH),
	OP(vcpu_op, VCPUOP_set_periodic_timer, BOTH),
	OP(vcpu_op, VCPUOP_stop_periodic_timer, BOTH),
	OP(vcpu_op, VCPUOP_set_singleshot_timer, BOTH),
	OP(vcpu_op, VCPUOP_stop_singleshot_timer, BOTH),
	OP(vcpu_op, VCPUOP_register_vcpu_info, BOTH),
	OP(vcpu_op, VCPUOP_send_nmi, BOTH),
	OP(vcpu_op, VCPUOP_get_physid, BOTH),
	OP(vcpu_op, VCPUOP_register_vcpu_time_memory_area, BOTH),
	NEWER(vcpu_op, 14, "VCPUOP_register_runstate_phys_area", BOTH),
	NEWER(vcpu_op, 15, "VCPUOP_register_vcpu_time_phys_area", BOTH),

	OP(set_segment_base, SEGBASE_FS, PV),
	OP(set_segment_base, SEGBASE_GS_USER, PV),
	OP(set_segment_base, SEGBASE_GS_KERNEL, PV),
	OP(set_segment_base, SEGBASE_GS_USER_SEL, PV),

	WHOLE_PART(mmuext_op, "MMUEXT_PIN_L1_TABLE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_PIN_L2_TABLE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_PIN_L3_TABLE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_PIN_L4_TABLE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_UNPIN_TABLE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_NEW_BASEPTR", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_TLB_FLUSH_LOCAL", BOTH),
	WHOLE_PART(mmuext_op, "MMUEXT_INVLPG_LOCAL", BOTH),
	WHOLE_PART(mmuext_op, "MMUEXT_TLB_FLUSH_MULTI", BOTH),
	WHOLE_PART(mmuext_op, "MMUEXT_INVLPG_MULTI", BOTH),
	WHOLE_PART(mmuext_op, "MMUEXT_TLB_FLUSH_ALL", BOTH),
	WHOLE_PART(mmuext_op, "MMUEXT_INVLPG_ALL", BOTH),
	WHOLE_PART(mmuext_op, "MMUEXT_FLUSH_CACHE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_SET_LDT", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_NEW_USER_BASEPTR", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_CLEAR_PAGE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_COPY_PAGE", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_FLUSH_CACHE_GLOBAL", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_MARK_SUPER", PV),
	WHOLE_PART(mmuext_op, "MMUEXT_UNMARK_SUPER", PV),

	WHOLE(xsm_op, BOTH),

	OP(nmi_op, XENNMI_register_callback, PV),
	OP(nmi_op, XENNMI_unregister_callback, PV),

	OP(sched_op, SCHEDOP_yield, BOTH),
	OP(sched_op, SCHEDOP_block, BOTH),
	PART(sched_op, SCHEDOP_shutdown, "SHUTDOWN_poweroff", BOTH),
	PART(sched_op, SCHEDOP_shutdown, "SHUTDOWN_reboot", BOTH),
	PART(sched_op, SCHEDOP_shutdown, "SHUTDOWN_suspend", BOTH),
	PART(sched_op, SCHEDOP_shutdown, "SHUTDOWN_crash", BOTH),
	PART(sched_op, SCHEDOP_shutdown, "SHUTDOWN_watchdog", BOTH),
	PART(sched_op, SCHEDOP_shutdown, "SHUTDOWN_soft_reset", BOTH),
	OP(sched_op, SCHEDOP_poll, BOTH),
	OP(sched_op, SCHEDOP_remote_shutdown, BOTH),
	OP(sched_op, SCHEDOP_shutdown_code, BOTH),
	OP(sched_op, SCHEDOP_watchdog, BOTH),
	OP(sched_op, SCHEDOP_pin_override, BOTH),

	OP(callback_op, CALLBACKOP_register, PV),
	OP(callback_op, CALLBACKOP_unregister, PV),

	WHOLE(xenoprof_op, NONE),

	OP(event_channel_op, EVTCHNOP_bind_interdomain, BOTH),
	OP(event_channel_op, EVTCHNOP_bind_virq, BOTH),
	OP(event_channel_op, EVTCHNOP_bind_pirq, BOTH),
	OP(event_channel_op, EVTCHNOP_close, BOTH),
	OP(event_channel_op, EVTCHNOP_send, BOTH),
	OP(event_channel_op, EVTCHNOP_status, BOTH),
	OP(event_channel_op, EVTCHNOP_alloc_unbound, BOTH),
	OP(event_channel_op, EVTCHNOP_bind_ipi, BOTH),
	OP(event_channel_op, EVTCHNOP_bind_vcpu, BOTH),
	OP(event_channel_op, EVTCHNOP_unmask, BOTH),
	OP(event_channel_op, EVTCHNOP_reset, BOTH),
	OP(event_channel_op, EVTCHNOP_init_control, BOTH),
	OP(event_channel_op, EVTCHNOP_expand_array, BOTH),
	OP(event_channel_op, EVTCHNOP_set_priority, BOTH),
	NEWER(event_channel_op, 14, "EVTCHNOP_reset_cont", BOTH),

	OP(physdev_op, PHYSDEVOP_irq_status_query, BOTH),
	OP(physdev_op, PHYSDEVOP_set_iopl, PV),
	OP(physdev_op, PHYSDEVOP_set_iobitmap, PV),
	OP(physdev_op, PHYSDEVOP_apic_read, BOTH),
	OP(physdev_op, PHYSDEVOP_apic_write, BOTH),
	OP(physdev_op, PHYSDEVOP_alloc_irq_vector, BOTH),
	OP(physdev_op, PHYSDEVOP_free_irq_vector, BOTH),
	OP(physdev_op, PHYSDEVOP_eoi, BOTH),
	OP(physdev_op, PHYSDEVOP_map_pirq, BOTH),
	OP(physdev_op, PHYSDEVOP_unmap_pirq, BOTH),
	OP(physdev_op, PHYSDEVOP_manage_pci_add, BOTH),
	OP(physdev_op, PHYSDEVOP_manage_pci_remove, BOTH),
	OP(physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v1, PV),
	OP(physdev_op, PHYSDEVOP_restore_msi, BOTH),
	OP(physdev_op, PHYSDEVOP_manage_pci_add_ext, BOTH),
	OP(physdev_op, PHYSDEVOP_setup_gsi, BOTH),
	OP(physdev_op, PHYSDEVOP_get_free_pirq, BOTH),
	OP(physdev_op, PHYSDEVOP_pci_mmcfg_reserved, BOTH),
	OP(physdev_op, PHYSDEVOP_pci_device_add, BOTH),
	OP(physdev_op, PHYSDEVOP_pci_device_remove, BOTH),
	OP(physdev_op, PHYSDEVOP_restore_msi_ext, BOTH),
	OP(physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2, PV),
	OP(physdev_op, PHYSDEVOP_dbgp_op, BOTH),
	OP(physdev_op, PHYSDEVOP_prepare_msix, BOTH),
	OP(physdev_op, PHYSDEVOP_release_msix, BOTH),

	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_CALLBACK_IRQ", HVM),
	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_STORE_EVTCHN", HVM),
	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_CONSOLE_EVTCHN", HVM),
	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_VM86_TSS", HVM),
	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_VM86_TSS_SIZED", HVM),
	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_ACPI_IOPORTS_LOCATION", HVM),
	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_VM_GENERATION_ID_ADDR", HVM),
	PART(hvm_op, HVMOP_set_param, "HVM_PARAM_X87_FIP_WIDTH", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_STORE_PFN", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_STORE_EVTCHN", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_CONSOLE_PFN", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_CONSOLE_EVTCHN", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_CALLBACK_IRQ", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_VM86_TSS", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_VM86_TSS_SIZED", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_ACPI_IOPORTS_LOCATION", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_VM_GENERATION_ID_ADDR", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_X87_FIP_WIDTH", HVM),
	PART(hvm_op, HVMOP_get_param, "HVM_PARAM_ALTP2M", HVM),
	OP(hvm_op, HVMOP_flush_tlbs, HVM),
	OP(hvm_op, HVMOP_pagetable_dying, HVM),
	OP(hvm_op, HVMOP_get_time, HVM),
	OP(hvm_op, HVMOP_xentrace, HVM),
	OP(hvm_op, HVMOP_get_mem_type, HVM),
	OP(hvm_op, HVMOP_set_evtchn_upcall_vector, HVM),
	OP(hvm_op, HVMOP_guest_request_vm_event, HVM),
	OP(hvm_op, HVMOP_altp2m, HVM),

	WHOLE(sysctl, BOTH),

	WHOLE(domctl, BOTH),

	WHOLE(kexec_op, PV),

	WHOLE(tmem_op, NONE),

	WHOLE_PART(argo_op, "register_ring, unregister_ring, sendv, notify", BOTH),

	OP(xenpmu_op, XENPMU_mode_get, BOTH),
	OP(xenpmu_op, XENPMU_mode_set, BOTH),
	OP(xenpmu_op, XENPMU_feature_get, BOTH),
	OP(xenpmu_op, XENPMU_feature_set, BOTH),
	OP(xenpmu_op, XENPMU_init, BOTH),
	OP(xenpmu_op, XENPMU_finish, BOTH),
	OP(xenpmu_op, XENPMU_lvtpc_set, BOTH),
	OP(xenpmu_op, XENPMU_flush, BOTH),

	WHOLE_PART(dm_op, "XEN_DMOP_*", BOTH),

	WHOLE_PART(hypfs_op, "get_version, read, write", BOTH),

	WHOLE_PART(arch_0, "mca", BOTH),

	WHOLE_PART(arch_1, "paging_domctl_cont", BOTH),
};
/* clang-format on */

const size_t coverage_rows_count = sizeof(coverage_rows) / sizeof(coverage_rows[0]);
