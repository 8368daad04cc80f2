/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core of a guest that has crashed, or of one that runs on: an ELF core file of its physical
 * memory, with the registers of each vCPU as NT_PRSTATUS notes, as crash(8), gdb and makedumpfile
 * read them of QEMU's guests.
 */
#ifndef HOST_GUEST_CORE_H
#define HOST_GUEST_CORE_H

#include <stdbool.h>

#include "host/kvm/vm.h"
#include "host/problem.h"

/* The file is there, without a name, before the sandbox forbids to make one. */
struct guest_core {
	int fd; /* -1: none */
	bool named;
	char path[256];
};

/* 0, or -1 with the reason. */
int guest_core_open(struct guest_core *core, const char *name, struct problem *p);
void guest_core_close(struct guest_core *core);

/* Write it, in place of one that was there. No vCPU runs. 0, or -1 with the reason. */
int guest_core_write(struct guest_core *core, struct vm *vm, struct problem *p);

/* Write it to this file, from its beginning. No vCPU runs. 0 or -errno. */
int guest_core_dump(int fd, struct vm *vm);

#endif
