// SPDX-License-Identifier: BSD-2-Clause
/*
 * The grant table as its guest sees it: its size and version, where its frames are, and entries
 * that change places.
 */
#include <errno.h>
#include <string.h>

#include "shim/fake_grants.h"
#include "shim/fake_test.h"
#include "shim/grant_map.h"
#include "shim/memslot/fail_alloc.h"
#include "shim/memslot/overlay.h"
#include "shim/shared_info.h"
#include "xen-abi/x86_32.h"

#define PAGE    0x30ull
#define FIRST   0x50ull /* frames of the RAM where parts of the table are shown */
#define SECOND  0x51ull
#define LIST    0x20000ull
#define STATUS  XENMAPIDX_grant_table_status
#define NOWHERE 99 /* a domain that there is not */

static uint8_t *page(struct fake *f, uint64_t frame)
{
	return f->ram + frame * GUEST_PAGE_SIZE;
}

/*
 * GNTTABOP_query_size.
 */

static long query(struct fake *f, domid_t dom, struct gnttab_query_size *op)
{
	*op = (struct gnttab_query_size){.dom = dom, .nr_frames = 77, .max_nr_frames = 88};
	return fake_grant_op(f, GNTTABOP_query_size, op, sizeof(*op));
}

static void assert_size(struct fake *f, unsigned frames)
{
	struct gnttab_query_size op;

	assert_int_equal(query(f, DOMID_SELF, &op), 0);
	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(op.nr_frames, frames);
	assert_int_equal(op.max_nr_frames, f->domain.grants.max_frames);
}

static void sizes(void **state)
{
	struct fake *f = *state;
	struct gnttab_query_size op;

	assert_size(f, 1);
	assert_int_equal(f->domain.grants.max_frames, 64);
	assert_int_equal(query(f, FAKE_DOMID, &op), 0);
	assert_int_equal(op.status, GNTST_okay);
	assert_int_equal(query(f, 0, &op), 0);
	assert_int_equal(op.status, GNTST_permission_denied);
	assert_int_equal(query(f, NOWHERE, &op), 0);
	assert_int_equal(op.status, GNTST_bad_domain);
	assert_int_equal(op.nr_frames, 77);
	assert_int_equal(op.max_nr_frames, 88);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_query_size, FAKE_ARG, 2),
		       XEN_EINVAL);
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_query_size, FAKE_ARG, 0),
		       XEN_EINVAL);
}

static void configured_sizes(void **state)
{
	struct fake *f = *state;
	struct grant_table *g = &f->domain.grants;

	assert_int_equal(grants_configure(g, 0, 1, 2), -XEN_EINVAL);
	assert_int_equal(grants_configure(g, GRANT_FRAMES_MAX + 1, 1, 2), -XEN_EINVAL);
	assert_int_equal(grants_configure(g, 1, 1, 0), -XEN_EINVAL);
	assert_int_equal(grants_configure(g, 1, 1, 3), -XEN_EINVAL);
	assert_int_equal(g->max_frames, 64);
	assert_int_equal(grants_configure(g, 3, 0, 1), 0);
	assert_size(f, 1);
	assert_int_equal(fake_show_grants(f, 2, FIRST), 0);
	assert_size(f, 3);
	assert_refused(f, fake_show_grants(f, 3, FIRST), XEN_EINVAL);
	assert_int_equal(grants_configure(g, GRANT_FRAMES_MAX, 0, 1), 0);
	assert_int_equal(fake_show_grants(f, GRANT_FRAMES_MAX - 1, FIRST), 0);
	assert_size(f, GRANT_FRAMES_MAX);
	assert_refused(f, fake_show_grants(f, GRANT_FRAMES_MAX, FIRST), XEN_EINVAL);
}

/*
 * Frames.
 */

