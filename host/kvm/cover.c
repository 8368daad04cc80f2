// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/cover.h"

#include <errno.h>
#include <sys/mman.h>

#include "shim/types.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)

/* Private memory that moves takes its place in one step: what was at `to` goes. */
static int move_page(void *from, void *to, int flags)
{
	void *at = mremap(from, GUEST_PAGE_SIZE, GUEST_PAGE_SIZE,
			  MREMAP_MAYMOVE | MREMAP_FIXED | flags, to);

	return at == MAP_FAILED ? -errno : 0;
}

static int show(uint8_t *hva, int fd, uint64_t offset)
{
	void *at = mmap(hva, GUEST_PAGE_SIZE, READ_WRITE, MAP_SHARED | MAP_FIXED, fd, offset);

	return at == MAP_FAILED ? -errno : 0;
}

static int protect(void *page, int prot)
{
	return mprotect(page, GUEST_PAGE_SIZE, prot) ? -errno : 0;
}

/*
 * The RAM goes aside and the page stays mapped without access (MREMAP_DONTUNMAP), so that nobody's
 * mmap takes the place. With access it would be an empty page, and what a vCPU writes to that is
 * lost.
 */
static int put_aside(uint8_t *hva, void *aside)
{
	int rc = protect(hva, PROT_NONE);

	if (rc)
		return rc;
	rc = move_page(hva, aside, MREMAP_DONTUNMAP);
	if (rc)
		return protect(hva, READ_WRITE) ? -ENOTRECOVERABLE : rc;
	return 0;
}

static int cover_what_is_aside(uint8_t *hva, int fd, uint64_t offset, void *aside)
{
	int rc = protect(aside, READ_WRITE);

	return rc ? rc : show(hva, fd, offset);
}

/* Without access, if giving that was the step that failed. */
static int put_back(uint8_t *hva, void *aside)
{
	return move_page(aside, hva, 0) || protect(hva, READ_WRITE) ? -ENOTRECOVERABLE : 0;
}

static int cover_ram(uint8_t *hva, int fd, uint64_t offset, void *aside)
{
	int rc = put_aside(hva, aside);

	/* `aside` may not be ours any more, so it is not unmapped: a page of addresses, no memory.
	 */
	if (rc)
		return rc;
	rc = cover_what_is_aside(hva, fd, offset, aside);
	if (rc && put_back(hva, aside))
		return -ENOTRECOVERABLE;
	return rc;
}

int page_cover(uint8_t *hva, int fd, uint64_t offset, void **aside)
{
	void *room;
	int rc;

	if (*aside)
		return show(hva, fd, offset);
	/* A place to go to: the kernel wants one for MREMAP_DONTUNMAP, so that glibc hands it on.
	 */
	room = mmap(NULL, GUEST_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return -errno;
	rc = cover_ram(hva, fd, offset, room);
	if (!rc)
		*aside = room;
	return rc;
}

int page_uncover(uint8_t *hva, void *aside)
{
	return move_page(aside, hva, 0);
}
