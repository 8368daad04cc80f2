/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uint32_t protected_mode_call(const void *code, uint32_t arg): 64-bit builds leave long mode, run
 * 32-bit code with paging off (everything lies below 4 GiB, one to one), and come back. `code` gets
 * the argument on its stack and answers in eax, as a C function would. Interrupts must be off, and
 * an exception in there is a triple fault: the IDT is a 64-bit one.
 */
#include "guest-tests/lib/segments.h"

#define EFER 0xc0000080
#define LME  0x100

	.text
	.code64
	.globl	protected_mode_call
protected_mode_call:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%edi, %ebx
	mov	%esi, %edi
	pushq	$SEL_CODE32
	pushq	$1f
	lretq

	.code32
1:	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	mov	$EFER, %ecx
	rdmsr
	and	$~LME, %eax
	wrmsr
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	push	%edi
	call	*%ebx
	add	$4, %esp
	mov	%eax, %esi
	mov	$EFER, %ecx
	rdmsr
	or	$LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	ljmp	$SEL_CODE64, $2f

	.code64
2:	mov	%esi, %eax
	mov	%esp, %esp		/* the upper half was lost on the way; it is zero */
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
