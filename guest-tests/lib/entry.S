/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the PVH entry point to test_start() in C.
 *
 * docs/misc/pvh.pandoc of Xen promises little at entry: flat 32-bit segments of unknown selector,
 * paging off, interrupts off, ebx = hvm_start_info. No stack, no GDT, no IDT. The promises are
 * recorded in entry_state before anything changes, for the test that checks them; then the image
 * takes its own GDT and stack, and the 64-bit build turns on paging over a table that stands in
 * .data: the low 4 GiB, identity mapped, 2 MiB pages, open to ring 3.
 *
 * The image runs where it was linked; nothing here is position independent.
 */
#include "guest-tests/lib/entry_macros.inc"

	.section .note.Xen, "a", @note
	.balign 4
	.long	2f - 1f
	.long	4f - 3f
	.long	18			/* XEN_ELFNOTE_PHYS32_ENTRY, xen/elfnote.h */
1:	.asciz	"Xen"
2:	.balign 4
3:
#ifdef __x86_64__
	.quad	_start
#else
	.long	_start
#endif
4:	.balign 4

	.section .text.head, "ax", @progbits
	.code32
	.globl	_start
_start:
	movl	%ebx, entry_state + 0
	movl	%cr0, %eax
	movl	%eax, entry_state + 4
	movl	%cr4, %eax
	movl	%eax, entry_state + 8
	movl	$boot_stack_end, %esp
	pushfl
	popl	entry_state + 12
	movw	%cs, entry_state + 16
	movw	%ds, entry_state + 18
	movw	%es, entry_state + 20
	movw	%ss, entry_state + 22
	strw	entry_state + 24

	cld
	lgdt	gdt_pointer
	ljmp	$SEL_CODE32, $1f
1:	load_data_segments

	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	rep stosl

#ifdef __x86_64__
	prepare_long_mode
	movl	%cr0, %eax
	orl	$0x80010000, %eax	/* PG; WP, so that read-only means it */
	movl	%eax, %cr0
	ljmp	$SEL_CODE64, $1f
	.code64
1:	xorl	%ebp, %ebp
#else
	movl	$0xc0000080, %ecx	/* EFER, where Linux's 32-bit kernels write it */
	rdmsr
	orl	$0x800, %eax		/* NX */
	wrmsr
	movl	%cr0, %eax
	orl	$0x00010000, %eax	/* WP, as in the other width */
	movl	%eax, %cr0
	xorl	%ebp, %ebp
#endif
	call	test_start
1:	hlt
	jmp	1b

	.data
	.balign 8
	.globl	entry_state
entry_state:
	.skip	32

	.globl	gdt, gdt_tss
	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* SEL_CODE32 */
	.quad	0x00cf93000000ffff	/* SEL_DATA */
	.quad	0x00af9b000000ffff	/* SEL_CODE64 */
	.quad	0x00cffb000000ffff	/* SEL_USER_CODE32 */
	.quad	0x00cff3000000ffff	/* SEL_USER_DATA */
	.quad	0x00affb000000ffff	/* SEL_USER_CODE64 */
gdt_tss:
	.rept	MAX_CPUS
	.quad	0, 0			/* SEL_TSS and so on, filled in by traps.c */
	.endr
gdt_end:
	.globl	gdt_pointer, gdt_limit
	.set	gdt_limit, gdt_end - gdt - 1
gdt_pointer:
	.word	gdt_limit
#ifdef __x86_64__
	.quad	gdt
#else
	.long	gdt
#endif

#ifdef __x86_64__
	/* present, writable, user; PSE, accessed and dirty where a 2 MiB page is meant */
#define TABLE	0x07
#define LARGE	0xe7
	.globl	page_l4, page_l3
	.balign 4096
page_l4:
	.quad	page_l3 + TABLE
	.skip	4096 - 8
page_l3:
	.quad	page_l2 + TABLE
	.quad	page_l2 + 0x1000 + TABLE
	.quad	page_l2 + 0x2000 + TABLE
	.quad	page_l2 + 0x3000 + TABLE
	.skip	4096 - 4 * 8
page_l2:
	.set	frame, 0
	.rept	2048
	.quad	frame + LARGE
	.set	frame, frame + 0x200000
	.endr
#endif

	.section .noinit, "aw", @nobits
	.balign 16
	.skip	8192
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
