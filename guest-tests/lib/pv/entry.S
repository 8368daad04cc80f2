/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the entry of a PV guest to test_start() in C. The registers that the public header promises anything about
 * (xen/arch-x86/xen.h, "start of day") are kept in pv_entry_state first, for the test that checks them.
 */
#include "guest-tests/lib/pv/layout.h"

	.section .text.head, "ax", @progbits
	.globl	_start
_start:
	movq	%rsi, pv_entry_state + 0
	movq	%rsp, pv_entry_state + 8
	movq	%cr0, %rax		/* the hypervisor does it for us */
	movq	%rax, pv_entry_state + 16
	movq	%cr3, %rax
	movq	%rax, pv_entry_state + 24
	movq	$pv_stacks + PV_STACK_SIZE, %rsp
	pushfq
	popq	pv_entry_state + 32
	movw	%cs, pv_entry_state + 40
	movw	%ss, pv_entry_state + 42
	movw	%ds, pv_entry_state + 44
	movw	%es, pv_entry_state + 46
	movw	%fs, pv_entry_state + 48
	movw	%gs, pv_entry_state + 50
	cld
	movq	$bss_start, %rdi
	movq	$bss_end, %rcx
	subq	%rdi, %rcx
	shrq	$3, %rcx
	xorl	%eax, %eax
	rep stosq
	xorl	%ebp, %ebp
	call	test_start
	ud2

	/* The entry of the other vCPUs, on their own stacks: smp.c. */
	.globl	pv_smp_entry
pv_smp_entry:
	cld
	xorl	%ebp, %ebp
	call	pv_smp_main
	ud2

	.text
	.globl	hypercall_page
	.balign 4096
hypercall_page:
	.skip	4096

	.data
	.balign 8
	.globl	pv_entry_state
pv_entry_state:
	.skip	56

	.section .noinit, "aw", @nobits
	.balign PV_STACK_SIZE
	.globl	pv_stacks
pv_stacks:
	.skip	PV_STACK_SIZE * PV_MAX_CPUS

	.section .note.GNU-stack, "", @progbits
