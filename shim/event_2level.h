/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 2-level ABI: a pending and a mask bit in shared_info for each port, a selector bit in
 * vcpu_info for each word of them. All are atomics in memory that the guest shares.
 */
#ifndef SHIM_EVENT_2LEVEL_H
#define SHIM_EVENT_2LEVEL_H

#include <stdbool.h>

#include "xen-abi/xen.h"

struct domain;
struct event_abi;

extern const struct event_abi event_2level;

/* Ports below this exist in the guest's latched word size. */
evtchn_port_t event_2level_ports(const struct domain *d);

/* For the FIFO ABI, which takes over what is pending. */
bool event_2level_is_pending(struct domain *d, evtchn_port_t port);

#endif
