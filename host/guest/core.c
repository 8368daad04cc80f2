// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "host/guest/log.h"

#define HEADERS_MAX (1 + VM_AREAS_MAX) /* of the program: notes, and each area */

/* A note of a vCPU. ELF aligns names and descriptions to 4 bytes, and no more. */
struct vcpu_note {
	Elf64_Nhdr header;
	char name[8]; /* "CORE" */
	struct elf_prstatus status;
} __attribute__((packed, aligned(4)));

static int write_at(int fd, const void *bytes, size_t len, off_t at)
{
	const uint8_t *from = bytes;

	while (len) {
		ssize_t n = pwrite(fd, from, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		from += n;
		at += n;
		len -= n;
	}
	return 0;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, GUEST_PAGE_SIZE - 1);
}

/* Pages of zeros are holes in the file. */
static int write_area(int fd, const uint8_t *from, uint64_t size, off_t at)
{
	int rc = 0;

	for (uint64_t done = 0; done < size && !rc; done += GUEST_PAGE_SIZE)
		if (!is_zero(from + done))
			rc = write_at(fd, from + done, GUEST_PAGE_SIZE, at + done);
	return rc;
}

static void fill_registers(struct user_regs_struct *u, const struct kvm_regs *r,
			   const struct kvm_sregs *s)
{
	*u = (struct user_regs_struct){
		.rax = r->rax,
		.orig_rax = -1,
		.rbx = r->rbx,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.rsp = r->rsp,
		.rbp = r->rbp,
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rip = r->rip,
		.eflags = r->rflags,
		.cs = s->cs.selector,
		.ds = s->ds.selector,
		.es = s->es.selector,
		.fs = s->fs.selector,
		.gs = s->gs.selector,
		.ss = s->ss.selector,
		.fs_base = s->fs.base,
		.gs_base = s->gs.base,
	};
}

static int write_notes(int fd, struct vm *vm, off_t at)
{
	int rc = 0;

	for (unsigned i = 0; i < vm->nr_vcpus && !rc; i++, at += sizeof(struct vcpu_note)) {
		struct vcpu_note note = {
			.header = {sizeof("CORE"), sizeof(note.status), NT_PRSTATUS},
			.name = "CORE",
			.status = {.pr_pid = i + 1},
		};
		struct user_regs_struct u;
		struct kvm_sregs sregs;
		struct kvm_regs regs;

		if (ioctl(vm->vcpus[i].fd, KVM_GET_REGS, &regs) ||
		    ioctl(vm->vcpus[i].fd, KVM_GET_SREGS, &sregs))
			return -errno;
		fill_registers(&u, &regs, &sregs);
		memcpy(note.status.pr_reg, &u, sizeof(u));
		rc = write_at(fd, &note, sizeof(note), at);
	}
	return rc;
}

static int write_headers(int fd, const struct vm *vm, off_t memory_at)
{
	Elf64_Ehdr ehdr = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(ehdr),
		.e_ehsize = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1 + vm->nr_areas,
	};
	Elf64_Phdr phdr[HEADERS_MAX];
	int rc = write_at(fd, &ehdr, sizeof(ehdr), 0);

	phdr[0] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = sizeof(ehdr) + sizeof(phdr),
		.p_filesz = vm->nr_vcpus * sizeof(struct vcpu_note),
	};
	for (unsigned i = 0; i < vm->nr_areas; i++) {
		const struct vm_area *a = &vm->areas[i];

		phdr[1 + i] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = memory_at,
			.p_paddr = a->gpa,
			.p_filesz = a->size,
			.p_memsz = a->size,
			.p_align = GUEST_PAGE_SIZE,
		};
		memory_at += a->size;
	}
	return rc ? rc : write_at(fd, phdr, sizeof(phdr), sizeof(ehdr));
}

int guest_core_dump(int fd, struct vm *vm)
{
	off_t notes = sizeof(Elf64_Ehdr) + HEADERS_MAX * sizeof(Elf64_Phdr);
	off_t memory = notes + vm->nr_vcpus * sizeof(struct vcpu_note);
	int rc = ftruncate(fd, 0) ? -errno : 0;

	memory = (memory + GUEST_PAGE_SIZE - 1) / GUEST_PAGE_SIZE * GUEST_PAGE_SIZE;
	if (!rc)
		rc = write_headers(fd, vm, memory);
	if (!rc)
		rc = write_notes(fd, vm, notes);
	for (unsigned i = 0; i < vm->nr_areas && !rc; i++) {
		rc = write_area(fd, vm->areas[i].hva, vm->areas[i].size, memory);
		memory += vm->areas[i].size;
	}
	/* The last pages may be holes. */
	if (!rc && ftruncate(fd, memory))
		rc = -errno;
	return rc;
}

static int give_name(struct guest_core *core)
{
	char fd[32];

	if (core->named)
		return 0;
	snprintf(fd, sizeof(fd), "/proc/self/fd/%d", core->fd);
	unlink(core->path); /* one of an earlier guest */
	if (linkat(AT_FDCWD, fd, AT_FDCWD, core->path, AT_SYMLINK_FOLLOW))
		return -errno;
	core->named = true;
	return 0;
}

int guest_core_write(struct guest_core *core, struct vm *vm, struct problem *p)
{
	int rc = guest_core_dump(core->fd, vm);

	if (!rc)
		rc = give_name(core);
	return rc ? problem(p, "cannot write the core %s: %s", core->path, strerror(-rc)) : 0;
}

int guest_core_open(struct guest_core *core, const char *name, struct problem *p)
{
	char folder[sizeof(core->path)];

	*core = (struct guest_core){.fd = -1};
	if (!guest_file_path(GUEST_CORE, name, core->path, sizeof(core->path)))
		return problem(p, "there is no place for a core; set XENOLITH_LOG_DIR to a folder");
	memcpy(folder, core->path, sizeof(folder));
	core->fd = open(dirname(folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (core->fd < 0)
		return problem(p,
			       "cannot write a core to %s: %s; set XENOLITH_LOG_DIR to another "
			       "folder, or on_crash to an action without a core",
			       core->path, strerror(errno));
	return 0;
}

void guest_core_close(struct guest_core *core)
{
	if (core->fd >= 0)
		close(core->fd);
	core->fd = -1;
}
