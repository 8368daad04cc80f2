// SPDX-License-Identifier: BSD-2-Clause
/*
 * The slow model of what mm.h counts: from nothing, by a look at everything that holds a reference.
 * Which frames are tables is taken from the frame table; that it is true shows in the sums. The
 * numbers of the architecture stand here once more, so that a wrong one there is seen.
 */
#include "shim/pv/fake_guest.h"

#include <stdio.h>
#include <stdlib.h>

#define P        1ull
#define RW       2ull
#define US       4ull
#define A        0x20ull
#define G        0x100ull
#define KERNEL   (1ull << 52)
#define MFN(e)   ((e) >> 12 & 0xffffffffffull)
#define TABLE_OK 0xfff0000000000e67ull /* bits that may be set beside the frame */
#define PAGE_OK  (TABLE_OK | G)

#define TYPES (PV_TYPE_WRITABLE + 1)

struct count {
	unsigned refs, typed[TYPES];
	int linear;
};

struct model {
	struct fake_machine *m;
	struct count counts[FAKE_FRAMES];
	unsigned linear_entries, idle_roots;
};

#define bad(...)                              \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr);          \
		abort();                      \
	} while (0)

static void hold(struct model *x, uint64_t mfn, unsigned type)
{
	if (mfn >= FAKE_FRAMES)
		bad("a reference to frame %#lx", mfn);
	x->counts[mfn].refs++;
	if (type)
		x->counts[mfn].typed[type]++;
}

static void hold_frame_itself(struct model *x, uint64_t mfn)
{
	const struct pv_frame *f = &x->m->frames[mfn];

	if (f->flags & PV_FRAME_RAM)
		hold(x, mfn, 0);
	if (f->flags & PV_FRAME_SHARED)
		hold(x, mfn, PV_TYPE_WRITABLE);
	if (f->flags & PV_FRAME_PINNED)
		hold(x, mfn, f->type);
}

/* Maps of grants by a device; those of the host are entries. */
static void hold_handle(struct model *x, const struct fake_handle *h)
{
	if (h->flags & GNTMAP_device_map)
		hold(x, x->m->host.grants[h->ref].mfn,
		     h->flags & GNTMAP_readonly ? 0 : PV_TYPE_WRITABLE);
}

static void hold_root(struct model *x, uint64_t mfn)
{
	if (mfn)
		hold(x, mfn, PV_TYPE_L4);
}

static void hold_vcpu(struct model *x, const struct pv_vcpu *v)
{
	hold_root(x, v->roots.kernel);
	hold_root(x, v->roots.user);
	for (unsigned i = 0; i < PV_ROOTS_PREVIOUS; i++) {
		hold_root(x, v->roots.previous[i]);
		x->idle_roots += v->roots.previous[i] != 0;
		if (i && v->roots.previous[i] && !v->roots.previous[i - 1])
			bad("a gap in the previous roots of vCPU %u", v->id);
	}
	for (unsigned i = 0; i < (v->gdt_entries + 511) / 512; i++)
		hold(x, v->gdt_frames[i], PV_TYPE_DESCRIPTORS);
	for (unsigned i = 0; i < 16; i++)
		if (v->ldt_mapped >> i & 1)
			hold(x, v->ldt_frames[i], PV_TYPE_DESCRIPTORS);
}

static void hold_page_entry(struct model *x, uint64_t mfn, unsigned i, uint64_t e)
{
	if (e & ~(PAGE_OK | MFN(~0ull) << 12) || !(e & US) || !(e & (KERNEL | G)))
		bad("entry %u of L1 %#lx is %#lx", i, mfn, e);
	hold(x, MFN(e), e & RW ? PV_TYPE_WRITABLE : 0);
}

static void hold_linear(struct model *x, uint64_t mfn, unsigned i, uint64_t e)
{
	if (e & RW)
		bad("entry %u of %#lx maps a table of its level writable", i, mfn);
	if (MFN(e) == mfn)
		return;
	hold(x, MFN(e), x->m->frames[mfn].type);
	x->counts[mfn].linear++;
	x->counts[MFN(e)].linear--;
	x->linear_entries++;
}

static void hold_table_entry(struct model *x, uint64_t mfn, unsigned level, unsigned i, uint64_t e)
{
	if (e & ~(TABLE_OK | MFN(~0ull) << 12) || !(e & US) || (level == 4 && !(e & A)))
		bad("entry %u of L%u %#lx is %#lx", i, level, mfn, e);
	if (MFN(e) >= FAKE_FRAMES)
		bad("entry %u of L%u %#lx is %#lx, no frame", i, level, mfn, e);
	if (x->m->frames[MFN(e)].type == level)
		hold_linear(x, mfn, i, e);
	else
		hold(x, MFN(e), level - 1);
}

