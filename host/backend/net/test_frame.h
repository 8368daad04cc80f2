/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames to test with: TCP and UDP over both IPs, with right checksums or blank ones. */
#ifndef HOST_BACKEND_NET_TEST_FRAME_H
#define HOST_BACKEND_NET_TEST_FRAME_H

#include "host/backend/net/checksum.h"

#define TEST_HEADERS_4 54u /* Ethernet, IPv4, TCP */
#define TEST_HEADERS_6 74u

/* What to build; zeroes are a TCP segment over IPv4 without payload. */
struct test_frame {
	bool ipv6, udp, vlan;
	uint16_t source_port, destination_port;
	uint32_t payload; /* bytes, which count from `first` on */
	uint8_t first;
	uint8_t tcp_flags;
	uint32_t seq;
	bool blank;        /* leave the checksum */
	const uint8_t *to; /* MAC; NULL: 00:16:3e:01:02:03 */
};

/* Its length. */
uint32_t test_frame_build(const struct test_frame *t, uint8_t *out);

/* By a plain sum over everything, not the code under test: are its checksums right? */
bool test_frame_is_right(const uint8_t *data, uint32_t len);

#endif
