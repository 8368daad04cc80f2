// SPDX-License-Identifier: BSD-2-Clause
/*
 * /proc/vmcore is an ELF core file: a note of registers for each CPU, one (VMCOREINFO) with what
 * the kernel says of itself, and segments that are its memory. The kernel's release stands in both,
 * and where in memory it stands the note says too (init_uts_ns): if they agree, it is the memory of
 * the kernel that crashed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest-tests/kexec/kexec.h"

#define VMCORE         "/proc/vmcore"
#define MAX_SEGMENTS   64
#define MAX_NOTES      (1 << 20)
#define UTS_NAME_BYTES 65 /* of each string of struct new_utsname */

static int fd;

static void read_at(uint64_t offset, void *to, size_t size)
{
	ssize_t n = pread(fd, to, size, offset);

	if (n != (ssize_t)size)
		die(VMCORE ": cannot read %zu bytes at %#llx: %s", size, (unsigned long long)offset,
		    n < 0 ? strerror(errno) : "too short");
}

static void check_header(const Elf64_Ehdr *e)
{
	if (memcmp(e->e_ident, ELFMAG, SELFMAG) || e->e_ident[EI_CLASS] != ELFCLASS64 ||
	    e->e_type != ET_CORE || e->e_machine != EM_X86_64)
		die(VMCORE ": not an x86-64 ELF core file");
	if (e->e_phentsize != sizeof(Elf64_Phdr) || !e->e_phnum || e->e_phnum > MAX_SEGMENTS)
		die(VMCORE ": %u program headers of %u bytes", e->e_phnum, e->e_phentsize);
}

struct notes {
	unsigned cpus;
	char *info; /* VMCOREINFO, with a NUL behind it */
};

static size_t padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static struct notes read_notes(const Elf64_Phdr *p)
{
	struct notes notes = {0};
	uint8_t *bytes = p->p_filesz < MAX_NOTES ? malloc(p->p_filesz) : NULL;
	size_t at = 0;

	if (!bytes)
		die(VMCORE ": %llu bytes of notes", (unsigned long long)p->p_filesz);
	read_at(p->p_offset, bytes, p->p_filesz);
	while (p->p_filesz - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		const uint8_t *name = bytes + at + sizeof(n), *text;

		memcpy(&n, bytes + at, sizeof(n));
		at += sizeof(n) + padded(n.n_namesz) + padded(n.n_descsz);
		if (!n.n_namesz || at > p->p_filesz)
			break;
		text = name + padded(n.n_namesz);
		if (n.n_type == NT_PRSTATUS && n.n_namesz == 5 && !memcmp(name, "CORE", 5))
			notes.cpus++;
		if (n.n_namesz == 11 && !memcmp(name, "VMCOREINFO", 11))
			notes.info = strndup((const char *)text, n.n_descsz);
	}
	free(bytes);
	return notes;
}

/* The value of a line of VMCOREINFO that begins with `name`, NUL-terminated. */
static void info_value(const char *info, const char *name, char *value, size_t size)
{
	const char *line = strstr(info, name);

	if (!line)
		die(VMCORE ": VMCOREINFO has no %s", name);
	line += strlen(name);
	snprintf(value, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static uint64_t file_offset(const Elf64_Phdr *p, unsigned count, uint64_t vaddr)
{
	for (unsigned i = 0; i < count; i++)
		if (p[i].p_type == PT_LOAD && vaddr - p[i].p_vaddr < p[i].p_filesz)
			return p[i].p_offset + (vaddr - p[i].p_vaddr);
	die(VMCORE ": no memory at %#llx", (unsigned long long)vaddr);
}

void check_vmcore(void)
{
	Elf64_Phdr segments[MAX_SEGMENTS];
	char release[UTS_NAME_BYTES], address[32], names[8 * UTS_NAME_BYTES];
	struct notes notes = {0};
	Elf64_Ehdr e;

	fd = open(VMCORE, O_RDONLY);
	if (fd < 0)
		die(VMCORE ": %s", strerror(errno));
	read_at(0, &e, sizeof(e));
	check_header(&e);
	read_at(e.e_phoff, segments, e.e_phnum * sizeof(segments[0]));
	if (segments[0].p_type == PT_NOTE)
		notes = read_notes(&segments[0]);
	if (!notes.cpus || !notes.info)
		die(VMCORE ": no PT_NOTE with registers and VMCOREINFO");
	info_value(notes.info, "OSRELEASE=", release, sizeof(release));
	info_value(notes.info, "SYMBOL(init_uts_ns)=", address, sizeof(address));
	read_at(file_offset(segments, e.e_phnum, strtoull(address, NULL, 16)), names,
		sizeof(names));
	if (!memmem(names, sizeof(names), release, strlen(release) + 1))
		die(VMCORE ": the memory at %s is not that of Linux %s", address, release);
	printf("vmcore of Linux %s, %u CPU(s), %u segments\n", release, notes.cpus, e.e_phnum);
}
