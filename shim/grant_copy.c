// SPDX-License-Identifier: BSD-2-Clause
/*
 * GNTTABOP_copy: bytes from one page to another, each a grant to the caller or a frame of its own.
 */
#include <string.h>

#include "shim/domain.h"
#include "shim/physmap.h"
#include "shim/grant_array.h"
#include "shim/grant_entry.h"
#include "shim/grant_op.h"
#include "shim/memslot/pin.h"
#include "xen-abi/x86_32.h"

/* One end of a copy, as the guest names it. */
struct end {
	uint64_t frame; /* or the grant reference */
	domid_t domid;
	uint16_t offset;
	bool by_ref, write;
};

struct copy {
	struct end source, dest;
	uint16_t len;
};

/* A page that is in use for a copy. */
struct page {
	struct grant_hold hold;
	bool held;
	struct memslot_pin pin;
	uint16_t start, length; /* bytes that may be used */
};

static int pin_page(struct domain *d, struct page *p, struct gfn at, bool write)
{
	struct memslot_hint hint = {0};

	if (write && d->type == DOMAIN_PV && !pv_frame_may_be_written(d, at.v))
		return GNTST_general_error;
	return physmap_pin(d, &hint, at, write, &p->pin) ? GNTST_bad_page : GNTST_okay;
}

static int claim_grant(struct domain *d, const struct end *e, struct page *p)
{
	int rc = grant_domain_status(d, e->domid, (grant_ref_t)e->frame);

	if (rc == GNTST_okay)
		rc = grant_acquire(d, (grant_ref_t)e->frame, d->id, e->write, false, &p->hold);
	if (rc != GNTST_okay)
		return rc;
	p->held = true;
	p->start = p->hold.bytes.start;
	p->length = p->hold.bytes.length;
	return pin_page(d, p, p->hold.at, e->write);
}

static int claim(struct domain *d, const struct end *e, struct page *p)
{
	if (e->by_ref)
		return claim_grant(d, e, p);
	p->start = 0;
	p->length = GUEST_PAGE_SIZE;
	return pin_page(d, p, gfn(e->frame), e->write);
}

static void release(struct domain *d, struct page *p)
{
	memslots_unpin(&p->pin);
	if (p->held)
		grant_release(d, &p->hold);
}

static bool within(const struct end *e, const struct page *p, unsigned len)
{
	return e->offset >= p->start && e->offset + len <= (unsigned)p->start + p->length;
}

static int copy_bytes(struct domain *d, const struct copy *c, const struct page *from,
		      const struct page *to)
{
	if (c->source.offset + c->len > GUEST_PAGE_SIZE ||
	    c->dest.offset + c->len > GUEST_PAGE_SIZE)
		return GNTST_bad_copy_arg;
	if (!within(&c->source, from, c->len) || !within(&c->dest, to, c->len))
		return GNTST_general_error;
	memmove(to->pin.hva + c->dest.offset, from->pin.hva + c->source.offset, c->len);
	memslots_written_hva(memslots_enter(&d->memslots), to->pin.hva + c->dest.offset, c->len);
	memslots_leave();
	return GNTST_okay;
}

/* A frame can be named by its owner only; grants are a domain's that there is. */
static int check_domain(const struct domain *d, const struct end *e)
{
	if (!e->by_ref && e->domid != DOMID_SELF)
		return GNTST_permission_denied;
	return domain_check_self(d, e->domid) == -XEN_ESRCH ? GNTST_bad_domain : GNTST_okay;
}

static int copy_one(struct domain *d, const struct copy *c)
{
	struct page from = {.held = false}, to = {.held = false};
	int rc = check_domain(d, &c->source);

	if (rc == GNTST_okay)
		rc = check_domain(d, &c->dest);
	if (rc != GNTST_okay)
		return rc;
	rc = claim(d, &c->source, &from);
	if (rc == GNTST_okay)
		rc = claim(d, &c->dest, &to);
	if (rc == GNTST_okay)
		rc = copy_bytes(d, c, &from, &to);
	release(d, &to);
	release(d, &from);
	return rc;
}

static struct end end_of(const struct gnttab_copy_ptr *p, bool by_ref, bool write)
{
	return (struct end){.frame = by_ref ? p->u.ref : p->u.gmfn,
			    .domid = p->domid,
			    .offset = p->offset,
			    .by_ref = by_ref,
			    .write = write};
}

static struct end end_of_32(const struct gnttab_copy_ptr_x86_32 *p, bool by_ref, bool write)
{
	return (struct end){.frame = p->frame,
			    .domid = p->domid,
			    .offset = p->offset,
			    .by_ref = by_ref,
			    .write = write};
}

static int16_t copy_native(struct vcpu *v, void *arg)
{
	const struct gnttab_copy *op = arg;
	const struct copy c = {
		.source = end_of(&op->source, op->flags & GNTCOPY_source_gref, false),
		.dest = end_of(&op->dest, op->flags & GNTCOPY_dest_gref, true),
		.len = op->len,
	};

	return copy_one(v->domain, &c);
}

static int16_t copy_compat(struct vcpu *v, void *arg)
{
	const struct gnttab_copy_x86_32 *op = arg;
	const struct copy c = {
		.source = end_of_32(&op->source, op->flags & GNTCOPY_source_gref, false),
		.dest = end_of_32(&op->dest, op->flags & GNTCOPY_dest_gref, true),
		.len = op->len,
	};

	return copy_one(v->domain, &c);
}

long gnttabop_copy(struct vcpu *v, const struct hypercall *h)
{
	static const struct grant_array native = {
		.size = sizeof(struct gnttab_copy),
		.status = offsetof(struct gnttab_copy, status),
		.one = copy_native,
	};
	static const struct grant_array compat = {
		.size = sizeof(struct gnttab_copy_x86_32),
		.status = offsetof(struct gnttab_copy_x86_32, status),
		.one = copy_compat,
	};

	return grant_array_call(v, h, h->long_mode ? &native : &compat);
}
