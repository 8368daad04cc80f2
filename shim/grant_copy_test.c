// SPDX-License-Identifier: BSD-2-Clause
/* GNTTABOP_copy, in both word sizes: what may be copied from where to where. */
#include <string.h>

#include "shim/fake_grants.h"
#include "shim/fake_test.h"
#include "shim/grant_map.h"
#include "xen-abi/x86_32.h"

#define FROM    0x30ull
#define TO      0x31ull
#define SOURCE  20u /* grants of these */
#define DEST    21u
#define HOLE    (FAKE_HOLE >> GUEST_PAGE_SHIFT)
#define NOWHERE 99

#define SREF GNTCOPY_source_gref
#define DREF GNTCOPY_dest_gref

/* From SOURCE or FROM at 100 to DEST or TO at 200, 8 bytes, unless changed. */
struct wanted {
	uint16_t flags;
	uint64_t source, dest;
	domid_t source_dom, dest_dom;
	uint16_t source_offset, dest_offset, len;
};

static struct wanted want(uint16_t flags)
{
	return (struct wanted){
		.flags = flags,
		.source = flags & SREF ? SOURCE : FROM,
		.dest = flags & DREF ? DEST : TO,
		.source_dom = DOMID_SELF,
		.dest_dom = DOMID_SELF,
		.source_offset = 100,
		.dest_offset = 200,
		.len = 8,
	};
}

static void put_native(void *at, const struct wanted *w)
{
	struct gnttab_copy op = {
		.source = {.domid = w->source_dom, .offset = w->source_offset},
		.dest = {.domid = w->dest_dom, .offset = w->dest_offset},
		.len = w->len,
		.flags = w->flags,
		.status = 55,
	};

	op.source.u.gmfn = w->source;
	op.dest.u.gmfn = w->dest;
	memcpy(at, &op, sizeof(op));
}

static void put_compat(void *at, const struct wanted *w)
{
	const struct gnttab_copy_x86_32 op = {
		.source = {w->source, w->source_dom, w->source_offset},
		.dest = {w->dest, w->dest_dom, w->dest_offset},
		.len = w->len,
		.flags = w->flags,
		.status = 55,
	};

	memcpy(at, &op, sizeof(op));
}

static int status_at(struct fake *f, const uint8_t *at)
{
	int16_t status;

	memcpy(&status,
	       at + (f->long_mode ? offsetof(struct gnttab_copy, status)
				  : offsetof(struct gnttab_copy_x86_32, status)),
	       sizeof(status));
	return status;
}

static int copy(struct fake *f, struct wanted w)
{
	uint8_t *arg = fake_at(f, FAKE_ARG);

	if (f->long_mode)
		put_native(arg, &w);
	else
		put_compat(arg, &w);
	assert_int_equal(fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_copy, FAKE_ARG, 1), 0);
	assert_int_equal(fake_grant_status(f, SOURCE), 0);
	assert_int_equal(fake_grant_status(f, DEST), 0);
	assert_false(grants_in_use(&f->domain.grants, 0));
	return status_at(f, arg);
}

static uint8_t *bytes(struct fake *f, uint64_t frame, unsigned offset)
{
	return f->ram + frame * GUEST_PAGE_SIZE + offset;
}

static void grant_both(struct fake *f)
{
	fake_grant(f, SOURCE, GTF_permit_access | GTF_readonly, FAKE_DOMID, FROM);
	fake_grant(f, DEST, GTF_permit_access, FAKE_DOMID, TO);
}

static void all_ways(struct fake *f)
{
	grant_both(f);
	for (uint16_t flags = 0; flags < 4; flags++) {
		memset(bytes(f, TO, 0), 0, GUEST_PAGE_SIZE);
		memcpy(bytes(f, FROM, 100), "12345678", 8);
		assert_int_equal(copy(f, want(flags)), GNTST_okay);
		assert_memory_equal(bytes(f, TO, 199), "\00012345678", 10);
	}
}

static void from_anywhere_to_anywhere(void **state)
{
	struct fake *f = *state;

	all_ways(f);
	fake_grant_version(f, 2);
	all_ways(f);
}

