// SPDX-License-Identifier: BSD-2-Clause
/* The machine below the rules, of plain memory. */
#include "shim/pv/fake_machine.h"

#include "shim/pv/pte.h"
#include "xen-abi/xen.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct fake_machine *machine;
static _Thread_local unsigned current;

struct fake_machine *fake_machine_new(void)
{
	struct fake_machine *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->memory = aligned_alloc(PV_PAGE_SIZE, FAKE_FRAMES * PV_PAGE_SIZE);
	if (!m->memory)
		abort();
	memset(m->memory, 0, FAKE_FRAMES * PV_PAGE_SIZE);
	m->domain.nr_vcpus = FAKE_VCPUS;
	m->domain.mm.nr_vcpus = FAKE_VCPUS;
	m->domain.mm.max_mfn = FAKE_FRAMES;
	m->domain.mm.frames = m->frames;
	m->domain.mm.m2p = m->m2p;
	m->domain.mm.direct = m->memory;
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		m->vcpus[i].id = i;
		m->vcpus[i].domain = &m->domain;
		m->vcpus[i].kernel_mode = true;
	}
	fake_set_current(m, 0);
	return m;
}

void fake_machine_free(struct fake_machine *m)
{
	free(m->memory);
	free(m);
}

void fake_set_current(struct fake_machine *m, unsigned vcpu)
{
	machine = m;
	current = vcpu;
}

unsigned fake_current(void)
{
	return current;
}

static bool is_writable(const struct pv_frame *f)
{
	return f->type == PV_TYPE_WRITABLE && f->type_refs;
}

void fake_note_writable(struct fake_machine *m)
{
	for (unsigned v = 0; v < FAKE_VCPUS; v++)
		for (unsigned mfn = 0; mfn < FAKE_FRAMES; mfn++)
			if (is_writable(&m->frames[mfn]))
				m->may_write[v][mfn] = true;
}

/* Memory. */

static bool is_guests(uint64_t va)
{
	return pv_address_canonical(va) && (va < PV_HYPER_START || va >= PV_HYPER_END);
}

/* The byte at an address, if it can be reached with all of `needs` in each entry on the way. */
static uint8_t *translate(uint64_t va, uint64_t needs)
{
	struct pv_vcpu *v = &machine->vcpus[current];
	uint64_t mfn = v->kernel_mode ? v->roots.kernel : v->roots.user;

	if (va - FAKE_OUTSIDE < sizeof(machine->outside))
		return machine->outside + (va - FAKE_OUTSIDE);
	if (!is_guests(va) || !mfn)
		return NULL;
	for (unsigned level = 4; level; level--) {
		uint64_t entry = fake_table(machine, mfn)[pv_pte_index(va, level)];

		mfn = pv_pte_mfn(entry);
		if ((entry & needs) != needs || mfn >= FAKE_FRAMES)
			return NULL;
	}
	return machine->memory + mfn * PV_PAGE_SIZE + va % PV_PAGE_SIZE;
}

static int unreachable(uint64_t va, uint64_t *at)
{
	if (at)
		*at = va;
	return -XEN_EFAULT;
}

int pv_copy_from_guest(void *to, uint64_t from, size_t len, uint64_t *at)
{
	for (size_t i = 0; i < len; i++) {
		const uint8_t *byte = translate(from + i, PV_PTE_PRESENT | PV_PTE_USER);

		if (!byte)
			return unreachable(from + i, at);
		((uint8_t *)to)[i] = *byte;
	}
	return 0;
}

int pv_copy_to_guest(uint64_t to, const void *from, size_t len, uint64_t *at)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t *byte = translate(to + i, PV_PTE_PRESENT | PV_PTE_USER | PV_PTE_RW);

		if (!byte)
			return unreachable(to + i, at);
		*byte = ((const uint8_t *)from)[i];
	}
	return 0;
}

/* TLBs and caches. */

static void forget_writable(unsigned vcpu)
{
	for (unsigned mfn = 0; mfn < FAKE_FRAMES; mfn++)
		machine->may_write[vcpu][mfn] = is_writable(&machine->frames[mfn]);
}

