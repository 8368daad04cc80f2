// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the shim's memslots need (struct memslot_ops) on KVM: its slots and its dirty log, and the
 * hypervisor's pages, which are a memfd, mapped where guests ask for them (cover.h).
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "host/kvm/cover.h"
#include "host/kvm/gmem.h"
#include "host/kvm/vm.h"

/*
 * KVM writes the time to the guest when it has changed, and where there is no memory at that moment
 * the write is lost. So when memory has come, it is asked to write it again.
 */
static void renew_time_areas(struct vm *vm)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		vcpu_post(&vm->vcpus[i], VCPU_REQ_TIME_AREA);
}

static int set_kvm_slot(struct vm *vm, const struct memslot *s, uint64_t size)
{
	const struct kvm_userspace_memory_region region = {
		.slot = s->id,
		.flags = s->flags,
		.guest_phys_addr = s->start.v,
		.memory_size = size,
		.userspace_addr = (uintptr_t)s->hva,
	};

	if (s->flags & MEMSLOT_PRIVATE)
		return kvm_gmem_set_slot(vm->fd, s, size);
	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

static int op_set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	struct vm *vm = host;
	int rc = new ? set_kvm_slot(vm, new, new->npages << GUEST_PAGE_SHIFT)
		     : set_kvm_slot(vm, old, 0);

	if (rc)
		return rc;
	if (new && (!old || old->start.v != new->start.v))
		renew_time_areas(vm);
	return 0;
}

static int op_log_get(void *host, const struct memslot *slot, uint64_t *bits)
{
	struct kvm_dirty_log log = {.slot = slot->id, .dirty_bitmap = bits};
	struct vm *vm = host;

	return ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) ? -errno : 0;
}

static int op_log_clear(void *host, const struct memslot *slot, uint64_t first, uint64_t npages,
			const uint64_t *bits)
{
	struct kvm_clear_dirty_log log = {
		.slot = slot->id,
		.num_pages = npages,
		.first_page = first,
		.dirty_bitmap = (void *)(uintptr_t)bits, /* KVM reads it */
	};
	struct vm *vm = host;

	return ioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &log) ? -errno : 0;
}

static uint64_t offset_of(unsigned page)
{
	return (uint64_t)page * GUEST_PAGE_SIZE;
}

/* A page of the guest's memory has changed its place, or not. */
static int covered(struct vm *vm, int rc)
{
	if (rc == -ENOTRECOVERABLE)
		vm_end_failed(vm, "a page of the guest's memory cannot be put back in its place: "
				  "this host is out of memory or of mappings (vm.max_map_count)");
	else if (!rc)
		renew_time_areas(vm);
	return rc;
}

static int op_cover(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct vm *vm = host;

	return covered(vm, page_cover(hva, vm->overlay_fd, offset_of(page), aside));
}

static int op_uncover(void *host, uint8_t *hva, void *aside)
{
	return covered(host, page_uncover(hva, aside));
}

static int op_lend(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct vm *vm = host;

	return covered(vm, page_lend(hva, vm->overlay_fd, offset_of(page), aside));
}

static int op_take_back(void *host, uint8_t *hva, unsigned page, void *aside)
{
	struct vm *vm = host;

	return covered(vm, page_take_back(hva, vm->overlay_fd, offset_of(page), aside));
}

static uint8_t *op_page_map(void *host, unsigned page)
{
	struct vm *vm = host;
	void *hva = mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vm->overlay_fd,
			 offset_of(page));

	return hva == MAP_FAILED ? NULL : hva;
}

static void op_page_unmap(void *host, uint8_t *hva)
{
	(void)host;
	munmap(hva, GUEST_PAGE_SIZE);
}

const struct memslot_ops vm_memslot_ops = {
	.set_slot = op_set_slot,
	.log_get = op_log_get,
	.log_clear = op_log_clear,
	.cover = op_cover,
	.uncover = op_uncover,
	.lend = op_lend,
	.take_back = op_take_back,
	.page_map = op_page_map,
	.page_unmap = op_page_unmap,
};

int vm_enable_manual_dirty_log(struct vm *vm, struct problem *p)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};

	if (!vm->config.manual_dirty_log)
		return 0;
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &cap))
		return problem(p, "KVM refuses to leave its dirty log to be cleared by us: %s",
			       strerror(errno));
	vm->domain.memslots.features |= MEMSLOTS_MANUAL_PROTECT;
	return 0;
}