static void check_hyper_slot(struct model *x, uint64_t mfn, unsigned i, uint64_t e)
{
	uint64_t ours = fake_mm(x->m)->l4_slots[i - PV_L4_FIRST];

	if (e != ours && !(i == PV_L4_FIRST && !e))
		bad("slot %u of %#lx is %#lx", i, mfn, e);
}

static void hold_table(struct model *x, uint64_t mfn)
{
	unsigned level = x->m->frames[mfn].type;

	for (unsigned i = 0; i < 512; i++) {
		uint64_t e = fake_table(x->m, mfn)[i];

		if (level == 4 && i >= 256 && i <= 271)
			check_hyper_slot(x, mfn, i, e);
		else if (!(e & P))
			continue;
		else if (level == 1)
			hold_page_entry(x, mfn, i, e);
		else
			hold_table_entry(x, mfn, level, i, e);
	}
}

static void check_descriptors(struct model *x, uint64_t mfn)
{
	for (unsigned i = 0; i < 512; i++) {
		uint64_t d = fake_table(x->m, mfn)[i];
		unsigned type = d >> 40 & 0xf, dpl = d >> 45 & 3;
		bool present = d >> 47 & 1, user = d >> 44 & 1;

		if (present && (user ? dpl != 3 : type && (type != 12 || dpl)))
			bad("descriptor %u of %#lx is %#lx", i, mfn, d);
	}
}

static void expand(struct model *x, uint64_t mfn)
{
	const struct pv_frame *f = &x->m->frames[mfn];

	if (!f->type_refs || f->type == PV_TYPE_WRITABLE)
		return;
	if (!(f->flags & PV_FRAME_VALIDATED))
		bad("frame %#lx is used as type %u, and not validated", mfn, f->type);
	if (f->type == PV_TYPE_DESCRIPTORS)
		check_descriptors(x, mfn);
	else
		hold_table(x, mfn);
}

static void compare(struct model *x, uint64_t mfn)
{
	const struct pv_frame *f = &x->m->frames[mfn];
	const struct count *c = &x->counts[mfn];

	if (f->refs != c->refs)
		bad("frame %#lx has %u references, not %u", mfn, f->refs, c->refs);
	for (unsigned t = PV_TYPE_L1; t < TYPES; t++)
		if (c->typed[t] != (t == f->type ? f->type_refs : 0))
			bad("frame %#lx has %u uses as type %u, is %u with %u", mfn, c->typed[t], t,
			    f->type, f->type_refs);
	if (f->type_refs && f->linear != c->linear)
		bad("frame %#lx: linear %d, not %d", mfn, f->linear, c->linear);
	if (!f->refs && f->type)
		bad("frame %#lx is nobody's and has type %u", mfn, f->type);
}

/* A TLB that may know a frame as writable, while it is used as a table or for descriptors. */
static void check_tlb(struct model *x, unsigned vcpu, uint64_t mfn)
{
	const struct pv_frame *f = &x->m->frames[mfn];

	if (fake_mm(x->m)->vcpus_up >> vcpu & 1 && x->m->may_write[vcpu][mfn] && f->type_refs &&
	    f->type != PV_TYPE_WRITABLE)
		bad("vCPU %u may know frame %#lx as writable, type %u", vcpu, mfn, f->type);
}

void fake_check(struct fake_machine *m)
{
	struct model x = {.m = m};

	for (unsigned mfn = 0; mfn < FAKE_FRAMES; mfn++) {
		hold_frame_itself(&x, mfn);
		expand(&x, mfn);
	}
	for (unsigned v = 0; v < FAKE_VCPUS; v++)
		hold_vcpu(&x, &m->vcpus[v]);
	for (unsigned i = 0; i < FAKE_HANDLES; i++)
		hold_handle(&x, &m->host.handles[i]);
	for (unsigned mfn = 0; mfn < FAKE_FRAMES; mfn++) {
		compare(&x, mfn);
		for (unsigned v = 0; v < FAKE_VCPUS; v++)
			check_tlb(&x, v, mfn);
	}
	if (x.linear_entries != fake_mm(m)->linear_entries ||
	    x.idle_roots != fake_mm(m)->idle_roots)
		bad("%u linear entries, %u idle roots; counted %u, %u", x.linear_entries,
		    x.idle_roots, fake_mm(m)->linear_entries, fake_mm(m)->idle_roots);
	fake_note_writable(m);
}