void pv_flush_all(uint64_t vcpus)
{
	for (unsigned v = 0; v < FAKE_VCPUS; v++) {
		if (!(vcpus >> v & 1))
			continue;
		__atomic_fetch_add(&machine->asked[v].flush_all, 1, __ATOMIC_RELAXED);
		if (!machine->threads)
			forget_writable(v);
	}
}

void pv_flush_page(uint64_t vcpus, uint64_t va)
{
	for (unsigned v = 0; v < FAKE_VCPUS; v++)
		if (vcpus >> v & 1) {
			machine->asked[v].flush_page++;
			machine->asked[v].va = va;
		}
}

void pv_flush_caches(void)
{
	machine->asked[current].caches++;
}

/* Grants. */

#define MAPS (GNTMAP_device_map | GNTMAP_host_map)

void fake_grant(struct fake_machine *m, unsigned ref, uint64_t mfn, bool readonly)
{
	m->host.grants[ref] =
		(struct fake_grant){.granted = true, .readonly = readonly, .mfn = mfn};
}

static unsigned *uses_of(struct fake_host *h, const struct fake_handle *of)
{
	struct fake_grant *g = &h->grants[of->ref];

	return of->flags & GNTMAP_readonly ? &g->readers : &g->writers;
}

static int hold_grant(struct fake_host *h, struct pv_grant *g)
{
	uint32_t free = 0;

	if (!(g->flags & MAPS))
		return GNTST_bad_gntref;
	if (g->dom != machine->domain.mm.domid)
		return GNTST_bad_domain;
	while (free < FAKE_HANDLES && h->handles[free].flags)
		free++;
	if (free == FAKE_HANDLES)
		return GNTST_no_space;
	if (g->ref >= FAKE_GRANTS)
		return GNTST_bad_gntref;
	if (!h->grants[g->ref].granted ||
	    (h->grants[g->ref].readonly && !(g->flags & GNTMAP_readonly)))
		return GNTST_general_error;
	h->handles[free] = (struct fake_handle){.flags = g->flags, .ref = g->ref};
	*uses_of(h, &h->handles[free]) += __builtin_popcount(g->flags & MAPS);
	g->handle = free;
	g->mfn = h->grants[g->ref].mfn;
	return GNTST_okay;
}

static void release_grant(struct fake_host *h, const struct pv_grant *g)
{
	struct fake_handle *of = &h->handles[g->handle];
	uint32_t ended = g->flags & of->flags & MAPS;

	*uses_of(h, of) -= __builtin_popcount(ended);
	of->flags &= ~ended;
	if (!(of->flags & MAPS))
		of->flags = 0;
}

int pv_ask_grant(unsigned cmd, enum pv_grant_step step)
{
	struct pv_grant *g = &machine->domain.grant;
	struct fake_host *h = &machine->host;

	(void)cmd;
	if (step == PV_GRANT_HOLD)
		return hold_grant(h, g);
	if (g->handle >= FAKE_HANDLES || !h->handles[g->handle].flags)
		return GNTST_bad_handle;
	if (step == PV_GRANT_RELEASE) {
		release_grant(h, g);
		return GNTST_okay;
	}
	g->flags = h->handles[g->handle].flags;
	g->mfn = h->grants[h->handles[g->handle].ref].mfn;
	return GNTST_okay;
}

/* State. */

void pv_load_base(struct pv_vcpu *v)
{
	machine->asked[v->id].base++;
	if (v->id == current && !machine->threads)
		forget_writable(current);
}

void pv_load_gdt(struct pv_vcpu *v)
{
	machine->asked[v->id].gdt++;
}

void pv_load_ldt(struct pv_vcpu *v)
{
	machine->asked[v->id].ldt++;
}

void pv_load_debug(struct pv_vcpu *v)
{
	machine->asked[v->id].debug++;
}

void pv_load_segment_bases(struct pv_vcpu *v)
{
	machine->asked[v->id].segment_bases++;
}

void pv_load_ts(struct pv_vcpu *v)
{
	machine->asked[v->id].ts++;
}

void pv_swap_gs(void)
{
	machine->asked[current].swaps++;
}

/* Locks. */

void pv_lock(struct pv_lock *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

void pv_unlock(struct pv_lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}
