/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compressed kernel inside a bzImage, found by the setup header of Linux's x86 boot protocol
 * (Documentation/arch/x86/boot.rst in Linux).
 */
#ifndef HOST_LOADER_BZIMAGE_H
#define HOST_LOADER_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/problem.h"

bool bzimage_magic(const uint8_t *bytes, size_t size);

/*
 * Where the payload is: *offset and *length, inside `size`. The payload is the compressed ELF file
 * and, except with gzip, four bytes that say how long that is uncompressed.
 */
int bzimage_payload(const uint8_t *bytes, size_t size, const char *name, size_t *offset,
		    size_t *length, struct problem *p);

#endif