static void frames_are_seen(void **state)
{
	struct fake *f = *state;
	struct grant_mapping m;
	struct grant_entry_v1 *entry;

	memset(page(f, FIRST), 0xaa, GUEST_PAGE_SIZE);
	assert_int_equal(fake_show_grants(f, 0, FIRST), 0);
	entry = (void *)page(f, FIRST);
	assert_int_equal(entry[9].flags, 0);
	/* What the guest writes there is the table. */
	entry[9] = (struct grant_entry_v1){.flags = GTF_permit_access, .domid = 0, .frame = PAGE};
	assert_int_equal(grant_map(&f->domain, 9, false, &m), GNTST_okay);
	assert_int_equal(entry[9].flags, GTF_permit_access | GTF_reading);
	grant_unmap(&f->domain, &m, false);
	/* At another frame it is the same, and the RAM is what it was. */
	assert_int_equal(fake_show_grants(f, 0, SECOND), 0);
	entry = (void *)page(f, SECOND);
	assert_int_equal(entry[9].frame, PAGE);
	assert_int_equal(page(f, FIRST)[100], 0xaa);
	/* And where no RAM is. */
	assert_int_equal(fake_show_grants(f, 0, FAKE_HOLE >> GUEST_PAGE_SHIFT), 0);
	entry = fake_at(f, FAKE_HOLE);
	assert_int_equal(entry[9].frame, PAGE);
	assert_int_equal(fake_show_grants(f, 0, FIRST), 0);
	assert_null(fake_at(f, FAKE_HOLE));
}

static void a_table_grows(void **state)
{
	struct fake *f = *state;
	struct grant_mapping m;

	assert_int_equal(grant_map(&f->domain, 512, false, &m), GNTST_bad_gntref);
	assert_int_equal(fake_show_grants(f, 1, FIRST), 0);
	assert_size(f, 2);
	assert_int_equal(grant_map(&f->domain, 512, false, &m), GNTST_general_error);
	fake_grant(f, 1023, GTF_permit_access, 0, PAGE);
	assert_int_equal(grant_map(&f->domain, 1023, true, &m), GNTST_okay);
	assert_int_equal(((uint16_t *)page(f, FIRST))[511 * 4],
			 GTF_permit_access | GTF_reading | GTF_writing);
	grant_unmap(&f->domain, &m, true);
	assert_int_equal(fake_show_grants(f, 63, SECOND), 0);
	assert_size(f, 64);
	assert_refused(f, fake_show_grants(f, 64, SECOND), XEN_EINVAL);
	assert_refused(f, fake_show_grants(f, 0xffffffff, SECOND), XEN_EINVAL);
	assert_refused(f, fake_show_grants(f, STATUS, SECOND), XEN_EINVAL); /* in version 1 */
}

/* The last that was put there is seen; the other one is nowhere. */
static void pages_take_each_others_place(void **state)
{
	struct fake *f = *state;
	struct domain *d = &f->domain;

	assert_int_equal(shared_info_map(d, gfn(FIRST)), 0);
	assert_int_equal(fake_show_grants(f, 0, FIRST), 0);
	assert_int_equal(overlay_at(&d->memslots, gfn(FIRST)), OVERLAY_GRANT_FRAMES);
	assert_false(d->shared_info_mapped);
	/* Its old place is another's now, and stays that. */
	assert_int_equal(shared_info_map(d, gfn(SECOND)), 0);
	assert_int_equal(overlay_at(&d->memslots, gfn(FIRST)), OVERLAY_GRANT_FRAMES);
	assert_int_equal(fake_show_grants(f, 1, FIRST), 0);
	assert_int_equal(grants_frame_gfn(d, 0), UINT64_MAX);
	assert_int_equal(grants_frame_gfn(d, 1), FIRST);
	assert_int_equal(shared_info_map(d, gfn(FIRST)), 0);
	assert_int_equal(grants_frame_gfn(d, 1), UINT64_MAX);
	assert_int_equal(overlay_at(&d->memslots, gfn(SECOND)), -ENOENT);
}

static void frames_that_cannot_be_shown(void **state)
{
	struct fake *f = *state;
	struct grant_mapping m;

	f->overlay_map_rc = -ENOMEM;
	assert_refused(f, fake_show_grants(f, 0, FIRST), XEN_ENOMEM);
	f->overlay_map_rc = 0;
	assert_int_equal(fake_show_grants(f, 0, FIRST), 0);
	f->overlay_unmap_rc = -EIO;
	f->overlay_unmap_fails = 1;
	assert_int_equal(fake_show_grants(f, 0, SECOND), -XEN_EIO);
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(FIRST)), OVERLAY_GRANT_FRAMES);
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(SECOND)), -ENOENT);
	/* The same where another was. */
	assert_int_equal(fake_show_grants(f, 1, SECOND), 0);
	f->overlay_unmap_fails = 1;
	assert_int_equal(fake_show_grants(f, 0, SECOND), -XEN_EIO);
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(FIRST)), OVERLAY_GRANT_FRAMES);
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(SECOND)), OVERLAY_GRANT_FRAMES + 1);
	/* Not over a page that a backend uses. */
	fake_grant(f, 20, GTF_permit_access, 0, PAGE);
	assert_int_equal(grant_map(&f->domain, 20, false, &m), GNTST_okay);
	assert_refused(f, fake_show_grants(f, 0, PAGE), XEN_EBUSY);
	grant_unmap(&f->domain, &m, false);
	assert_int_equal(fake_show_grants(f, 0, PAGE), 0);
}

