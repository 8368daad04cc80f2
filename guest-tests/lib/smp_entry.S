/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where other vCPUs begin: in real mode (a copy below 1 MiB), in flat 32-bit protected mode, or in
 * long mode on our own page tables. All take the image's GDT and the stack of smp_boot_stack, and
 * call smp_main(); in 64-bit builds they turn long mode on before, as entry.S does.
 */
#include "guest-tests/lib/entry_macros.inc"

	.text
	.code16
	.globl	smp_trampoline, smp_trampoline_end
smp_trampoline:
	cli
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	1f - smp_trampoline
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$SEL_CODE32, $smp_start_32
1:	.word	gdt_limit
	.long	gdt
smp_trampoline_end:

	.code32
	.globl	smp_start_32
smp_start_32:
	cld
	lgdt	%cs:gdt_pointer		/* the data segments may still be real mode's */
	ljmp	$SEL_CODE32, $1f
1:	load_data_segments
#ifdef __x86_64__
	prepare_long_mode
#endif
	movl	%cr0, %eax
	andl	$~0x60000000, %eax	/* the caches on: CD, NW, which INIT sets */
#ifdef __x86_64__
	orl	$0x80010000, %eax	/* PG; WP */
	movl	%eax, %cr0
	ljmp	$SEL_CODE64, $smp_start_64
#else
	orl	$0x00010000, %eax	/* WP */
	movl	%eax, %cr0
	movl	smp_boot_stack, %esp
	xorl	%ebp, %ebp
	call	smp_main
#endif

#ifdef __x86_64__
	.code64
	.globl	smp_start_64
smp_start_64:
	cld
	lgdt	gdt_pointer
	load_data_segments
	movq	smp_boot_stack, %rsp
	xorl	%ebp, %ebp
	pushq	$SEL_CODE64
	pushq	$1f
	lretq
1:	call	smp_main
#endif

	.section .noinit, "aw", @nobits
	.globl	smp_stacks
	.balign 16
smp_stacks:
	.skip	MAX_CPUS * SMP_STACK_SIZE

	.section .note.GNU-stack, "", @progbits
