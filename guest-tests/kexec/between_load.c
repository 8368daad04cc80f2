// SPDX-License-Identifier: BSD-2-Clause
/*
 * kexec_load(2) of a 32-bit kernel by its PVH entry point, and with it all that Linux needs at its
 * own 32-bit entry point (Documentation/arch/x86/boot.rst): the kernel proper, boot_params, command
 * line and initrd. Addresses are fixed: all of this is below 256 MiB, and the old kernel moves it
 * there when it is no longer needed itself.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest-tests/kexec/kexec.h"
#include "xen-abi/xen.h"

#define PAGE 4096u

#define TRAMPOLINE_AT 0x300000u /* above the 32-bit kernel */
#define INFO_AT       0x301000u
#define PARAMS_AT     0x302000u
#define CMDLINE_AT    0x303000u
#define LINUX_AT      0x4000000u
#define INITRD_AT     0xa000000u

#define MAX_SEGMENTS 8

static struct kexec_segment segments[MAX_SEGMENTS];
static unsigned nr_segments;

static void *zeroed(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("no memory");
	return p;
}

static void add(const void *bytes, size_t size, size_t room, uint32_t at)
{
	segments[nr_segments++] = (struct kexec_segment){
		.buf = bytes,
		.bufsz = size,
		.mem = (const void *)(uintptr_t)at,
		.memsz = (room + PAGE - 1) & ~(size_t)(PAGE - 1),
	};
}

/* The PT_LOADs of an ELF32 file as one piece. Returns its entry point. */
static uint32_t add_elf32(const char *path)
{
	struct file f = read_file(path);
	const Elf32_Ehdr *e = (const void *)f.bytes;
	const Elf32_Phdr *p;
	uint32_t start = UINT32_MAX, end = 0;
	uint8_t *image;

	if (f.size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_ident[EI_CLASS] != ELFCLASS32)
		die("%s: not an ELF32 file", path);
	p = (const void *)(f.bytes + e->e_phoff);
	for (unsigned i = 0; i < e->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD)
			continue;
		start = p[i].p_paddr < start ? p[i].p_paddr : start;
		end = p[i].p_paddr + p[i].p_memsz > end ? p[i].p_paddr + p[i].p_memsz : end;
	}
	if (start % PAGE || start >= end || end > TRAMPOLINE_AT)
		die("%s: does not lie below %#x", path, TRAMPOLINE_AT);
	image = zeroed(end - start);
	for (unsigned i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD)
			memcpy(image + p[i].p_paddr - start, f.bytes + p[i].p_offset,
			       p[i].p_filesz);
	add(image, end - start, end - start, start);
	return e->e_entry;
}

/* hvm_start_info and the command line behind it: no memory map, no modules. */
static void add_start_info(const char *cmdline)
{
	const struct hvm_start_info info = {
		.magic = XEN_HVM_START_MAGIC_VALUE,
		.version = 1,
		.cmdline_paddr = INFO_AT + sizeof(info),
	};
	uint8_t *page = zeroed(PAGE);

	memcpy(page, &info, sizeof(info));
	snprintf((char *)page + sizeof(info), PAGE - sizeof(info), "%s", cmdline);
	add(page, PAGE, PAGE, INFO_AT);
}

static void add_trampoline(uint32_t entry)
{
	const uint32_t info = INFO_AT;
	uint8_t *page = zeroed(PAGE);

	memcpy(page, trampoline, trampoline_end - trampoline);
	memcpy(page + (trampoline_entry - trampoline), &entry, sizeof(entry));
	memcpy(page + (trampoline_start_info - trampoline), &info, sizeof(info));
	add(page, PAGE, PAGE, TRAMPOLINE_AT);
}

/* Ours, that tell of memory, with the header of the kernel's file. */
static struct boot_params *boot_params(const struct file *kernel)
{
	struct file ours = read_file("/sys/kernel/boot_params/data");
	const struct boot_params *in_file = (const void *)kernel->bytes;
	struct boot_params *params = zeroed(PAGE);

	if (ours.size != sizeof(*params))
		die("boot_params of %zu bytes", ours.size);
	memcpy(params, ours.bytes, sizeof(*params));
	memcpy(&params->hdr, &in_file->hdr, sizeof(params->hdr));
	params->sentinel = 0;
	params->ext_ramdisk_image = params->ext_ramdisk_size = params->ext_cmd_line_ptr = 0;
	params->hdr.type_of_loader = 0xff;
	params->hdr.loadflags |= LOADED_HIGH;
	params->hdr.code32_start = LINUX_AT;
	params->hdr.cmd_line_ptr = CMDLINE_AT;
	return params;
}

static void add_linux(const char *kernel, const char *initrd, const char *cmdline)
{
	struct file image = read_file(kernel), disk = read_file(initrd);
	struct boot_params *params;
	size_t real_mode;

	if (image.size < sizeof(*params))
		die("%s: not a bzImage", kernel);
	params = boot_params(&image);
	real_mode = ((params->hdr.setup_sects ?: 4) + 1) * 512;
	if (params->hdr.header != 0x53726448 || image.size <= real_mode ||
	    LINUX_AT + (uint64_t)params->hdr.init_size > INITRD_AT)
		die("%s: not a bzImage that fits", kernel);
	params->hdr.ramdisk_image = INITRD_AT;
	params->hdr.ramdisk_size = disk.size;
	add(params, sizeof(*params), PAGE, PARAMS_AT);
	add(cmdline, strlen(cmdline) + 1, PAGE, CMDLINE_AT);
	add(image.bytes + real_mode, image.size - real_mode, image.size - real_mode, LINUX_AT);
	add(disk.bytes, disk.size, disk.size, INITRD_AT);
}

void load_between(const char *between, const char *kernel, const char *initrd, const char *cmdline)
{
	char next[64];

	snprintf(next, sizeof(next), "next=%#x,%#x", LINUX_AT, PARAMS_AT);
	add_trampoline(add_elf32(between));
	add_start_info(next);
	add_linux(kernel, initrd, cmdline);
	if (syscall(SYS_kexec_load, (unsigned long)TRAMPOLINE_AT, (unsigned long)nr_segments,
		    segments, KEXEC_ARCH_X86_64))
		die("kexec_load: %s", strerror(errno));
}