/*
 * GNTTABOP_setup_table.
 */

struct setup {
	domid_t dom;
	uint32_t nr_frames;
	uint64_t list;
	int16_t status;
};

static long setup_n(struct fake *f, struct setup *s, uint64_t count)
{
	struct gnttab_setup_table native = {.dom = s->dom, .nr_frames = s->nr_frames, .status = 55};
	struct gnttab_setup_table_x86_32 compat = {
		.dom = s->dom, .nr_frames = s->nr_frames, .status = 55, .frame_list = s->list};
	void *arg = fake_at(f, FAKE_ARG);
	long rc;

	native.frame_list.p = (void *)s->list;
	if (f->long_mode)
		memcpy(arg, &native, sizeof(native));
	else
		memcpy(arg, &compat, sizeof(compat));
	rc = fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, FAKE_ARG, count);
	memcpy(&native, arg, sizeof(native));
	s->status = native.status;
	return rc;
}

static int setup(struct fake *f, domid_t dom, uint32_t nr_frames, uint64_t list)
{
	struct setup s = {.dom = dom, .nr_frames = nr_frames, .list = list};

	assert_int_equal(setup_n(f, &s, 1), 0);
	return s.status;
}

static uint64_t listed(struct fake *f, unsigned i)
{
	uint64_t word = 0;
	size_t size = f->long_mode ? 8 : 4;

	memcpy(&word, f->ram + LIST + i * size, size);
	return word;
}

static void set_up(void **state)
{
	struct fake *f = *state;
	uint64_t nowhere = f->long_mode ? UINT64_MAX : UINT32_MAX;
	struct setup none = {.dom = DOMID_SELF, .nr_frames = 1, .list = LIST};

	assert_int_equal(fake_show_grants(f, 1, FIRST), 0);
	assert_int_equal(setup(f, DOMID_SELF, 3, LIST), GNTST_okay);
	assert_int_equal(listed(f, 0), nowhere);
	assert_int_equal(listed(f, 1), FIRST);
	assert_int_equal(listed(f, 2), nowhere);
	assert_int_equal(listed(f, 3), 0);
	assert_size(f, 3);
	assert_int_equal(setup(f, DOMID_SELF, 0, FAKE_HOLE), GNTST_okay);
	assert_int_equal(setup(f, DOMID_SELF, 64, LIST), GNTST_okay);
	assert_int_equal(setup(f, DOMID_SELF, 65, LIST), GNTST_general_error);
	assert_int_equal(setup(f, DOMID_SELF, ~0u, LIST), GNTST_general_error);
	assert_int_equal(setup(f, DOMID_SELF, 1, FAKE_HOLE),
			 f->long_mode ? GNTST_bad_virt_addr : GNTST_okay);
	assert_int_equal(setup(f, NOWHERE, 1, LIST), GNTST_bad_domain);
	assert_int_equal(setup(f, 0, 1, LIST), GNTST_permission_denied);
	assert_int_equal(setup_n(f, &none, 2), -XEN_EINVAL);
	assert_int_equal(none.status, 55);
	assert_int_equal(setup_n(f, &none, 0), f->long_mode ? -XEN_EINVAL : 0);
	assert_int_equal(none.status, 55);
}

/*
 * Versions.
 */

static long set_version(struct fake *f, uint32_t version, uint32_t *now)
{
	struct gnttab_set_version op = {.version = version};
	long rc = fake_grant_op(f, GNTTABOP_set_version, &op, sizeof(op));

	*now = op.version;
	return rc;
}

static long get_version(struct fake *f, domid_t dom, uint32_t *now)
{
	struct gnttab_get_version op = {.dom = dom, .version = 77};
	long rc = fake_grant_op(f, GNTTABOP_get_version, &op, sizeof(op));

	*now = op.version;
	return rc;
}

