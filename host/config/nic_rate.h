/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CONFIG_NIC_RATE_H
#define HOST_CONFIG_NIC_RATE_H

#include <stdint.h>

/*
 * "10Mb/s", "250KB/s@20ms": bits or bytes a second, and how often credit is given (default: 50 ms),
 * as bytes for each interval. 0, or -1: not a rate, or one out of bounds.
 */
int nic_rate_parse(const char *text, uint64_t *bytes, uint32_t *interval_us);

#endif
