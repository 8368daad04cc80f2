/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "rate=" of xl-network-configuration(5): what the guest may send in each interval. As Linux's
 * netback has it: what was not used is kept, up to the largest frame or one interval's worth.
 */
#ifndef HOST_BACKEND_NET_CREDIT_H
#define HOST_BACKEND_NET_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

/* The largest burst, in bytes, of a rate that gives less than that in an interval. */
#define NET_CREDIT_BURST 131072u

struct net_credit {
	uint64_t bytes, interval; /* in each interval, ns; bytes 0: no limit */
	uint64_t left;
	uint64_t window; /* when the interval began */
};

static inline void net_credit_init(struct net_credit *c, uint64_t bytes, uint64_t interval_us,
				   uint64_t now)
{
	*c = (struct net_credit){
		.bytes = bytes,
		.interval = interval_us * 1000,
		.left = bytes,
		.window = now,
	};
	if (!interval_us)
		c->bytes = 0;
}

static inline void net_credit_renew(struct net_credit *c, uint64_t now)
{
	uint64_t passed = (now - c->window) / c->interval;
	uint64_t most = c->bytes > NET_CREDIT_BURST ? c->bytes : NET_CREDIT_BURST;

	if (!passed)
		return;
	c->window += passed * c->interval;
	if (passed > (most - c->left) / c->bytes)
		c->left = most;
	else
		c->left += passed * c->bytes;
}

/* May `size` bytes go now (ns)? false: not before *until. */
static inline bool net_credit_take(struct net_credit *c, uint32_t size, uint64_t now,
				   uint64_t *until)
{
	if (!c->bytes)
		return true;
	if (size > c->left)
		net_credit_renew(c, now);
	if (size > c->left) {
		*until = c->window + c->interval;
		return false;
	}
	c->left -= size;
	return true;
}

#endif