static void versions(void **state)
{
	struct fake *f = *state;
	uint32_t now;

	assert_int_equal(get_version(f, DOMID_SELF, &now), 0);
	assert_int_equal(now, 1);
	assert_int_equal(set_version(f, 1, &now), 0);
	assert_int_equal(set_version(f, 2, &now), 0);
	assert_int_equal(now, 2);
	assert_int_equal(get_version(f, FAKE_DOMID, &now), 0);
	assert_int_equal(now, 2);
	assert_int_equal(set_version(f, 3, &now), -XEN_EINVAL);
	assert_int_equal(now, 2);
	assert_int_equal(set_version(f, 0, &now), -XEN_EINVAL);
	assert_int_equal(now, 2);
	assert_int_equal(get_version(f, 0, &now), -XEN_EPERM);
	assert_int_equal(now, 77);
	assert_int_equal(get_version(f, NOWHERE, &now), -XEN_ESRCH);
	assert_int_equal(set_version(f, 1, &now), 0);
	assert_int_equal(now, 1);
	assert_int_equal(grants_configure(&f->domain.grants, 64, 1024, 1), 0);
	assert_int_equal(set_version(f, 2, &now), -XEN_ENOSYS);
	assert_int_equal(now, 1);
	assert_refused(
		f, fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_set_version, FAKE_ARG, ~0u),
		XEN_EINVAL);
	assert_refused(
		f, fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_get_version, FAKE_ARG, ~0u),
		XEN_EINVAL);
	/* Their number does not count. */
	assert_int_equal(
		fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_get_version, FAKE_ARG, 0),
		-XEN_ESRCH);
}

/* All entries go but the toolstack's. */
static void entries_of_another_version(void **state)
{
	const struct grant_table *g = &((struct fake *)*state)->domain.grants;
	struct fake *f = *state;
	uint32_t now;

	fake_grant(f, 1, GTF_permit_access, 0, PAGE);
	fake_grant(f, 3, GTF_permit_access | GTF_readonly, 5, PAGE + 1);
	fake_grant(f, 8, GTF_permit_access, 0, PAGE);
	assert_int_equal(set_version(f, 2, &now), 0);
	assert_int_equal(grant_v2(g, 1)->hdr.flags, GTF_permit_access);
	assert_int_equal(grant_v2(g, 1)->full_page.frame, PAGE);
	assert_int_equal(grant_v2(g, 3)->hdr.flags, GTF_permit_access | GTF_readonly);
	assert_int_equal(grant_v2(g, 3)->hdr.domid, 5);
	assert_int_equal(grant_v2(g, 8)->hdr.flags, 0);
	fake_grant(f, 4, GTF_accept_transfer, 0, PAGE);
	assert_int_equal(set_version(f, 1, &now), 0);
	assert_int_equal(grant_v1(g, 1)->frame, PAGE);
	assert_int_equal(grant_v1(g, 3)->domid, 5);
	assert_int_equal(grant_v1(g, 4)->flags, 0);
	for (grant_ref_t i = 8; i < 512; i++)
		assert_int_equal(grant_v1(g, i)->flags | grant_v1(g, i)->frame, 0);
}

static void versions_while_in_use(void **state)
{
	struct fake *f = *state;
	struct grant_mapping m;
	uint32_t now;

	fake_grant(f, 8, GTF_permit_access, 0, PAGE);
	assert_int_equal(grant_map(&f->domain, 8, false, &m), GNTST_okay);
	assert_int_equal(set_version(f, 1, &now), 0);
	assert_int_equal(set_version(f, 2, &now), -XEN_EBUSY);
	assert_int_equal(now, 1);
	grant_unmap(&f->domain, &m, false);
	assert_int_equal(set_version(f, 2, &now), 0);
	fake_grant(f, 255, GTF_permit_access, 0, PAGE);
	assert_int_equal(grant_map(&f->domain, 255, false, &m), GNTST_okay);
	assert_int_equal(set_version(f, 1, &now), -XEN_EBUSY);
	assert_int_equal(now, 2);
	grant_unmap(&f->domain, &m, false);
}

