/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the headers of a frame are. The frame is copied memory that nobody changes meanwhile. */
#ifndef HOST_BACKEND_NET_HEADERS_H
#define HOST_BACKEND_NET_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/backend/net/frame.h"

#define NET_ETHER_HEADER 14u
#define NET_ETHER_ADDR   6u

#define NET_PROTO_TCP 6u
#define NET_PROTO_UDP 17u

/* Flags of TCP, in byte 13 of its header. */
#define NET_TCP_FIN 0x01
#define NET_TCP_PSH 0x08
#define NET_TCP_ACK 0x10
#define NET_TCP_CWR 0x80

/* Offsets are from the frame's beginning, in bytes. */
struct net_headers {
	uint8_t version;      /* of IP: 4, 6; 0: something else, and nothing below is set */
	uint8_t protocol;     /* of the last header that could be followed */
	bool fragment;        /* of a larger packet: no transport header is to be seen */
	uint32_t ip;          /* the IP header */
	uint32_t transport;   /* what follows it and its options */
	uint32_t end;         /* of the IP packet, as it tells; <= the frame's */
	uint32_t payload;     /* of TCP and UDP; 0: its header is not complete */
	uint32_t csum_offset; /* of the checksum in the transport header, with `payload` */
};

/* Follow the headers of `len` bytes. What is not understood is left out: *h tells how far it went.
 */
void net_headers_parse(const uint8_t *data, uint32_t len, struct net_headers *h);

static inline uint16_t net_get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline uint32_t net_get32(const uint8_t *p)
{
	return (uint32_t)net_get16(p) << 16 | net_get16(p + 2);
}

static inline void net_put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

static inline void net_put32(uint8_t *p, uint32_t v)
{
	net_put16(p, v >> 16);
	net_put16(p + 2, v & 0xffff);
}

#endif
