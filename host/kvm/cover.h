/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another page of memory in the place of one of guest RAM, and the RAM again: by mapping, while
 * vCPUs run. What a guest writes meanwhile is never lost: it goes to the one page or to the other,
 * or KVM_RUN fails with EFAULT (an emulated access exits as MMIO) and the access is made once more.
 *
 * No thread of ours may touch the page meanwhile (memslots_remap_begin).
 */
#ifndef HOST_KVM_COVER_H
#define HOST_KVM_COVER_H

#include <stdint.h>

/*
 * Show the page of the file `fd` at `offset` at hva, a page of private anonymous memory, which is
 * kept at *aside; if *aside is not NULL, it is there already, and one page of a file takes the
 * place of another. 0 or -errno with all as it was; -ENOTRECOVERABLE: it could not be put back as
 * it was.
 */
int page_cover(uint8_t *hva, int fd, uint64_t offset, void **aside);

/* The same of what is at hva: the page has its contents then, and is what is there. */
int page_lend(uint8_t *hva, int fd, uint64_t offset, void **aside);

/* Undo that: the contents go to what was put aside, that is shown at hva again, and the page of the
 * file is empty. As page_cover(). Nobody else writes to the page. */
int page_take_back(uint8_t *hva, int fd, uint64_t offset, void *aside);

/* Show what was put aside at hva again, in one step. 0, or -errno with all as it was. */
int page_uncover(uint8_t *hva, void *aside);

#endif
