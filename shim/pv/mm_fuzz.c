// SPDX-License-Identifier: BSD-2-Clause
/*
 * libFuzzer target: a guest's operations on its memory, at random. After each, all counts are what
 * the slow model sums up (fake_check.c), the pins are those that were answered with 0, and a second
 * machine, which forgets its previous roots each time, answers the same and has the same memory.
 */
#include "shim/fuzz_input.h"
#include "shim/pv/fake_guest.h"
#include "xen-abi/xen.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct run {
	struct fake_machine *m, *plain;
	bool pinned[FAKE_FRAMES];
};

/* Numbers that are likely to meet. */

static uint64_t take_mfn(struct input *in)
{
	static const uint64_t others[] = {
		0,           FAKE_SHARED, FAKE_UNALLOCATED, FAKE_HOLE,
		FAKE_FRAMES, ~0ull >> 24, FAKE_WRITABLE,    FAKE_WRITABLE + 1};
	unsigned n = take(in, 1);

	return n < 0xe0 ? FAKE_L4 + n % 16 : others[n % COUNT(others)];
}

static uint64_t take_entry(struct input *in)
{
	static const uint64_t flags[] = {
		0,
		FAKE_RO,
		FAKE_RW,
		FAKE_TABLE_FLAGS,
		1,
		3,
		7,
		0x107,
		0x87,
		0x1f,
		0xe67,
		FAKE_RO | PV_PTE_NX,
		5 | 0x40,
		0x20,
		FAKE_RW | 1ull << 52,
		FAKE_RO | 1ull << 62,
	};
	unsigned n = take(in, 1);

	if (n == 0xff)
		return take(in, 8);
	return pv_pte_make(take_mfn(in), flags[n % COUNT(flags)]);
}

static unsigned take_index(struct input *in)
{
	static const unsigned others[] = {255, 256, 257, 271, 272, 273, 511, 100};
	unsigned n = take(in, 1);

	return n < 0xc0 ? n % 24 : others[n % COUNT(others)];
}

static uint64_t take_va(struct input *in)
{
	static const uint64_t others[] = {
		0, 1ull << 47, PV_HYPER_START, PV_HYPER_END - 4096, PV_HYPER_END, ~0ull << 12};
	unsigned n = take(in, 1);

	if (n < 0xc0)
		return fake_va(n % FAKE_FRAMES);
	if (n < 0xe0) /* through a table that maps itself, or another */
		return (uint64_t)take_index(in) << 39 | (uint64_t)take_index(in) << 30 |
		       (uint64_t)take_index(in) << 21 | (uint64_t)take_index(in) << 12;
	return others[n % COUNT(others)];
}

/* The step that is noted, too; those below it are act()'s. */
#define PIN 21

/* One operation, the same on both machines: numbers are taken before. */
struct step {
	unsigned kind, small;
	uint64_t mfn, entry, va, other;
	unsigned index;
};

static long set_gdt(struct fake_machine *m, const struct step *s)
{
	uint64_t frames[2] = {s->mfn, s->other};
	const uint64_t args[6] = {FAKE_OUTSIDE, s->small * 100};

	memcpy(m->outside, frames, sizeof(frames));
	return pv_op_set_gdt(&m->vcpus[fake_current()], args);
}

/* As the guest writes to memory that it may have mapped writable. */
static long poke(struct fake_machine *m, const struct step *s)
{
	const struct pv_frame *f;

	if (s->mfn >= FAKE_FRAMES)
		return 0;
	f = &m->frames[s->mfn];
	if (f->type == PV_TYPE_WRITABLE || f->type == PV_TYPE_NONE)
		fake_table(m, s->mfn)[s->index] = s->entry;
	return 0;
}

static long plain_write(struct fake_machine *m, const struct step *s)
{
	uint64_t expected = s->mfn < FAKE_FRAMES ? fake_table(m, s->mfn)[s->index] : 0;

	if (s->small & 1)
		expected = s->other;
	return pv_write_entry(&m->vcpus[fake_current()], s->mfn, s->index,
			      s->small & 2 ? &expected : NULL, s->entry);
}

static long update_va_mapping(struct fake_machine *m, const struct step *s)
{
	const uint64_t args[6] = {s->va, s->entry, s->small};

	return pv_op_update_va_mapping(&m->vcpus[fake_current()], args);
}

