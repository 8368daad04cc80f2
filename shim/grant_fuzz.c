// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest that does anything with its grant table, and backends that map what it grants:
 * operations, the contents of entries, memory that goes and comes, all of the fuzzer's choice; and,
 * if it so wishes, a second thread that writes to the entries all the time. After each step what is
 * mapped is where it was, and as many uses are counted as there are; at the end nothing is left.
 *
 * The input is read front to back; where it ends everything is 0, so any bytes are a sequence.
 */
#include <pthread.h>
#include <string.h>

#include "shim/fake_grants.h"
#include "shim/fuzz_input.h"
#include "shim/grant_map.h"
#include "shim/memory_op.h"
#include "shim/memslot/overlay.h"
#include "shim/shared_info.h"
#include "shim/soft_reset.h"

#define MAX_STEPS 200
#define MAPS      12
#define ARGUMENT  0x20000ull

/* Frames: RAM, RAM that goes, the table's own, and where there is none. */
static const uint64_t frames[] = {
	0x40,
	0x41,
	0x42,
	0x43,
	FAKE_HIGH >> GUEST_PAGE_SHIFT,
	(FAKE_HIGH >> GUEST_PAGE_SHIFT) + 1,
	(FAKE_HOLE >> GUEST_PAGE_SHIFT),
	(FAKE_HOLE >> GUEST_PAGE_SHIFT) + 1,
	UINT32_MAX,
	UINT64_MAX,
};

struct fuzz {
	struct fake *f;
	struct input in;
	struct grant_mapping map[MAPS]; /* of backends */
	uint32_t epoch[MAPS];
	struct own {
		bool used;
		uint32_t handle;
	} own[MAPS]; /* the guest's */
	bool high_gone;
	bool stop; /* the other thread; atomic */
};

static uint64_t frame(struct fuzz *z)
{
	return frames[take(&z->in, 1) % ARRAY_SIZE(frames)];
}

/* Mostly one of a few. */
static grant_ref_t ref(struct fuzz *z)
{
	grant_ref_t r = take(&z->in, 1);

	return r < 0xf0 ? r % 24 : (grant_ref_t)take(&z->in, 4);
}

static domid_t domid(struct fuzz *z)
{
	static const domid_t ids[] = {0, FAKE_DOMID, FAKE_DOMID, DOMID_SELF, 5};

	return ids[take(&z->in, 1) % ARRAY_SIZE(ids)];
}

/*
 * What the guest writes.
 */

static void write_entry(struct fuzz *z)
{
	uint16_t flags = take(&z->in, 1) | (take(&z->in, 1) & 1) << 8;
	grant_ref_t r = ref(z) % 256;
	domid_t to = domid(z);

	fake_grant(z->f, r, flags, to, frame(z));
	if (z->f->domain.grants.version == 2 && flags & GTF_sub_page)
		grant_v2(&z->f->domain.grants, r)->sub_page.page_off = take(&z->in, 2);
}

static void write_status(struct fuzz *z)
{
	z->f->domain.grants.statuses[ref(z) % 256] = take(&z->in, 2);
}

/* All the time: the flags and grantees of the entries that are mostly used. */
static void *write_entries(void *opaque)
{
	struct fuzz *z = opaque;
	uint32_t *words = (uint32_t *)z->f->domain.grants.frames;
	uint32_t random = 1;

	while (!__atomic_load_n(&z->stop, __ATOMIC_RELAXED)) {
		random = random * 1664525 + 1013904223;
		__atomic_store_n(&words[random >> 24], random >> 8 & 0x1ff, __ATOMIC_RELAXED);
	}
	return NULL;
}

/*
 * Its operations.
 */

static long grant_op(struct fuzz *z, uint64_t cmd, void *arg, size_t len)
{
	return fake_grant_op(z->f, cmd, arg, len);
}

