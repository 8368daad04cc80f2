/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other vCPUs. Each is started by vCPU 0, which gives it functions to run; between them it sleeps
 * by SCHEDOP_poll, interrupts off. The vCPUs share the descriptor tables and their handlers, the
 * page tables, shared_info and the hypercall page; each has its stack, its TSS (which is how it
 * knows who it is: cpu_number()), and in catch_fault() and irq_window() what is its own. Ring 3 is
 * vCPU 0's.
 *
 * All may CHECK; only vCPU 0 calls smp_start(), smp_run() and smp_wait().
 */
#ifndef GUEST_TESTS_SMP_H
#define GUEST_TESTS_SMP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * By SIPI: there is one INIT, and it is the start's. KVM that is still resetting the vCPU for an
 * earlier one when INIT and SIPI come takes the SIPI first, and then waits for another.
 */
enum smp_start {
	SMP_BY_CONTEXT,    /* VCPUOP_initialise in this build's own mode, then VCPUOP_up */
	SMP_BY_CONTEXT_32, /* the same in 32-bit protected mode without paging */
	SMP_BY_SIPI,       /* INIT and SIPI of the local APIC, in real mode below 1 MiB */
	SMP_BY_QUICK_SIPI, /* the same, with no pause between the two */
};

/*
 * Start a vCPU, and wait until it and the hypervisor say that it is there. (One that SIPI has
 * started may have done something before the hypervisor has heard of it.) False, and a failed
 * check, if it does not within 15 seconds. One that has been up must have been taken down (INIT
 * alone does so) before.
 */
bool smp_start(unsigned int cpu, enum smp_start how);
/* Those from 1 to the last, in the same way; false if one did not come. */
bool smp_start_all(enum smp_start how);

/* The two halves of a start by context: VCPUOP_initialise (its errno), and to wait for the vCPU. */
long smp_initialise(unsigned int cpu, bool in_32bit);
bool smp_arrived(unsigned int cpu);

/* INIT by the local APIC: the vCPU is as one that has never been started. */
void smp_send_init(unsigned int cpu);

/* How many vCPUs there are, by VCPUOP_is_up; and the APIC ID of one, by the MADT. */
unsigned int smp_cpus(void);
/* The same, if there are 2 to so many; else 0, and the test is skipped. */
unsigned int smp_cpus_up_to(unsigned int most);
uint32_t smp_apic_id(unsigned int cpu);

/* The system time that a vCPU has read first of all, before it made any hypercall. */
uint64_t smp_born(unsigned int cpu);

/*
 * To be run on a vCPU: who it is it hears in three ways, which are to agree. The APIC ID of the
 * MADT, of CPUID's leaves 1 and 0xb and of its local APIC, which is switched on; the vCPU ID of the
 * Xen leaf (arch-x86/cpuid.h).
 */
void smp_check_identity(void *unused);

/* Have a vCPU that is idle run fn(arg), and go on at once. */
void smp_run(unsigned int cpu, void (*fn)(void *arg), void *arg);
bool smp_busy(unsigned int cpu);
/* Until it has ended. False, and a failed check, when it has not after so many milliseconds. */
bool smp_wait(unsigned int cpu, unsigned int ms);
/* Both; ten seconds. */
bool smp_call(unsigned int cpu, void (*fn)(void *arg), void *arg);

/* In a loop that waits for another vCPU: it may need the very CPU that we are on. */
void smp_relax(void);
/* Sleep until that system time by SCHEDOP_poll; an event may end it early. */
void smp_sleep_until(uint64_t ns);

#endif
