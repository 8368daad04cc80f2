/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels of the 2-level kind: one call for each operation, arguments in place of
 * structures. Operations that make a port return it (positive), or the negative errno; port 0 is
 * never given out.
 */
#ifndef GUEST_TESTS_EVENT_CHANNEL_H
#define GUEST_TESTS_EVENT_CHANNEL_H

#include "xen-abi/xen.h"

#include <stdbool.h>

long evtchn_alloc_unbound(domid_t dom, domid_t remote);
long evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port);
long evtchn_bind_virq(uint32_t virq, uint32_t vcpu);
long evtchn_bind_ipi(uint32_t vcpu);
long evtchn_bind_vcpu(evtchn_port_t port, uint32_t vcpu);
long evtchn_close(evtchn_port_t port);
long evtchn_send(evtchn_port_t port);
long evtchn_unmask(evtchn_port_t port);
long evtchn_status(domid_t dom, evtchn_port_t port, struct evtchn_status *status);

/* The bits of shared_info. test_and_clear is atomic. */
bool port_is_pending(evtchn_port_t port);
bool port_is_masked(evtchn_port_t port);
bool port_test_and_clear_pending(evtchn_port_t port);
void port_set_mask(evtchn_port_t port, bool masked);

/* Wait, running, until the port is pending, and clear it: the system time (ns) at which it was
 * seen, or 0 if it had not come by `until`. */
uint64_t port_wait(evtchn_port_t port, uint64_t until);

/* Only that vCPU takes this port; at first any does that finds it. */
void port_set_owner(evtchn_port_t port, unsigned int cpu);

/*
 * What a kernel does in its upcall: clear evtchn_upcall_pending, take the selector words, and for
 * each pending unmasked port that is not another vCPU's clear its bit and call fn. Returns how many
 * there were.
 */
unsigned int evtchn_drain(void (*fn)(evtchn_port_t port));

/* HVM_PARAM_CALLBACK_IRQ with type 2: this vector for all events of all vCPUs. */
long set_callback_vector(unsigned int vector);
/* HVMOP_set_evtchn_upcall_vector: this vector, by the LAPIC, for one vCPU. */
long set_upcall_vector(uint32_t vcpu, unsigned int vector);

long hvm_set_param(uint32_t index, uint64_t value);
long hvm_get_param(uint32_t index, uint64_t *value);

#endif
