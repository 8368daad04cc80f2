// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/checksum.h"

#include <endian.h>
#include <string.h>

/*
 * The sum does not care about the order of bytes as long as both bytes of a word stay in place (RFC
 * 1071, 2 B): so host words are added, and the result swapped. Four at a time are independent of
 * each other, which compilers turn into vectors.
 */
uint64_t net_sum(const uint8_t *data, size_t len, uint64_t sum)
{
	uint64_t part[4] = {0};
	uint32_t word[4];
	uint16_t last;
	uint64_t total = 0;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(word, data, sizeof(word));
		for (int i = 0; i < 4; i++)
			part[i] += word[i];
	}
	for (int i = 0; i < 4; i++)
		total += part[i];
	for (; len >= 2; data += 2, len -= 2) {
		memcpy(&last, data, 2);
		total += last;
	}
	if (len) {
		last = 0;
		memcpy(&last, data, 1);
		total += last;
	}
	return sum + be16toh(net_fold(total));
}

uint16_t net_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint64_t net_pseudo_sum(const uint8_t *data, const struct net_headers *h, uint32_t len)
{
	const uint8_t *ip = data + h->ip;
	uint64_t sum = (uint64_t)h->protocol + len;

	return h->version == 4 ? net_sum(ip + 12, 8, sum) : net_sum(ip + 8, 32, sum);
}

bool net_checksum_prepare(struct net_frame *f)
{
	struct net_headers h;
	uint64_t sum;

	net_headers_parse(f->data, f->len, &h);
	if (!h.payload)
		return false;
	sum = net_pseudo_sum(f->data, &h, h.end - h.transport);
	net_put16(f->data + h.transport + h.csum_offset, net_fold(sum));
	f->csum_blank = true;
	f->csum_start = h.transport;
	f->csum_offset = h.csum_offset;
	return true;
}

bool net_checksum_complete(struct net_frame *f)
{
	struct net_headers h;
	uint32_t len;
	uint8_t *field;
	uint16_t sum;

	net_headers_parse(f->data, f->len, &h);
	if (!h.payload)
		return false;
	len = h.end - h.transport;
	field = f->data + h.transport + h.csum_offset;
	net_put16(field, 0);
	sum = ~net_fold(net_sum(f->data + h.transport, len, net_pseudo_sum(f->data, &h, len)));
	/* To UDP, no sum is 0, and 0 is no sum. */
	if (!sum && h.protocol == NET_PROTO_UDP)
		sum = 0xffff;
	net_put16(field, sum);
	f->csum_blank = false;
	return true;
}

void net_checksum_ipv4(uint8_t *ip, uint32_t len)
{
	net_put16(ip + 10, 0);
	net_put16(ip + 10, ~net_fold(net_sum(ip, len, 0)));
}
