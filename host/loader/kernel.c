// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/loader/bzimage.h"
#include "host/loader/decompress.h"
#include "host/loader/map.h"
#include "host/loader/notes.h"

/* Check one PT_LOAD header and keep it as a segment. */
static int add_segment(struct kernel *k, const Elf64_Phdr *h, struct problem *p)
{
	const uint8_t *data = elf_at(&k->elf, h->p_offset, h->p_filesz);

	if (h->p_filesz > h->p_memsz)
		return problem(p,
			       "%s: a segment at %#" PRIx64 " has more bytes in the file (%#" PRIx64
			       ") than in memory (%#" PRIx64 "); the kernel is damaged, build "
			       "or fetch it again",
			       k->name, h->p_paddr, h->p_filesz, h->p_memsz);
	if (!h->p_memsz)
		return 0;
	if (h->p_filesz && !data)
		return problem(p,
			       "%s: a segment of %#" PRIx64 " bytes at file offset %#" PRIx64
			       " passes the end at %#zx; the file is truncated, fetch it again",
			       k->name, h->p_filesz, h->p_offset, k->elf.size);
	if (h->p_memsz > UINT64_MAX - h->p_paddr)
		return problem(p,
			       "%s: a segment of %#" PRIx64 " bytes at physical address %#" PRIx64
			       " passes the end of the address space; the kernel is damaged, "
			       "build or fetch it again",
			       k->name, h->p_memsz, h->p_paddr);
	if (k->segment_count == KERNEL_SEGMENTS_MAX)
		return problem(p, "%s: more than %d loadable segments; link the kernel with fewer",
			       k->name, KERNEL_SEGMENTS_MAX);
	k->segments[k->segment_count++] = (struct kernel_segment){
		.paddr = h->p_paddr,
		.memsz = h->p_memsz,
		.filesz = h->p_filesz,
		.data = data,
		.flags = h->p_flags,
	};
	return 0;
}

static int by_paddr(const void *a, const void *b)
{
	const struct kernel_segment *x = a, *y = b;

	return (x->paddr > y->paddr) - (x->paddr < y->paddr);
}

static int check_overlap(const struct kernel *k, struct problem *p)
{
	for (unsigned i = 1; i < k->segment_count; i++) {
		const struct kernel_segment *low = &k->segments[i - 1], *high = &k->segments[i];

		if (high->paddr - low->paddr < low->memsz)
			return problem(p,
				       "%s: two segments overlap: %#" PRIx64 " bytes at physical "
				       "address %#" PRIx64 " reach the one at %#" PRIx64
				       "; the kernel is damaged, build or fetch it again",
				       k->name, low->memsz, low->paddr, high->paddr);
	}
	return 0;
}

static int read_elf(struct kernel *k, const uint8_t *bytes, size_t size, struct problem *p)
{
	if (elf_open(&k->elf, bytes, size, k->name, p))
		return -1;
	for (uint32_t i = 0; i < k->elf.phnum; i++) {
		Elf64_Phdr h = elf_phdr(&k->elf, i);

		if (h.p_type == PT_LOAD && add_segment(k, &h, p))
			return -1;
	}
	if (!k->segment_count)
		return problem(p,
			       "%s: the ELF file has nothing to load; give a linked kernel "
			       "(vmlinux)",
			       k->name);
	qsort(k->segments, k->segment_count, sizeof(k->segments[0]), by_paddr);
	if (check_overlap(k, p))
		return -1;
	return notes_read(&k->notes, &k->elf, k->name, p);
}

/* The ELF file in *bytes, whether it is there as such, compressed, or in a bzImage. */
static int find_elf(struct kernel *k, const uint8_t **bytes, size_t *size, struct problem *p)
{
	bool bzimage = bzimage_magic(*bytes, *size);
	size_t offset = 0;

	if (bzimage && bzimage_payload(*bytes, *size, k->name, &offset, size, p))
		return -1;
	*bytes += offset;
	if (elf_magic(*bytes, *size))
		return 0;
	k->packed = decompress_method(*bytes, *size);
	if (!bzimage && !k->packed)
		return problem(p,
			       "%s: neither an ELF kernel nor a bzImage; give a vmlinux or vmlinuz",
			       k->name);
	if (decompress(&k->inflated, *bytes, *size, k->name, p))
		return -1;
	*bytes = k->inflated.base;
	*size = k->inflated.size;
	if (!elf_magic(*bytes, *size))
		return problem(
			p, "%s: what it holds in %s is no ELF kernel; give a vmlinux or vmlinuz",
			k->name, k->packed);
	return 0;
}

int kernel_parse(struct kernel *k, const void *bytes, size_t size, const char *name,
		 struct problem *p)
{
	const uint8_t *image = bytes;

	*k = (struct kernel){.name = name, .fd = -1};
	if (find_elf(k, &image, &size, p) || read_elf(k, image, size, p)) {
		kernel_close(k);
		return -1;
	}
	return 0;
}

int kernel_open(struct kernel *k, const char *path, struct problem *p)
{
	struct kernel_map file;
	int fd = map_file(&file, path, p);
	int ret;

	if (fd < 0)
		return -1;
	ret = kernel_parse(k, file.base, file.size, path, p);
	if (!ret && !k->packed) {
		k->file = file;
		k->fd = fd;
		return 0;
	}
	/* It was not good, or what came out of it is all that counts. */
	map_release(&file);
	close(fd);
	return ret;
}

void kernel_close(struct kernel *k)
{
	map_release(&k->inflated);
	map_release(&k->file);
	if (k->fd >= 0)
		close(k->fd);
	*k = (struct kernel){.fd = -1};
}

/* A section's or segment's place in memory, from its place in the file. */
static bool text_at(const struct kernel *k, uint64_t offset, uint64_t size,
		    struct kernel_text *text)
{
	const uint8_t *data = elf_at(&k->elf, offset, size);

	if (!data || !size)
		return false;
	for (unsigned i = 0; i < k->segment_count; i++) {
		const struct kernel_segment *s = &k->segments[i];
		uint64_t skip = (uintptr_t)data - (uintptr_t)s->data;

		/* Data below the segment's wraps to a huge skip. */
		if (skip < s->filesz && size <= s->filesz - skip) {
			*text = (struct kernel_text){s->paddr + skip, size};
			return true;
		}
	}
	return false;
}

bool kernel_next_text(const struct kernel *k, uint32_t *next, struct kernel_text *text)
{
	const uint64_t wanted = SHF_ALLOC | SHF_EXECINSTR;

	while (k->elf.shnum && *next < k->elf.shnum) {
		Elf64_Shdr h = elf_shdr(&k->elf, (*next)++);

		if (h.sh_type == SHT_PROGBITS && (h.sh_flags & wanted) == wanted &&
		    text_at(k, h.sh_offset, h.sh_size, text))
			return true;
	}
	while (!k->elf.shnum && *next < k->segment_count) {
		const struct kernel_segment *s = &k->segments[(*next)++];

		if ((s->flags & PF_X) && s->filesz) {
			*text = (struct kernel_text){s->paddr, s->filesz};
			return true;
		}
	}
	return false;
}
