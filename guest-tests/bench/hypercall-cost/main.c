// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a hypercall costs the guest, in TSC ticks; on a bed that counts instructions a tick is one.
 * Prints a line "COST name ticks" for each: the least of several rounds' means, so that a timer
 * tick of the host does not count.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "the cost of a hypercall";

#define ROUNDS 8
#define CALLS  500

static xen_extraversion_t extraversion;
static struct evtchn_send send_op;

static void extraversion_by_page(void)
{
	hypercall_by(BY_PAGE, __HYPERVISOR_xen_version, XENVER_extraversion,
		     (unsigned long)&extraversion, 0, 0, 0);
}

static enum transport native; /* finding it out is a CPUID, which exits */

static void extraversion_by_instruction(void)
{
	hypercall_by(native, __HYPERVISOR_xen_version, XENVER_extraversion,
		     (unsigned long)&extraversion, 0, 0, 0);
}

static void version(void)
{
	hypercall_xen_version(XENVER_version, NULL);
}

static void unknown(void)
{
	hypercall(11, 0, 0, 0, 0, 0);
}

static void send_to_self(void)
{
	hypercall_event_channel_op(EVTCHNOP_send, &send_op);
}

static void absent_port(void)
{
	outb(0x10, 0);
}

static uint64_t mean_cost(void (*call)(void))
{
	uint64_t start = rdtsc();

	for (int i = 0; i < CALLS; i++)
		call();
	return (rdtsc() - start) / CALLS;
}

static void measure(const char *name, void (*call)(void))
{
	uint64_t best = ~0ULL;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t cost = mean_cost(call);

		if (cost < best)
			best = cost;
	}
	printf("COST %s %lu\n", name, (unsigned long)best);
}

static void bind_own_port(void)
{
	struct evtchn_bind_ipi bind = {.vcpu = 0};

	CHECK(hypercall_event_channel_op(EVTCHNOP_bind_ipi, &bind) == 0, "bind_ipi failed");
	send_op.port = bind.port;
}

void test_main(void)
{
	native = hypercall_native();
	bind_own_port();
	measure("extraversion-page", extraversion_by_page);
	measure("extraversion-instruction", extraversion_by_instruction);
	measure("version", version);
	measure("unknown", unknown);
	measure("send-to-self", send_to_self);
	measure("absent-port", absent_port);
	test_success();
}
