/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest kernel's image, opened and understood: what to put where in guest RAM, where to enter,
 * and what its Xen ELF notes say. Nothing here touches guest RAM.
 *
 * Life: kernel_open (or kernel_parse), pvh_load and kernel_patch_hypercalls or pv_load,
 * kernel_close. The image stays mapped until kernel_close, so close as soon as the guest's RAM is
 * filled.
 */
#ifndef HOST_LOADER_KERNEL_H
#define HOST_LOADER_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/loader/elf.h"
#include "host/problem.h"

#define KERNEL_SEGMENTS_MAX 32

struct kernel_segment {
	uint64_t paddr, memsz; /* bytes; paddr + memsz does not pass 2^64; memsz is not 0 */
	uint64_t filesz;       /* bytes at `data`, at most memsz; the rest is zero */
	const uint8_t *data;   /* into the image */
	uint32_t flags;        /* PF_R, PF_W, PF_X */
};

/* Executable bytes that the image brings, as they will lie in guest RAM. */
struct kernel_text {
	uint64_t paddr, size;
};

/* A note with a number. */
struct kernel_number {
	bool given;
	uint64_t value;
};

/* The notes that only a PV guest's domain builder heeds. */
struct kernel_pv_notes {
	struct kernel_number entry, virt_base, paddr_offset, hypercall_page, init_p2m, hv_start_low;
	struct kernel_number mod_start_pfn; /* a truth value */
	bool bsd_symtab;
	char lacks[32]; /* the first feature that it requires and no PV guest has here */
};

/* Xen ELF notes (xen/elfnote.h); a string that is absent is empty, one too long is cut. */
struct kernel_notes {
	bool has_phys32_entry;
	uint64_t phys32_entry;
	struct kernel_pv_notes pv;
	char guest_os[32];
	char guest_version[32];
	char xen_version[16];
	char loader[16];
	char features[256];
};

/* A private mapping that the kernel owns; size 0 is none. */
struct kernel_map {
	void *base;
	size_t size;
};

struct kernel {
	const char *name;   /* the file's, for messages; the caller's string */
	const char *packed; /* how the ELF was compressed ("zstd"), or NULL */
	struct elf elf;     /* the uncompressed image */
	unsigned segment_count;
	struct kernel_segment segments[KERNEL_SEGMENTS_MAX]; /* sorted by paddr, not overlapping */
	struct kernel_notes notes;
	struct kernel_map file, inflated;
	int fd; /* of the file, if that is the ELF file itself; else -1 */
};

/*
 * Open an ELF file, a bzImage, or a compressed ELF file. Returns 0, or -1 with the reason in *p and
 * nothing held. `path` must outlive the kernel.
 */
int kernel_open(struct kernel *k, const char *path, struct problem *p);

/* The same from memory. `bytes` and `name` must outlive the kernel. */
int kernel_parse(struct kernel *k, const void *bytes, size_t size, const char *name,
		 struct problem *p);

void kernel_close(struct kernel *k);

/*
 * Executable range number `*next`, counting it up; false when there are no more. These are the
 * executable sections, or the executable segments' file bytes if the image has no section headers.
 * Start with *next = 0. Every range is inside one segment's file bytes, ranges may overlap.
 */
bool kernel_next_text(const struct kernel *k, uint32_t *next, struct kernel_text *text);

/* Write the uncompressed ELF file to `out`, which must not be the kernel's own file. */
int kernel_write_elf(const struct kernel *k, const char *out, struct problem *p);

#endif
