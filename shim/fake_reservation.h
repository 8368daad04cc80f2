/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of the operations on a reservation, in the caller's word size, for unit tests. */
#ifndef SHIM_FAKE_RESERVATION_H
#define SHIM_FAKE_RESERVATION_H

#include <string.h>

#include "shim/fake_platform.h"
#include "shim/memory_op.h"
#include "xen-abi/x86_32.h"

#define LIST      0x20000ull /* where lists of frames are */
#define SOMEWHERE 0x42ull    /* a frame of RAM */
#define RAM_END   (FAKE_RAM_SIZE / GUEST_PAGE_SIZE)
#define HIGH      (FAKE_HIGH / GUEST_PAGE_SIZE)
#define HIGH_END  (HIGH + FAKE_HIGH_SIZE / GUEST_PAGE_SIZE)

/* What a call says, in either word size. */
struct call {
	uint64_t nr; /* of extents */
	unsigned order;
	uint32_t flags;
	domid_t domid;
	uint64_t list; /* 0: LIST */
};

static inline void write_frame(struct fake *f, uint64_t list, unsigned i, uint64_t frame)
{
	uint32_t narrow = frame;

	if (f->long_mode)
		memcpy(fake_at(f, list + 8 * i), &frame, sizeof(frame));
	else
		memcpy(fake_at(f, list + 4 * i), &narrow, sizeof(narrow));
}

static inline uint64_t list_of(const struct call *c)
{
	return c->list ? c->list : LIST;
}

static inline struct xen_memory_reservation native_of(const struct call *c)
{
	struct xen_memory_reservation r = {
		.nr_extents = c->nr,
		.extent_order = c->order,
		.mem_flags = c->flags,
		.domid = c->domid,
	};
	uint64_t list = list_of(c);

	memcpy(&r.extent_start, &list, sizeof(list));
	return r;
}

static inline struct xen_memory_reservation_x86_32 compat_of(const struct call *c)
{
	return (struct xen_memory_reservation_x86_32){
		.extent_start = list_of(c),
		.nr_extents = c->nr,
		.extent_order = c->order,
		.mem_flags = c->flags,
		.domid = c->domid,
	};
}

/* A command that goes on at an extent. */
static inline uint64_t from(uint64_t cmd, uint64_t start)
{
	return cmd | start << MEMOP_EXTENT_SHIFT;
}

#endif
