// SPDX-License-Identifier: BSD-2-Clause
#include "shim/pv/hypercall_page.h"

#include <string.h>

#include "xen-abi/xen.h"

#define STUB_SIZE 32

/* SYSCALL takes rcx and r11 for itself. */
static const uint8_t stub[] = {
	0x51,                /*  0: push %rcx */
	0x41, 0x53,          /*  1: push %r11 */
	0xb8, 0,    0, 0, 0, /*  3: mov $nr, %eax */
	0x0f, 0x05,          /*  8: syscall */
	0x41, 0x5b,          /* 10: pop %r11 */
	0x59,                /* 12: pop %rcx */
	0xc3,                /* 13: ret */
};
#define STUB_NR 4

/*
 * It is jumped to and does not come back: the three that it pushes are the rest of struct
 * iret_context, which the guest has begun on its stack.
 */
static const uint8_t iret_stub[] = {
	0x51,       /* push %rcx */
	0x41, 0x53, /* push %r11 */
	0x50,       /* push %rax */
	0xb8, __HYPERVISOR_iret,
	0,    0,
	0,          /* mov $nr, %eax */
	0x0f, 0x05, /* syscall */
};

void pv_hypercall_page_fill(uint8_t page[PV_PAGE_SIZE])
{
	memset(page, 0xcc, PV_PAGE_SIZE);
	for (unsigned nr = 0; nr < PV_PAGE_SIZE / STUB_SIZE; nr++) {
		uint8_t *at = page + nr * STUB_SIZE;

		if (nr == __HYPERVISOR_iret) {
			memcpy(at, iret_stub, sizeof(iret_stub));
			continue;
		}
		memcpy(at, stub, sizeof(stub));
		at[STUB_NR] = nr;
	}
}
