// SPDX-License-Identifier: BSD-2-Clause
#include "shim/fake_platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/memslot/overlay.h"
#include "xen-abi/x86_32.h"

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
	struct memslot_hint hint = {0};
	void *hva = memslots_hva(memslots_enter(&f->domain.memslots), &hint, gpa(addr), 1, false);

	memslots_leave();
	return hva;
}

int fake_add_memory(struct fake *f, uint32_t id, uint64_t addr, uint64_t size, void *hva)
{
	const struct memslot_request request = {
		.slot = id, .gpa = addr, .size = size, .hva = (uintptr_t)hva};

	return memslots_set_slot(&f->domain.memslots, &request);
}

int fake_remove_memory(struct fake *f, uint32_t id)
{
	return fake_add_memory(f, id, 0, 0, NULL);
}

/*
 * Memory.
 */

static bool unmap_shall_fail(struct fake *f)
{
	if (!f->overlay_unmap_fails)
		return false;
	f->overlay_unmap_fails--;
	return true;
}

static int set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	struct fake *f = host;
	bool ram = old && (old->hva == f->ram || old->hva == f->high);

	return old && !new && !ram &&unmap_shall_fail(f) ? f->overlay_unmap_rc : 0;
}

static int log_get(void *host, const struct memslot *slot, uint64_t *bits)
{
	(void)host;
	(void)slot;
	(void)bits; /* this guest does not run, and writes nothing */
	return 0;
}

/* Show one page of fd at hva, in place of what is there. */
static int show(void *hva, int fd, uint64_t offset)
{
	void *page = mmap(hva, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			  (off_t)offset);

	return page == MAP_FAILED ? -ENOMEM : 0;
}

/* The RAM below stays in its file. */
static int cover(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct fake *f = host;
	int rc = f->overlay_map_rc;

	if (!rc)
		rc = show(hva, f->overlay_fd, (uint64_t)page * GUEST_PAGE_SIZE);
	if (rc)
		return rc;
	f->overlay_maps++;
	*aside = hva;
	return 0;
}

static int uncover(void *host, uint8_t *hva, void *aside)
{
	struct fake *f = host;
	uint64_t offset = hva >= f->ram && hva < f->ram + FAKE_RAM_SIZE
				  ? (uint64_t)(hva - f->ram)
				  : FAKE_RAM_SIZE + (uint64_t)(hva - f->high);

	(void)aside;
	if (unmap_shall_fail(f))
		return f->overlay_unmap_rc;
	f->overlay_unmaps++;
	return show(hva, f->ram_fd, offset);
}

static off_t overlay_offset(unsigned page)
{
	return (off_t)page * GUEST_PAGE_SIZE;
}

static int lend_page(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct fake *f = host;

	if (f->overlay_map_rc)
		return f->overlay_map_rc;
	if (pwrite(f->overlay_fd, hva, GUEST_PAGE_SIZE, overlay_offset(page)) != GUEST_PAGE_SIZE)
		return -ENOMEM;
	return cover(host, hva, page, aside);
}

static int take_page_back(void *host, uint8_t *hva, unsigned page, void *aside)
{
	uint8_t contents[GUEST_PAGE_SIZE];
	struct fake *f = host;
	int rc;

	memcpy(contents, hva, sizeof(contents));
	rc = uncover(host, hva, aside);
	if (rc)
		return rc;
	memcpy(hva, contents, sizeof(contents));
	memset(contents, 0, sizeof(contents));
	return pwrite(f->overlay_fd, contents, sizeof(contents), overlay_offset(page)) ==
			       sizeof(contents)
		       ? 0
		       : -ENOMEM;
}

static uint8_t *page_map(void *host, unsigned page)
{
	struct fake *f = host;
	void *hva;

	if (f->overlay_map_rc)
		return NULL;
	hva = mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->overlay_fd,
		   (off_t)page * GUEST_PAGE_SIZE);
	if (hva == MAP_FAILED)
		return NULL;
	f->overlay_maps++;
	return hva;
}

