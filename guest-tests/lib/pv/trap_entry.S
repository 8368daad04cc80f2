/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries that the hypervisor bounces to, and the ways out: by the iret hypercall, or to the guarded call that had
 * expected it (../guarded_call.S). On the stack are rcx, r11, an error code where the vector has one, and the frame that
 * the CPU would have pushed; here it becomes struct trap_frame (../traps.h).
 */
#include "guest-tests/lib/pv/traps.h"
#include "guest-tests/lib/trap_macros.inc"

#define IRET (hypercall_page + 23 * 32)

	.text
	.globl	trap_stubs
	.balign 16
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign 16
	pop	%rcx
	pop	%r11
	enter_vector vector
	.set	vector, vector + 1
	.endr

.macro callback name, vector
	.globl	\name
\name:
	pop	%rcx
	pop	%r11
	push	$0
	push	$\vector
	jmp	trap_common
.endm

	callback pv_event_entry, VECTOR_EVENT
	callback pv_syscall_entry, VECTOR_SYSCALL
	callback pv_syscall32_entry, VECTOR_SYSCALL32
	callback pv_sysenter_entry, VECTOR_SYSENTER
	callback pv_nmi_entry, VECTOR_NMI_CALLBACK

	/* The segment registers that could not be loaded come first. */
	.globl	pv_failsafe_entry
pv_failsafe_entry:
	pop	%rcx
	pop	%r11
	popq	pv_failsafe_selectors
	popq	pv_failsafe_selectors + 8
	popq	pv_failsafe_selectors + 16
	popq	pv_failsafe_selectors + 24
	push	$0
	push	$VECTOR_FAILSAFE

trap_common:
	handle_trap
	push	$0			/* flags of struct iret_context; the page pushes the rest */
	jmp	IRET

	/* void pv_iret(const struct trap_frame *f, unsigned long flags): all that is in the frame */
	.globl	pv_iret
pv_iret:
	pushq	168(%rdi)		/* ss */
	pushq	160(%rdi)
	pushq	152(%rdi)
	pushq	144(%rdi)
	pushq	136(%rdi)		/* ip */
	pushq	%rsi
	mov	0(%rdi), %r15
	mov	8(%rdi), %r14
	mov	16(%rdi), %r13
	mov	24(%rdi), %r12
	mov	32(%rdi), %r11
	mov	40(%rdi), %r10
	mov	48(%rdi), %r9
	mov	56(%rdi), %r8
	mov	72(%rdi), %rsi
	mov	80(%rdi), %rbp
	mov	88(%rdi), %rbx
	mov	96(%rdi), %rdx
	mov	104(%rdi), %rcx
	mov	112(%rdi), %rax
	mov	64(%rdi), %rdi
	jmp	IRET

	.section .note.GNU-stack, "", @progbits
