/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest ABI: Xen's public headers (package libxen-dev), included once and in one way.
 *
 * Everything that speaks to a guest includes this file and never <xen/...> itself, so that the
 * interface version is the same everywhere. The 64-bit structures carry their public names, the
 * 32-bit ones the suffix _x86_32 (xen-abi/x86_32.h has those that the package lacks).
 */
#ifndef XEN_ABI_XEN_H
#define XEN_ABI_XEN_H

#include <stdint.h>

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
/* The hypervisor's side also sees what only it and its tools may use. */
#define __XEN_TOOLS__ 1

#include <xen/xen.h>
#include <xen/arch-x86/cpufeatureset.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/callback.h>
#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/io/console.h>
#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/foreign/x86_32.h>

/* Newer than these headers (Xen 4.17). From Xen 4.18; their arguments have addr.p. */
#ifndef VCPUOP_register_runstate_phys_area
#define VCPUOP_register_runstate_phys_area  14
#define VCPUOP_register_vcpu_time_phys_area 15
#endif

#endif
