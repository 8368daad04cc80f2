/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between kexec_load(2), whose entry point is 64-bit code with one-to-one page tables, and PVH's:
 * 32-bit, flat, unpaged, ebx = start_info (docs/misc/pvh.pandoc). It is copied as a whole and runs
 * wherever that is, below 4 GiB.
 */
#define SEL_CODE32 0x08
#define SEL_DATA   0x10
#define EFER       0xc0000080

	.section .rodata
	.balign 16
	.globl	trampoline, trampoline_entry, trampoline_start_info, trampoline_end
trampoline:
	.code64
	cli
	lea	gdt(%rip), %rax
	mov	%rax, gdt_pointer + 2(%rip)
	lgdt	gdt_pointer(%rip)
	lea	stack_end(%rip), %rsp
	mov	trampoline_start_info(%rip), %ebx
	mov	trampoline_entry(%rip), %esi
	lea	1f(%rip), %rax
	push	$SEL_CODE32
	push	%rax
	lretq

	.code32
1:	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$0x11, %eax		/* ET and PE, no paging */
	mov	%eax, %cr0
	mov	$EFER, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	mov	%eax, %cr4
	jmp	*%esi

	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.quad	0
	.balign 4
trampoline_entry:
	.long	0			/* filled in: where to go */
trampoline_start_info:
	.long	0			/* and with what in ebx */
	.balign 16
	.skip	64
stack_end:
trampoline_end:

	.section .note.GNU-stack, "", @progbits
