// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel between two Linuxes, 32-bit, with a hypercall page and without: it finds everything as
 * in a new guest, sets all that it can, resets the guest again, and enters the other Linux as a
 * boot loader does, at its 32-bit entry point (Documentation/arch/x86/boot.rst). Its command line
 * says where: next=ENTRY,BOOT_PARAMS. If anything is wrong it ends the guest.
 */
#include "guest-tests/kexec/anew.h"

const char test_title[] = "kexec: a 32-bit kernel between two others";

static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;

/* "0x" and hexadecimal digits; *text goes behind them. */
static unsigned long number(const char **text)
{
	unsigned long n = 0;

	if ((*text)[0] == '0' && (*text)[1] == 'x')
		*text += 2;
	for (;; (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			n = n * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n * 16 + (c - 'a') + 10;
		else
			return n;
	}
}

static void enter(unsigned long entry, unsigned long boot_params)
{
	__asm__ volatile("cli; xorl %%ebx, %%ebx; xorl %%edi, %%edi; xorl %%ebp, %%ebp; jmp *%%eax"
			 :
			 : "a"(entry), "S"(boot_params)
			 : "memory");
	__builtin_unreachable();
}

/* Nobody has loaded this kernel who could have seen its instructions. */
static void direct_hypercall(void)
{
	CHECK_EQ(hypercall_by(hypercall_native(), __HYPERVISOR_xen_version, XENVER_version, 0, 0, 0,
			      0),
		 hypercall_xen_version(XENVER_version, NULL));
}

void test_main(void)
{
	const char *text = start_info_cmdline();
	unsigned long entry, boot_params;

	direct_hypercall();
	anew_check_params();
	anew_check_ports();
	anew_check_shared_info((void *)page);
	anew_set_everything();
	anew_reset();
	if (memcmp(text, "next=", 5))
		test_error("no next= on the command line");
	if (test_is_bad())
		return;
	text += 5;
	entry = number(&text);
	text++;
	boot_params = number(&text);
	printf("kexec: from a 32-bit kernel on\n");
	enter(entry, boot_params);
}