static void what_version_1_cannot_say(void **state)
{
	struct fake *f = *state;
	uint32_t now;

	fake_grant_version(f, 2);
	fake_grant(f, 7, GTF_transitive, 0, 0);
	assert_int_equal(set_version(f, 1, &now), -XEN_ERANGE);
	assert_int_equal(now, 2);
	fake_grant(f, 7, GTF_permit_access, 0, 1ull << 32);
	assert_int_equal(set_version(f, 1, &now), -XEN_ERANGE);
	fake_grant(f, 7, GTF_accept_transfer, 0, 1ull << 32);
	assert_int_equal(set_version(f, 1, &now), 0);
}

static void status_frames(void **state)
{
	struct fake *f = *state;
	struct grant_mapping m;
	uint32_t now;

	memset(page(f, FIRST), 0xaa, GUEST_PAGE_SIZE);
	fake_grant_version(f, 2);
	assert_int_equal(f->domain.grants.nr_statuses, 1);
	assert_int_equal(fake_show_grants(f, STATUS, FIRST), 0);
	fake_grant(f, 100, GTF_permit_access, 0, PAGE);
	assert_int_equal(grant_map(&f->domain, 100, true, &m), GNTST_okay);
	assert_int_equal(((grant_status_t *)page(f, FIRST))[100], GTF_reading | GTF_writing);
	grant_unmap(&f->domain, &m, true);
	assert_int_equal(((grant_status_t *)page(f, FIRST))[100], 0);
	assert_int_equal(fake_show_grants(f, 8, SECOND), 0);
	assert_int_equal(f->domain.grants.nr_statuses, 2);
	assert_int_equal(fake_show_grants(f, STATUS | 2, SECOND), 0);
	assert_size(f, 24);
	assert_int_equal(fake_show_grants(f, STATUS | 7, SECOND), 0);
	assert_size(f, 64);
	assert_refused(f, fake_show_grants(f, STATUS | 8, SECOND), XEN_EINVAL);
	assert_refused(f, fake_show_grants(f, STATUS | 0x7fffffff, SECOND), XEN_EINVAL);
	/* They go with version 2. */
	assert_int_equal(set_version(f, 1, &now), 0);
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(FIRST)), -ENOENT);
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(SECOND)), -ENOENT);
	assert_int_equal(page(f, FIRST)[0], 0xaa);
}

/* The guest sees words that there are no more: it cannot go on. */
static void status_frames_that_stay(void **state)
{
	struct fake *f = *state;
	uint32_t now;

	fake_grant_version(f, 2);
	assert_int_equal(fake_show_grants(f, STATUS, FIRST), 0);
	f->overlay_unmap_rc = -EIO;
	f->overlay_unmap_fails = 1;
	assert_int_equal(set_version(f, 1, &now), -XEN_EIO);
	assert_int_equal(f->shutdowns, 1);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_crash);
}

/*
 * GNTTABOP_swap_grant_ref.
 */

static int swap(struct fake *f, grant_ref_t a, grant_ref_t b)
{
	struct gnttab_swap_grant_ref op = {.ref_a = a, .ref_b = b, .status = 55};

	assert_int_equal(fake_grant_op(f, GNTTABOP_swap_grant_ref, &op, sizeof(op)), 0);
	return op.status;
}

static void check_swap(struct fake *f, unsigned entries)
{
	struct grant_mapping m;

	fake_grant(f, 20, GTF_permit_access, 0, PAGE);
	fake_grant(f, 21, GTF_permit_access | GTF_readonly, 0, PAGE + 1);
	assert_int_equal(swap(f, 20, 21), GNTST_okay);
	assert_int_equal(grant_map(&f->domain, 21, true, &m), GNTST_okay);
	assert_ptr_equal(m.hva, page(f, PAGE));
	assert_int_equal(swap(f, 20, 21), GNTST_eagain);
	assert_int_equal(swap(f, 21, 20), GNTST_eagain);
	assert_int_equal(swap(f, 21, 21), GNTST_okay);
	grant_unmap(&f->domain, &m, true);
	assert_int_equal(grant_map(&f->domain, 20, true, &m), GNTST_general_error);
	assert_int_equal(grant_map(&f->domain, 20, false, &m), GNTST_okay);
	assert_ptr_equal(m.hva, page(f, PAGE + 1));
	grant_unmap(&f->domain, &m, true);
	assert_int_equal(swap(f, entries, 20), GNTST_bad_gntref);
	assert_int_equal(swap(f, 20, entries), GNTST_bad_gntref);
	assert_int_equal(swap(f, entries, entries), GNTST_bad_gntref);
	assert_int_equal(swap(f, ~0u, 20), GNTST_bad_gntref);
}

