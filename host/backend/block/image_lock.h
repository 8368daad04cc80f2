/* SPDX-License-Identifier: BSD-2-Clause */
/* No image is written by one guest while another one has it. */
#ifndef HOST_BACKEND_BLOCK_IMAGE_LOCK_H
#define HOST_BACKEND_BLOCK_IMAGE_LOCK_H

#include <stdbool.h>

#include "host/problem.h"

/*
 * Open the file or block device and lock it as long as the descriptor is open: for one writer or
 * any number of readers. A lock of the open file (F_OFD_SETLK) of its first byte, which is none of
 * those that QEMU locks. The descriptor, or -1 with the reason.
 */
int image_open_locked(const char *path, bool readonly, struct problem *p);

#endif