static long update_descriptor(struct fake_machine *m, const struct step *s)
{
	const uint64_t args[6] = {s->mfn << 12 | s->index * 8, s->entry << 32 | 0xffff};

	return pv_op_update_descriptor(&m->vcpus[fake_current()], args);
}

static long give_and_take(struct fake_machine *m, const struct step *s)
{
	return s->small & 1 ? fake_allocate(m, s->mfn) : fake_give_up(m, s->mfn);
}

/* vCPU 2 comes and goes. */
static long third_vcpu(struct fake_machine *m, const struct step *s)
{
	struct pv_vcpu *v = &m->vcpus[2];
	int rc;

	if (v->roots.kernel) {
		pv_mm_vcpu_down(fake_mm(m), 2);
		pv_mm_release_vcpu(v);
		return 0;
	}
	rc = pv_roots_set(v, s->mfn, s->small & 1 ? s->other : 0);
	if (rc)
		return rc;
	memset(m->may_write[2], 0, sizeof(m->may_write[2]));
	pv_mm_vcpu_up(fake_mm(m), 2);
	return 0;
}

static long mask_call(struct fake_machine *m, const struct step *s)
{
	return fake_mmuext(m, MMUEXT_TLB_FLUSH_LOCAL + s->small % 6, s->va, fake_mask(m, s->other));
}

/* An address of either kind: mostly of the first L1 table. */
static uint64_t place(const struct step *s, uint32_t flags)
{
	if (flags & GNTMAP_contains_pte)
		return (s->small & 0x20 ? s->mfn : FAKE_L1) << 12 | s->index * 8;
	return s->small & 0x20 ? s->va : fake_va(s->index % FAKE_FRAMES);
}

static long map_grant(struct fake_machine *m, const struct step *s)
{
	struct gnttab_map_grant_ref op = {
		.flags = s->small & 0x1f, .ref = s->other % FAKE_GRANTS, .dom = FAKE_DOMID};

	op.host_addr = place(s, op.flags);
	if (s->small & 0x40)
		m->host.grants[op.ref].granted = false;
	else if (!m->host.grants[op.ref].readers && !m->host.grants[op.ref].writers)
		fake_grant(m, op.ref, s->mfn, s->small & 0x80);
	return fake_grant_op(m, GNTTABOP_map_grant_ref, &op, sizeof(op)) ?: op.status;
}

static long unmap_grant(struct fake_machine *m, const struct step *s)
{
	uint32_t handle = s->other % FAKE_HANDLES;
	const struct fake_handle *h = &m->host.handles[handle];
	struct gnttab_unmap_grant_ref op = {.handle = handle, .host_addr = place(s, h->flags)};
	struct gnttab_unmap_and_replace re = {
		.handle = handle, .host_addr = op.host_addr, .new_addr = s->va};

	if (s->small & 8) /* the map is written over, maybe */
		fake_update(m, FAKE_L1, s->index,
			    pv_pte_make(m->host.grants[h->ref].mfn, s->entry & 0xfff));
	if (s->small & 1)
		return fake_grant_op(m, GNTTABOP_unmap_and_replace, &re, sizeof(re)) ?: re.status;
	if (s->small & 2)
		op.dev_bus_addr = m->host.grants[h->ref].mfn << 12;
	if (s->small & 4)
		op.host_addr = 0;
	return fake_grant_op(m, GNTTABOP_unmap_grant_ref, &op, sizeof(op)) ?: op.status;
}

