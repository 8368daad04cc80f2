// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct kvm_gmem {
	int vm_fd; /* not owned */
	int fd;
	bool can_be_private;
};

static int capability(int vm_fd, int cap)
{
	int n = ioctl(vm_fd, KVM_CHECK_EXTENSION, cap);

	return n < 0 ? 0 : n;
}

bool kvm_gmem_offered(int vm_fd)
{
	return capability(vm_fd, KVM_CAP_GUEST_MEMFD) && capability(vm_fd, KVM_CAP_USER_MEMORY2);
}

bool kvm_gmem_can_be_private(int vm_fd)
{
	return kvm_gmem_offered(vm_fd) &&
	       capability(vm_fd, KVM_CAP_MEMORY_ATTRIBUTES) & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

static int change_file(const struct kvm_gmem *k, int mode, uint64_t first, uint64_t npages)
{
	int rc;

	do /* signals that kick vCPUs interrupt it, too */
		rc = fallocate(k->fd, mode | FALLOC_FL_KEEP_SIZE,
			       (off_t)(first << GUEST_PAGE_SHIFT),
			       (off_t)(npages << GUEST_PAGE_SHIFT));
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

static int punch(void *host, uint64_t first, uint64_t npages)
{
	return change_file(host, FALLOC_FL_PUNCH_HOLE, first, npages);
}

/* The kernel stops where memory ends and leaves what it has got. */
static int allocate(void *host, uint64_t first, uint64_t npages)
{
	int rc = change_file(host, 0, first, npages);

	if (rc)
		punch(host, first, npages);
	return rc;
}

static int set_private(void *host, struct gfn base, uint64_t npages, bool is_private)
{
	const struct kvm_gmem *k = host;
	struct kvm_memory_attributes a = {
		.address = gfn_to_gpa(base).v,
		.size = npages << GUEST_PAGE_SHIFT,
		.attributes = is_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	if (!k->can_be_private)
		return -EOPNOTSUPP;
	return ioctl(k->vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &a) < 0 ? -errno : 0;
}

static void destroy(void *host)
{
	struct kvm_gmem *k = host;

	close(k->fd);
	free(k);
}

/*
 * Neither prepare nor undo: there is no call for them. On a plain VM a page needs nothing but to be
 * cleared, which the kernel does before anyone sees it. Where the processor must be told of it
 * (SEV-SNP's reverse map), the kernel does so when the guest first faults on it (Linux 6.12:
 * kvm_gmem_prepare_folio), and undoes it when the page leaves the file (kvm_gmem_free_folio): by
 * our punch, so within it and not before.
 */
static const struct gmem_ops kvm_gmem_ops = {
	.allocate = allocate,
	.punch = punch,
	.set_private = set_private,
	.destroy = destroy,
};

int kvm_gmem_create(struct memslots *slots, int vm_fd, uint64_t npages, uint64_t flags,
		    struct gmem **g)
{
	struct kvm_create_guest_memfd args = {.size = npages << GUEST_PAGE_SHIFT, .flags = flags};
	struct kvm_gmem *k;
	int rc;

	if (!npages || args.size >> GUEST_PAGE_SHIFT != npages)
		return -EINVAL;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->vm_fd = vm_fd;
	k->can_be_private = kvm_gmem_can_be_private(vm_fd);
	k->fd = ioctl(vm_fd, KVM_CREATE_GUEST_MEMFD, &args);
	if (k->fd < 0) {
		rc = -errno;
		free(k);
		return rc;
	}
	fcntl(k->fd, F_SETFD, FD_CLOEXEC);
	*g = gmem_create(slots, npages, &kvm_gmem_ops, k);
	if (*g)
		return 0;
	destroy(k);
	return -ENOMEM;
}

int kvm_gmem_fd(const struct gmem *g)
{
	const struct kvm_gmem *k = gmem_host(g);

	return k->fd;
}

int kvm_gmem_set_slot(int vm_fd, const struct memslot *slot, uint64_t size)
{
	const struct kvm_userspace_memory_region2 region = {
		.slot = slot->id,
		.flags = slot->flags,
		.guest_phys_addr = slot->start.v,
		.memory_size = size,
		.userspace_addr = (uintptr_t)slot->hva,
		.guest_memfd = kvm_gmem_fd(slot->gmem),
		.guest_memfd_offset = slot->gmem_offset,
	};

	return ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION2, &region) < 0 ? -errno : 0;
}
