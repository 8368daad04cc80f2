/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt and exception entry, and the two ways out of it: back to where it happened (iret), or
 * by trap_unwind() to the trap_guarded_call() that had expected it.
 *
 * The frame is struct trap_frame of traps.h, the same names in both widths.
 */
#include "guest-tests/lib/segments.h"

	.text
	/* One stub of 16 bytes for each vector; 8, 10-14, 17, 21, 29 and 30 push an error code. */
	.globl	trap_stubs
	.balign 16
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

#ifdef __x86_64__
trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	call	trap_handle
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

	/* int trap_guarded_call(unsigned long *sp, void (*fn)(void *), void *arg) */
	.globl	trap_guarded_call
trap_guarded_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rdx, %rdi
	call	*%rsi
	xor	%eax, %eax
	jmp	1f

	/* void trap_unwind(unsigned long sp): trap_guarded_call() returns 1 */
	.globl	trap_unwind
trap_unwind:
	mov	%rdi, %rsp
	mov	$SEL_DATA, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	mov	$1, %eax
1:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	/* void user_enter(void (*fn)(unsigned long), unsigned long arg, unsigned long sp) */
	.globl	user_enter
user_enter:
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
trap_common:
	push	%eax
	push	%ecx
	push	%edx
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	cld
	push	%esp
	call	trap_handle
	add	$4, %esp
	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	pop	%edx
	pop	%ecx
	pop	%eax
	add	$8, %esp
	iret

	.globl	trap_guarded_call
trap_guarded_call:
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	mov	20(%esp), %eax
	mov	%esp, (%eax)
	push	28(%esp)
	call	*28(%esp)
	add	$4, %esp
	xor	%eax, %eax
	jmp	1f

	.globl	trap_unwind
trap_unwind:
	mov	4(%esp), %ecx
	mov	$SEL_DATA, %eax
	mov	%eax, %ss
	mov	%ecx, %esp
	mov	%eax, %ds
	mov	%eax, %es
	mov	$1, %eax
1:	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
	ret

	.globl	user_enter
user_enter:
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
