// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guest memory by guest-virtual address: the page tables in use are the guest's, so it is a copy
 * that may fault. Ring 0 with write protection on: what the guest may not write is not written. Its
 * pages are all ring 3's, as Xen has made them (_PAGE_USER), so what it cannot reach faults here
 * but for the hypervisor's own addresses, which are looked at first.
 */
#include "shim/pv/monitor/percpu.h"

struct fixup {
	uint64_t at, go_on;
};
extern const struct fixup fixups_start[], fixups_end[];

uint64_t fixup_of(uint64_t rip)
{
	for (const struct fixup *f = fixups_start; f < fixups_end; f++)
		if (f->at == rip)
			return f->go_on;
	return 0;
}

/* How many bytes, or words of 8 bytes, have not been copied: it ends where it cannot go on. */
#define COPY(unit)                                                        \
	static size_t copy_##unit(void *to, const void *from, size_t len) \
	{                                                                 \
		__asm__ volatile("1: rep movs" #unit "\n"                 \
				 "2:\n"                                   \
				 ".pushsection .fixups, \"a\"\n"          \
				 ".quad 1b, 2b\n"                         \
				 ".popsection"                            \
				 : "+D"(to), "+S"(from), "+c"(len)        \
				 :                                        \
				 : "memory");                             \
		return len;                                               \
	}
COPY(b)
COPY(q)

/* Nearly all are of whole words. */
static size_t copy(void *to, const void *from, size_t len)
{
	return len % 8 ? copy_b(to, from, len) : copy_q(to, from, len / 8) * 8;
}

static bool is_guests(uint64_t va, size_t len)
{
	uint64_t end = va + len;

	if (end < va)
		return false;
	return end <= PV_HYPER_START ? va < (1ull << 47) && end <= (1ull << 47)
				     : va >= PV_HYPER_END;
}

static int copied(uint64_t va, size_t len, size_t left, uint64_t *at)
{
	if (!left)
		return 0;
	if (at)
		*at = va + len - left;
	return -XEN_EFAULT;
}

/*
 * A second time where it fails: the guest may have given itself a right without saying so to the
 * TLB, and the fault has made the CPU forget what it had of it. And a word may have an end that can
 * be reached, and one that cannot.
 */
static size_t copy_twice(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t left = copy(to, from, len);

	return left ? copy_b(to + len - left, from + len - left, left) : 0;
}

int pv_copy_from_guest(void *to, uint64_t from, size_t len, uint64_t *at)
{
	size_t left = is_guests(from, len) ? copy_twice(to, (const uint8_t *)from, len) : len;

	return copied(from, len, left, at);
}

int pv_copy_to_guest(uint64_t to, const void *from, size_t len, uint64_t *at)
{
	size_t left = is_guests(to, len) ? copy_twice((uint8_t *)to, from, len) : len;

	return copied(to, len, left, at);
}
