// SPDX-License-Identifier: BSD-2-Clause
/* How a port's bit becomes an interrupt: mask, pending, selector, flag, in both word sizes. */
#include "shim/event_2level.h"

#include <string.h>

#include "shim/fake_events.h"
#include "shim/fake_test.h"

/* A port in the second word of either word size, so that the selector's bit is not the first. */
#define PORT 70u

static unsigned word(const struct fake *f, evtchn_port_t port)
{
	return port / (f->domain.long_mode ? 64 : 32);
}

/* Ports up to PORT are IPIs to a vCPU. */
static void bind_ports(struct fake *f, unsigned vcpu)
{
	for (evtchn_port_t port = 1; port <= PORT; port++)
		assert_int_equal(fake_bind_ipi(f, vcpu), port);
}

static void an_event_on_its_way(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 1);
	assert_int_equal(fake_send(f, PORT), 0);
	assert_true(fake_pending(f, PORT));
	assert_int_equal(fake_selector(f, 1), 1ull << word(f, PORT));
	assert_true(fake_upcall_pending(f, 1));
	assert_int_equal(f->vcpu[1].upcalls, 1);
	assert_int_equal(fake_selector(f, 0), 0);
	assert_int_equal(f->vcpu[0].upcalls, 0);
}

static void pending_already(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_send(f, PORT);
	fake_take_upcall(f, 0);
	assert_int_equal(fake_send(f, PORT), 0);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_int_equal(fake_selector(f, 0), 0);
	fake_clear_pending(f, PORT);
	assert_int_equal(fake_send(f, PORT), 0);
	assert_int_equal(f->vcpu[0].upcalls, 1);
}

static void masked(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_set_mask(f, PORT, true);
	assert_int_equal(fake_send(f, PORT), 0);
	assert_true(fake_pending(f, PORT));
	assert_true(fake_masked(f, PORT));
	assert_int_equal(fake_selector(f, 0), 0);
	assert_false(fake_upcall_pending(f, 0));
	assert_int_equal(f->vcpu[0].upcalls, 0);
}

/* The selector's bit is there already: the vCPU is on its way to it. */
static void selected_already(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_send(f, PORT);
	f->vcpu[0].upcalls = 0;
	fake_send(f, PORT - 1);
	assert_true(fake_pending(f, PORT - 1));
	assert_int_equal(f->vcpu[0].upcalls, 0);
}

/* Another word while the flag is set: the selector grows, no second interrupt. */
static void flagged_already(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_send(f, PORT);
	fake_send(f, 1);
	assert_int_equal(fake_selector(f, 0), 1ull << word(f, PORT) | 1);
	assert_int_equal(f->vcpu[0].upcalls, 1);
}

/* evtchn_upcall_mask is for PV guests: nobody looks at it here. */
static void upcall_mask_is_not_looked_at(void **state)
{
	struct fake *f = *state;
	struct shared_info *s = f->shared_info;

	bind_ports(f, 0);
	s->vcpu_info[0].evtchn_upcall_mask = 1;
	fake_send(f, PORT);
	assert_int_equal(f->vcpu[0].upcalls, 1);
	assert_int_equal(s->vcpu_info[0].evtchn_upcall_mask, 1);
}

static void unmask_of_a_pending_port(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_set_mask(f, PORT, true);
	fake_send(f, PORT);
	assert_int_equal(fake_unmask(f, PORT), 0);
	assert_false(fake_masked(f, PORT));
	assert_true(fake_pending(f, PORT));
	assert_int_equal(fake_selector(f, 0), 1ull << word(f, PORT));
	assert_true(fake_upcall_pending(f, 0));
	assert_int_equal(f->vcpu[0].upcalls, 1);
}

static void unmask_of_a_quiet_port(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_set_mask(f, PORT, true);
	assert_int_equal(fake_unmask(f, PORT), 0);
	assert_false(fake_masked(f, PORT));
	assert_int_equal(f->vcpu[0].upcalls, 0);
	fake_send(f, PORT);
	assert_int_equal(f->vcpu[0].upcalls, 1);
}

/* Unmasking tells the vCPU that the port is bound to, whoever calls. */
static void unmask_tells_the_ports_vcpu(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 2);
	fake_set_mask(f, PORT, true);
	fake_send(f, PORT);
	f->current = 1;
	assert_int_equal(fake_unmask(f, PORT), 0);
	assert_int_equal(f->vcpu[0].upcalls + f->vcpu[1].upcalls, 0);
	assert_int_equal(f->vcpu[2].upcalls, 1);
}

static void closing_clears_pending_only(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_set_mask(f, PORT, true);
	fake_send(f, PORT);
	fake_send(f, PORT - 1);
	assert_int_equal(fake_close(f, PORT), 0);
	assert_false(fake_pending(f, PORT));
	assert_true(fake_pending(f, PORT - 1));
	assert_true(fake_masked(f, PORT));
}

