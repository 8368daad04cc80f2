// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hypercall page (public header xen.h: stub N at N * 32 enters hypercall N, arguments in
 * registers, result in rax/eax, all other registers kept).
 *
 * On stock KVM a stub leaves the guest by reading a port: what it reads is the result, which KVM
 * puts into eax itself, so that no register has to be set for it. An I/O instruction outside ring 0
 * would raise #GP where Xen answers -EPERM, so the stub looks at its own ring first. The 64-bit
 * stub also shows cr3 in rbx: with that the caller's addresses can be translated, and asking KVM
 * for it costs more than all the rest.
 */
#include <string.h>

#include "shim/hypercall.h"
#include "xen-abi/xen.h"

#define STUB_SIZE 32

static const uint8_t port_stub_64[] = {
	0x53,                      /*  0: push %rbx */
	0x8c, 0xcb,                /*  1: mov %cs, %ebx */
	0xf6, 0xc3, 0x03,          /*  3: test $3, %bl */
	0x75, 0x0e,                /*  6: jnz 22 */
	0xb8, 0,    0,    0,    0, /*  8: mov $nr, %eax */
	0x0f, 0x20, 0xdb,          /* 13: mov %cr3, %rbx */
	0xe5, 0,                   /* 16: in $port, %eax */
	0x5b,                      /* 18: pop %rbx */
	0x48, 0x98,                /* 19: cltq */
	0xc3,                      /* 21: ret */
	0x48, 0x83, 0xc8, 0xff,    /* 22: or $-XEN_EPERM, %rax */
	0x5b,                      /* 26: pop %rbx */
	0xc3,                      /* 27: ret */
};
#define PORT_STUB_64_NR   9
#define PORT_STUB_64_PORT 17

static const uint8_t port_stub_32[] = {
	0x8c, 0xc8,                   /*  0: mov %cs, %eax */
	0xa8, 0x03,                   /*  2: test $3, %al */
	0x75, 0x08,                   /*  4: jnz 14 */
	0xb8, 0,    0,    0,    0,    /*  6: mov $nr, %eax */
	0xe5, 0,                      /* 11: in $port, %eax */
	0xc3,                         /* 13: ret */
	0xb8, 0xff, 0xff, 0xff, 0xff, /* 14: mov $-XEN_EPERM, %eax */
	0xc3,                         /* 19: ret */
};
#define PORT_STUB_32_NR   7
#define PORT_STUB_32_PORT 12

static void fill_port_stub(uint8_t *stub, uint8_t nr, const struct hypercall_stub *kind)
{
	if (kind->long_mode) {
		memcpy(stub, port_stub_64, sizeof(port_stub_64));
		stub[PORT_STUB_64_NR] = nr;
		stub[PORT_STUB_64_PORT] = kind->port;
	} else {
		memcpy(stub, port_stub_32, sizeof(port_stub_32));
		stub[PORT_STUB_32_NR] = nr;
		stub[PORT_STUB_32_PORT] = kind->port;
	}
}

static void fill_vmcall_stub(uint8_t *stub, uint8_t nr, const struct hypercall_stub *kind)
{
	const uint8_t code[] = {
		0xb8, nr,   0,
		0,    0, /* mov $nr, %eax */
		0x0f, 0x01, kind->amd ? 0xd9 : 0xc1,
		0xc3 /* vmmcall or vmcall; ret */
	};

	memcpy(stub, code, sizeof(code));
}

void hypercall_page_fill(uint8_t *page, const struct hypercall_stub *kind)
{
	const uint8_t ud2[] = {0x0f, 0x0b};

	memset(page, 0xcc, GUEST_PAGE_SIZE);
	for (unsigned nr = 0; nr < GUEST_PAGE_SIZE / STUB_SIZE; nr++) {
		uint8_t *stub = page + nr * STUB_SIZE;

		if (nr == __HYPERVISOR_iret) /* PV only; Xen plants an invalid opcode too */
			memcpy(stub, ud2, sizeof(ud2));
		else if (kind->port >= 0)
			fill_port_stub(stub, nr, kind);
		else
			fill_vmcall_stub(stub, nr, kind);
	}
}
