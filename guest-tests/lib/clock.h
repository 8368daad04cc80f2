/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen's clock: nanoseconds of system time, from the TSC and a struct vcpu_time_info (xen/xen.h). */
#ifndef GUEST_TESTS_CLOCK_H
#define GUEST_TESTS_CLOCK_H

#include "xen-abi/xen.h"

/* System time now; the record may change under the reader's hands at any moment. */
uint64_t clock_read(const volatile struct vcpu_time_info *t);
/* The same from the record in a vCPU's vcpu_info, and from that of the one that asks. */
uint64_t clock_now_of(unsigned int cpu);
uint64_t clock_now(void);

/* ticks * mul / 2^32 after shifting by shift (left if positive): the scaling of the record. */
uint64_t clock_scale(uint64_t ticks, uint32_t mul, int8_t shift);

#endif
