// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/segment.h"

#include <string.h>

#include "host/backend/net/checksum.h"

bool net_segment_begin(struct net_segmenter *s, const struct net_frame *f)
{
	uint8_t version = f->gso == XEN_NETIF_GSO_TYPE_TCPV4 ? 4 : 6;

	*s = (struct net_segmenter){.frame = *f};
	net_headers_parse(f->data, f->len, &s->headers);
	if (!f->gso || !f->gso_size || s->headers.version != version ||
	    s->headers.protocol != NET_PROTO_TCP || !s->headers.payload ||
	    s->headers.payload >= s->headers.end)
		return false;
	s->next = s->headers.payload;
	s->active = true;
	return true;
}

static void fix_ip(const struct net_segmenter *s, uint8_t *out, uint32_t end)
{
	const struct net_headers *h = &s->headers;
	uint8_t *ip = out + h->ip;

	if (h->version == 6) {
		net_put16(ip + 4, end - h->ip - 40);
		return;
	}
	net_put16(ip + 2, end - h->ip);
	net_put16(ip + 4, net_get16(ip + 4) + s->index);
	net_checksum_ipv4(ip, h->transport - h->ip);
}

/* What belongs to the beginning (CWR) or the end (FIN, PSH) of the whole is there only. */
static void fix_tcp(const struct net_segmenter *s, uint8_t *out, bool last)
{
	uint8_t *tcp = out + s->headers.transport;

	net_put32(tcp + 4, net_get32(tcp + 4) + (s->next - s->headers.payload));
	if (!last)
		tcp[13] &= ~(NET_TCP_FIN | NET_TCP_PSH);
	if (s->index)
		tcp[13] &= ~NET_TCP_CWR;
}

bool net_segment_next(struct net_segmenter *s, uint8_t *out, struct net_frame *f)
{
	const struct net_headers *h = &s->headers;
	uint32_t left = h->end - s->next;
	uint32_t len = left < s->frame.gso_size ? left : s->frame.gso_size;

	if (!s->active)
		return false;
	memcpy(out, s->frame.data, h->payload);
	memcpy(out + h->payload, s->frame.data + s->next, len);
	*f = (struct net_frame){.data = out, .len = h->payload + len, .validated = true};
	fix_ip(s, out, f->len);
	fix_tcp(s, out, len == left);
	net_checksum_complete(f);
	s->next += len;
	s->index++;
	s->active = len < left;
	return true;
}
