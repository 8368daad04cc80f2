/* SPDX-License-Identifier: BSD-2-Clause */
/* The other vCPUs of a PV guest: up by VCPUOP_initialise and VCPUOP_up, each on its own stack
 * (cpu_number()). */
#ifndef GUEST_TESTS_PV_SMP_H
#define GUEST_TESTS_PV_SMP_H

#include "xen-abi/xen.h"

#include <stdbool.h>

/* The registers that smp_start() gives to a vCPU: kernel mode, our page tables, its stack,
 * pv_smp_entry(). */
void smp_context(unsigned int cpu, struct vcpu_guest_context *context);

/* Run fn(arg) on a vCPU, which is started if need be; it has its traps and events as vCPU 0. One at
 * a time on each. */
void smp_run(unsigned int cpu, void (*fn)(void *), void *arg);
/* Until fn has returned; false after some seconds. */
bool smp_wait(unsigned int cpu);

#endif
