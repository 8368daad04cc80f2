// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/test_image.h"

#include <string.h>

#include "xen-abi/xen.h"

/* Both header tables have a fixed place with room for TEST_HEADERS_MAX. */
#define PHOFF 64
#define SHOFF (PHOFF + TEST_HEADERS_MAX * sizeof(Elf64_Phdr))
#define DATA  (SHOFF + TEST_HEADERS_MAX * sizeof(Elf64_Shdr))

static void put16(struct test_image *t, size_t at, uint16_t value)
{
	memcpy(t->bytes + at, &value, sizeof(value));
}

void image_set(struct test_image *t, size_t offset64, size_t offset32, uint16_t value)
{
	put16(t, t->is64 ? offset64 : offset32, value);
}

static uint16_t next_header(struct test_image *t, size_t offset64, size_t offset32)
{
	uint16_t count;

	memcpy(&count, t->bytes + (t->is64 ? offset64 : offset32), sizeof(count));
	image_set(t, offset64, offset32, count + 1);
	return count;
}

void image_start(struct test_image *t, bool is64)
{
	Elf64_Ehdr h64 = {
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = PHOFF,
		.e_ehsize = sizeof(h64),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_shentsize = sizeof(Elf64_Shdr),
	};
	Elf32_Ehdr h32 = {
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_phoff = PHOFF,
		.e_ehsize = sizeof(h32),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_shentsize = sizeof(Elf32_Shdr),
	};

	memset(t, 0, sizeof(*t));
	t->is64 = is64;
	t->size = DATA;
	if (is64)
		memcpy(t->bytes, &h64, sizeof(h64));
	else
		memcpy(t->bytes, &h32, sizeof(h32));
	memcpy(t->bytes, ELFMAG, SELFMAG);
	t->bytes[EI_CLASS] = is64 ? ELFCLASS64 : ELFCLASS32;
	t->bytes[EI_DATA] = ELFDATA2LSB;
	t->bytes[EI_VERSION] = EV_CURRENT;
}

uint64_t image_put(struct test_image *t, const void *bytes, size_t size)
{
	uint64_t at = (t->size + 7) & ~(size_t)7;

	if (bytes)
		memcpy(t->bytes + at, bytes, size);
	t->size = at + size;
	return at;
}

uint64_t image_note(struct test_image *t, unsigned align, uint32_t type, const void *desc,
		    uint32_t descsz)
{
	Elf64_Nhdr h = {.n_namesz = 4, .n_descsz = descsz, .n_type = type};
	uint64_t at = (t->size + align - 1) / align * align;

	memcpy(t->bytes + at, &h, sizeof(h));
	memcpy(t->bytes + at + sizeof(h), "Xen", 4);
	memcpy(t->bytes + at + 16, desc, descsz); /* header and name fill 16 bytes: aligned */
	t->size = at + 16 + (descsz + align - 1) / align * align;
	return at;
}

void image_phdr(struct test_image *t, Elf64_Phdr h)
{
	uint16_t i = next_header(t, offsetof(Elf64_Ehdr, e_phnum), offsetof(Elf32_Ehdr, e_phnum));
	Elf32_Phdr narrow = {
		.p_type = h.p_type,
		.p_offset = h.p_offset,
		.p_vaddr = h.p_vaddr,
		.p_paddr = h.p_paddr,
		.p_filesz = h.p_filesz,
		.p_memsz = h.p_memsz,
		.p_flags = h.p_flags,
		.p_align = h.p_align,
	};

	if (t->is64)
		memcpy(t->bytes + PHOFF + i * sizeof(h), &h, sizeof(h));
	else
		memcpy(t->bytes + PHOFF + i * sizeof(narrow), &narrow, sizeof(narrow));
}

static void put_shdr(struct test_image *t, Elf64_Shdr h)
{
	uint16_t i = next_header(t, offsetof(Elf64_Ehdr, e_shnum), offsetof(Elf32_Ehdr, e_shnum));
	Elf32_Shdr narrow = {
		.sh_type = h.sh_type,
		.sh_flags = h.sh_flags,
		.sh_addr = h.sh_addr,
		.sh_offset = h.sh_offset,
		.sh_size = h.sh_size,
		.sh_addralign = h.sh_addralign,
	};

	if (t->is64)
		memcpy(t->bytes + SHOFF + i * sizeof(h), &h, sizeof(h));
	else
		memcpy(t->bytes + SHOFF + i * sizeof(narrow), &narrow, sizeof(narrow));
}

