// SPDX-License-Identifier: BSD-2-Clause
/*
 * A PV guest's frames: lists of them given and taken, exchanged, in use or not, arguments good and
 * bad. After each step the reservation, the frame table and the M2P must agree.
 */
#include <string.h>

#include "shim/fake_reservation.h"
#include "shim/fuzz_input.h"

#define ARGUMENT  0x20800ull
#define OUT       0x28000ull
#define MOST      16 /* entries of a list */
#define MAX_STEPS 256

struct fuzz {
	struct fake *f;
	struct input in;
};

/* One of RAM, mostly. */
static uint64_t frame(struct fuzz *z)
{
	uint8_t where = take(&z->in, 1);

	switch (where % 8) {
	case 0:
		return HIGH + where / 8;
	case 1:
		return RAM_END - 8 + where / 8;
	case 2:
		return pv_overlay_mfn(where / 8);
	case 3:
		return where & 8 ? take(&z->in, 8) : FAKE_FRAMES;
	default:
		return 0x40 + where / 4;
	}
}

static struct call some_extents(struct fuzz *z, uint64_t list)
{
	uint8_t flags = take(&z->in, 1);

	return (struct call){
		.nr = take(&z->in, 1) % (MOST + 2),
		.order = take(&z->in, 1) % 11,
		.flags = flags < 0x40 ? XENMEMF_address_bits(flags) : 0,
		.domid = DOMID_SELF,
		.list = flags == 0xff ? FAKE_HOLE : list,
	};
}

static void write_list(struct fuzz *z, uint64_t list)
{
	for (unsigned i = 0; i < MOST; i++)
		write_frame(z->f, list, i, frame(z));
}

static void adjust(struct fuzz *z)
{
	static const unsigned cmds[] = {XENMEM_decrease_reservation, XENMEM_populate_physmap,
					XENMEM_increase_reservation};
	const struct call c = some_extents(z, LIST);
	struct xen_memory_reservation r = native_of(&c);
	unsigned cmd = cmds[take(&z->in, 1) % ARRAY_SIZE(cmds)];
	long rc;

	write_list(z, LIST);
	memcpy(fake_at(z->f, ARGUMENT), &r, sizeof(r));
	rc = fake_call(z->f, __HYPERVISOR_memory_op, cmd, ARGUMENT, 0);
	if (rc < 0 || rc > (long)c.nr)
		fail("operation %u on %llu extents gives %ld\n", cmd, (unsigned long long)c.nr, rc);
}

static void exchange(struct fuzz *z)
{
	struct call in = some_extents(z, LIST), out = some_extents(z, OUT);
	struct xen_memory_exchange x = {.nr_exchanged = take(&z->in, 1) % 4};
	uint64_t before = z->f->domain.reservation.pages;

	/* As many pages, mostly. */
	in.order %= 5;
	out.order %= 5;
	if (take(&z->in, 1) % 8)
		out.nr = in.nr << in.order >> out.order;
	x.in = native_of(&in);
	x.out = native_of(&out);
	write_list(z, LIST);
	write_list(z, OUT);
	memcpy(fake_at(z->f, ARGUMENT), &x, sizeof(x));
	fake_call(z->f, __HYPERVISOR_memory_op, XENMEM_exchange, ARGUMENT, 0);
	if (z->f->domain.reservation.pages > before)
		fail("an exchange has made pages\n");
}

/* What the monitor would do: one more use of a frame, or one less. */
static void use(struct fuzz *z)
{
	uint64_t mfn = frame(z);
	struct pv_frame *f;
	bool more = take(&z->in, 1) & 1;

	if (mfn >= FAKE_FRAMES)
		return;
	f = &z->f->frames[mfn];
	if (more && f->refs && f->refs < 5)
		f->refs++;
	else if (!more && f->refs > (f->flags & PV_FRAME_RAM ? 1u : 0u) + f->type_refs)
		f->refs--;
}

static void name_a_frame(struct fuzz *z)
{
	struct physdev_pirq_eoi_gmfn eoi = {.gmfn = frame(z)};
	struct vcpu_register_vcpu_info info = {.mfn = frame(z)};
	unsigned vcpu = take(&z->in, 1) % FAKE_VCPUS;

	memcpy(fake_at(z->f, ARGUMENT), &eoi, sizeof(eoi));
	fake_call(z->f, __HYPERVISOR_physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2, ARGUMENT, 0);
	memcpy(fake_at(z->f, ARGUMENT), &info, sizeof(info));
	fake_call(z->f, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, vcpu, ARGUMENT);
}

static void step(struct fuzz *z)
{
	struct domain *d = &z->f->domain;

	switch (take(&z->in, 1) % 8) {
	case 0:
	case 1:
	case 2:
		adjust(z);
		break;
	case 3:
	case 4:
		exchange(z);
		break;
	case 5:
		use(z);
		break;
	case 6:
		name_a_frame(z);
		break;
	default:
		domain_set_memory_target(d, take(&z->in, 2) % (2 * FAKE_PAGES));
	}
}

static bool is_leaving(const struct domain *d, uint64_t mfn)
{
	return d->pv.leaving[mfn / 64] >> mfn % 64 & 1;
}

static void check_frame(const struct fake *f, uint64_t mfn)
{
	const struct pv_frame *p = &f->frames[mfn];
	bool there = domain_page_populated(&f->domain, gfn(mfn));
	bool leaving = is_leaving(&f->domain, mfn), allocated = p->flags & PV_FRAME_RAM;

	if (allocated && (!p->refs || !there || leaving))
		fail("frame %#llx is allocated, and it is not\n", (unsigned long long)mfn);
	if (!there && (p->refs || leaving || f->m2p[mfn] != PV_M2P_INVALID))
		fail("frame %#llx is gone, and it is not\n", (unsigned long long)mfn);
	if (there && !allocated && !leaving)
		fail("frame %#llx is nobody's, and not free\n", (unsigned long long)mfn);
}

static void check(const struct fake *f)
{
	const struct domain *d = &f->domain;
	uint64_t there, leaving = 0;

	for (uint64_t mfn = 0; mfn < RAM_END; mfn++) {
		check_frame(f, mfn);
		leaving += is_leaving(d, mfn);
	}
	for (uint64_t mfn = HIGH; mfn < HIGH_END; mfn++) {
		check_frame(f, mfn);
		leaving += is_leaving(d, mfn);
	}
	there = domain_count_populated(d, gfn(0), RAM_END) +
		domain_count_populated(d, gfn(HIGH), HIGH_END - HIGH);
	if (there != d->reservation.pages || leaving != d->pv.nr_leaving)
		fail("%llu pages are there, %llu counted\n", (unsigned long long)there,
		     (unsigned long long)d->reservation.pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = {.in = {data, size}};

	z.f = fake_create(true);
	if (!z.f || fake_make_pv(z.f))
		fail("no memory for a fake\n");
	for (unsigned i = 0; i < MAX_STEPS && z.in.left; i++) {
		step(&z);
		check(z.f);
	}
	fake_destroy(z.f);
	return 0;
}