static void domains(void **state)
{
	struct fake *f = *state;
	struct wanted w = want(SREF | DREF);

	grant_both(f);
	w.source_dom = w.dest_dom = FAKE_DOMID;
	assert_int_equal(copy(f, w), GNTST_okay);
	w.source_dom = NOWHERE;
	assert_int_equal(copy(f, w), GNTST_bad_domain);
	w.source_dom = 0; /* who grants us nothing */
	assert_int_equal(copy(f, w), GNTST_general_error);
	w.source = 512;
	assert_int_equal(copy(f, w), GNTST_bad_gntref);
	w.dest_dom = NOWHERE; /* looked at before any grant */
	assert_int_equal(copy(f, w), GNTST_bad_domain);
	/* Frames are one's own, and not even by number. */
	w = want(DREF);
	w.source_dom = FAKE_DOMID;
	assert_int_equal(copy(f, w), GNTST_permission_denied);
	w = want(SREF);
	w.dest_dom = 0;
	assert_int_equal(copy(f, w), GNTST_permission_denied);
	w.dest_dom = NOWHERE;
	assert_int_equal(copy(f, w), GNTST_permission_denied);
}

static void bounds(void **state)
{
	struct fake *f = *state;
	struct wanted w = want(0);

	w.source_offset = 4090;
	assert_int_equal(copy(f, w), GNTST_bad_copy_arg);
	w.len = 6;
	assert_int_equal(copy(f, w), GNTST_okay);
	w.dest_offset = 4091;
	assert_int_equal(copy(f, w), GNTST_bad_copy_arg);
	w.source_offset = 0xffff;
	w.len = 0xffff;
	assert_int_equal(copy(f, w), GNTST_bad_copy_arg);
	w = want(0);
	w.source_offset = w.dest_offset = 4096;
	w.len = 0;
	assert_int_equal(copy(f, w), GNTST_okay);
	/* The whole page, over itself. */
	w.source_offset = w.dest_offset = 0;
	w.len = 4096;
	memset(bytes(f, FROM, 0), 0x5a, 4096);
	assert_int_equal(copy(f, w), GNTST_okay);
	assert_memory_equal(bytes(f, TO, 0), bytes(f, FROM, 0), 4096);
	/* Within one page, overlapping. */
	memcpy(bytes(f, FROM, 0), "abcdefgh", 8);
	w = want(0);
	w.dest = FROM;
	w.source_offset = 0;
	w.dest_offset = 2;
	w.len = 6;
	assert_int_equal(copy(f, w), GNTST_okay);
	assert_memory_equal(bytes(f, FROM, 0), "ababcdef", 8);
}

static void frames_without_memory(void **state)
{
	struct fake *f = *state;
	struct wanted w = want(0);

	w.source = HOLE;
	assert_int_equal(copy(f, w), GNTST_bad_page);
	w = want(0);
	w.dest = HOLE;
	assert_int_equal(copy(f, w), GNTST_bad_page);
	w.dest = f->long_mode ? UINT64_MAX : UINT32_MAX;
	assert_int_equal(copy(f, w), GNTST_bad_page);
	fake_grant(f, SOURCE, GTF_permit_access, FAKE_DOMID, HOLE);
	assert_int_equal(copy(f, want(SREF)), GNTST_bad_page);
}

static void frames_that_were_given_back(void **state)
{
	struct fake *f = *state;
	const uint64_t from = FROM;

	grant_both(f);
	assert_int_equal(reservation_remove(&f->domain, &from, 1, 0), 1);
	assert_int_equal(copy(f, want(0)), GNTST_bad_page);
	assert_int_equal(copy(f, want(SREF)), GNTST_bad_page);
	assert_int_equal(copy(f, want(DREF)), GNTST_bad_page);
	assert_int_equal(reservation_populate(&f->domain, &from, 1, 0), 1);
	assert_int_equal(copy(f, want(SREF | DREF)), GNTST_okay);
}

static void grants_that_do_not_allow_it(void **state)
{
	struct fake *f = *state;
	struct wanted w = want(SREF);

	grant_both(f);
	fake_grant(f, SOURCE, GTF_permit_access, 0, FROM); /* to another */
	assert_int_equal(copy(f, want(SREF)), GNTST_general_error);
	fake_grant(f, SOURCE, GTF_permit_access, DOMID_SELF, FROM);
	assert_int_equal(copy(f, want(SREF)), GNTST_general_error);
	fake_grant(f, SOURCE, GTF_invalid, FAKE_DOMID, FROM);
	assert_int_equal(copy(f, want(SREF)), GNTST_general_error);
	fake_grant(f, DEST, GTF_permit_access | GTF_readonly, FAKE_DOMID, TO);
	assert_int_equal(copy(f, want(DREF)), GNTST_general_error);
	w.source = 512;
	assert_int_equal(copy(f, w), GNTST_bad_gntref);
	fake_grant_version(f, 2);
	fake_grant(f, SOURCE, GTF_transitive, FAKE_DOMID, 0);
	assert_int_equal(copy(f, want(SREF)), GNTST_general_error);
}

