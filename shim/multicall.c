// SPDX-License-Identifier: BSD-2-Clause
#include "shim/multicall.h"

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/vcpu_run.h"
#include "xen-abi/x86_32.h"

union entry {
	struct multicall_entry native;
	struct multicall_entry_x86_32 compat;
};

static size_t entry_size(bool long_mode)
{
	union entry e;

	return long_mode ? sizeof(e.native) : sizeof(e.compat);
}

/* Hypercalls of a multicall have five arguments, in registers that they do not have to themselves.
 */
#define ARGS 5

static int read_entry(struct vcpu *v, struct gva at, struct hypercall *call)
{
	union entry e;
	int rc = guest_read(v, &e, at, entry_size(call->long_mode));

	if (rc)
		return rc;
	call->nr = call->long_mode ? e.native.op : e.compat.op;
	for (unsigned i = 0; i < ARGS; i++)
		call->args[i] = call->long_mode ? e.native.args[i] : e.compat.args[i];
	return 0;
}

static int write_result(struct vcpu *v, struct gva at, bool long_mode, int64_t result)
{
	at.v += long_mode ? offsetof(struct multicall_entry, result)
			  : offsetof(struct multicall_entry_x86_32, result);
	return guest_write(v, at, &result, long_mode ? 8 : 4);
}

static int call_entry(struct vcpu *v, struct gva at, bool long_mode)
{
	struct hypercall call = {.long_mode = long_mode};
	int rc = read_entry(v, at, &call);

	return rc ? rc : write_result(v, at, long_mode, hypercall_dispatch(v, &call));
}

/*
 * Xen may stop between two entries and go on later, which a guest cannot tell. We go through in one
 * go; so an entry that waits (SCHEDOP_poll, SCHEDOP_block) is woken at once, as it may always be,
 * unless it is the last.
 */
static int call_entries(struct vcpu *v, const struct hypercall *h)
{
	uint32_t nr = h->args[1];
	struct gva at = gva(h->args[0]);
	int rc = 0;

	for (uint32_t i = 0; i < nr && !rc && !v->domain->ops->must_stop(v); i++) {
		if (i)
			vcpu_unblock(v);
		rc = call_entry(v, at, h->long_mode);
		at.v += entry_size(h->long_mode);
		if (!h->long_mode)
			at.v = (uint32_t)at.v;
	}
	return rc;
}

long do_multicall(struct vcpu *v, const struct hypercall *h)
{
	long rc;

	if (v->in_multicall)
		return -XEN_EINVAL;
	v->in_multicall = true;
	rc = call_entries(v, h);
	v->in_multicall = false;
	return rc;
}
