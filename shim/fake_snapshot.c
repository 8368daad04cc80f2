// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a failed hypercall must leave alone, taken and compared. Where page tables are is left out:
 * a walk sets accessed bits there.
 */
#include <stdlib.h>
#include <string.h>

#include "shim/event_port.h"
#include "shim/fake_platform.h"

/* Frames of the grant table that are compared. */
#define GRANT_FRAMES_KEPT 4

struct fake_snapshot {
	struct fake fake;
	uint8_t ram[FAKE_RAM_SIZE];
	uint8_t shared_info[GUEST_PAGE_SIZE];
	uint8_t grants[GRANT_FRAMES_KEPT * GUEST_PAGE_SIZE], statuses[GUEST_PAGE_SIZE];
	uint64_t bindings[EVTCHN_FIFO_NR_CHANNELS];
	uint8_t priorities[EVTCHN_FIFO_NR_CHANNELS];
	bool populated[FAKE_PAGES];
	struct frames {
		struct pv_frame pages[FAKE_PAGES], overlays[OVERLAY_MAPPED];
		uint64_t m2p[FAKE_PAGES];
	} frames;
	struct vcpu vcpus[FAKE_VCPUS];
};

static void copy_ports(struct fake_snapshot *s, const struct event_channels *e)
{
	for (evtchn_port_t i = 0; i < e->valid; i++) {
		s->bindings[i] = port_lookup(e, i)->binding;
		s->priorities[i] = port_lookup(e, i)->priority;
	}
}

/* There may be more now, that nobody has. */
static bool ports_changed(const struct fake_snapshot *s, const struct event_channels *e)
{
	for (evtchn_port_t i = 0; i < e->valid; i++)
		if (port_lookup(e, i)->binding != s->bindings[i] ||
		    port_lookup(e, i)->priority != s->priorities[i])
			return true;
	return e->abi != s->fake.domain.events.abi ||
	       memcmp(e->pirq_port, s->fake.domain.events.pirq_port, sizeof(e->pirq_port)) != 0;
}

/* Number i of the pages that the fake has. */
static uint64_t frame_of(unsigned i)
{
	const uint64_t low = FAKE_RAM_SIZE / GUEST_PAGE_SIZE;

	return i < low ? i : FAKE_HIGH / GUEST_PAGE_SIZE + i - low;
}

static bool is_populated(const struct domain *d, unsigned i)
{
	return domain_page_populated(d, gfn(frame_of(i)));
}

/* Of a PV guest. */
static void copy_frames(struct frames *to, const struct fake *f)
{
	if (!f->frames)
		return;
	memcpy(to->overlays, &f->frames[pv_overlay_mfn(0)], sizeof(to->overlays));
	for (unsigned i = 0; i < FAKE_PAGES; i++) {
		to->pages[i] = f->frames[frame_of(i)];
		to->m2p[i] = f->m2p[frame_of(i)];
	}
}

static bool frames_changed(const struct fake_snapshot *s, const struct fake *f)
{
	static struct frames now;

	copy_frames(&now, f);
	return f->frames && memcmp(&now, &s->frames, sizeof(now));
}

static bool pages_changed(const struct fake_snapshot *s, const struct domain *d)
{
	for (unsigned i = 0; i < FAKE_PAGES; i++)
		if (is_populated(d, i) != s->populated[i])
			return true;
	return d->reservation.pages != s->fake.domain.reservation.pages ||
	       d->reservation.max != s->fake.domain.reservation.max;
}

struct fake_snapshot *fake_snapshot(struct fake *f)
{
	struct fake_snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	memcpy(&s->fake, f, sizeof(*f));
	memcpy(s->ram, f->ram, sizeof(s->ram));
	memcpy(s->shared_info, f->shared_info, sizeof(s->shared_info));
	memcpy(s->grants, f->domain.grants.frames, sizeof(s->grants));
	memcpy(s->statuses, f->domain.grants.statuses, sizeof(s->statuses));
	copy_ports(s, &f->domain.events);
	copy_frames(&s->frames, f);
	for (unsigned i = 0; i < FAKE_PAGES; i++)
		s->populated[i] = is_populated(&f->domain, i);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		memcpy(&s->vcpus[i], f->domain.vcpus[i], sizeof(s->vcpus[i]));
	return s;
}

