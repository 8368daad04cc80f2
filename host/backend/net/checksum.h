/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum (RFC 1071), and the one of a TCP or UDP packet that was left blank. */
#ifndef HOST_BACKEND_NET_CHECKSUM_H
#define HOST_BACKEND_NET_CHECKSUM_H

#include <stddef.h>

#include "host/backend/net/headers.h"

/*
 * The one's complement sum of `len` bytes as big-endian 16-bit words (an odd byte is followed by a
 * zero), added to `sum`. Sums may be added to one another; net_fold() makes 16 bits of them.
 */
uint64_t net_sum(const uint8_t *data, size_t len, uint64_t sum);
uint16_t net_fold(uint64_t sum);

/* Of the pseudo-header for `len` bytes of transport header and payload. */
uint64_t net_pseudo_sum(const uint8_t *data, const struct net_headers *h, uint32_t len);

/*
 * Make the frame one whose checksum is blank as Linux's interfaces have it: the field holds the
 * pseudo-header's sum, csum_start and csum_offset tell where. false: it is no whole TCP or UDP
 * packet.
 */
bool net_checksum_prepare(struct net_frame *f);

/* Fill in the checksum of a frame whose csum_blank is set. false as above. */
bool net_checksum_complete(struct net_frame *f);

/* Fill in the checksum of an IPv4 header of `len` bytes. */
void net_checksum_ipv4(uint8_t *ip, uint32_t len);

#endif
