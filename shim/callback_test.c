// SPDX-License-Identifier: BSD-2-Clause
/*
 * HVM_PARAM_CALLBACK_IRQ: what its values mean, with and without an I/O APIC, and when the line of
 * one is up. The machinery's part (callback_raise at an upcall, callback_after_exit) is played by
 * the tests.
 */
#include "shim/callback.h"

#include "shim/fake_test.h"
#include "shim/shared_info.h"

#define GSI     9
#define GSI_OFF 0

static uint64_t value(uint64_t type, uint64_t where)
{
	return type << 56 | where;
}

static uint64_t vector(uint8_t v)
{
	return value(HVM_PARAM_CALLBACK_TYPE_VECTOR, v);
}

static uint64_t gsi(uint8_t g)
{
	return value(HVM_PARAM_CALLBACK_TYPE_GSI, g);
}

static uint64_t intx(unsigned device, unsigned pin)
{
	return value(HVM_PARAM_CALLBACK_TYPE_PCI_INTX, device << 11 | pin);
}

/* As the guest does it. */
static void set(struct fake *f, uint64_t v)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = v};

	callback_after_exit(&f->domain);
	assert_int_equal(fake_op(f, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p)), 0);
	assert_int_equal(f->domain.hvm_params[HVM_PARAM_CALLBACK_IRQ], v);
}

static void set_pending(struct fake *f, unsigned vcpu, uint8_t pending)
{
	guest_vcpu_info *info = vcpu_info_lock(f->domain.vcpus[vcpu]);

	info->evtchn_upcall_pending = pending;
	vcpu_info_unlock(f->domain.vcpus[vcpu]);
}

/* An event for vCPU 0, as its thread hears of it. */
static void event(struct fake *f)
{
	set_pending(f, 0, 1);
	callback_raise(&f->domain);
}

/* The guest takes all its events, and exits for some reason. */
static void taken(struct fake *f)
{
	set_pending(f, 0, 0);
	callback_after_exit(&f->domain);
}

/* This line is up and no other; 0: none is. */
static void assert_up(const struct fake *f, unsigned which)
{
	for (unsigned i = 0; i < FAKE_GSIS; i++)
		assert_int_equal(f->gsi[i], i == which && i);
}

static void assert_callback(struct fake *f, uint64_t v, enum callback_type type, uint32_t where)
{
	unsigned changes = f->methods_changed;

	set(f, v);
	assert_int_equal(f->domain.callback.type, type);
	assert_int_equal(f->domain.callback.where, where);
	assert_int_equal(f->methods_changed, changes + 1);
}

static void values(void **state)
{
	struct fake *f = *state;

	f->domain.nr_gsis = FAKE_GSIS;
	assert_callback(f, vector(0xf3), CALLBACK_VECTOR, 0xf3);
	assert_callback(f, vector(0xf4) | 0x123400, CALLBACK_VECTOR, 0xf4);
	assert_callback(f, 0, CALLBACK_NONE, 0);
	assert_callback(f, gsi(9), CALLBACK_GSI, 9);
	assert_callback(f, gsi(47), CALLBACK_GSI, 47);
	assert_callback(f, gsi(48), CALLBACK_NONE, 0);
	assert_callback(f, gsi(255), CALLBACK_NONE, 0);
	assert_callback(f, gsi(9), CALLBACK_GSI, 9);
	assert_callback(f, gsi(0) | 0x100, CALLBACK_NONE, 0);
	/* Device 3, INTB; the domain and bus of the old header are not looked at. */
	assert_callback(f, intx(3, 1) | 0xabcd0000, CALLBACK_PCI_INTX, 3 << 2 | 1);
	assert_callback(f, intx(31, 0xf), CALLBACK_PCI_INTX, 31 << 2 | 3);
	assert_callback(f, value(3, 0xf3), CALLBACK_NONE, 0);
	assert_callback(f, value(0xff, 0xf3), CALLBACK_NONE, 0);
}

/* Without I/O APIC nothing but a vector is heard: Xen's PVH guests keep what they have. */
static void no_ioapic(void **state)
{
	const uint64_t others[] = {0, gsi(9), gsi(0) | 0x100, intx(3, 1), value(3, 1)};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		set(f, others[i]);
		assert_int_equal(f->domain.callback.type, CALLBACK_NONE);
	}
	set(f, vector(0xf3));
	set_pending(f, 0, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		set(f, others[i]);
		assert_int_equal(f->domain.callback.type, CALLBACK_VECTOR);
		assert_int_equal(f->domain.callback.where, 0xf3);
	}
	assert_int_equal(f->methods_changed, 1);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_int_equal(f->gsi_rises, 0);
}

/* Those for whom events are pending hear of it by the new way. */
static void new_vector_upcalls_whom_it_must(void **state)
{
	struct fake *f = *state;

	set_pending(f, 1, 1);
	set(f, vector(0xf3));
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_int_equal(f->vcpu[1].upcalls, 1);
	assert_int_equal(f->vcpu[2].upcalls, 0);
}

