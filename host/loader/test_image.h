/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests and fuzz targets: small ELF files and bzImages made in memory, good ones to be spoilt.
 */
#ifndef HOST_LOADER_TEST_IMAGE_H
#define HOST_LOADER_TEST_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_HEADERS_MAX 40

struct test_image {
	_Alignas(16) uint8_t bytes[64 << 10];
	size_t size;
	bool is64;
};

/* An ELF file with no segments and no sections. */
void image_start(struct test_image *t, bool is64);

/* Append bytes (NULL: zeros), aligned to 8: their offset in the file. */
uint64_t image_put(struct test_image *t, const void *bytes, size_t size);

/* Append a Xen note padded to `align`: its offset. Several in a row make one area. */
uint64_t image_note(struct test_image *t, unsigned align, uint32_t type, const void *desc,
		    uint32_t descsz);

/* Add a program or section header (the first section is made as well). */
void image_phdr(struct test_image *t, Elf64_Phdr h);
void image_shdr(struct test_image *t, Elf64_Shdr h);

/* Change the file's header; 32-bit ones are narrowed. */
void image_set(struct test_image *t, size_t offset64, size_t offset32, uint16_t value);

/* A PT_LOAD segment of `filesz` bytes of value `fill` at paddr. */
void image_load(struct test_image *t, uint64_t paddr, uint64_t filesz, uint64_t memsz, uint8_t fill,
		uint32_t flags);

/* A PT_NOTE segment with a PHYS32_ENTRY note of 4 or 8 bytes. */
void image_entry(struct test_image *t, uint64_t entry, uint32_t descsz);

/* A PT_NOTE segment of all notes from file offset `at` on. */
void image_notes(struct test_image *t, uint64_t at);

/*
 * A PV kernel for virt_base: code at pseudo-physical 0x1000 (0x2000 bytes, of which the second page
 * is its hypercall page), data from 0x4000 on (0x800 bytes, 0x1800 in memory), entered at 0x1010.
 * What is returned is for image_notes(), after more notes, or the same ones again, have been added.
 */
uint64_t image_pv_kernel(struct test_image *t, uint64_t virt_base);
void image_pv_number(struct test_image *t, uint32_t type, uint64_t value);
void image_pv_string(struct test_image *t, uint32_t type, const char *value);

/* A complete kernel: code at 1 MiB (4096 bytes, 8192 in memory), entered at its start. */
void image_kernel(struct test_image *t, bool is64);

/* Wrap `size` bytes of payload into a bzImage of boot protocol `version`; returns its size. */
size_t image_bzimage(uint8_t *to, const void *payload, size_t size, uint16_t version);

#endif
