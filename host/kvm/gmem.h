/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's guest_memfd: the machinery below shim/memslot/gmem.h.
 *
 * KVM_CREATE_GUEST_MEMFD makes one (Documentation/virt/kvm/api.rst). The guest gets a page from it
 * where its frame has KVM_MEMORY_ATTRIBUTE_PRIVATE, which only machines of some types can have
 * (KVM_CAP_VM_TYPES: software-protected, SEV-SNP, TDX). On a plain machine it gets its pages from a
 * file made with GUEST_MEMFD_FLAG_MMAP (Linux 6.18): all of the slot's, and none is private.
 */
#ifndef HOST_KVM_GMEM_H
#define HOST_KVM_GMEM_H

#include "host/kvm/uapi.h"
#include "shim/memslot/gmem.h"

/* Can this VM have such files, in slots? Linux 6.8, and built for it. */
bool kvm_gmem_offered(int vm_fd);
/* Can pages of its guest be private? MEMSLOTS_CAN_PRIVATE depends on it. */
bool kvm_gmem_can_be_private(int vm_fd);

/*
 * A file of npages for that VM; flags: GUEST_MEMFD_FLAG_*. The VM must stay open until the file has
 * gone, with its last slot. 0 and *g, of which the caller has a reference; -ENOMEM; the kernel's
 * (-ENOTTY: it has none, -EINVAL: npages, or flags that it does not know).
 *
 * Without private pages gmem_bind() says -EOPNOTSUPP; allocate and free work all the same.
 */
int kvm_gmem_create(struct memslots *slots, int vm_fd, uint64_t npages, uint64_t flags,
		    struct gmem **g);

/* Its file descriptor, for mmap() and the like. Stays its own. */
int kvm_gmem_fd(const struct gmem *g);

/*
 * Tell KVM of a slot with such a file (KVM_SET_USER_MEMORY_REGION2), of `size` bytes: the slot's,
 * or 0, which deletes it. 0 or -errno.
 */
int kvm_gmem_set_slot(int vm_fd, const struct memslot *slot, uint64_t size);

#endif