static void page_unmap(void *host, uint8_t *hva)
{
	struct fake *f = host;

	munmap(hva, GUEST_PAGE_SIZE);
	f->overlay_unmaps++;
}

static const struct memslot_ops memory = {
	.set_slot = set_slot,
	.log_get = log_get,
	.cover = cover,
	.uncover = uncover,
	.lend = lend_page,
	.take_back = take_page_back,
	.page_map = page_map,
	.page_unmap = page_unmap,
};

static const struct paging *paging(struct vcpu *v, bool exact)
{
	const struct fake_vcpu *fv = vcpu_of(v);

	return exact || !fv->likely_paging ? &fv->paging : fv->likely_paging;
}

static void upcall(struct vcpu *v)
{
	__atomic_fetch_add(&vcpu_of(v)->upcalls, 1, __ATOMIC_SEQ_CST);
	vcpu_upcall_sent(v);
}

static void set_gsi(struct domain *d, unsigned gsi, bool level)
{
	struct fake *f = fake_of(d);

	if (gsi >= FAKE_GSIS || f->gsi[gsi] == level)
		abort(); /* a change of a line that is there, or it is not called */
	f->gsi[gsi] = level;
	f->gsi_rises += level;
}

static void wake(struct vcpu *v)
{
	__atomic_fetch_add(&vcpu_of(v)->wakes, 1, __ATOMIC_SEQ_CST);
}

static void set_context(struct vcpu *v, const struct vcpu_context *c)
{
	vcpu_of(v)->contexts++;
	vcpu_of(v)->context = *c;
}

static void nmi(struct vcpu *v)
{
	__atomic_fetch_add(&vcpu_of(v)->nmis, 1, __ATOMIC_SEQ_CST);
}

static bool interrupts_enabled(struct vcpu *v)
{
	return vcpu_of(v)->interrupts;
}

static uint64_t run_delay(struct vcpu *v)
{
	return __atomic_load_n(&vcpu_of(v)->run_delay, __ATOMIC_RELAXED);
}

static bool must_stop(struct vcpu *v)
{
	return vcpu_of(v)->must_stop;
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
	return __atomic_load_n(&fake_of(v->domain)->now, __ATOMIC_RELAXED);
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

/* The RAM's file gives the memory back. */
static void ram_discard(struct domain *d, struct gfn base, uint64_t npages)
{
	struct fake *f = fake_of(d);
	uint64_t at = base.v << GUEST_PAGE_SHIFT;
	uint64_t offset = at < FAKE_HIGH ? at : FAKE_RAM_SIZE + (at - FAKE_HIGH);

	if (fallocate(f->ram_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)(npages << GUEST_PAGE_SHIFT)))
		abort();
	f->ram_discards++;
	f->ram_discarded += npages;
}

static void ram_populated(struct domain *d, struct gfn base, uint64_t npages)
{
	(void)base;
	fake_of(d)->ram_populated += npages;
}

static const struct platform_ops ops = {
	.memory = &memory,
	.ram_discard = ram_discard,
	.ram_populated = ram_populated,
	.paging = paging,
	.upcall = upcall,
	.set_gsi = set_gsi,
	.upcall_method_changed = upcall_method_changed,
	.time_area_moved = time_area_moved,
	.system_time = system_time,
	.wallclock_base = wallclock_base,
	.set_timer = set_timer,
	.wake = wake,
	.set_context = set_context,
	.nmi = nmi,
	.interrupts_enabled = interrupts_enabled,
	.run_delay = run_delay,
	.must_stop = must_stop,
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
	f->overlays = map(f->overlay_fd, 0, OVERLAY_MAPPED * GUEST_PAGE_SIZE);
	if (!f->ram || !f->high || !f->overlays)
		return -errno;
	f->shared_info = (uint8_t *)f->overlays + OVERLAY_SHARED_INFO * GUEST_PAGE_SIZE;
	return 0;
}

