/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: by MSR where CPUID has x2APIC, else by memory at its usual place. */
#ifndef GUEST_TESTS_LAPIC_H
#define GUEST_TESTS_LAPIC_H

#include <stdint.h>

/* Register offsets of the memory form; the MSR form is these / 16 (SDM volume 3, local APIC). */
#define LAPIC_ID            0x020
#define LAPIC_VER           0x030
#define LAPIC_TPR           0x080
#define LAPIC_EOI           0x0b0
#define LAPIC_SVR           0x0f0
#define LAPIC_ISR           0x100
#define LAPIC_IRR           0x200
#define LAPIC_ICR           0x300
#define LAPIC_LVT_TIMER     0x320
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_DIVIDE  0x3e0

/* Of the interrupt command register: the low byte is the vector, for STARTUP the page. */
#define ICR_FIXED   0x0000U
#define ICR_NMI     0x0400U
#define ICR_INIT    0x0500U
#define ICR_STARTUP 0x0600U
#define ICR_ASSERT  0x4000U

/* Switch it on: spurious vector 0xff, nothing masked by priority. */
void lapic_init(void);
uint32_t lapic_read(unsigned int reg);
void lapic_write(unsigned int reg, uint32_t value);
void lapic_eoi(void);
uint32_t lapic_id(void);
/* Send an inter-processor interrupt to the local APIC of that ID: ICR_* and the vector. */
void lapic_send(uint32_t apic_id, uint32_t icr);

/* The timer, periodic: that vector about every so many ns (a tick is 1 ns in KVM, 10 in Xen); 0:
 * none. */
void lapic_timer(unsigned int vector, uint32_t ns);

#endif