static bool grants_changed(const struct fake_snapshot *s, const struct grant_table *now)
{
	const struct grant_table *then = &s->fake.domain.grants;

	return memcmp(s->grants, now->frames, sizeof(s->grants)) ||
	       memcmp(s->statuses, now->statuses, sizeof(s->statuses)) ||
	       now->version != then->version || now->nr_frames != then->nr_frames ||
	       now->nr_statuses != then->nr_statuses || now->handles.free != then->handles.free ||
	       now->self.idle != then->self.idle;
}

#define DIFFERS(member) memcmp(&now->member, &then->member, sizeof(now->member))

/* Of ordinary areas, whose parts are in the cache itself. */
static bool gpc_changed(const struct gpc *now, const struct gpc *then)
{
	if (now->active != then->active)
		return true;
	if (!now->active)
		return false;
	if (now->len != then->len || now->nr_parts != then->nr_parts)
		return true;
	return memcmp(now->inline_parts, then->inline_parts, sizeof(now->inline_parts));
}

/* All but the counts of calls, and what a cache remembers. */
static bool vcpu_changed(const struct vcpu *now, const struct vcpu *then)
{
	return gpc_changed(&now->vcpu_info, &then->vcpu_info) ||
	       gpc_changed(&now->time_area, &then->time_area) ||
	       gpc_changed(&now->runstate_area, &then->runstate_area) ||
	       gpc_changed(&now->runstate_tail, &then->runstate_tail) ||
	       (now->hold ^ then->hold) & ~HOLD_LATER || DIFFERS(initialised) ||
	       DIFFERS(timers.deadline) || DIFFERS(timers.period) ||
	       DIFFERS(vcpu_info_registered) || DIFFERS(upcall_vector) || DIFFERS(virq_port) ||
	       DIFFERS(runstate);
}

static bool domain_changed(const struct domain *now, const struct domain *then)
{
	return DIFFERS(long_mode) || DIFFERS(shared_info_mapped) || DIFFERS(shared_info_gfn) ||
	       now->guest_memmap != then->guest_memmap || DIFFERS(callback) ||
	       DIFFERS(hvm_params) || DIFFERS(memslots.ids) || DIFFERS(shutdown_code) ||
	       DIFFERS(vm_assist) || DIFFERS(watchdogs) || DIFFERS(pollers);
}

static bool requests_changed(const struct fake *now, const struct fake *then)
{
	return DIFFERS(vcpu) || DIFFERS(methods_changed) || DIFFERS(gsi) ||
	       DIFFERS(word_sizes_latched) || DIFFERS(shutdowns) || DIFFERS(console_len) ||
	       DIFFERS(ram_discarded) || DIFFERS(ram_populated) || DIFFERS(overlay_maps) ||
	       DIFFERS(overlay_unmaps) || DIFFERS(results_of_failures);
}

/* fake_op() itself writes to the argument's page. */
static bool ram_changed(const uint8_t *now, const uint8_t *then)
{
	const uint64_t after = FAKE_ARG + GUEST_PAGE_SIZE;

	return memcmp(now, then, FAKE_ARG) ||
	       memcmp(now + after, then + after, FAKE_LOW_TABLES - after);
}

static const char *compare(const struct fake *f, const struct fake_snapshot *s)
{
	if (ram_changed(f->ram, s->ram))
		return "guest memory";
	if (memcmp(s->shared_info, f->shared_info, sizeof(s->shared_info)))
		return "shared_info";
	if (pages_changed(s, &f->domain))
		return "the reservation";
	if (frames_changed(s, f))
		return "the frame table";
	if (ports_changed(s, &f->domain.events))
		return "event channel ports";
	if (grants_changed(s, &f->domain.grants))
		return "the grant table";
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		if (vcpu_changed(f->domain.vcpus[i], &s->vcpus[i]))
			return "a vCPU";
	if (domain_changed(&f->domain, &s->fake.domain))
		return "the domain";
	return requests_changed(f, &s->fake) ? "a request to the platform" : NULL;
}

const char *fake_changed(struct fake *f, struct fake_snapshot *before)
{
	const char *what = compare(f, before);

	free(before);
	return what;
}