static void map_own(struct fuzz *z)
{
	struct own *own = &z->own[take(&z->in, 1) % MAPS];
	struct gnttab_map_grant_ref op = {
		.host_addr = frame(z) << GUEST_PAGE_SHIFT,
		.flags = GNTMAP_host_map | (take(&z->in, 1) & GNTMAP_readonly),
		.ref = ref(z),
		.dom = domid(z),
		.status = 55,
	};

	if (own->used)
		return;
	if (grant_op(z, GNTTABOP_map_grant_ref, &op, sizeof(op)) || op.status > 0)
		fail("map: status %d\n", op.status);
	*own = (struct own){!op.status, op.handle};
}

static void unmap_own(struct fuzz *z)
{
	struct own *own = &z->own[take(&z->in, 1) % MAPS];
	struct gnttab_unmap_grant_ref op = {
		.host_addr = frame(z) << GUEST_PAGE_SHIFT,
		.handle = own->used ? own->handle : (uint32_t)take(&z->in, 2),
		.status = 55,
	};

	if (grant_op(z, GNTTABOP_unmap_grant_ref, &op, sizeof(op)) || op.status > 0)
		fail("unmap: status %d\n", op.status);
	if (!op.status && op.host_addr)
		for (unsigned i = 0; i < MAPS; i++)
			if (z->own[i].used && z->own[i].handle == op.handle)
				z->own[i].used = false;
}

static void copy(struct fuzz *z)
{
	struct gnttab_copy op = {
		.flags = take(&z->in, 1) & 3, .len = take(&z->in, 2), .status = 55};

	op.source.u.gmfn = op.flags & GNTCOPY_source_gref ? ref(z) : frame(z);
	op.dest.u.gmfn = op.flags & GNTCOPY_dest_gref ? ref(z) : frame(z);
	op.source.domid = domid(z);
	op.dest.domid = domid(z);
	op.source.offset = take(&z->in, 2);
	op.dest.offset = take(&z->in, 2);
	if (grant_op(z, GNTTABOP_copy, &op, sizeof(op)) || op.status > 0)
		fail("copy: status %d\n", op.status);
}

static void change_table(struct fuzz *z)
{
	struct gnttab_swap_grant_ref swap = {.ref_a = ref(z), .ref_b = ref(z)};
	struct gnttab_set_version version = {.version = take(&z->in, 1) % 4};

	if (take(&z->in, 1) & 1)
		grant_op(z, GNTTABOP_swap_grant_ref, &swap, sizeof(swap));
	else
		grant_op(z, GNTTABOP_set_version, &version, sizeof(version));
}

static void show(struct fuzz *z)
{
	static const uint64_t idxs[] = {
		0, 1, 63, 64, XENMAPIDX_grant_table_status, XENMAPIDX_grant_table_status | 7};
	struct xen_remove_from_physmap remove = {.domid = DOMID_SELF};
	uint8_t how = take(&z->in, 1) % 4;
	uint64_t at = frame(z);

	if (how == 0) {
		remove.gpfn = at;
		fake_op(z->f, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &remove,
			sizeof(remove));
	} else if (how == 1 && at != UINT64_MAX) {
		shared_info_map(&z->f->domain, gfn(at));
	} else {
		fake_show_grants(z->f, idxs[take(&z->in, 1) % ARRAY_SIZE(idxs)], at);
	}
}

/* Any operation with any bytes, several at once; what it maps is not followed, so nothing is. */
static void raw(struct fuzz *z)
{
	uint64_t cmd = 2 + take(&z->in, 1) % 12;
	uint64_t count = take(&z->in, 1) % 5;

	for (unsigned i = 0; i < 128; i++)
		z->f->ram[ARGUMENT + i] = take(&z->in, 1);
	fake_call(z->f, __HYPERVISOR_grant_table_op, cmd, ARGUMENT, count == 4 ? ~0u : count);
}

/*
 * Backends.
 */

static void map(struct fuzz *z)
{
	unsigned i = take(&z->in, 1) % MAPS;
	bool write = take(&z->in, 1) & 1;

	if (z->map[i].hva)
		return;
	if (grant_map(&z->f->domain, ref(z), write, &z->map[i]) == GNTST_okay)
		z->epoch[i] = z->f->domain.grants.epoch;
	else if (z->map[i].hva)
		fail("not mapped, and yet\n");
}

