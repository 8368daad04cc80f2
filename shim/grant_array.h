/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations of grant_table_op on an array: one after another, each with a status of its own. On
 * Xen such a hypercall may be interrupted between two and go on, which a guest cannot tell.
 */
#ifndef SHIM_GRANT_ARRAY_H
#define SHIM_GRANT_ARRAY_H

#include "shim/grant_table.h"
#include "shim/hypercall.h"

#define GRANT_ARGUMENT_MAX 64 /* bytes of one argument */

struct grant_array {
	unsigned size, status; /* of an argument, and where in it its status is; bytes */
	/* Do it: GNTST_*. May change the argument, of which all up to `size` is written back if
	 * `whole`. */
	int16_t (*one)(struct vcpu *v, void *arg);
	bool whole;
};

/*
 * All args[2] of them at args[1]. 0; -XEN_EINVAL: too many (a negative number); -XEN_EFAULT: an
 * argument cannot be read, or its status not written: those before it have been done (and it, too,
 * if the status is what failed).
 */
long grant_array_call(struct vcpu *v, const struct hypercall *h, const struct grant_array *a);

/*
 * What a grant of that domain is to a guest's own operations: GNTST_okay if it is the guest's own;
 * for the host, domain 0, what it is where nothing is granted; GNTST_bad_domain: there is no such
 * domain.
 */
int grant_domain_status(const struct domain *d, domid_t domid, grant_ref_t ref);

/* The operations of files of their own. */
long gnttabop_copy(struct vcpu *v, const struct hypercall *h);
long gnttabop_map_grant_ref(struct vcpu *v, const struct hypercall *h);
long gnttabop_swap_grant_ref(struct vcpu *v, const struct hypercall *h);
long gnttabop_unmap_grant_ref(struct vcpu *v, const struct hypercall *h);

/* A step of a PV guest's monitor in a map of its own (shim/pv/grant.h): pv_grant.c. */
long pv_grant_step(struct vcpu *v, const struct hypercall *h);

#endif