/* Nobody but the ports' own bits is touched, in the layout at hand. */
static void no_bit_beside(void **state)
{
	static const evtchn_port_t ports[] = {1, 31, 32, 63, 64, 70};
	struct fake *f = *state;
	uint8_t expected[GUEST_PAGE_SIZE];

	bind_ports(f, 0);
	memcpy(expected, f->shared_info, sizeof(expected));
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		expected[0x800 + ports[i] / 8] |= 1u << ports[i] % 8;
		assert_int_equal(fake_send(f, ports[i]), 0);
	}
	/* vcpu_info of vCPU 0 is looked at elsewhere. */
	assert_memory_equal((uint8_t *)f->shared_info + 64, expected + 64, sizeof(expected) - 64);
}

static void no_vcpu_info(void **state)
{
	struct fake *f = *state;
	struct vcpu *v;

	while (f->domain.nr_vcpus <= XEN_LEGACY_MAX_VCPUS)
		domain_add_vcpu(&f->domain, &f->vcpu[1]);
	v = f->domain.vcpus[XEN_LEGACY_MAX_VCPUS];
	assert_int_equal(fake_bind_ipi(f, v->id), 1);
	assert_int_equal(fake_send(f, 1), 0);
	assert_true(fake_pending(f, 1));
	assert_int_equal(f->vcpu[1].upcalls, 0);
	event_channels_mark_all(v);
	event_channels_recheck_upcall(v);
	assert_int_equal(f->vcpu[1].upcalls, 0);
}

static void mark_all(void **state)
{
	struct fake *f = *state;
	uint8_t *info = (uint8_t *)f->shared_info + 64; /* vCPU 1 */

	event_channels_mark_all(f->domain.vcpus[1]);
	assert_int_equal(fake_selector(f, 1), f->domain.long_mode ? UINT64_MAX : UINT32_MAX);
	assert_true(fake_upcall_pending(f, 1));
	assert_int_equal(f->vcpu[1].upcalls, 1);
	assert_true(event_channels_pending(f->domain.vcpus[1]));
	assert_false(event_channels_pending(f->domain.vcpus[0]));
	/* The narrow selector is at 4; behind it the guest's own words begin. */
	for (unsigned i = 8; !f->domain.long_mode && i < 64; i++)
		assert_int_equal(info[i], 0);
}

static void recheck(void **state)
{
	struct fake *f = *state;

	event_channels_recheck_upcall(f->domain.vcpus[0]);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	bind_ports(f, 0);
	fake_send(f, PORT);
	event_channels_recheck_upcall(f->domain.vcpus[0]);
	assert_int_equal(f->vcpu[0].upcalls, 2);
	fake_take_upcall(f, 0);
	event_channels_recheck_upcall(f->domain.vcpus[0]);
	assert_int_equal(f->vcpu[0].upcalls, 0);
}

static void number_of_ports(void **state)
{
	struct fake *f = *state;

	assert_int_equal(event_2level_ports(&f->domain), f->domain.long_mode ? 4096 : 1024);
}

/* Only the step from masked to unmasked can make an event reach the vCPU. */
static void unmask_of_an_unmasked_port(void **state)
{
	struct fake *f = *state;

	bind_ports(f, 0);
	fake_send(f, PORT);
	fake_take_upcall(f, 0);
	assert_int_equal(fake_unmask(f, PORT), 0);
	assert_true(fake_pending(f, PORT));
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_int_equal(fake_selector(f, 0), 0);
}

/* Allowed, and of no effect: the bits of a port that nobody has are not touched. */
static void unmask_of_a_free_port(void **state)
{
	struct fake *f = *state;

	fake_set_mask(f, 1, true);
	fake_set_mask(f, 0, true);
	assert_int_equal(fake_unmask(f, 1), 0);
	assert_int_equal(fake_unmask(f, 0), 0);
	assert_true(fake_masked(f, 0));
	assert_true(fake_masked(f, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(an_event_on_its_way),
		TEST_BOTH(pending_already),
		TEST_BOTH(masked),
		TEST_BOTH(selected_already),
		TEST_BOTH(flagged_already),
		TEST_BOTH(upcall_mask_is_not_looked_at),
		TEST_BOTH(unmask_of_a_pending_port),
		TEST_BOTH(unmask_of_a_quiet_port),
		TEST_BOTH(unmask_tells_the_ports_vcpu),
		TEST_BOTH(closing_clears_pending_only),
		TEST_BOTH(no_bit_beside),
		TEST_BOTH(no_vcpu_info),
		TEST_BOTH(mark_all),
		TEST_BOTH(recheck),
		TEST_BOTH(number_of_ports),
		TEST_BOTH(unmask_of_an_unmasked_port),
		TEST_BOTH(unmask_of_a_free_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
