// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arena is followed, in the same reservation, by the owner's own view of RAM and of the
 * hypervisor's pages.
 */
#include "shim/memslot/test_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void *need(void *p, const char *what)
{
	if (!p || p == MAP_FAILED) {
		perror(what);
		abort();
	}
	return p;
}

static size_t bytes(unsigned pages)
{
	return (size_t)pages * GUEST_PAGE_SIZE;
}

static int file_of(unsigned pages)
{
	int fd = memfd_create("test_memory", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, bytes(pages))) {
		perror("memfd_create");
		abort();
	}
	return fd;
}

static void *map_at(uint8_t *at, int fd, unsigned page, unsigned npages)
{
	return need(mmap(at, bytes(npages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			 bytes(page)),
		    "mmap");
}

static unsigned reserved(const struct test_memory *m)
{
	return 2 * m->pages + TEST_MEMORY_SHOWN;
}

void test_memory_init(struct test_memory *m, unsigned pages)
{
	*m = (struct test_memory){.pages = pages};
	m->arena = need(mmap(NULL, bytes(reserved(m)), PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
			"mmap");
	m->from = need(calloc(pages, sizeof(m->from[0])), "calloc");
	m->ram = file_of(pages);
	m->shown = file_of(TEST_MEMORY_SHOWN);
	map_at(test_memory_ram(m, 0), m->ram, 0, pages);
	map_at(test_memory_shown(m, 0), m->shown, 0, TEST_MEMORY_SHOWN);
}

void test_memory_destroy(struct test_memory *m)
{
	munmap(m->arena, bytes(reserved(m)));
	free(m->from);
	close(m->ram);
	close(m->shown);
}

uint8_t *test_memory_ram(const struct test_memory *m, unsigned page)
{
	return m->arena + bytes(m->pages + page);
}

uint8_t *test_memory_shown(const struct test_memory *m, unsigned page)
{
	return m->arena + bytes(2 * m->pages + page);
}

uint8_t *test_memory_map(struct test_memory *m, unsigned first, unsigned npages, unsigned from)
{
	for (unsigned i = 0; i < npages; i++)
		m->from[first + i] = from + i;
	return map_at(m->arena + bytes(first), m->ram, from, npages);
}

void test_memory_unmap(struct test_memory *m, unsigned first, unsigned npages)
{
	need(mmap(m->arena + bytes(first), bytes(npages), PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0),
	     "mmap");
}

/*
 * The machinery.
 */

static int set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	struct test_memory *m = host;

	(void)old;
	(void)new;
	if (m->fail)
		return -m->fail;
	m->changes++;
	return 0;
}

static int log_get(void *host, const struct memslot *slot, uint64_t *bits)
{
	(void)slot;
	(void)bits;
	return -((struct test_memory *)host)->fail;
}

static int log_clear(void *host, const struct memslot *slot, uint64_t first, uint64_t npages,
		     const uint64_t *bits)
{
	(void)slot;
	(void)first;
	(void)npages;
	(void)bits;
	return -((struct test_memory *)host)->fail;
}

static int cover(void *host, uint8_t *hva, unsigned page, void **aside)
{
	struct test_memory *m = host;

	if (m->fail)
		return -m->fail;
	map_at(hva, m->shown, page, 1);
	if (!*aside)
		*aside = hva;
	return 0;
}

static int uncover(void *host, uint8_t *hva, void *aside)
{
	struct test_memory *m = host;

	if (m->fail)
		return -m->fail;
	if (aside != hva) /* not what cover() has given */
		abort();
	map_at(hva, m->ram, m->from[(hva - m->arena) / GUEST_PAGE_SIZE], 1);
	return 0;
}

static uint8_t *page_map(void *host, unsigned page)
{
	struct test_memory *m = host;

	if (m->fail)
		return NULL;
	return need(mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m->shown,
			 bytes(page)),
		    "mmap");
}

static void page_unmap(void *host, uint8_t *hva)
{
	(void)host;
	munmap(hva, GUEST_PAGE_SIZE);
}

const struct memslot_ops test_memory_ops = {
	.set_slot = set_slot,
	.log_get = log_get,
	.log_clear = log_clear,
	.cover = cover,
	.uncover = uncover,
	.page_map = page_map,
	.page_unmap = page_unmap,
};
