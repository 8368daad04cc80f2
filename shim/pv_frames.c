// SPDX-License-Identifier: BSD-2-Clause
#include "shim/pv_frames.h"

#include <errno.h>
#include <stdlib.h>

#include "shim/domain.h"
#include "shim/shared_info.h"

#define PV_TICK_NS 10000000

/* As the domain builder of Xen leaves them. */
static void mask_upcalls(struct domain *d)
{
	struct shared_info *si = d->shared_info;

	for (unsigned i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		si->vcpu_info[i].evtchn_upcall_mask = 1;
}

/* Each vCPU of a PV guest begins with a tick (Xen: pv_vcpu_initialise); the first begins now. */
static void give_ticks(struct domain *d)
{
	for (unsigned i = 0; i < d->nr_vcpus; i++)
		d->vcpus[i]->timers.period = PV_TICK_NS;
	if (d->nr_vcpus)
		timer_begin_ticks(d->vcpus[0]);
}

int domain_make_pv(struct domain *d, const struct pv_machine *m)
{
	uint64_t *leaving = calloc((m->max_mfn + 63) / 64, sizeof(*leaving));

	if (!leaving)
		return -ENOMEM;
	d->type = DOMAIN_PV;
	d->pv = *m;
	d->pv.leaving = leaving;
	d->pv.nr_leaving = 0;
	d->callback = (struct callback){.type = CALLBACK_VECTOR, .where = PV_UPCALL_VECTOR};
	mask_upcalls(d);
	pv_share_overlay(d, OVERLAY_SHARED_INFO);
	for (unsigned i = 0; i < d->grants.nr_frames; i++)
		pv_share_overlay(d, OVERLAY_GRANT_FRAMES + i);
	shared_info_fix(d, gfn(pv_overlay_mfn(OVERLAY_SHARED_INFO)));
	give_ticks(d);
	return 0;
}

void pv_machine_destroy(struct domain *d)
{
	free(d->pv.leaving);
	d->pv.leaving = NULL;
}

/* NULL: there is no such frame. */
static struct pv_frame *frame_of(const struct domain *d, uint64_t mfn)
{
	return mfn < d->pv.max_mfn ? &d->pv.frames[mfn] : NULL;
}

static void set_frame(struct domain *d, uint64_t mfn, uint8_t flags)
{
	struct pv_frame *f = frame_of(d, mfn);

	if (!f)
		return;
	pv_frame_become(f, flags);
	d->pv.m2p[mfn] = PV_M2P_INVALID;
}

void pv_share_overlay(struct domain *d, unsigned overlay)
{
	set_frame(d, pv_overlay_mfn(overlay), PV_FRAME_SHARED);
}

void pv_unshare_overlay(struct domain *d, unsigned overlay)
{
	set_frame(d, pv_overlay_mfn(overlay), 0);
}

bool pv_overlay_in_use(const struct domain *d, unsigned overlay)
{
	const struct pv_frame *f = frame_of(d, pv_overlay_mfn(overlay));

	return f && f->refs > 1;
}

void pv_frame_allocate(struct domain *d, uint64_t mfn)
{
	set_frame(d, mfn, PV_FRAME_RAM);
}

void pv_frame_free(struct domain *d, uint64_t mfn)
{
	set_frame(d, mfn, 0);
}

enum pv_hold pv_frame_hold(const struct domain *d, uint64_t mfn)
{
	const struct pv_frame *f = frame_of(d, mfn);

	if (!f || !f->refs || f->flags & PV_FRAME_SHARED)
		return PV_HOLD_NONE;
	if (!(f->flags & PV_FRAME_RAM))
		return PV_HOLD_GIVEN_UP;
	return f->refs == 1 ? PV_HOLD_ALLOCATION : PV_HOLD_USES;
}

void pv_frame_give_up(struct domain *d, uint64_t mfn)
{
	struct pv_frame *f = frame_of(d, mfn);

	f->flags &= ~PV_FRAME_RAM;
	f->refs--;
}

bool pv_frame_may_be_written(const struct domain *d, uint64_t mfn)
{
	const struct pv_frame *f = frame_of(d, mfn);

	return !f || !f->type_refs || f->type == PV_TYPE_WRITABLE;
}

bool pv_frame_get_writable(struct domain *d, uint64_t mfn)
{
	struct pv_frame *f;

	if (d->type != DOMAIN_PV)
		return true;
	f = frame_of(d, mfn);
	if (!f || !f->refs || f->refs == UINT32_MAX || !pv_frame_may_be_written(d, mfn))
		return false;
	f->type = PV_TYPE_WRITABLE;
	f->flags |= PV_FRAME_VALIDATED;
	f->type_refs++;
	f->refs++;
	return true;
}

/* Mappings that have ended meanwhile may be in TLBs: whatever it becomes, they forget first. */
void pv_frame_put_writable(struct domain *d, uint64_t mfn)
{
	struct pv_frame *f;

	if (d->type != DOMAIN_PV)
		return;
	f = frame_of(d, mfn);
	if (!f || !f->type_refs || !f->refs)
		return;
	if (!--f->type_refs)
		f->stamp = UINT32_MAX;
	if (--f->refs)
		return;
	f->type = PV_TYPE_NONE;
	f->flags = 0;
}

void pv_set_m2p(struct domain *d, uint64_t mfn, uint64_t pfn, uint64_t count)
{
	for (uint64_t i = 0; i < count && mfn + i < d->pv.max_mfn; i++)
		d->pv.m2p[mfn + i] = pfn + i;
}
