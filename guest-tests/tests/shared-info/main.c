// SPDX-License-Identifier: BSD-2-Clause
/*
 * shared_info appears where the guest wants it, and can move.
 *
 * XENMEM_add_to_physmap puts the one shared_info page at a guest frame: over RAM, which is then
 * hidden, or where nothing was. Linux maps it in the early boot and again on resume; a kexec'ed
 * kernel finds it at the frame of its predecessor and moves it. The page must be the same page
 * wherever it is, its clock running.
 *
 * Xen frees the RAM that the page replaced, and leaves a hole when the page moves on. Here the RAM
 * comes back as it was: "seen again" below, which is not asked of Xen itself (subject=xen).
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "shared_info mapped, moved, and its RAM seen again";

/* A port that nobody uses; its mask bit is the mark by which the page is known. */
#define MARK_PORT 500

static uint8_t first[PAGE_SIZE] PAGE_ALIGNED, second[PAGE_SIZE] PAGE_ALIGNED,
	third[PAGE_SIZE] PAGE_ALIGNED;

static unsigned long gfn_of(const void *p)
{
	return (unsigned long)p / PAGE_SIZE;
}

static long map_at(const void *p)
{
	return add_to_physmap(XENMAPSPACE_shared_info, 0, gfn_of(p));
}

static bool marked(const void *p)
{
	const struct shared_info *s = p;
	unsigned int bits = 8 * sizeof(xen_ulong_t);

	return READ_ONCE(s->evtchn_mask[MARK_PORT / bits]) >> MARK_PORT % bits & 1;
}

static void mark(void *p)
{
	struct shared_info *s = p;
	unsigned int bits = 8 * sizeof(xen_ulong_t);

	s->evtchn_mask[MARK_PORT / bits] |= (xen_ulong_t)1 << MARK_PORT % bits;
}

static bool is_pattern(const uint8_t *p, uint8_t byte)
{
	for (unsigned int i = 0; i < PAGE_SIZE; i += 511)
		if (READ_ONCE(p[i]) != byte)
			return false;
	return true;
}

static void over_ram(void)
{
	const struct shared_info *s = (const void *)first;
	uint32_t version, sec;

	memset(first, 0xa1, PAGE_SIZE);
	CHECK_EQ(map_at(first), 0);
	CHECK(!is_pattern(first, 0xa1), "the RAM is still there");
	version = READ_ONCE(s->wc_version);
	sec = READ_ONCE(s->wc_sec);
	CHECK(!(version & 1), "wall clock version %u is odd", version);
	CHECK(sec > 1577836800U, "wall clock says %u s after 1970", sec);
	CHECK_EQ(READ_ONCE(s->vcpu_info[0].evtchn_upcall_mask), 0);
	CHECK(READ_ONCE(s->vcpu_info[0].time.tsc_to_system_mul), "the clock has no rate");
	mark(first);
}

static void moved(void)
{
	memset(second, 0xb2, PAGE_SIZE);
	CHECK_EQ(map_at(second), 0);
	CHECK(marked(second), "the contents did not follow");
	if (!strstr(start_info_cmdline(), "subject=xen"))
		CHECK(is_pattern(first, 0xa1),
		      "the RAM under the first place is %#x, not as it was", first[0]);
	CHECK_EQ(map_at(second), 0);
	CHECK(marked(second), "mapping to the same place lost the page");
}

static uint8_t *where_no_ram(void)
{
	return (uint8_t *)(unsigned long)((ram_end_low() + (16UL << 20)) & ~(PAGE_SIZE - 1));
}

static void where_no_ram_is(void)
{
	uint8_t *beyond = where_no_ram();

	CHECK_EQ(map_at(beyond), 0);
	CHECK(marked(beyond), "the contents did not follow to %p", (void *)beyond);
	if (!strstr(start_info_cmdline(), "subject=xen"))
		CHECK(is_pattern(second, 0xb2), "the RAM under the second place is %#x", second[0]);
	CHECK(clock_read(&((struct shared_info *)(void *)beyond)->vcpu_info[0].time),
	      "the clock stands at 0");
}

/* The page is where no RAM is; its RAM pages are free again, except on Xen, where they are gone. */
static void refused(void)
{
	uint8_t *other = third;
	struct xen_add_to_physmap arg = {
		.domid = 0x1234,
		.space = XENMAPSPACE_shared_info,
		.gpfn = gfn_of(other),
	};

	memset(other, 0xc3, PAGE_SIZE);
	CHECK_EQ(add_to_physmap(XENMAPSPACE_shared_info, 1, gfn_of(other)), -XEN_EINVAL);
	CHECK_EQ(add_to_physmap(99, 0, gfn_of(other)), -XEN_EINVAL);
	CHECK_EQ(add_to_physmap(XENMAPSPACE_gmfn_foreign, 0, gfn_of(other)), -XEN_ENOSYS);
	CHECK_EQ(hypercall_memory_op(XENMEM_add_to_physmap, &arg), -XEN_ESRCH);
#ifdef __x86_64__
	CHECK_EQ(add_to_physmap(XENMAPSPACE_shared_info, 0, ~0UL), -XEN_EINVAL);
#endif
	CHECK(marked(where_no_ram()), "a refused request moved the page");
	CHECK(is_pattern(other, 0xc3), "a refused request changed RAM");
}

void test_main(void)
{
	over_ram();
	moved();
	where_no_ram_is();
	refused();
	test_success();
}
