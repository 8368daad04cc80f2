// SPDX-License-Identifier: BSD-2-Clause
#include "shim/event_2level.h"

#include "shim/domain.h"
#include "shim/event_channel.h"
#include "shim/shared_info.h"
#include "shim/vcpu_run.h"

/*
 * Bitmaps are little-endian, so bit n of an array of 64-bit words is bit n of the same array seen
 * as 32-bit words. We always use the narrow view: it is never misaligned, for either kind of guest.
 */
static bool test_and_set(uint32_t *map, unsigned bit)
{
	return __atomic_fetch_or(&map[bit / 32], 1u << bit % 32, __ATOMIC_SEQ_CST) >> bit % 32 & 1;
}

static bool test_and_clear(uint32_t *map, unsigned bit)
{
	uint32_t old = __atomic_fetch_and(&map[bit / 32], ~(1u << bit % 32), __ATOMIC_SEQ_CST);

	return old >> bit % 32 & 1;
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

/* Set vcpu_info's pending flag; interrupt the vCPU if that is news. */
static void raise_upcall(struct vcpu *v, guest_vcpu_info *info)
{
	if (!__atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
		v->domain->ops->upcall(v);
}

/* As the bitmaps, in narrow words: a locked access to a wide one might cross a cache line. */
static uint32_t *selector_of(guest_vcpu_info *info, bool long_mode)
{
	size_t at = long_mode ? offsetof(struct vcpu_info, evtchn_pending_sel)
			      : offsetof(struct vcpu_info_x86_32, evtchn_pending_sel);

	return (uint32_t *)((uint8_t *)info + at);
}

/* The selector bit of the port's word, then the vCPU's flag. */
static void select_word(struct vcpu *v, evtchn_port_t port, bool long_mode)
{
	guest_vcpu_info *info = vcpu_info_lock(v);

	if (!info)
		return;
	if (!test_and_set(selector_of(info, long_mode), port / word_bits(long_mode)))
		raise_upcall(v, info);
	vcpu_info_unlock_written(v, info);
}

void event_2level_set(struct vcpu *v, evtchn_port_t port)
{
	struct domain *d = v->domain;
	bool long_mode = domain_long_mode(d); /* once: the guest may switch while we are at it */
	struct event_bitmaps maps = shared_info_event_bitmaps(d, long_mode);

	if (port >= maps.ports || test_and_set(maps.pending, port))
		return;
	if (!test(maps.mask, port))
		select_word(v, port, long_mode);
	vcpu_wake_pollers(d, port);
}

bool event_2level_is_pending(struct domain *d, evtchn_port_t port)
{
	struct event_bitmaps maps = shared_info_event_bitmaps(d, domain_long_mode(d));

	return port < maps.ports && test(maps.pending, port);
}

void event_2level_clear(struct domain *d, evtchn_port_t port)
{
	struct event_bitmaps maps = shared_info_event_bitmaps(d, domain_long_mode(d));

	if (port < maps.ports)
		test_and_clear(maps.pending, port);
}

void event_2level_unmask(struct vcpu *v, evtchn_port_t port)
{
	struct domain *d = v->domain;
	bool long_mode = domain_long_mode(d);
	struct event_bitmaps maps = shared_info_event_bitmaps(d, long_mode);

	if (port >= maps.ports)
		return;
	if (test_and_clear(maps.mask, port) && test(maps.pending, port))
		select_word(v, port, long_mode);
}

bool event_channels_pending(struct vcpu *v)
{
	guest_vcpu_info *info = vcpu_info_lock(v);
	bool pending;

	if (!info)
		return false;
	pending = __atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST);
	vcpu_info_unlock(v);
	return pending;
}

void event_channels_recheck_upcall(struct vcpu *v)
{
	if (event_channels_pending(v))
		v->domain->ops->upcall(v);
}

void event_channels_mark_all(struct vcpu *v)
{
	guest_vcpu_info *info = vcpu_info_lock(v);
	bool long_mode = domain_long_mode(v->domain);
	uint32_t *selector;

	if (!info)
		return;
	selector = selector_of(info, long_mode);
	for (unsigned i = 0; i < word_bits(long_mode) / 32; i++)
		__atomic_store_n(&selector[i], UINT32_MAX, __ATOMIC_SEQ_CST);
	__atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	vcpu_info_unlock_written(v, info);
	v->domain->ops->upcall(v);
}
