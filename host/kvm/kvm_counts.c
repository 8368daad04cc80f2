// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/kvm_counts.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* More than any kernel has, so that a strange header costs no memory. */
#define NAME_MAX_SIZE 256u
#define COUNTS_MAX    1024u

static bool read_at(int fd, void *to, size_t size, uint64_t at)
{
	return pread(fd, to, size, (off_t)at) == (ssize_t)size;
}

/* Neither a histogram nor a level, and of no unit. */
static bool is_count(const struct kvm_stats_desc *d)
{
	return (d->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE &&
	       (d->flags & KVM_STATS_UNIT_MASK) == KVM_STATS_UNIT_NONE && d->size == 1;
}

static void visit_all(int fd, const struct kvm_stats_header *h,
		      void (*visit)(void *opaque, const char *name, uint64_t count), void *opaque)
{
	size_t each = sizeof(struct kvm_stats_desc) + h->name_size;
	struct kvm_stats_desc *d = malloc(each);
	uint64_t count;

	for (uint32_t i = 0; d && i < h->num_desc; i++) {
		if (!read_at(fd, d, each, h->desc_offset + i * each))
			break;
		d->name[h->name_size - 1] = '\0';
		if (is_count(d) && read_at(fd, &count, sizeof(count), h->data_offset + d->offset) &&
		    count)
			visit(opaque, d->name, count);
	}
	free(d);
}

void kvm_counts_visit(const struct vm_vcpu *vv,
		      void (*visit)(void *opaque, const char *name, uint64_t count), void *opaque)
{
	int fd = ioctl(vv->fd, KVM_GET_STATS_FD, NULL);
	struct kvm_stats_header h;

	if (fd < 0)
		return;
	if (read_at(fd, &h, sizeof(h), 0) && h.name_size && h.name_size <= NAME_MAX_SIZE &&
	    h.num_desc <= COUNTS_MAX)
		visit_all(fd, &h, visit, opaque);
	close(fd);
}
