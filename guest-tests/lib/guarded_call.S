/* SPDX-License-Identifier: BSD-2-Clause */
/* A call that a trap may end. A PV kernel's segments are as it wants them in every handler. */
#include "guest-tests/lib/segments.h"

	.text
#ifdef __x86_64__
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
#ifndef PV
	mov	$SEL_DATA, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
#endif
	mov	$1, %eax
1:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
#else
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
#endif

	.section .note.GNU-stack, "", @progbits
