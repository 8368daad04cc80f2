// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/headers.h"

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_QINQ 0x88a8u

/* IPv6 extension headers that say how long they are and what follows. */
#define NEXT_HOP_BY_HOP  0u
#define NEXT_ROUTING     43u
#define NEXT_FRAGMENT    44u
#define NEXT_DESTINATION 60u
#define EXTENSIONS_MAX   8

#define IPV4_HEADER      20u
#define IPV6_HEADER      40u
#define TCP_HEADER       20u
#define UDP_HEADER       8u
#define IPV4_MORE_OR_OFF 0x3fffu

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void parse_transport(const uint8_t *data, struct net_headers *h)
{
	uint32_t room = h->end - h->transport, len;

	if (h->fragment)
		return;
	if (h->protocol == NET_PROTO_UDP && room >= UDP_HEADER) {
		h->payload = h->transport + UDP_HEADER;
		h->csum_offset = 6;
	} else if (h->protocol == NET_PROTO_TCP && room >= TCP_HEADER) {
		len = (uint32_t)(data[h->transport + 12] >> 4) * 4;
		if (len < TCP_HEADER || len > room)
			return;
		h->payload = h->transport + len;
		h->csum_offset = 16;
	}
}

static void parse_ipv4(const uint8_t *data, uint32_t at, uint32_t len, struct net_headers *h)
{
	const uint8_t *ip = data + at;
	uint32_t header, total;

	if (len - at < IPV4_HEADER || ip[0] >> 4 != 4)
		return;
	header = (uint32_t)(ip[0] & 0xf) * 4;
	total = net_get16(ip + 2);
	if (header < IPV4_HEADER || header > len - at || total < header)
		return;
	h->version = 4;
	h->protocol = ip[9];
	h->fragment = net_get16(ip + 6) & IPV4_MORE_OR_OFF;
	h->ip = at;
	h->transport = at + header;
	h->end = at + min_u32(total, len - at);
	parse_transport(data, h);
}

/* From extension header to extension header, as long as they are known and complete. */
static void skip_extensions(const uint8_t *data, struct net_headers *h)
{
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		const uint8_t *ext = data + h->transport;
		uint32_t len = 8;

		if (h->protocol != NEXT_HOP_BY_HOP && h->protocol != NEXT_ROUTING &&
		    h->protocol != NEXT_FRAGMENT && h->protocol != NEXT_DESTINATION)
			return;
		if (h->end - h->transport < len)
			return;
		if (h->protocol == NEXT_FRAGMENT)
			h->fragment |= net_get16(ext + 2) & 0xfff9;
		else
			len += (uint32_t)ext[1] * 8;
		if (h->end - h->transport < len)
			return;
		h->protocol = ext[0];
		h->transport += len;
	}
}

static void parse_ipv6(const uint8_t *data, uint32_t at, uint32_t len, struct net_headers *h)
{
	const uint8_t *ip = data + at;

	if (len - at < IPV6_HEADER || ip[0] >> 4 != 6)
		return;
	h->version = 6;
	h->protocol = ip[6];
	h->ip = at;
	h->transport = at + IPV6_HEADER;
	h->end = h->transport + min_u32(net_get16(ip + 4), len - h->transport);
	skip_extensions(data, h);
	parse_transport(data, h);
}

void net_headers_parse(const uint8_t *data, uint32_t len, struct net_headers *h)
{
	uint32_t at = 12;
	unsigned type = 0;

	*h = (struct net_headers){0};
	for (int tags = 0; tags <= 2 && len - at >= 2 && len >= NET_ETHER_HEADER; tags++) {
		type = net_get16(data + at);
		at += 2;
		if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ)
			break;
		if (len - at < 4)
			return;
		at += 2;
	}
	if (type == ETHERTYPE_IPV4)
		parse_ipv4(data, at, len, h);
	else if (type == ETHERTYPE_IPV6)
		parse_ipv6(data, at, len, h);
}