static void swaps(void **state)
{
	struct fake *f = *state;

	check_swap(f, 512);
	fake_grant_version(f, 2);
	check_swap(f, 256);
}

/* One after another, each with its status, as far as the arguments go. */
static void arrays(void **state)
{
	struct fake *f = *state;
	struct gnttab_swap_grant_ref op[3] = {
		{.ref_a = 20, .ref_b = 21, .status = 55},
		{.ref_a = 9999, .ref_b = 21, .status = 55},
		{.ref_a = 21, .ref_b = 22, .status = 55},
	};
	uint64_t nr = __HYPERVISOR_grant_table_op, end = FAKE_RAM_SIZE - 2 * sizeof(op[0]);

	fake_grant(f, 20, GTF_permit_access, 1, PAGE);
	memcpy(fake_at(f, FAKE_ARG), op, sizeof(op));
	assert_int_equal(fake_call(f, nr, GNTTABOP_swap_grant_ref, FAKE_ARG, 3), 0);
	memcpy(op, fake_at(f, FAKE_ARG), sizeof(op));
	assert_int_equal(op[0].status, GNTST_okay);
	assert_int_equal(op[1].status, GNTST_bad_gntref);
	assert_int_equal(op[2].status, GNTST_okay);
	assert_int_equal(grant_v1(&f->domain.grants, 22)->domid, 1);
	assert_int_equal(fake_call(f, nr, GNTTABOP_swap_grant_ref, FAKE_HOLE, 0), 0);
	assert_refused(f, fake_call(f, nr, GNTTABOP_swap_grant_ref, FAKE_ARG, 1u << 31),
		       XEN_EINVAL);
	assert_refused(f, fake_call(f, nr, GNTTABOP_swap_grant_ref, FAKE_HOLE, 1), XEN_EFAULT);
	/* Two are there, the third is not. */
	op[0] = (struct gnttab_swap_grant_ref){.ref_a = 22, .ref_b = 30};
	op[1] = (struct gnttab_swap_grant_ref){.ref_a = 30, .ref_b = 31};
	memcpy(f->ram + end, op, 2 * sizeof(op[0]));
	assert_int_equal(fake_call(f, nr, GNTTABOP_swap_grant_ref, end, 3), -XEN_EFAULT);
	assert_int_equal(grant_v1(&f->domain.grants, 31)->domid, 1);
}

static void what_hvm_guests_have_not(void **state)
{
	static const unsigned ops[] = {GNTTABOP_dump_table,          GNTTABOP_transfer,
				       GNTTABOP_unmap_and_replace,   GNTTABOP_get_status_frames,
				       GNTTABOP_cache_flush,         13,
				       0x1000 | GNTTABOP_query_size, 0xffffffff};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
		assert_refused(f, fake_call(f, __HYPERVISOR_grant_table_op, ops[i], FAKE_ARG, 1),
			       XEN_ENOSYS);
}

static void no_memory(void **state)
{
	struct fake *f = *state;

	/* One frame after the other, until one cannot be had. */
	fail_alloc(3);
	assert_int_equal(fake_show_grants(f, 20, FIRST), -XEN_ENOMEM);
	fail_alloc(0);
	assert_size(f, 1);
	assert_int_equal(fake_show_grants(f, 20, FIRST), 0);
	assert_size(f, 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(sizes),
		TEST_64(configured_sizes),
		TEST_BOTH(frames_are_seen),
		TEST_BOTH(a_table_grows),
		TEST_BOTH(pages_take_each_others_place),
		TEST_BOTH(frames_that_cannot_be_shown),
		TEST_BOTH(set_up),
		TEST_BOTH(versions),
		TEST_BOTH(entries_of_another_version),
		TEST_BOTH(versions_while_in_use),
		TEST_BOTH(what_version_1_cannot_say),
		TEST_BOTH(status_frames),
		TEST_BOTH(status_frames_that_stay),
		TEST_BOTH(swaps),
		TEST_BOTH(arrays),
		TEST_BOTH(what_hvm_guests_have_not),
		TEST_64(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
