/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests that the probe runs. One image, loaded at PROBE_CODE; each entry begins like a PVH
 * guest: 32-bit protected mode, flat segments, paging off, interrupts off. What a guest finds out
 * it writes to PROBE_PORT. See host/kvm/probe_modes.c and probe_irq.c for the other side.
 */
#include "host/kvm/probe_guest.h"

#define CR0_PG	 0x80000000
#define CR4_PSE	 0x10
#define CR4_PAE	 0x20
#define EFER	 0xc0000080
#define EFER_SCE 0x001
#define EFER_LME 0x100
#define STAR	 0xc0000081
#define LSTAR	 0xc0000082
#define SFMASK	 0xc0000084

/* IOPL 3, so that ring 3 can use the port too. */
#define USER_FLAGS 0x3002

/* Where a label of this file is in the guest. */
#define AT(label) (PROBE_CODE + label - probe_guest_start)

/* For ever: read a count, loop that often (two instructions a turn), say so. */
.macro SERVE
1:	inl	$PROBE_PORT, %eax
	movl	%eax, %ecx
2:	decl	%ecx
	jnz	2b
	outl	%eax, $PROBE_PORT
	jmp	1b
.endm

	.section .rodata
	.balign	16
	.globl	probe_guest_start, probe_guest_end
	.globl	probe_guest_gdt, probe_guest_gdt_end, probe_guest_idt, probe_guest_idt_end
	.globl	probe_guest_unpaged, probe_guest_paging_32, probe_guest_paging_pae
	.globl	probe_guest_long, probe_guest_user, probe_guest_syscall
	.globl	probe_guest_wrmsr, probe_guest_upcall

probe_guest_start:
	.code32

probe_guest_unpaged:
	movl	PROBE_DATA, %eax
	outl	%eax, $PROBE_PORT
	SERVE

probe_guest_paging_32:
	movl	$PROBE_PD_32, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$CR4_PSE, %eax
	movl	%eax, %cr4
	jmp	paging_on

probe_guest_paging_pae:
	movl	$PROBE_PDPT_PAE, %eax
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
paging_on:
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	movl	PROBE_VIRTUAL, %eax
	outl	%eax, $PROBE_PORT
	SERVE

	/* Write an MSR that is ours to handle, then show that the guest goes on. */
probe_guest_wrmsr:
	movl	$PROBE_MSR, %ecx
	movl	$PROBE_MSR_VALUE, %eax
	xorl	%edx, %edx
	wrmsr
	movl	PROBE_DATA, %eax
	outl	%eax, $PROBE_PORT
	SERVE

	/* Count interrupts without ever doing EOI: one may come in each turn. */
probe_guest_upcall:
	xorl	%ebx, %ebx
1:	inl	$PROBE_PORT, %eax
	sti
	nop
	nop
	cli
	movl	%ebx, %eax
	outl	%eax, $PROBE_PORT
	jmp	1b
upcall_handler:
	incl	%ebx
	iretl

	/* Long mode: %ebx says where to go on there. */
probe_guest_long:
	movl	$AT(long_kernel), %ebx
	jmp	enter_long
probe_guest_user:
	movl	$AT(long_user), %ebx
	jmp	enter_long
probe_guest_syscall:
	movl	$AT(long_syscall), %ebx
enter_long:
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$PROBE_PML4, %eax
	movl	%eax, %cr3
	movl	$EFER, %ecx
	rdmsr
	orl	$(EFER_LME | EFER_SCE), %eax
	wrmsr
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmp	$PROBE_CS64, $AT(long_begin)

	.code64
long_begin:
	jmp	*%rbx

long_kernel:
	movl	PROBE_VIRTUAL, %eax
	outl	%eax, $PROBE_PORT
	SERVE

	/* To ring 3, at %rbx. */
enter_user:
	pushq	$(PROBE_USER_SS | 3)
	pushq	$PROBE_STACK_TOP
	pushq	$USER_FLAGS
	pushq	$(PROBE_USER_CS64 | 3)
	pushq	%rbx
	iretq

long_user:
	movl	$AT(in_user), %ebx
	jmp	enter_user
in_user:
	movl	%cs, %eax
	andl	$3, %eax
	outl	%eax, $PROBE_PORT
	SERVE

long_syscall:
	movl	$STAR, %ecx
	xorl	%eax, %eax
	movl	$((PROBE_USER_CS32 | 3) << 16 | PROBE_CS64), %edx
	wrmsr
	movl	$LSTAR, %ecx
	movl	$AT(syscall_target), %eax
	xorl	%edx, %edx
	wrmsr
	movl	$SFMASK, %ecx
	xorl	%eax, %eax
	wrmsr
	movl	$AT(do_syscall), %ebx
	jmp	enter_user
do_syscall:
	syscall
syscall_target:
	/* The selector is what the CPU has, not always what the guest set; CR0 needs ring 0 in earnest. */
	movl	%cs, %eax
	andl	$3, %eax
	outl	%eax, $PROBE_PORT
	movq	%cr0, %rax
	outl	%eax, $PROBE_PORT
	SERVE

	.balign	8
probe_guest_gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* PROBE_CS32 */
	.quad	0x00cf93000000ffff	/* PROBE_DS */
	.quad	0x00af9b000000ffff	/* PROBE_CS64 */
	.quad	0x00cf93000000ffff	/* PROBE_SS64 */
	.quad	0x00cffb000000ffff	/* PROBE_USER_CS32 */
	.quad	0x00cff3000000ffff	/* PROBE_USER_SS */
	.quad	0x00affb000000ffff	/* PROBE_USER_CS64 */
probe_guest_gdt_end:

	/* 32-bit, and nothing but the one vector. */
probe_guest_idt:
	.fill	PROBE_VECTOR, 8, 0
	.word	AT(upcall_handler), PROBE_CS32, 0x8e00, 0
probe_guest_idt_end:
probe_guest_end:

	.section .note.GNU-stack, "", @progbits