void image_shdr(struct test_image *t, Elf64_Shdr h)
{
	uint16_t *count = (uint16_t *)(t->bytes + (t->is64 ? offsetof(Elf64_Ehdr, e_shnum)
							   : offsetof(Elf32_Ehdr, e_shnum)));

	if (!*count) {
		image_set(t, offsetof(Elf64_Ehdr, e_shoff), offsetof(Elf32_Ehdr, e_shoff), SHOFF);
		put_shdr(t, (Elf64_Shdr){0});
	}
	put_shdr(t, h);
}

void image_load(struct test_image *t, uint64_t paddr, uint64_t filesz, uint64_t memsz, uint8_t fill,
		uint32_t flags)
{
	uint64_t at = image_put(t, NULL, filesz);

	memset(t->bytes + at, fill, filesz);
	image_phdr(t, (Elf64_Phdr){
			      .p_type = PT_LOAD,
			      .p_offset = at,
			      .p_vaddr = paddr + 0x80000000,
			      .p_paddr = paddr,
			      .p_filesz = filesz,
			      .p_memsz = memsz,
			      .p_flags = flags,
		      });
}

void image_notes(struct test_image *t, uint64_t at)
{
	image_phdr(t, (Elf64_Phdr){
			      .p_type = PT_NOTE,
			      .p_offset = at,
			      .p_filesz = t->size - at,
			      .p_align = 4,
		      });
}

void image_entry(struct test_image *t, uint64_t entry, uint32_t descsz)
{
	image_notes(t, image_note(t, 4, XEN_ELFNOTE_PHYS32_ENTRY, &entry, descsz));
}

void image_pv_number(struct test_image *t, uint32_t type, uint64_t value)
{
	image_note(t, 4, type, &value, sizeof(value));
}

void image_pv_string(struct test_image *t, uint32_t type, const char *value)
{
	image_note(t, 4, type, value, strlen(value) + 1);
}

uint64_t image_pv_kernel(struct test_image *t, uint64_t virt_base)
{
	uint64_t at;

	image_start(t, true);
	image_load(t, 0x1000, 0x2000, 0x2000, 0x90, PF_R | PF_X);
	image_load(t, 0x4000, 0x800, 0x1800, 0xda, PF_R | PF_W);
	at = (t->size + 3) & ~(size_t)3;
	image_pv_string(t, XEN_ELFNOTE_XEN_VERSION, "xen-3.0");
	image_pv_string(t, XEN_ELFNOTE_LOADER, "generic");
	image_pv_number(t, XEN_ELFNOTE_VIRT_BASE, virt_base);
	image_pv_number(t, XEN_ELFNOTE_ENTRY, virt_base + 0x1010);
	image_pv_number(t, XEN_ELFNOTE_HYPERCALL_PAGE, virt_base + 0x2000);
	return at;
}

void image_kernel(struct test_image *t, bool is64)
{
	image_start(t, is64);
	image_load(t, 1 << 20, 4096, 8192, 0x90, PF_R | PF_X);
	image_entry(t, 1 << 20, is64 ? 8 : 4);
}

size_t image_bzimage(uint8_t *to, const void *payload, size_t size, uint16_t version)
{
	const uint32_t offset = 0x40; /* from the protected-mode code, after 1 + 2 sectors */
	const uint32_t length = size;

	memset(to, 0, 3 * 512 + offset);
	to[0x1f1] = 2;
	to[0x1fe] = 0x55;
	to[0x1ff] = 0xaa;
	memcpy(to + 0x202, "HdrS", 4);
	memcpy(to + 0x206, &version, sizeof(version));
	memcpy(to + 0x248, &offset, sizeof(offset));
	memcpy(to + 0x24c, &length, sizeof(length));
	memcpy(to + 3 * 512 + offset, payload, size);
	return 3 * 512 + offset + size;
}