static int create_domain(struct fake *f, bool long_mode)
{
	struct domain *d = &f->domain;
	int rc = domain_init(d, &ops, f, FAKE_DOMID, f->overlays);

	if (rc) {
		d->ops = NULL; /* there is none to destroy */
		return rc;
	}
	d->long_mode = long_mode;
	rc = fake_add_memory(f, 0, 0, FAKE_RAM_SIZE, f->ram);
	if (!rc)
		rc = fake_add_memory(f, 1, FAKE_HIGH, FAKE_HIGH_SIZE, f->high);
	if (!rc)
		rc = domain_add_ram(d, gfn(0), FAKE_RAM_SIZE / GUEST_PAGE_SIZE);
	if (!rc)
		rc = domain_add_ram(d, gfn(FAKE_HIGH / GUEST_PAGE_SIZE),
				    FAKE_HIGH_SIZE / GUEST_PAGE_SIZE);
	if (rc)
		return rc;
	domain_set_memory_target(d, FAKE_PAGES);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		if (!domain_add_vcpu(d, &f->vcpu[i]))
			return -ENOMEM;
	fake_start(f, 0);
	return 0;
}

static void allocate(struct domain *d, uint64_t addr, uint64_t size)
{
	for (uint64_t at = addr; at < addr + size; at += GUEST_PAGE_SIZE) {
		pv_frame_allocate(d, at >> GUEST_PAGE_SHIFT);
		pv_set_m2p(d, at >> GUEST_PAGE_SHIFT, (at >> GUEST_PAGE_SHIFT) + 256, 1);
	}
}

/* Of which few pages are ever touched. */
#define TABLES_SIZE (FAKE_FRAMES * (sizeof(struct pv_frame) + sizeof(uint64_t)))

int fake_make_pv(struct fake *f)
{
	struct pv_machine m = {.max_mfn = FAKE_FRAMES, .m2p_mfn = FAKE_M2P, .grant = &f->grant};
	int rc;

	f->tables = mmap(NULL, TABLES_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->tables == MAP_FAILED) {
		f->tables = NULL;
		return -ENOMEM;
	}
	f->frames = m.frames = f->tables;
	f->m2p = m.m2p = (uint64_t *)(f->frames + FAKE_FRAMES);
	rc = fake_add_memory(f, 2, PV_SHARED_FRAMES, OVERLAY_MAPPED * GUEST_PAGE_SIZE, f->overlays);
	if (!rc)
		rc = domain_make_pv(&f->domain, &m);
	if (rc)
		return rc;
	allocate(&f->domain, 0, FAKE_RAM_SIZE);
	allocate(&f->domain, FAKE_HIGH, FAKE_HIGH_SIZE);
	return 0;
}

void fake_start(struct fake *f, unsigned vcpu)
{
	vcpu_started(f->domain.vcpus[vcpu]);
	vcpu_may_run(f->domain.vcpus[vcpu]);
}

void fake_revive(struct fake *f)
{
	f->domain.shutdown_code = SHUTDOWN_CODE_NONE;
	f->domain.shut_down = false;
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
	if (f->domain.ops) {
		f->overlay_unmap_fails = 0;
		overlay_hide_all(&f->domain.memslots);
		domain_destroy(&f->domain);
	}
	if (f->overlays)
		munmap(f->overlays, OVERLAY_MAPPED * GUEST_PAGE_SIZE);
	if (f->high)
		munmap(f->high, FAKE_HIGH_SIZE);
	if (f->ram)
		munmap(f->ram, FAKE_RAM_SIZE);
	if (f->ram_fd >= 0)
		close(f->ram_fd);
	if (f->overlay_fd >= 0)
		close(f->overlay_fd);
	if (f->tables)
		munmap(f->tables, TABLES_SIZE);
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

long fake_add_to_physmap(struct fake *f, uint64_t cmd, const struct xen_add_to_physmap *arg)
{
	struct xen_add_to_physmap native = *arg;
	struct xen_add_to_physmap_x86_32 compat = {.domid = arg->domid,
						   .size = arg->size,
						   .space = arg->space,
						   .idx = arg->idx,
						   .gpfn = arg->gpfn};

	return f->long_mode ? fake_op(f, __HYPERVISOR_memory_op, cmd, &native, sizeof(native))
			    : fake_op(f, __HYPERVISOR_memory_op, cmd, &compat, sizeof(compat));
}
