// SPDX-License-Identifier: BSD-2-Clause
#include "shim/event_2level.h"

#include "shim/event_port.h"
#include "shim/event_upcall.h"

/*
 * Bitmaps are little-endian, so bit n of an array of 64-bit words is bit n of the same array seen
 * as 32-bit words. We always use the narrow view: it is never misaligned, for either kind of guest.
 */
static bool test_and_set(uint32_t *map, unsigned bit)
{
	const uint32_t mask = 1u << bit % 32;

	return __atomic_fetch_or(&map[bit / 32], mask, __ATOMIC_SEQ_CST) & mask;
}

static bool test_and_clear(uint32_t *map, unsigned bit)
{
	const uint32_t mask = 1u << bit % 32;

	return __atomic_fetch_and(&map[bit / 32], ~mask, __ATOMIC_SEQ_CST) & mask;
}

static bool test(const uint32_t *map, unsigned bit)
{
	return __atomic_load_n(&map[bit / 32], __ATOMIC_SEQ_CST) >> bit % 32 & 1;
}

static unsigned word_bits(bool long_mode)
{
	return long_mode ? 64 : 32;
}

evtchn_port_t event_2level_ports(const struct domain *d)
{
	unsigned bits = word_bits(domain_long_mode(d));

	return bits * bits;
}

/* The selector bit of the port's word, then the vCPU's flag. */
static void select_word(struct vcpu *v, evtchn_port_t port, unsigned done)
{
	bool long_mode = done >> EVENT_DETAIL; /* as it was when the bit was set */
	guest_vcpu_info *info = vcpu_info_lock(v);

	if (!info)
		return;
	if (!test_and_set(event_upcall_selector(info, long_mode), port / word_bits(long_mode)))
		event_upcall_raise(v, info);
	vcpu_info_unlock_written(v, info);
}

static unsigned notify_in(bool long_mode)
{
	return EVENT_NOTIFY | (unsigned)long_mode << EVENT_DETAIL;
}

static unsigned set_pending(struct vcpu *v, evtchn_port_t port, struct port *p,
			    struct event_try *try)
{
	struct domain *d = v->domain;
	bool long_mode = domain_long_mode(d); /* once: the guest may switch while we are at it */
	struct event_bitmaps maps = shared_info_event_bitmaps(d, long_mode);

	(void)p;
	(void)try; /* shared_info is always there */
	if (port >= maps.ports || test_and_set(maps.pending, port))
		return 0;
	return EVENT_NEW | (test(maps.mask, port) ? 0 : notify_in(long_mode));
}

/* If it was masked, a port that is pending reaches v now. */
static unsigned unmask(struct vcpu *v, evtchn_port_t port, struct port *p, struct event_try *try)
{
	struct domain *d = v->domain;
	bool long_mode = domain_long_mode(d);
	struct event_bitmaps maps = shared_info_event_bitmaps(d, long_mode);

	(void)p;
	(void)try;
	if (port >= maps.ports)
		return 0;
	if (!test_and_clear(maps.mask, port) || !test(maps.pending, port))
		return 0;
	return notify_in(long_mode);
}

static void clear_pending(struct domain *d, evtchn_port_t port, struct port *p)
{
	struct event_bitmaps maps = shared_info_event_bitmaps(d, domain_long_mode(d));

	(void)p;
	if (port < maps.ports)
		test_and_clear(maps.pending, port);
}

bool event_2level_is_pending(struct domain *d, evtchn_port_t port)
{
	struct event_bitmaps maps = shared_info_event_bitmaps(d, domain_long_mode(d));

	return port < maps.ports && test(maps.pending, port);
}

const struct event_abi event_2level = {
	.ports = event_2level_ports,
	.set_pending = set_pending,
	.unmask = unmask,
	.notify = select_word,
	.is_pending = event_2level_is_pending,
	.clear_pending = clear_pending,
};
