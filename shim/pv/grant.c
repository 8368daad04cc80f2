// SPDX-License-Identifier: BSD-2-Clause
/* The operations on a PV guest's own grants, as the guest calls them. */
#include "shim/pv/grant.h"

#include "shim/pv/cpu_op.h"
#include "shim/pv/monitor/boot.h"

static int map(struct pv_vcpu *v, struct gnttab_map_grant_ref *op)
{
	struct pv_grant *g = &v->domain->grant;
	int rc;

	*g = (struct pv_grant){.flags = op->flags, .ref = op->ref, .dom = op->dom};
	rc = pv_ask_grant(GNTTABOP_map_grant_ref, PV_GRANT_HOLD);
	if (rc != GNTST_okay)
		return rc;
	rc = pv_grant_map_page(v, g, op->host_addr);
	if (rc != GNTST_okay) {
		pv_ask_grant(GNTTABOP_map_grant_ref, PV_GRANT_RELEASE);
		return rc;
	}
	op->handle = g->handle;
	op->dev_bus_addr = g->mfn << PV_PAGE_SHIFT;
	return GNTST_okay;
}

static int16_t map_one(struct pv_vcpu *v, void *arg)
{
	struct gnttab_map_grant_ref *op = arg;

	op->status = map(v, op);
	return op->status;
}

/*
 * Unmapping.
 */

struct unmap {
	unsigned cmd;
	uint64_t host_addr, dev_bus_addr;
	uint64_t new_addr; /* 0: nothing takes the map's place */
	uint32_t handle;
};

/* The maps that have ended: no vCPU knows them, then nothing holds the page, then no grant is used.
 */
static void finish(struct pv_vcpu *v, struct pv_grant *g, const struct unmap *u, uint32_t ended)
{
	struct pv_mm *mm = &v->domain->mm;

	if (!ended)
		return;
	pv_mm_forget(mm, mm->vcpus_up);
	if (ended & GNTMAP_host_map)
		pv_grant_put_page(mm, g);
	if (ended & GNTMAP_device_map)
		pv_grant_put_page(mm, g);
	g->flags = ended;
	pv_ask_grant(u->cmd, PV_GRANT_RELEASE);
}

/* Ends those maps of the handle that *u has an address of: none, one, or both. */
static int unmap(struct pv_vcpu *v, const struct unmap *u)
{
	struct pv_grant *g = &v->domain->grant;
	uint32_t ended = 0;
	int rc;

	g->handle = u->handle;
	rc = pv_ask_grant(u->cmd, PV_GRANT_FIND);
	if (rc != GNTST_okay)
		return rc;
	if (u->dev_bus_addr)
		ended |= g->flags & GNTMAP_device_map;
	if (ended && u->dev_bus_addr != g->mfn << PV_PAGE_SHIFT)
		return GNTST_bad_dev_addr;
	if (u->host_addr)
		ended |= g->flags & GNTMAP_host_map;
	if (ended & GNTMAP_host_map)
		rc = pv_grant_unmap_page(v, g, u->host_addr, u->new_addr);
	if (rc == GNTST_okay)
		finish(v, g, u, ended);
	return rc;
}

static int16_t unmap_one(struct pv_vcpu *v, void *arg)
{
	const struct gnttab_unmap_grant_ref *op = arg;

	return unmap(v, &(struct unmap){.cmd = GNTTABOP_unmap_grant_ref,
					.host_addr = op->host_addr,
					.dev_bus_addr = op->dev_bus_addr,
					.handle = op->handle});
}

static int16_t replace_one(struct pv_vcpu *v, void *arg)
{
	const struct gnttab_unmap_and_replace *op = arg;

	return unmap(v, &(struct unmap){.cmd = GNTTABOP_unmap_and_replace,
					.host_addr = op->host_addr,
					.new_addr = op->new_addr,
					.handle = op->handle});
}

/*
 * Arrays of them.
 */

struct array {
	unsigned size, status; /* of an argument, and where in it its status is; bytes */
	int16_t (*one)(struct pv_vcpu *v, void *arg);
	bool whole; /* more than the status is written back */
};

static const struct array map_array = {
	.size = sizeof(struct gnttab_map_grant_ref),
	.status = offsetof(struct gnttab_map_grant_ref, status),
	.one = map_one,
	.whole = true,
};

static const struct array unmap_array = {
	.size = sizeof(struct gnttab_unmap_grant_ref),
	.status = offsetof(struct gnttab_unmap_grant_ref, status),
	.one = unmap_one,
};

static const struct array replace_array = {
	.size = sizeof(struct gnttab_unmap_and_replace),
	.status = offsetof(struct gnttab_unmap_and_replace, status),
	.one = replace_one,
};

static const struct array *array_of(uint32_t cmd)
{
	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		return &map_array;
	case GNTTABOP_unmap_grant_ref:
		return &unmap_array;
	case GNTTABOP_unmap_and_replace:
		return &replace_array;
	default:
		return NULL;
	}
}

static int call_one(struct pv_vcpu *v, const struct array *a, uint64_t at)
{
	struct pv_mm *mm = &v->domain->mm;
	union {
		struct gnttab_map_grant_ref map;
		struct gnttab_unmap_grant_ref unmap;
		struct gnttab_unmap_and_replace replace;
		uint8_t bytes[1];
	} arg;
	int16_t *status = (int16_t *)(arg.bytes + a->status);

	if (pv_copy_from_guest(&arg, at, a->size, NULL))
		return -XEN_EFAULT;
	pv_lock(&mm->lock);
	pv_roots_forget(mm);
	*status = a->one(v, &arg);
	pv_unlock(&mm->lock);
	return a->whole ? pv_copy_to_guest(at, &arg, a->size, NULL)
			: pv_copy_to_guest(at + a->status, status, sizeof(*status), NULL);
}

long pv_op_grant_table(struct pv_vcpu *v, const uint64_t args[6])
{
	const struct array *a = array_of(args[0]);
	uint32_t count = args[2];
	uint64_t at = args[1];
	int rc = 0;

	if (!a)
		return PV_OP_HOST;
	if (count > INT32_MAX)
		return -XEN_EINVAL;
	if (!pv_address_guests(at))
		return -XEN_EFAULT;
	for (; count && !rc; count--, at += a->size)
		rc = call_one(v, a, at);
	return rc;
}