static long act(struct fake_machine *m, const struct step *s)
{
	switch (s->kind) {
	case 0:
	case 1:
		return fake_mmu_update(m, s->mfn << 12 | s->index * 8 | s->small % 8, s->entry);
	case 2:
		return fake_update(m, s->mfn, s->index, s->entry);
	case 3:
		return fake_update(m, FAKE_L1, s->mfn % FAKE_FRAMES, s->entry);
	case 4:
		return update_va_mapping(m, s);
	case 5:
		return fake_mmuext(m, MMUEXT_NEW_BASEPTR, s->mfn, 0);
	case 6:
		return fake_mmuext(m, MMUEXT_NEW_USER_BASEPTR, s->mfn, 0);
	case 7:
		return set_gdt(m, s);
	case 8:
		return fake_mmuext(m, MMUEXT_SET_LDT, s->va, s->small * 64);
	case 9:
		return pv_map_ldt_page(&m->vcpus[fake_current()], s->small << 12);
	case 10:
		return fake_mmuext(m, s->small & 1 ? MMUEXT_CLEAR_PAGE : MMUEXT_COPY_PAGE, s->mfn,
				   s->other);
	case 11:
	case 12:
		return poke(m, s);
	case 13:
		return plain_write(m, s);
	case 14:
		return update_descriptor(m, s);
	case 15:
		return give_and_take(m, s);
	case 16:
		return third_vcpu(m, s);
	case 17:
		return mask_call(m, s);
	case 18:
		fake_mm(m)->m2p_strict ^= s->small == 7;
		return 0;
	case 19:
		return map_grant(m, s);
	case 20:
		return unmap_grant(m, s);
	default:
		return fake_mmuext(m, s->small % 24, s->mfn, s->other);
	}
}

static void compare_memory(struct run *r, const struct step *s)
{
	if (!memcmp(r->m->memory, r->plain->memory, FAKE_FRAMES * PV_PAGE_SIZE))
		return;
	for (unsigned i = 0; i < FAKE_FRAMES * 512; i++)
		if (fake_table(r->m, 0)[i] != fake_table(r->plain, 0)[i])
			fail("step %u: entry %u of %#x is %#lx, without previous roots %#lx\n",
			     s->kind, i % 512, i / 512, fake_table(r->m, 0)[i],
			     fake_table(r->plain, 0)[i]);
}

static long both(struct run *r, const struct step *s, unsigned vcpu)
{
	long rc, rc_plain;

	fake_set_current(r->m, vcpu);
	rc = act(r->m, s);
	fake_check(r->m);
	fake_set_current(r->plain, vcpu);
	rc_plain = act(r->plain, s);
	pv_roots_forget(fake_mm(r->plain));
	fake_check(r->plain);
	if (rc != rc_plain)
		fail("step %u: %ld, without previous roots %ld\n", s->kind, rc, rc_plain);
	compare_memory(r, s);
	return rc;
}

static void pin(struct run *r, struct input *in, unsigned vcpu)
{
	struct step s = {.kind = ~0u, .mfn = take_mfn(in)};

	s.small = take(in, 1) % (MMUEXT_UNPIN_TABLE + 1);
	if (!both(r, &s, vcpu))
		r->pinned[s.mfn] = s.small != MMUEXT_UNPIN_TABLE;
	for (unsigned mfn = 0; mfn < FAKE_FRAMES; mfn++)
		if (r->pinned[mfn] != !!(r->m->frames[mfn].flags & PV_FRAME_PINNED))
			fail("pin of %#x\n", mfn);
}

static void one(struct run *r, struct input *in)
{
	unsigned kind = take(in, 1), vcpu = kind >> 7;
	struct step s = {.kind = kind % (PIN + 1)};

	if (s.kind == PIN) {
		pin(r, in, vcpu);
		return;
	}
	s.small = take(in, 1);
	s.index = take_index(in);
	s.mfn = take_mfn(in);
	s.other = take_mfn(in);
	s.entry = take_entry(in);
	if (s.kind == 4 || s.kind == 8 || s.kind == 17 || s.kind == 19 || s.kind == 20)
		s.va = take_va(in);
	both(r, &s, vcpu);
}

/* A second root, and a page of descriptors, so that there is something to begin with. */
static struct fake_machine *start(void)
{
	struct fake_machine *m = fake_guest_new();

	pv_mm_add_vcpu(fake_mm(m), &m->vcpus[2]);
	fake_build_tree(m, FAKE_FREE, FAKE_RO, FAKE_FREE + 5);
	memcpy(fake_table(m, FAKE_FREE + 4), fake_table(m, FAKE_L4), PV_PAGE_SIZE);
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct run r = {.m = start(), .plain = start()};

	r.pinned[FAKE_L4] = true;
	while (in.left)
		one(&r, &in);
	fake_machine_free(r.m);
	fake_machine_free(r.plain);
	return 0;
}
