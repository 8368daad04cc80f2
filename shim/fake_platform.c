// SPDX-License-Identifier: BSD-2-Clause
#include "shim/fake_platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fake *fake_of(struct domain *d)
{
	return d->host;
}

static struct fake_vcpu *vcpu_of(struct vcpu *v)
{
	return v->host;
}

void *fake_at(struct fake *f, uint64_t addr)
{
	if (addr < FAKE_RAM_SIZE)
		return f->ram + addr;
	if (addr >= FAKE_HIGH && addr - FAKE_HIGH < FAKE_HIGH_SIZE)
		return f->high + (addr - FAKE_HIGH);
	for (unsigned i = 0; i < ARRAY_SIZE(f->overlay_slot); i++)
		if (f->overlay_slot_hva[i] && f->overlay_slot[i].v == addr >> GUEST_PAGE_SHIFT)
			return (uint8_t *)f->overlay_slot_hva[i] + addr % GUEST_PAGE_SIZE;
	return NULL;
}

/* Show one page of fd at hva, in place of what is there. */
static int cover(void *hva, int fd, uint64_t offset)
{
	void *page = mmap(hva, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			  (off_t)offset);

	return page == MAP_FAILED ? -XEN_ENOMEM : 0;
}

static int add_overlay_slot(struct fake *f, struct gfn at, uint64_t offset)
{
	void *hva;
	int rc;

	for (unsigned i = 0; i < ARRAY_SIZE(f->overlay_slot); i++) {
		if (f->overlay_slot_hva[i])
			continue;
		hva = mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->overlay_fd,
			   (off_t)offset);
		if (hva == MAP_FAILED)
			return -XEN_ENOMEM;
		rc = memslot_create(&f->domain.memslots, at, 1, hva);
		if (rc) {
			munmap(hva, GUEST_PAGE_SIZE);
			return rc;
		}
		f->overlay_slot[i] = at;
		f->overlay_slot_hva[i] = hva;
		return 0;
	}
	return -XEN_ENOMEM;
}

static int overlay_map(struct domain *d, enum overlay which, struct gfn at)
{
	struct fake *f = fake_of(d);
	uint64_t offset = (uint64_t)which * GUEST_PAGE_SIZE;
	void *hva = fake_at(f, gfn_to_gpa(at).v);
	int rc = f->overlay_map_rc;

	if (!rc)
		rc = hva ? cover(hva, f->overlay_fd, offset) : add_overlay_slot(f, at, offset);
	if (!rc)
		f->overlay_maps++;
	return rc;
}

static int remove_overlay_slot(struct fake *f, struct gfn at)
{
	for (unsigned i = 0; i < ARRAY_SIZE(f->overlay_slot); i++) {
		if (!f->overlay_slot_hva[i] || f->overlay_slot[i].v != at.v)
			continue;
		memslot_delete(&f->domain.memslots, at);
		munmap(f->overlay_slot_hva[i], GUEST_PAGE_SIZE);
		f->overlay_slot_hva[i] = NULL;
		return 0;
	}
	return -XEN_EINVAL;
}

static int overlay_unmap(struct domain *d, enum overlay which, struct gfn at)
{
	struct fake *f = fake_of(d);
	uint64_t addr = gfn_to_gpa(at).v;
	int rc;

	(void)which;
	if (f->overlay_unmap_fails) {
		f->overlay_unmap_fails--;
		return f->overlay_unmap_rc;
	}
	if (addr < FAKE_RAM_SIZE)
		rc = cover(f->ram + addr, f->ram_fd, addr);
	else if (addr >= FAKE_HIGH && addr - FAKE_HIGH < FAKE_HIGH_SIZE)
		rc = cover(fake_at(f, addr), f->ram_fd, FAKE_RAM_SIZE + (addr - FAKE_HIGH));
	else
		rc = remove_overlay_slot(f, at);
	if (!rc)
		f->overlay_unmaps++;
	return rc;
}

static const struct paging *paging(struct vcpu *v, bool exact)
{
	const struct fake_vcpu *fv = vcpu_of(v);

	return exact || !fv->likely_paging ? &fv->paging : fv->likely_paging;
}

static void upcall(struct vcpu *v)
{
	__atomic_fetch_add(&vcpu_of(v)->upcalls, 1, __ATOMIC_SEQ_CST);
}

static void upcall_method_changed(struct domain *d)
{
	fake_of(d)->methods_changed++;
}

static void time_area_moved(struct vcpu *v)
{
	vcpu_of(v)->time_area_moves++;
}

static uint64_t system_time(struct vcpu *v)
{
	return fake_of(v->domain)->now;
}

static uint64_t wallclock_base(struct domain *d)
{
	return fake_of(d)->wallclock;
}

static void set_timer(struct vcpu *v, uint64_t deadline)
{
	vcpu_of(v)->timer = deadline;
	vcpu_of(v)->timers_set++;
}

static void yield(struct vcpu *v)
{
	vcpu_of(v)->yields++;
}

static void shutdown(struct domain *d, int reason)
{
	struct fake *f = fake_of(d);

	f->shutdowns++;
	f->shutdown_reason = reason;
}

static void console_write(struct domain *d, const char *bytes, size_t len)
{
	struct fake *f = fake_of(d);

	for (size_t i = 0; i < len; i++, f->console_len++)
		if (f->console_len < sizeof(f->console))
			f->console[f->console_len] = bytes[i];
}

