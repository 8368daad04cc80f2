/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 2-level ABI: how a port's bit becomes an interrupt. All bits are atomics in memory that the
 * guest shares; callers hold the event lock only for the port's binding, not for the bits.
 */
#ifndef SHIM_EVENT_2LEVEL_H
#define SHIM_EVENT_2LEVEL_H

#include <stdbool.h>

#include "xen-abi/xen.h"

struct domain;
struct vcpu;

/* Ports below this exist in the guest's latched word size. */
evtchn_port_t event_2level_ports(const struct domain *d);

/* The port is pending for v: interrupt it unless the port is masked or was pending already. */
void event_2level_set(struct vcpu *v, evtchn_port_t port);

bool event_2level_is_pending(struct domain *d, evtchn_port_t port);

/* Take the pending bit back (the port is closed). */
void event_2level_clear(struct domain *d, evtchn_port_t port);

/* Clear the mask bit; if it was set, a port that is pending reaches v now. */
void event_2level_unmask(struct vcpu *v, evtchn_port_t port);

#endif
