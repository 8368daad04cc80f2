// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memory_map.h"

#include <stdlib.h>

#include "shim/domain.h"
#include "shim/guest_access.h"
#include "shim/memory_op.h"
#include "xen-abi/x86_32.h"

/* Longer maps are cut, or refused (Xen's E820MAX). */
#define MEMORY_MAP_MAX 1024u

/* The e820-style entry of these calls is 20 bytes: u64 addr, u64 size, u32 type, packed. */
struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

/* A map that the guest has set; under the domain's lock. */
struct memory_map {
	unsigned count;
	struct e820_entry entries[];
};

/* The argument of both calls, in either word size. */
struct map_argument {
	domid_t domid;
	uint32_t nr_entries;
	struct gva buffer;
};

void memory_map_reset(struct domain *d)
{
	free(d->guest_memmap);
	d->guest_memmap = NULL;
}

/* Of the map as it is now. */
static struct e820_entry entry_of(const struct domain *d, unsigned i)
{
	const struct memory_map *own = d->guest_memmap;

	return own ? own->entries[i]
		   : (struct e820_entry){d->memmap[i].addr, d->memmap[i].size, d->memmap[i].type};
}

/* Copy up to `room` entries of the map; their number. */
static unsigned copy_map(struct domain *d, struct e820_entry *e, unsigned room)
{
	unsigned count;

	pthread_mutex_lock(&d->lock);
	count = min_of(d->guest_memmap ? d->guest_memmap->count : d->memmap_entries, room);
	for (unsigned i = 0; i < count; i++)
		e[i] = entry_of(d, i);
	pthread_mutex_unlock(&d->lock);
	return count;
}

static int read_map_argument(struct vcpu *v, const struct hypercall *h, struct map_argument *a)
{
	struct xen_memory_map_x86_32 compat;
	uint64_t native[2] = {0}; /* { u32 nr_entries; pad; u64 buffer } */
	int rc;

	if (h->long_mode) {
		rc = guest_read_inout(v, native, gva(h->args[1]), sizeof(native));
		*a = (struct map_argument){.nr_entries = native[0], .buffer = gva(native[1])};
		return rc;
	}
	rc = guest_read_inout(v, &compat, gva(h->args[1]), sizeof(compat));
	if (!rc)
		*a = (struct map_argument){.nr_entries = compat.nr_entries,
					   .buffer = gva(compat.buffer)};
	return rc;
}

/* nr_entries: in, the buffer's capacity in entries; out, how many were written. */
long xenmem_memory_map(struct vcpu *v, const struct hypercall *h)
{
	struct e820_entry e[MEMORY_MAP_MAX];
	struct map_argument a;
	uint32_t count;
	int rc;

	if (memop_start_extent(h))
		return -XEN_ENOSYS;
	rc = read_map_argument(v, h, &a);
	if (rc)
		return rc;
	count = copy_map(v->domain, e, MEMORY_MAP_MAX);
	if (!count)
		return -XEN_ENOSYS;
	count = min_of(count, a.nr_entries);
	/* In one piece: an ordinary map is written whole or not at all. */
	rc = guest_write(v, a.buffer, e, count * sizeof(e[0]));
	/* nr_entries is the first field in both word sizes. */
	return rc ? rc : guest_write(v, gva(h->args[1]), &count, sizeof(count));
}

static int read_foreign_argument(struct vcpu *v, const struct hypercall *h, struct map_argument *a)
{
	struct xen_foreign_memory_map_x86_32 compat;
	struct xen_foreign_memory_map native;
	int rc;

	if (h->long_mode) {
		rc = guest_read(v, &native, gva(h->args[1]), sizeof(native));
		if (!rc)
			*a = (struct map_argument){native.domid, native.map.nr_entries,
						   gva((uintptr_t)native.map.buffer.p)};
		return rc;
	}
	rc = guest_read(v, &compat, gva(h->args[1]), sizeof(compat));
	if (!rc)
		*a = (struct map_argument){compat.domid, compat.map.nr_entries,
					   gva(compat.map.buffer)};
	return rc;
}

static void set_map(struct domain *d, struct memory_map *map)
{
	pthread_mutex_lock(&d->lock);
	memory_map_reset(d);
	d->guest_memmap = map;
	pthread_mutex_unlock(&d->lock);
}

/* A guest may set its own, and be told what it has said. */
long xenmem_set_memory_map(struct vcpu *v, const struct hypercall *h)
{
	struct map_argument a;
	struct memory_map *map;
	size_t size;
	int rc;

	if (memop_start_extent(h))
		return -XEN_ENOSYS;
	rc = read_foreign_argument(v, h, &a);
	if (rc)
		return rc;
	if (a.nr_entries > MEMORY_MAP_MAX)
		return -XEN_EINVAL;
	rc = domain_check_self(v->domain, a.domid);
	if (rc)
		return rc;
	size = a.nr_entries * sizeof(map->entries[0]);
	map = malloc(sizeof(*map) + size);
	if (!map)
		return -XEN_ENOMEM;
	map->count = a.nr_entries;
	rc = guest_read(v, map->entries, a.buffer, size);
	if (rc)
		free(map);
	else
		set_map(v->domain, map);
	return rc;
}
