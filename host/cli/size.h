/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CLI_SIZE_H
#define HOST_CLI_SIZE_H

#include <stdint.h>

/* "512M", "2G", "65536K" or plain bytes into *bytes; 0, or -1 for anything else or what overflows.
 */
int parse_size(const char *text, uint64_t *bytes);

/* A plain number from 1 to max into *count; 0, or -1 for anything else. */
int parse_count(const char *text, unsigned max, unsigned *count);

#endif