static void parts(void **state)
{
	struct fake *f = *state;
	struct wanted w = want(SREF | DREF);

	fake_grant_version(f, 2);
	grant_both(f);
	fake_grant_part(f, SOURCE, 0, FROM, 100, 8);
	grant_v2(&f->domain.grants, SOURCE)->hdr.domid = FAKE_DOMID;
	assert_int_equal(copy(f, w), GNTST_okay);
	w.source_offset = 99;
	assert_int_equal(copy(f, w), GNTST_general_error);
	w.source_offset = 101;
	assert_int_equal(copy(f, w), GNTST_general_error);
	w = want(SREF);
	w.len = 4000; /* the page counts first */
	assert_int_equal(copy(f, w), GNTST_bad_copy_arg);
	fake_grant_part(f, DEST, 0, TO, 200, 7);
	grant_v2(&f->domain.grants, DEST)->hdr.domid = FAKE_DOMID;
	assert_int_equal(copy(f, want(DREF)), GNTST_general_error);
}

/* A use by a backend does not hinder one's own, of another grant of the page; of the same it does.
 */
static void beside_a_backend(void **state)
{
	struct grant_mapping m;
	struct fake *f = *state;
	uint8_t *arg = fake_at(f, FAKE_ARG);
	struct wanted w = want(SREF);

	grant_both(f);
	fake_grant(f, 22, GTF_permit_access, 0, FROM);
	assert_int_equal(grant_map(&f->domain, 22, true, &m), GNTST_okay);
	w.source = 22;
	if (f->long_mode)
		put_native(arg, &w);
	else
		put_compat(arg, &w);
	assert_int_equal(fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_copy, FAKE_ARG, 1), 0);
	assert_int_equal(status_at(f, arg), GNTST_general_error);
	w.source = SOURCE;
	if (f->long_mode)
		put_native(arg, &w);
	else
		put_compat(arg, &w);
	assert_int_equal(fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_copy, FAKE_ARG, 1), 0);
	assert_int_equal(status_at(f, arg), GNTST_okay);
	assert_int_equal(fake_grant_status(f, 22), GTF_reading | GTF_writing);
	grant_unmap(&f->domain, &m, true);
}

static void many(void **state)
{
	struct fake *f = *state;
	unsigned size =
		f->long_mode ? sizeof(struct gnttab_copy) : sizeof(struct gnttab_copy_x86_32);
	uint8_t *arg = f->ram + 0x20000;

	for (unsigned i = 0; i < 500; i++) {
		struct wanted w = want(0);

		*bytes(f, FROM, i) = (uint8_t)(i * 7);
		w.source_offset = i;
		w.dest_offset = 4095 - i;
		w.len = i == 250 ? 4096 : 1;
		if (f->long_mode)
			put_native(arg + i * size, &w);
		else
			put_compat(arg + i * size, &w);
	}
	assert_int_equal(fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_copy, 0x20000, 500), 0);
	for (unsigned i = 0; i < 500; i++) {
		assert_int_equal(status_at(f, arg + i * size),
				 i == 250 ? GNTST_bad_copy_arg : GNTST_okay);
		if (i != 250)
			assert_int_equal(*bytes(f, TO, 4095 - i), (uint8_t)(i * 7));
	}
}

/* Who is to stop does not begin another one. */
static void stopped(void **state)
{
	struct fake *f = *state;
	uint8_t *arg = fake_at(f, FAKE_ARG);
	struct wanted w = want(0);

	put_native(arg, &w);
	f->vcpu[0].must_stop = true;
	assert_int_equal(fake_call(f, __HYPERVISOR_grant_table_op, GNTTABOP_copy, FAKE_ARG, 1), 0);
	assert_int_equal(status_at(f, arg), 55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(from_anywhere_to_anywhere),
		TEST_BOTH(domains),
		TEST_BOTH(bounds),
		TEST_BOTH(frames_without_memory),
		TEST_BOTH(frames_that_were_given_back),
		TEST_BOTH(grants_that_do_not_allow_it),
		TEST_BOTH(parts),
		TEST_BOTH(beside_a_backend),
		TEST_BOTH(many),
		TEST_64(stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
