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

/* A call of xen_version's stub, or of the routine that is just the instruction: nothing around it.
 */
static void extraversion_by(const void *target)
{
	unsigned long nr = __HYPERVISOR_xen_version, cmd = XENVER_extraversion;

	__asm__ volatile("call *%[target]"
			 : "+a"(nr), "+D"(cmd)
			 : "S"(&extraversion), [target] "b"(target)
			 : "memory", "cc");
}

static void extraversion_by_page(void)
{
	extraversion_by(hypercall_page + __HYPERVISOR_xen_version * 32);
}

static const void *routine; /* finding out which is a CPUID, which exits */

static void extraversion_by_instruction(void)
{
	extraversion_by(routine);
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
	routine = hypercall_native() == BY_VMCALL ? vmcall_routine : vmmcall_routine;
	bind_own_port();
	measure("extraversion-page", extraversion_by_page);
	measure("extraversion-instruction", extraversion_by_instruction);
	measure("version", version);
	measure("unknown", unknown);
	measure("send-to-self", send_to_self);
	measure("absent-port", absent_port);
	test_success();
}