static void word_size_latched(struct domain *d)
{
	fake_of(d)->word_sizes_latched++;
}

static const struct platform_ops ops = {
	.overlay_map = overlay_map,
	.overlay_unmap = overlay_unmap,
	.paging = paging,
	.upcall = upcall,
	.upcall_method_changed = upcall_method_changed,
	.time_area_moved = time_area_moved,
	.system_time = system_time,
	.wallclock_base = wallclock_base,
	.set_timer = set_timer,
	.yield = yield,
	.shutdown = shutdown,
	.console_write = console_write,
	.word_size_latched = word_size_latched,
};

/* `size` bytes of fd from offset, or NULL. */
static void *map(int fd, uint64_t offset, uint64_t size)
{
	void *hva = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	return hva == MAP_FAILED ? NULL : hva;
}

static int create_memory(struct fake *f)
{
	f->ram_fd = memfd_create("fake-ram", MFD_CLOEXEC);
	f->overlay_fd = memfd_create("fake-overlay", MFD_CLOEXEC);
	if (f->ram_fd < 0 || f->overlay_fd < 0 ||
	    ftruncate(f->ram_fd, FAKE_RAM_SIZE + FAKE_HIGH_SIZE) ||
	    ftruncate(f->overlay_fd, OVERLAY_COUNT * GUEST_PAGE_SIZE))
		return -errno;
	f->ram = map(f->ram_fd, 0, FAKE_RAM_SIZE);
	f->high = map(f->ram_fd, FAKE_RAM_SIZE, FAKE_HIGH_SIZE);
	f->shared_info = map(f->overlay_fd, OVERLAY_SHARED_INFO, GUEST_PAGE_SIZE);
	return f->ram && f->high && f->shared_info ? 0 : -errno;
}

static int create_domain(struct fake *f, bool long_mode)
{
	struct domain *d = &f->domain;
	int rc = domain_init(d, &ops, f, FAKE_DOMID, f->shared_info);

	if (rc)
		return rc;
	d->long_mode = long_mode;
	d->max_pages = (FAKE_RAM_SIZE + FAKE_HIGH_SIZE) / GUEST_PAGE_SIZE;
	memslot_create(&d->memslots, gfn(0), FAKE_RAM_SIZE / GUEST_PAGE_SIZE, f->ram);
	memslot_create(&d->memslots, gpa_to_gfn(gpa(FAKE_HIGH)), FAKE_HIGH_SIZE / GUEST_PAGE_SIZE,
		       f->high);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		if (!domain_add_vcpu(d, &f->vcpu[i]))
			return -ENOMEM;
	runstate_start(d->vcpus[0], 0);
	return 0;
}

struct fake *fake_create(bool long_mode)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->ram_fd = f->overlay_fd = -1;
	f->long_mode = long_mode;
	if (create_memory(f) || create_domain(f, long_mode)) {
		fake_destroy(f);
		return NULL;
	}
	return f;
}

void fake_destroy(struct fake *f)
{
	if (f->domain.ops)
		domain_destroy(&f->domain);
	for (unsigned i = 0; i < ARRAY_SIZE(f->overlay_slot); i++)
		if (f->overlay_slot_hva[i])
			munmap(f->overlay_slot_hva[i], GUEST_PAGE_SIZE);
	if (f->shared_info)
		munmap(f->shared_info, GUEST_PAGE_SIZE);
	if (f->high)
		munmap(f->high, FAKE_HIGH_SIZE);
	if (f->ram)
		munmap(f->ram, FAKE_RAM_SIZE);
	if (f->ram_fd >= 0)
		close(f->ram_fd);
	if (f->overlay_fd >= 0)
		close(f->overlay_fd);
	free(f);
}

struct vcpu *fake_current(struct fake *f)
{
	return f->domain.vcpus[f->current];
}

long fake_call(struct fake *f, uint64_t nr, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	const struct hypercall h = {
		.nr = nr,
		.args = {arg0, arg1, arg2},
		.long_mode = f->long_mode,
		.cpl = f->cpl,
	};

	return hypercall_dispatch(fake_current(f), &h);
}

/* A failed hypercall must not write results: noted, for fake_changed() to tell. */
static void take_back(struct fake *f, void *arg, size_t len, long rc)
{
	const void *now = fake_at(f, FAKE_ARG);

	if (rc < 0 && memcmp(arg, now, len))
		f->results_of_failures++;
	memcpy(arg, now, len);
}

long fake_op(struct fake *f, uint64_t nr, uint64_t cmd, void *arg, size_t len)
{
	long rc;

	memcpy(fake_at(f, FAKE_ARG), arg, len);
	rc = fake_call(f, nr, cmd, FAKE_ARG, 0);
	take_back(f, arg, len, rc);
	return rc;
}

long fake_vcpu_op(struct fake *f, uint64_t cmd, uint64_t vcpu, void *arg, size_t len)
{
	long rc;

	memcpy(fake_at(f, FAKE_ARG), arg, len);
	rc = fake_call(f, __HYPERVISOR_vcpu_op, cmd, vcpu, FAKE_ARG);
	take_back(f, arg, len, rc);
	return rc;
}
