/* SPDX-License-Identifier: BSD-2-Clause */
/* An Ethernet frame on its way, and what has been left for somebody else to do with it. */
#ifndef HOST_BACKEND_NET_FRAME_H
#define HOST_BACKEND_NET_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "xen-abi/netif.h"

/* An IP packet of the greatest length, with its Ethernet header and two VLAN tags. */
#define NET_FRAME_MAX (65535u + 14u + 8u)

struct net_frame {
	uint8_t *data;
	uint32_t len;
	uint8_t gso;       /* XEN_NETIF_GSO_TYPE_*: one TCP segment that stands for many */
	uint16_t gso_size; /* payload of each of these, bytes */
	/* The TCP or UDP checksum is still to be completed; where it begins, and where it goes
	 * (counted from there): as net_headers_parse() finds. */
	bool csum_blank;
	bool validated; /* nobody needs to look at the checksum */
	uint16_t csum_start, csum_offset;
};

#endif
