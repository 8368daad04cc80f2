// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hypercall page, in each word size, again and again.
 *
 * Writing a page's address to the hypercall MSR fills that page with 128 stubs of 32 bytes, one for
 * each hypercall number, in the form that suits the CPU's mode at that moment; and it tells the
 * hypervisor the word size that shared_info shall have. A boot loader may do it in 32 bits and the
 * kernel after it in 64, a kexec'ed kernel once more at another address, so it must work every
 * time, and a page filled earlier stays callable. The MSR's low bits are a page index, of which
 * there is only 0; another index, or an address without RAM, is a #GP (guest_wrmsr_xen() in Xen).
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "the hypercall page: every stub, other addresses, the other word size";

#define STUBS 128

static uint8_t second_page[PAGE_SIZE] PAGE_ALIGNED;

static long call_version(const uint8_t *page)
{
	struct hypercall_regs r = {.ax = 0}; /* all others 0 too: XENVER_version */

	hypercall_with_regs(&r, page + __HYPERVISOR_xen_version * 32);
	return (long)r.ax;
}

/* Arguments that no operation accepts: what counts is that the stub comes back with an answer. */
static void every_stub_returns(void)
{
	for (unsigned int nr = 0; nr < STUBS; nr++) {
		struct hypercall_regs r = {
			.bx = 0x7ffffff0,
			.cx = 0x7ffffff0,
			.dx = 0x7ffffff0,
			.si = 0x7ffffff0,
			.di = 0x7ffffff0,
			.bp = 0x7ffffff0,
		};

		/* iret has no meaning here: Xen puts an invalid instruction in its place */
		if (nr == __HYPERVISOR_iret)
			continue;
		hypercall_with_regs(&r, hypercall_page + nr * 32);
		CHECK((long)r.ax <= 0 && (long)r.ax > -4096, "stub %u answers %#lx", nr, r.ax);
	}
	hypercall_set_timer_op(0);
}

static void another_address(void)
{
	long version = call_version(hypercall_page);

	CHECK(version > 0, "the first page answers %ld", version);
	CHECK(!wrmsr_safe(hypercall_msr(), (unsigned long)second_page), "#GP for a second page");
	CHECK_EQ(call_version(second_page), version);
	CHECK_EQ(call_version(hypercall_page), version);
}

/* RAM that held something else is the page's next home; the page is whole in it. */
static void filled_again(void)
{
	long version = call_version(hypercall_page);

	memset(second_page, 0xcc, sizeof(second_page));
	CHECK(!wrmsr_safe(hypercall_msr(), (unsigned long)second_page), "#GP for a filled page");
	CHECK_EQ(call_version(second_page), version);
}

static void bad_values(void)
{
	uint64_t beyond = (ram_end() + (64UL << 20)) & ~(PAGE_SIZE - 1);
	uint64_t value;

	CHECK(wrmsr_safe(hypercall_msr(), (unsigned long)second_page + 1), "page index 1 accepted");
	CHECK(wrmsr_safe(hypercall_msr(), (unsigned long)second_page + 0xfff),
	      "page index 4095 accepted");
	CHECK(wrmsr_safe(hypercall_msr(), beyond), "a page at %#llx, beyond RAM, accepted",
	      (unsigned long long)beyond);
	CHECK(wrmsr_safe(hypercall_msr(), 0xffffffffff000ULL),
	      "a page at the end of the world accepted");
	rdmsr_safe(hypercall_msr(), &value); /* may fault or not, must not hurt */
	CHECK(call_version(second_page) > 0, "the page is dead after refused writes");
}

#ifdef __x86_64__
/* In 32 bits: write the MSR as [arg] says, then call the stub of xen_version in the same page. */
__asm__(".code32\n"
	"rewrite_in_32bit:\n"
	"	push	%ebx\n"
	"	push	%esi\n"
	"	push	%edi\n"
	"	push	%ebp\n"
	"	mov	20(%esp), %ebp\n"
	"	mov	%ebp, %eax\n"
	"	xor	%edx, %edx\n"
	"	mov	msr_number, %ecx\n"
	"	wrmsr\n"
	"	xor	%ebx, %ebx\n"
	"	xor	%ecx, %ecx\n"
	"	lea	17 * 32(%ebp), %eax\n"
	"	call	*%eax\n"
	"	pop	%ebp\n"
	"	pop	%edi\n"
	"	pop	%esi\n"
	"	pop	%ebx\n"
	"	ret\n"
	".code64\n");
extern const uint8_t rewrite_in_32bit[];
uint32_t msr_number;

static bool sane_seconds(uint32_t sec)
{
	return sec > 1577836800U; /* 2020 */
}

static void the_other_word_size(void)
{
	const uint8_t *page = (const uint8_t *)shared_info_map();
	const struct shared_info_x86_32 *compat = (const void *)page;
	long version = call_version(second_page);
	uint32_t sec;

	msr_number = hypercall_msr();
	CHECK_EQ(protected_mode_call(rewrite_in_32bit, (uint32_t)(unsigned long)second_page),
		 version);
	sec = compat->wc_sec;
	CHECK(sane_seconds(sec), "no wall clock in the 32-bit place after a 32-bit write: %u", sec);
	CHECK(!wrmsr_safe(hypercall_msr(), (unsigned long)second_page), "#GP back in 64 bits");
	CHECK_EQ(call_version(second_page), version);
	sec = shared_info_map()->wc_sec;
	CHECK(sane_seconds(sec), "no wall clock in the 64-bit place after a 64-bit write: %u", sec);
}
#endif

void test_main(void)
{
	every_stub_returns();
	another_address();
	filled_again();
	bad_values();
#ifdef __x86_64__
	the_other_word_size();
#endif
	test_success();
}