static void line_follows_the_flag(void **state)
{
	struct fake *f = *state;

	f->domain.nr_gsis = FAKE_GSIS;
	set(f, gsi(GSI));
	assert_true(callback_is_line(&f->domain));
	assert_up(f, GSI_OFF);
	event(f);
	assert_up(f, GSI);
	callback_after_exit(&f->domain);
	assert_up(f, GSI);
	taken(f);
	assert_up(f, GSI_OFF);
	event(f);
	assert_up(f, GSI);
	assert_int_equal(f->gsi_rises, 2);
	/* The guest took the event, and the next came before an exit: not lost on an edge. */
	event(f);
	assert_up(f, GSI);
	assert_int_equal(f->gsi_rises, 3);
	/* By the time that vCPU 0's thread hears of it, the guest has taken the event. */
	set_pending(f, 0, 0);
	callback_raise(&f->domain);
	assert_up(f, GSI_OFF);
	assert_int_equal(f->gsi_rises, 3);
}

/* Only vCPU 0 has a line. */
static void other_vcpus_have_none(void **state)
{
	struct fake *f = *state;

	f->domain.nr_gsis = FAKE_GSIS;
	set_pending(f, 1, 1);
	set(f, gsi(GSI));
	assert_up(f, GSI_OFF);
	callback_raise(&f->domain);
	assert_up(f, GSI_OFF);
}

/* Events that wait are told of, once. */
static void new_line_rises_at_once(void **state)
{
	struct fake *f = *state;

	f->domain.nr_gsis = FAKE_GSIS;
	set_pending(f, 0, 1);
	set(f, gsi(GSI));
	assert_up(f, GSI);
	assert_int_equal(f->gsi_rises, 1);
	assert_int_equal(f->vcpu[0].upcalls, 0);
}

/* But not one whose vCPU has a vector of its own: that one is told by it. */
static void vector_of_its_own(void **state)
{
	struct fake *f = *state;

	f->domain.nr_gsis = FAKE_GSIS;
	f->domain.vcpus[0]->upcall_vector = 0x40;
	set_pending(f, 0, 1);
	set(f, gsi(GSI));
	assert_up(f, GSI_OFF);
	assert_int_equal(f->vcpu[0].upcalls, 1);
}

/* hvm_set_callback_via: a line that is up goes down, and the next one up. */
static void change_while_up(void **state)
{
	struct fake *f = *state;

	f->domain.nr_gsis = FAKE_GSIS;
	set(f, gsi(GSI));
	event(f);
	set(f, gsi(GSI + 1));
	assert_up(f, GSI + 1);
	assert_int_equal(f->gsi_rises, 2);
	/* The same again is an edge, too. */
	set(f, gsi(GSI + 1));
	assert_up(f, GSI + 1);
	assert_int_equal(f->gsi_rises, 3);
	set(f, intx(1, 0));
	assert_up(f, 20);
	set(f, vector(0xf3));
	assert_up(f, 0);
	set(f, gsi(GSI));
	assert_up(f, GSI);
	set(f, 0);
	assert_up(f, 0);
	set_pending(f, 0, 0);
	set(f, gsi(GSI));
	assert_up(f, 0);
}

/* hvm_pci_intx_gsi: all 32 are in use, a device's four pins are neighbours. */
static void pci_pins(void **state)
{
	static const struct {
		unsigned device, pin, gsi;
	} golden[] = {{0, 0, 16}, {0, 3, 19},  {1, 0, 20},  {7, 3, 47},
		      {8, 0, 17}, {15, 3, 16}, {31, 0, 47}, {31, 3, 18}};
	struct fake *f = *state;

	f->domain.nr_gsis = FAKE_GSIS;
	for (unsigned i = 0; i < ARRAY_SIZE(golden); i++) {
		set(f, intx(golden[i].device, golden[i].pin));
		event(f);
		assert_up(f, golden[i].gsi);
		taken(f);
		assert_up(f, 0);
	}
}

/* An embedder's smaller one. */
static void pci_pin_beyond_the_ioapic(void **state)
{
	struct fake *f = *state;

	f->domain.nr_gsis = 24;
	set(f, intx(7, 3));
	event(f);
	taken(f);
	assert_int_equal(f->gsi_rises, 0);
	set(f, gsi(23));
	event(f);
	assert_up(f, 23);
	set(f, gsi(24));
	assert_up(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(values),
		TEST_BOTH(no_ioapic),
		TEST_BOTH(new_vector_upcalls_whom_it_must),
		TEST_BOTH(line_follows_the_flag),
		TEST_BOTH(other_vcpus_have_none),
		TEST_BOTH(new_line_rises_at_once),
		TEST_BOTH(vector_of_its_own),
		TEST_BOTH(change_while_up),
		TEST_BOTH(pci_pins),
		TEST_BOTH(pci_pin_beyond_the_ioapic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
