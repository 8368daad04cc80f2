/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and large buffers as mappings, so that letting go gives the memory back at once. */
#ifndef HOST_LOADER_MAP_H
#define HOST_LOADER_MAP_H

#include "host/loader/kernel.h"

/* Open a regular file for reading: its descriptor and size, or -1 with the reason in *p. */
int map_open(const char *path, uint64_t *size, struct problem *p);

/*
 * Map a regular file read-only: its descriptor, which stays open, or -1 with the reason in *p. An
 * empty file is a problem. The file must not shrink meanwhile: reading what was cut off the mapping
 * would be a SIGBUS, as with any.
 */
int map_file(struct kernel_map *map, const char *path, struct problem *p);

/* Read exactly `size` bytes at `offset` of the file: 0, or -1 with the reason in *p. */
int map_read(int fd, uint64_t offset, void *to, uint64_t size, const char *path, struct problem *p);

/* Unmap what is mapped; fine on an empty map. */
void map_release(struct kernel_map *map);

#endif
