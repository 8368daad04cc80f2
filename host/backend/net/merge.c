// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/merge.h"

#include <string.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/link.h"

/* An IP packet is no longer. */
#define IP_MAX 65535u

static unsigned can_take(const struct net_headers *h)
{
	return h->version == 4 ? NET_CAN_GSO4 | NET_CAN_CSUM4 : NET_CAN_GSO6 | NET_CAN_CSUM6;
}

/* Plain headers, nothing but data: all else is passed on as it is. */
static bool is_plain(const struct net_frame *f, const struct net_headers *h)
{
	uint32_t ip_header = h->transport - h->ip;

	return h->payload && h->protocol == NET_PROTO_TCP && h->payload < h->end &&
	       h->end == f->len && ip_header == (h->version == 4 ? 20 : 40) &&
	       (f->data[h->transport + 13] & ~NET_TCP_PSH) == NET_TCP_ACK;
}

void net_merge_begin(struct net_merge *m, const struct net_frame *f, unsigned can)
{
	const struct net_headers *h = &m->headers;
	const uint8_t *tcp;

	m->frame = *f;
	m->count = 1;
	m->open = false;
	net_headers_parse(f->data, f->len, &m->headers);
	if ((can & can_take(h)) != can_take(h) || !is_plain(f, h))
		return;
	tcp = f->data + h->transport;
	m->piece = f->len - h->payload;
	m->next_seq = net_get32(tcp + 4) + m->piece;
	m->open = !(tcp[13] & NET_TCP_PSH);
}

static bool same(const uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to)
{
	return !memcmp(a + from, b + from, to - from);
}

/* The same Ethernet and IP headers, but for lengths, identification and the checksum. */
static bool same_network(const struct net_merge *m, const uint8_t *data, uint32_t len)
{
	const uint8_t *mine = m->frame.data;
	uint32_t ip = m->headers.ip;

	if (!same(mine, data, 0, ip + 2))
		return false;
	if (m->headers.version == 6)
		return same(mine, data, ip + 2, ip + 4) && same(mine, data, ip + 6, ip + 40) &&
		       net_get16(data + ip + 4) == len - ip - 40;
	return same(mine, data, ip + 6, ip + 10) && same(mine, data, ip + 12, ip + 20) &&
	       net_get16(data + ip + 2) == len - ip;
}

/* The next bytes of the same connection, with nothing else to say. */
static bool same_transport(const struct net_merge *m, const uint8_t *data)
{
	const uint8_t *mine = m->frame.data;
	uint32_t tcp = m->headers.transport;

	return same(mine, data, tcp, tcp + 4) && net_get32(data + tcp + 4) == m->next_seq &&
	       same(mine, data, tcp + 8, tcp + 13) &&
	       (data[tcp + 13] & ~NET_TCP_PSH) == NET_TCP_ACK &&
	       same(mine, data, tcp + 14, tcp + 16) &&
	       same(mine, data, tcp + 18, m->headers.payload);
}

bool net_merge_add(struct net_merge *m, const uint8_t *data, uint32_t len)
{
	const struct net_headers *h = &m->headers;
	uint32_t payload = len - h->payload;
	uint8_t flags;

	if (!m->open || len <= h->payload || payload > m->piece ||
	    m->frame.len - h->ip + payload > IP_MAX || !same_network(m, data, len) ||
	    !same_transport(m, data))
		return false;
	flags = data[h->transport + 13];
	memmove(m->frame.data + m->frame.len, data + h->payload, payload);
	m->frame.data[h->transport + 13] |= flags;
	m->frame.len += payload;
	m->next_seq += payload;
	m->count++;
	m->open = payload == m->piece && !(flags & NET_TCP_PSH);
	return true;
}

void net_merge_end(struct net_merge *m, struct net_frame *f)
{
	const struct net_headers *h = &m->headers;
	uint8_t *ip = m->frame.data + h->ip;

	*f = m->frame;
	if (m->count == 1)
		return;
	if (h->version == 4) {
		net_put16(ip + 2, f->len - h->ip);
		net_checksum_ipv4(ip, 20);
		f->gso = XEN_NETIF_GSO_TYPE_TCPV4;
	} else {
		net_put16(ip + 4, f->len - h->ip - 40);
		f->gso = XEN_NETIF_GSO_TYPE_TCPV6;
	}
	f->gso_size = m->piece;
	net_checksum_prepare(f);
}
