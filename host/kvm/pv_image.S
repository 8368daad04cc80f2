/* SPDX-License-Identifier: BSD-2-Clause */
	.section .rodata
	.globl	pv_image, pv_image_end
	.balign	8
pv_image:
	.incbin	"build/monitor/monitor.bin"
pv_image_end:
	.section .note.GNU-stack, "", @progbits
