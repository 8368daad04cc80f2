/* SPDX-License-Identifier: BSD-2-Clause */
/* struct pv_image_header (boot.h). */
	.section .header, "a", @progbits
	.globl	pv_image_header
pv_image_header:
	.quad	bss_end - 0xffff808000000000
	.quad	monitor_start_asm
	.quad	monitor_idt
	.quad	vector_stubs
	.quad	pv_boot
	.quad	entry_page_load
	.quad	syscall_stub - 0xffff80c000000000
	.quad	syscall32_stub - 0xffff80c000000000
	.quad	sysenter_stub - 0xffff80c000000000
	.section .note.GNU-stack, "", @progbits
