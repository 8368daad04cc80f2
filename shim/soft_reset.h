/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHUTDOWN_soft_reset (public header sched.h): the guest begins anew in its own memory, as for
 * kexec and kdump. The toolstack's parts of it are told apart in libxl (libxl_domain_soft_reset).
 */
#ifndef SHIM_SOFT_RESET_H
#define SHIM_SOFT_RESET_H

struct domain;

/*
 * Make d to its guest what it was when it was new. No vCPU runs meanwhile, and no timer expires.
 *
 * As new are: the ports of event channels, all closed but those of backends, which are offered
 * again at their old numbers, and 2-level; the grant table, which has one frame of version 1 with
 * nothing but what the toolstack grants (grants_offer); the callback, and the vectors of vCPUs;
 * vcpu_info, runstate areas and copies of the time, which nothing is written to any more; all
 * timers and watchdogs; vm_assist; shared_info's page, which is empty but for the vCPUs' times and
 * nowhere to be seen, the RAM below it as it was; parameters (HVMOP_set_param) that a guest may
 * set, so that backends have to tell their ports again; the memory map; the reason of the guest's
 * end, and that it has come. All pages of its RAM are there: the next kernel knows nothing of a
 * balloon. A vCPU that waited in a hypercall goes on.
 *
 * As they were, as on Xen: what is in memory, registers, which vCPUs are up, runstate times, the
 * latched word size of shared_info, parameters that only a toolstack sets (frames of console and
 * store).
 *
 * 0; -errno of an overlay that the host does not take away: then the guest cannot go on; -EINVAL:
 * Xen has no such thing for PV domains, either; nothing has changed, and it is the guest's end.
 */
int domain_soft_reset(struct domain *d);

#endif