static void unmap(struct fuzz *z)
{
	unsigned i = take(&z->in, 1) % MAPS;

	grant_unmap(&z->f->domain, &z->map[i], z->map[i].hold.write);
}

static void copy_bytes(struct fuzz *z)
{
	uint8_t bytes[64] = {0};
	unsigned offset = take(&z->in, 2), len = take(&z->in, 1) % sizeof(bytes);

	if (take(&z->in, 1) & 1)
		grant_copy_from(&z->f->domain, ref(z), offset, bytes, len);
	else
		grant_copy_to(&z->f->domain, ref(z), offset, bytes, len);
}

/*
 * Steps and what is true after each.
 */

static void change_memory(struct fuzz *z)
{
	int rc;

	if (z->high_gone)
		rc = fake_add_memory(z->f, 1, FAKE_HIGH, FAKE_HIGH_SIZE, z->f->high);
	else
		rc = fake_remove_memory(z->f, 1);
	if (!rc)
		z->high_gone = !z->high_gone;
}

static void begin_anew(struct fuzz *z)
{
	domain_soft_reset(&z->f->domain);
	memset(z->own, 0, sizeof(z->own));
}

static void step(struct fuzz *z)
{
	static void (*const steps[])(struct fuzz * z) = {
		write_entry, write_entry,  write_entry, write_status,  map_own,    unmap_own,
		copy,        change_table, show,        raw,           map,        map,
		unmap,       unmap,        copy_bytes,  change_memory, begin_anew,
	};

	steps[take(&z->in, 1) % ARRAY_SIZE(steps)](z);
}

static const uint8_t *page_at(struct fuzz *z, struct gfn at)
{
	return fake_at(z->f, gfn_to_gpa(at).v);
}

static void check_maps(struct fuzz *z)
{
	for (unsigned i = 0; i < MAPS; i++)
		if (z->map[i].hva && page_at(z, z->map[i].hold.at) != z->map[i].hva)
			fail("a mapped page is not where it was\n");
}

static void check_uses(struct fuzz *z)
{
	const struct grant_table *g = &z->f->domain.grants;
	unsigned counted = 0, uses = 0;

	for (grant_ref_t r = 0; r < grant_entries(g); r++)
		counted += grant_use_of(g, r)->readers + grant_use_of(g, r)->writers;
	for (unsigned i = 0; i < MAPS; i++)
		uses += (z->map[i].hva && z->epoch[i] == g->epoch) + z->own[i].used;
	if (counted != uses)
		fail("%u uses, of which %u are counted\n", uses, counted);
}

static void check_end(struct fuzz *z)
{
	for (unsigned i = 0; i < MAPS; i++)
		grant_unmap(&z->f->domain, &z->map[i], true);
	begin_anew(z);
	if (grants_in_use(&z->f->domain.grants, 0))
		fail("an entry is in use\n");
	/* Were a page pinned or covered, it could not. */
	if (fake_remove_memory(z->f, 0) || (!z->high_gone && fake_remove_memory(z->f, 1)))
		fail("memory that has to stay\n");
}

static void run(struct fuzz *z, bool another_thread)
{
	pthread_t other;

	if (another_thread && pthread_create(&other, NULL, write_entries, z))
		fail("no thread\n");
	for (unsigned i = 0; i < MAX_STEPS && z->in.left; i++) {
		step(z);
		check_maps(z);
		check_uses(z);
	}
	if (!another_thread)
		return;
	__atomic_store_n(&z->stop, true, __ATOMIC_RELAXED);
	pthread_join(other, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = {.f = fake_create(true), .in = {data, size}};

	if (!z.f)
		fail("no memory for the fake\n");
	run(&z, take(&z.in, 1) % 8 == 7);
	check_end(&z);
	fake_destroy(z.f);
	return 0;
}
