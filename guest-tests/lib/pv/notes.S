/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ELF notes of a PV kernel (xen/elfnote.h), which are assembled for each kernel, so that one may ask for a variant:
 *
 *   INIT_P2M=ADDRESS  the list of frames is mapped at an address of its own, outside the initial mapping
 *   MOD_START_PFN     the ramdisk is not mapped; start_info has its frame number
 *   PADDR_IS_VADDR    the physical addresses of the ELF file are the virtual ones (PADDR_OFFSET = VIRT_BASE)
 */
#include "guest-tests/lib/pv/layout.h"

#include <xen/elfnote.h>

.macro note type
	.balign 4
	.long	2f - 1f
	.long	4f - 3f
	.long	\type
1:	.asciz	"Xen"
2:	.balign 4
3:
.endm

.macro note_number type, value
	note	\type
	.quad	\value
4:	.balign 4
.endm

.macro note_text type, text
	note	\type
	.asciz	"\text"
4:	.balign 4
.endm

	.section .note.Xen, "a", @note
	note_text XEN_ELFNOTE_GUEST_OS, "test"
	note_text XEN_ELFNOTE_XEN_VERSION, "xen-3.0"
	note_text XEN_ELFNOTE_LOADER, "generic"
	note_text XEN_ELFNOTE_FEATURES, "!writable_page_tables|pae_pgdir_above_4gb"
	note_number XEN_ELFNOTE_VIRT_BASE, VIRT_BASE
#ifdef PADDR_IS_VADDR
	note_number XEN_ELFNOTE_PADDR_OFFSET, VIRT_BASE
#else
	note_number XEN_ELFNOTE_PADDR_OFFSET, 0
#endif
	note_number XEN_ELFNOTE_ENTRY, _start
	note_number XEN_ELFNOTE_HYPERCALL_PAGE, hypercall_page
#ifdef INIT_P2M
	note_number XEN_ELFNOTE_INIT_P2M, INIT_P2M
#endif
#ifdef MOD_START_PFN
	note_number XEN_ELFNOTE_MOD_START_PFN, 1
#endif

	.section .note.GNU-stack, "", @progbits
