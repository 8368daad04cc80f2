/* SPDX-License-Identifier: BSD-2-Clause */
/* EVTCHNOP_* as a guest on the fake platform calls them, and its view of the bits. */
#ifndef SHIM_FAKE_EVENTS_H
#define SHIM_FAKE_EVENTS_H

#include "shim/fake_platform.h"

/* The new port, or -XEN_E*. */
long fake_alloc_unbound(struct fake *f, domid_t dom, domid_t remote);
long fake_bind_interdomain(struct fake *f, domid_t remote, evtchn_port_t remote_port);
long fake_bind_virq(struct fake *f, uint32_t virq, uint32_t vcpu);
long fake_bind_ipi(struct fake *f, uint32_t vcpu);
long fake_bind_pirq(struct fake *f, uint32_t pirq);

/* 0 or -XEN_E*. */
long fake_close(struct fake *f, evtchn_port_t port);
long fake_send(struct fake *f, evtchn_port_t port);
long fake_unmask(struct fake *f, evtchn_port_t port);
long fake_bind_vcpu(struct fake *f, evtchn_port_t port, uint32_t vcpu);
long fake_status(struct fake *f, domid_t dom, evtchn_port_t port, struct evtchn_status *out);
long fake_reset(struct fake *f, domid_t dom);
long fake_reset_cont(struct fake *f, domid_t dom);
long fake_set_priority(struct fake *f, evtchn_port_t port, uint32_t priority);

/* In the layout of the latched word size. */
bool fake_pending(struct fake *f, evtchn_port_t port);
void fake_clear_pending(struct fake *f, evtchn_port_t port);
bool fake_masked(struct fake *f, evtchn_port_t port);
void fake_set_mask(struct fake *f, evtchn_port_t port, bool masked);

/* Of a vCPU's vcpu_info, in the layout of the latched word size. */
uint64_t fake_selector(struct fake *f, unsigned vcpu);
bool fake_upcall_pending(struct fake *f, unsigned vcpu);
/* As a guest does that takes its upcall: flag and selector are cleared, the count starts anew. */
void fake_take_upcall(struct fake *f, unsigned vcpu);

#endif
