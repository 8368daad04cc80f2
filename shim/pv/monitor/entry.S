/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways into the monitor and out of it. Every entry makes a struct pv_regs (shim/pv/cpu.h) on
 * the vCPU's stack and calls C with interrupts off.
 */
#include "shim/pv/monitor/asm.h"

#define FLAT_CS64 0xe033
#define FLAT_CS32 0xe023
#define FLAT_SS   0xe02b

.macro push_registers
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
.endm

.macro pop_registers
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
.endm

/*
 * The window's own page. SYSCALL leaves the stack as it was: rsp goes aside into the window, and the
 * vCPU's stack is found from rip. rcx has rip, r11 rflags.
 */
	.section .entry, "ax", @progbits

.macro syscall_entry cs, kind
	mov	%rsp, window_scratch(%rip)
	lea	window_stack_end(%rip), %rsp
	sub	$REGS_SEGMENTS, %rsp
	push	$FLAT_SS
	push	window_scratch(%rip)
	push	%r11
	push	$\cs
	push	%rcx
	sub	$8, %rsp
	movl	$0, (%rsp)
	movl	$\kind, 4(%rsp)
	push_registers
	movabs	$from_guest, %rax
	jmp	*%rax
.endm

	.globl	syscall_stub
syscall_stub:
	syscall_entry FLAT_CS64, ENTRY_SYSCALL

	.balign	16
	.globl	syscall32_stub
syscall32_stub:
	syscall_entry FLAT_CS32, ENTRY_SYSCALL32

/*
 * SYSENTER has lost rip, rflags and rsp; its MSR has put rsp to the end of the stack. What is known
 * is made up as Xen does.
 */
	.balign	16
	.globl	sysenter_stub
sysenter_stub:
	sub	$REGS_SEGMENTS, %rsp
	push	$FLAT_SS
	push	$0
	push	$0x202
	push	$3
	push	$0
	sub	$8, %rsp
	movl	$0, (%rsp)
	movl	$ENTRY_SYSENTER, 4(%rsp)
	push_registers
	movabs	$from_guest, %rax
	jmp	*%rax

	.text
/*
 * rsp is at a struct pv_regs of the guest, at its fixed place on the main stack.
 */
	.globl	from_guest
from_guest:
	cld
	mov	%rsp, %rdi
	sub	$8, %rsp /* to a multiple of 16 */
	call	monitor_entry
	add	$8, %rsp
	.globl	return_to_guest
return_to_guest:
	pop_registers
	add	$8, %rsp
	.globl	guest_iret
guest_iret:
	iretq

/* What an exception at guest_iret becomes: the registers of the guest are below, on this stack. */
	.globl	iret_failed
iret_failed:
	sub	$8, %rsp
	push_registers
	mov	%rsp, %rdi
	sub	$8, %rsp
	call	monitor_iret_failed
	add	$8, %rsp
	jmp	return_to_guest

/* A vCPU begins: rsp is the end of its main stack. */
	.globl	monitor_start_asm
monitor_start_asm:
	sub	$REGS_SIZE, %rsp
	mov	%rsp, %rdi
	sub	$8, %rsp
	call	monitor_start
	add	$8, %rsp
	jmp	return_to_guest

/* Exceptions and interrupts: 16 bytes each, as the gates expect (idt.S). */
	.balign	16
	.globl	vector_stubs
vector_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
	.else
	push	$0
	.endif
	movl	$vector, 4(%rsp)
	.if	vector == 2 || vector == 8 || vector == 1
	jmp	on_other_stack
	.else
	jmp	on_main_stack
	.endif
	.set	vector, vector + 1
	.endr

	.balign	16
on_main_stack:
	push_registers
	testb	$3, REGS_CS(%rsp)
	jnz	from_guest
/* An exception or interrupt of the monitor itself. */
from_monitor:
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	monitor_fault
	mov	%rbx, %rsp
	pop_registers
	add	$8, %rsp
	iretq

/* #DB, #DF, NMI: one from the guest goes on, on the main stack. */
on_other_stack:
	push_registers
	testb	$3, REGS_CS(%rsp)
	jz	from_monitor
	cld
	mov	%rsp, %rdi
	sub	$8, %rsp
	call	monitor_main_regs /* copies; where to */
	mov	%rax, %rsp
	jmp	from_guest

/* long exit_hypercall(nr, args): to the host, as the 64-bit page's stubs leave (host/kvm/intercept.c). */
	.globl	exit_hypercall
exit_hypercall:
	push	%rbx
	mov	%rdi, %rax
	mov	%rsi, %r11
	mov	(%r11), %rdi
	mov	16(%r11), %rdx
	mov	24(%r11), %r10
	mov	32(%r11), %r8
	mov	40(%r11), %r9
	mov	8(%r11), %rsi
	mov	%cr3, %rbx
	in	$0xac, %eax
	cltq
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
