// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/cover.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* A whole page at once, or an error: a file of memory does no less. */
static int result_of(ssize_t bytes)
{
	if (bytes < 0)
		return -errno;
	return bytes == GUEST_PAGE_SIZE ? 0 : -ENOSPC;
}

static int cover_what_is_aside(uint8_t *hva, int fd, uint64_t offset, void *aside, bool copy)
{
	int rc = protect(aside, READ_WRITE);

	if (!rc && copy)
		rc = result_of(pwrite(fd, aside, GUEST_PAGE_SIZE, (off_t)offset));
	return rc ? rc : show(hva, fd, offset);
}

/* Without access, if giving that was the step that failed. */
static int put_back(uint8_t *hva, void *aside)
{
	return move_page(aside, hva, 0) || protect(hva, READ_WRITE) ? -ENOTRECOVERABLE : 0;
}

static int cover_ram(uint8_t *hva, int fd, uint64_t offset, void *aside, bool copy)
{
	int rc = put_aside(hva, aside);

	/* `aside` may not be ours any more, so it is not unmapped: a page of addresses, no memory.
	 */
	if (rc)
		return rc;
	rc = cover_what_is_aside(hva, fd, offset, aside, copy);
	if (rc && put_back(hva, aside))
		return -ENOTRECOVERABLE;
	return rc;
}

static int put_page(uint8_t *hva, int fd, uint64_t offset, void **aside, bool copy)
{
	void *room;
	int rc;

	/* A place to go to: the kernel wants one for MREMAP_DONTUNMAP, so that glibc hands it on.
	 */
	room = mmap(NULL, GUEST_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return -errno;
	rc = cover_ram(hva, fd, offset, room, copy);
	if (!rc)
		*aside = room;
	return rc;
}

int page_cover(uint8_t *hva, int fd, uint64_t offset, void **aside)
{
	return *aside ? show(hva, fd, offset) : put_page(hva, fd, offset, aside, false);
}

static void forget_page(int fd, uint64_t offset)
{
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, GUEST_PAGE_SIZE);
}

int page_lend(uint8_t *hva, int fd, uint64_t offset, void **aside)
{
	int rc = put_page(hva, fd, offset, aside, true);

	if (rc)
		forget_page(fd, offset);
	return rc;
}

/* While it is copied nobody writes to it: who tries waits. */
int page_take_back(uint8_t *hva, int fd, uint64_t offset, void *aside)
{
	int rc = protect(hva, PROT_NONE);

	if (rc)
		return rc;
	rc = result_of(pread(fd, aside, GUEST_PAGE_SIZE, (off_t)offset));
	if (!rc)
		rc = move_page(aside, hva, 0);
	if (rc)
		return protect(hva, READ_WRITE) ? -ENOTRECOVERABLE : rc;
	forget_page(fd, offset);
	return 0;
}

int page_uncover(uint8_t *hva, void *aside)
{
	return move_page(aside, hva, 0);
}
