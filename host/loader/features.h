/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PV kernel's note FEATURES asks for (xen/elfnote.h): names as in xen/features.h, separated
 * by '|', those that it cannot do without with a '!' before them.
 */
#ifndef HOST_LOADER_FEATURES_H
#define HOST_LOADER_FEATURES_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first required feature of the `size` bytes of a note (a NUL ends them, too) that no PV guest
 * is given here: its name, printable and cut to `room`. Without one, `name` stays as it is, and so
 * it does if it is not empty.
 */
void features_lacking(char *name, size_t room, const uint8_t *note, size_t size);

#endif
