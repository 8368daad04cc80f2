// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/event_channel.h"
#include "guest-tests/lib/clock.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/shared_info.h"
#include "guest-tests/lib/traps.h"

#define WORD_BITS (8 * sizeof(xen_ulong_t))

long evtchn_alloc_unbound(domid_t dom, domid_t remote)
{
	struct evtchn_alloc_unbound arg = {.dom = dom, .remote_dom = remote};

	return hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &arg) ?: (long)arg.port;
}

long evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port)
{
	struct evtchn_bind_interdomain arg = {.remote_dom = remote, .remote_port = remote_port};

	return hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &arg) ?: (long)arg.local_port;
}

long evtchn_bind_virq(uint32_t virq, uint32_t vcpu)
{
	struct evtchn_bind_virq arg = {.virq = virq, .vcpu = vcpu};

	return hypercall_event_channel_op(EVTCHNOP_bind_virq, &arg) ?: (long)arg.port;
}

long evtchn_bind_ipi(uint32_t vcpu)
{
	struct evtchn_bind_ipi arg = {.vcpu = vcpu};

	return hypercall_event_channel_op(EVTCHNOP_bind_ipi, &arg) ?: (long)arg.port;
}

long evtchn_bind_vcpu(evtchn_port_t port, uint32_t vcpu)
{
	struct evtchn_bind_vcpu arg = {.port = port, .vcpu = vcpu};

	return hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &arg);
}

long evtchn_close(evtchn_port_t port)
{
	struct evtchn_close arg = {.port = port};

	return hypercall_event_channel_op(EVTCHNOP_close, &arg);
}

long evtchn_send(evtchn_port_t port)
{
	struct evtchn_send arg = {.port = port};

	return hypercall_event_channel_op(EVTCHNOP_send, &arg);
}

long evtchn_unmask(evtchn_port_t port)
{
	struct evtchn_unmask arg = {.port = port};

	return hypercall_event_channel_op(EVTCHNOP_unmask, &arg);
}

long evtchn_status(domid_t dom, evtchn_port_t port, struct evtchn_status *status)
{
	status->dom = dom;
	status->port = port;
	return hypercall_event_channel_op(EVTCHNOP_status, status);
}

static xen_ulong_t bit_of(evtchn_port_t port)
{
	return (xen_ulong_t)1 << port % WORD_BITS;
}

bool port_is_pending(evtchn_port_t port)
{
	return READ_ONCE(shared_info_map()->evtchn_pending[port / WORD_BITS]) & bit_of(port);
}

bool port_is_masked(evtchn_port_t port)
{
	return READ_ONCE(shared_info_map()->evtchn_mask[port / WORD_BITS]) & bit_of(port);
}

bool port_test_and_clear_pending(evtchn_port_t port)
{
	xen_ulong_t *word = &shared_info_map()->evtchn_pending[port / WORD_BITS];

	return __atomic_fetch_and(word, ~bit_of(port), __ATOMIC_SEQ_CST) & bit_of(port);
}

void port_set_mask(evtchn_port_t port, bool masked)
{
	xen_ulong_t *word = &shared_info_map()->evtchn_mask[port / WORD_BITS];

	if (masked)
		__atomic_fetch_or(word, bit_of(port), __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(word, ~bit_of(port), __ATOMIC_SEQ_CST);
}

uint64_t port_wait(evtchn_port_t port, uint64_t until)
{
	uint64_t now;

	do {
		bool came = port_test_and_clear_pending(port);

		now = clock_now();
		if (came)
			return now;
		pause();
	} while (now < until);
	return 0;
}

static uint8_t owners[WORD_BITS * WORD_BITS]; /* vCPU + 1; 0: any */

void port_set_owner(evtchn_port_t port, unsigned int cpu)
{
	__atomic_store_n(&owners[port], (uint8_t)(cpu + 1), __ATOMIC_SEQ_CST);
}

static bool is_ours(evtchn_port_t port)
{
	uint8_t owner = __atomic_load_n(&owners[port], __ATOMIC_SEQ_CST);

	return !owner || owner == cpu_number() + 1;
}

static unsigned int drain_word(unsigned int index, void (*fn)(evtchn_port_t port))
{
	struct shared_info *s = shared_info_map();
	xen_ulong_t ready, others = 0;
	unsigned int n = 0;

	while ((ready = READ_ONCE(s->evtchn_pending[index]) & ~READ_ONCE(s->evtchn_mask[index]) &
			~others)) {
		evtchn_port_t port = index * WORD_BITS + (unsigned int)__builtin_ctzl(ready);

		if (!is_ours(port)) {
			others |= bit_of(port);
			continue;
		}
		if (!port_test_and_clear_pending(port))
			continue;
		if (fn)
			fn(port);
		n++;
	}
	return n;
}

unsigned int evtchn_drain(void (*fn)(evtchn_port_t port))
{
	struct vcpu_info *v = vcpu_info();
	unsigned int n = 0;
	xen_ulong_t words;

	WRITE_ONCE(v->evtchn_upcall_pending, 0);
	words = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (; words; words &= words - 1)
		n += drain_word((unsigned int)__builtin_ctzl(words), fn);
	return n;
}

long hvm_set_param(uint32_t index, uint64_t value)
{
	struct xen_hvm_param arg = {.domid = DOMID_SELF, .index = index, .value = value};

	return hypercall_hvm_op(HVMOP_set_param, &arg);
}

long hvm_get_param(uint32_t index, uint64_t *value)
{
	struct xen_hvm_param arg = {.domid = DOMID_SELF, .index = index};
	long rc = hypercall_hvm_op(HVMOP_get_param, &arg);

	*value = arg.value;
	return rc;
}

long set_callback_vector(unsigned int vector)
{
	return hvm_set_param(HVM_PARAM_CALLBACK_IRQ,
			     (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | vector);
}

long set_upcall_vector(uint32_t vcpu, unsigned int vector)
{
	struct xen_hvm_evtchn_upcall_vector arg = {.vcpu = vcpu, .vector = (uint8_t)vector};

	return hypercall_hvm_op(HVMOP_set_evtchn_upcall_vector, &arg);
}
