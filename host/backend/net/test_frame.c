// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/test_frame.h"

#include <string.h>

static const uint8_t guest_mac[6] = {0x00, 0x16, 0x3e, 0x01, 0x02, 0x03};
static const uint8_t other_mac[6] = {0x52, 0x54, 0x00, 0x0a, 0x0b, 0x0c};

static uint8_t *put_ether(const struct test_frame *t, uint8_t *p)
{
	memcpy(p, t->to ? t->to : guest_mac, 6);
	memcpy(p + 6, other_mac, 6);
	p += 12;
	if (t->vlan) {
		net_put16(p, 0x8100);
		net_put16(p + 2, 5);
		p += 4;
	}
	net_put16(p, t->ipv6 ? 0x86dd : 0x0800);
	return p + 2;
}

static uint8_t *put_ip(const struct test_frame *t, uint8_t *p, uint32_t len)
{
	uint8_t protocol = t->udp ? NET_PROTO_UDP : NET_PROTO_TCP;

	if (t->ipv6) {
		memset(p, 0, 40);
		p[0] = 0x60;
		net_put16(p + 4, len);
		p[6] = protocol;
		p[7] = 64;
		p[8] = p[24] = 0xfd;
		p[23] = 1;
		p[39] = 2;
		return p + 40;
	}
	memset(p, 0, 20);
	p[0] = 0x45;
	net_put16(p + 2, 20 + len);
	net_put16(p + 4, 0x1234);
	p[6] = 0x40;
	p[8] = 64;
	p[9] = protocol;
	net_put32(p + 12, 0xc0000201);
	net_put32(p + 16, 0xc0000202);
	net_checksum_ipv4(p, 20);
	return p + 20;
}

static uint8_t *put_transport(const struct test_frame *t, uint8_t *p)
{
	uint32_t header = t->udp ? 8 : 20;

	memset(p, 0, header);
	net_put16(p, t->source_port);
	net_put16(p + 2, t->destination_port);
	if (t->udp) {
		net_put16(p + 4, 8 + t->payload);
	} else {
		net_put32(p + 4, t->seq);
		p[12] = 0x50;
		p[13] = t->tcp_flags;
	}
	return p + header;
}

uint32_t test_frame_build(const struct test_frame *t, uint8_t *out)
{
	uint32_t header = t->udp ? 8 : 20;
	uint8_t *p = put_ip(t, put_ether(t, out), header + t->payload);
	struct net_frame f = {.data = out};

	p = put_transport(t, p);
	for (uint32_t i = 0; i < t->payload; i++)
		*p++ = (uint8_t)(t->first + i);
	f.len = (uint32_t)(p - out);
	if (!t->blank)
		net_checksum_complete(&f);
	return f.len;
}

static uint32_t plain_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint32_t plain_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

bool test_frame_is_right(const uint8_t *data, uint32_t len)
{
	uint32_t ip = net_get16(data + 12) == 0x8100 ? 18 : 14, l4, end, sum;

	if (data[ip] >> 4 == 4) {
		l4 = ip + (data[ip] & 0xf) * 4u;
		end = ip + net_get16(data + ip + 2);
		if (plain_fold(plain_sum(data + ip, l4 - ip, 0)) != 0xffff)
			return false;
		sum = plain_sum(data + ip + 12, 8, data[ip + 9]);
	} else {
		l4 = ip + 40;
		end = l4 + net_get16(data + ip + 4);
		sum = plain_sum(data + ip + 8, 32, data[ip + 6]);
	}
	if (end > len)
		return false;
	/* In two steps: 64 KiB of 0xffff are more than 32 bits hold. */
	sum = plain_fold(sum + (end - l4));
	for (uint32_t at = l4; at < end; at += 1024)
		sum = plain_fold(plain_sum(data + at, end - at < 1024 ? end - at : 1024, sum));
	return sum == 0xffff;
}
