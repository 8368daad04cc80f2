/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt and exception entry, and the two ways out of it: back to where it happened (iret), or
 * to the guarded call that had expected it (guarded_call.S).
 */
#include "guest-tests/lib/segments.h"
#include "guest-tests/lib/trap_macros.inc"

	.text
	/* One stub of 16 bytes for each vector. */
	.globl	trap_stubs
	.balign 16
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign 16
	enter_vector vector
	.set	vector, vector + 1
	.endr

	/*
	 * No CPU takes an interrupt between sti and hlt, but the beds' emulated one may
	 * (docs/design-notes.md, "What beds lose"): then irq_wait()'s sleep is over.
	 */
trap_common:
	handle_trap
#ifdef __x86_64__
	cmpq	$irq_wait_hlt, (%rsp)
	jne	1f
	incq	(%rsp)
1:	iretq
#else
	cmpl	$irq_wait_hlt, (%esp)
	jne	1f
	incl	(%esp)
1:	iret
#endif

	/* void irq_wait(void) */
	.globl	irq_wait
irq_wait:
	sti
irq_wait_hlt:
	hlt
	cli
	ret

	/* void user_enter(void (*fn)(unsigned long), unsigned long arg, unsigned long sp) */
	.globl	user_enter
user_enter:
#ifdef __x86_64__
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	$SEL_USER_DATA, %ecx
	mov	%ecx, %ds
	mov	%ecx, %es
	push	%rcx
	push	%rdx
	push	$2			/* rflags: nothing on, IOPL 0 */
	push	$SEL_USER_CODE
	push	%rax
	iretq
#else
	mov	4(%esp), %eax
	mov	8(%esp), %edx
	mov	12(%esp), %ecx
	mov	%edx, -4(%ecx)		/* the argument, above a return address never used */
	lea	-8(%ecx), %ecx
	mov	$SEL_USER_DATA, %edx
	mov	%edx, %ds
	mov	%edx, %es
	push	%edx
	push	%ecx
	push	$2
	push	$SEL_USER_CODE
	push	%eax
	iret
#endif

	.section .note.GNU-stack, "", @progbits
