// SPDX-License-Identifier: BSD-2-Clause
/* set_trap_table, set_callbacks, callback_op, nmi_op. */
#include "shim/pv/cpu_op.h"
#include "shim/pv/fake_cpu_test.h"

#define NOT_CANONICAL 0x800000000000ull
#define NOT_THERE     0x600000ull

static const uint64_t kernel = 0xffffffff81000000;

static long set_trap_table(struct fake_cpu *f, uint64_t at)
{
	const uint64_t args[6] = {at};

	return pv_op_set_trap_table(&f->v, args);
}

static void put_traps(struct fake_cpu *f, uint64_t at, const struct trap_info *t, unsigned n)
{
	while (n--)
		memcpy(fake_cpu_at(f, at + n * sizeof(*t)), &t[n], sizeof(*t));
}

static void table(void **state)
{
	struct fake_cpu *f = *state;
	const struct trap_info t[] = {
		{.vector = 3, .flags = 3, .cs = 0xe033, .address = kernel},
		{.vector = 255, .flags = 4, .cs = 0x10, .address = 0x7fffffffffff},
		{.vector = 3, .flags = 7, .cs = 0xe030, .address = kernel + 8},
		{.vector = 9},
	};

	put_traps(f, FAKE_DATA, t, 4);
	assert_int_equal(set_trap_table(f, FAKE_DATA), 0);
	assert_int_equal(f->v.traps[3].address, kernel + 8);
	assert_int_equal(f->v.traps[3].flags, 7);
	assert_int_equal(f->v.traps[3].cs, 0xe033);
	assert_int_equal(f->v.traps[255].address, 0x7fffffffffff);
	assert_int_equal(f->v.traps[255].cs, 0x13);

	/* Another adds to it. */
	put_traps(f, FAKE_DATA, (const struct trap_info[]){{.vector = 14, .address = kernel}, {0}},
		  2);
	assert_int_equal(set_trap_table(f, FAKE_DATA), 0);
	assert_int_equal(f->v.traps[3].address, kernel + 8);
	assert_int_equal(f->v.traps[14].address, kernel);

	assert_int_equal(set_trap_table(f, 0), 0);
	for (unsigned n = 0; n < 256; n++)
		assert_int_equal(f->v.traps[n].address, 0);
}

static void table_errors(void **state)
{
	struct fake_cpu *f = *state;
	const struct trap_info t[] = {
		{.vector = 1, .address = kernel},
		{.vector = 2, .address = NOT_CANONICAL},
		{.vector = 3, .address = kernel},
		{0},
	};

	assert_int_equal(set_trap_table(f, NOT_THERE), -XEN_EFAULT);
	assert_int_equal(set_trap_table(f, PV_HYPER_START), -XEN_EFAULT);
	put_traps(f, FAKE_DATA, t, 4);
	assert_int_equal(set_trap_table(f, FAKE_DATA), -XEN_EINVAL);
	assert_int_equal(f->v.traps[1].address, kernel);
	assert_int_equal(f->v.traps[2].address, 0);
	assert_int_equal(f->v.traps[3].address, 0);

	/* It has no end in what is there. */
	put_traps(f, FAKE_DATA + 0x1000 - sizeof(t[0]), t, 1);
	f->v.traps[1].address = 0;
	assert_int_equal(set_trap_table(f, FAKE_DATA + 0x1000 - sizeof(t[0])), -XEN_EFAULT);
	assert_int_equal(f->v.traps[1].address, kernel);
}

static long callback(struct fake_cpu *f, uint16_t type, uint16_t flags, uint64_t address)
{
	const struct callback_register reg = {type, flags, address};
	const uint64_t args[6] = {CALLBACKOP_register, FAKE_DATA};

	memcpy(fake_cpu_at(f, FAKE_DATA), &reg, sizeof(reg));
	return pv_op_callback(&f->v, args);
}

static long unregister(struct fake_cpu *f, uint16_t type)
{
	const uint64_t args[6] = {CALLBACKOP_unregister, FAKE_DATA};

	memcpy(fake_cpu_at(f, FAKE_DATA), &type, sizeof(type));
	return pv_op_callback(&f->v, args);
}

static void callbacks(void **state)
{
	struct fake_cpu *f = *state;
	const struct {
		uint16_t type;
		struct pv_callback *to;
	} types[] = {
		{CALLBACKTYPE_event, &f->v.event},         {CALLBACKTYPE_failsafe, &f->v.failsafe},
		{CALLBACKTYPE_syscall, &f->v.syscall},     {CALLBACKTYPE_sysenter, &f->v.sysenter},
		{CALLBACKTYPE_syscall32, &f->v.syscall32},
	};

	for (unsigned n = 0; n < sizeof(types) / sizeof(types[0]); n++) {
		assert_int_equal(callback(f, types[n].type, CALLBACKF_mask_events, kernel + n), 0);
		assert_int_equal(types[n].to->address, kernel + n);
		assert_true(types[n].to->masks_events);
		assert_int_equal(callback(f, types[n].type, 0, NOT_CANONICAL), -XEN_EINVAL);
		assert_true(types[n].to->masks_events);
		assert_int_equal(callback(f, types[n].type, 0, kernel + n), 0);
		assert_false(types[n].to->masks_events);
		assert_int_equal(unregister(f, types[n].type), -XEN_EINVAL);
		assert_int_equal(types[n].to->address, kernel + n);
	}
}

static void callback_errors(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t bad_cmd[6] = {2, FAKE_DATA}, no_reg[6] = {CALLBACKOP_register, NOT_THERE},
		       no_unreg[6] = {CALLBACKOP_unregister, NOT_THERE};

	for (unsigned type = 0; type < 10; type++) {
		if (type == CALLBACKTYPE_event || type == CALLBACKTYPE_failsafe ||
		    type == CALLBACKTYPE_syscall || type == CALLBACKTYPE_nmi ||
		    type == CALLBACKTYPE_sysenter || type == CALLBACKTYPE_syscall32)
			continue;
		assert_int_equal(callback(f, type, 0, kernel), -XEN_ENOSYS);
		assert_int_equal(callback(f, type, 0, NOT_CANONICAL), -XEN_EINVAL);
		assert_int_equal(unregister(f, type), -XEN_ENOSYS);
	}
	assert_int_equal(pv_op_callback(&f->v, bad_cmd), -XEN_ENOSYS);
	assert_int_equal(pv_op_callback(&f->v, no_reg), -XEN_EFAULT);
	assert_int_equal(pv_op_callback(&f->v, no_unreg), -XEN_EFAULT);
}

static void set_callbacks(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t all[6] = {kernel, kernel + 1, kernel + 2},
		       some[6] = {kernel + 3, NOT_CANONICAL, kernel + 5};

	f->v.syscall.masks_events = true;
	assert_int_equal(pv_op_set_callbacks(&f->v, all), 0);
	assert_int_equal(f->v.event.address, kernel);
	assert_int_equal(f->v.failsafe.address, kernel + 1);
	assert_int_equal(f->v.syscall.address, kernel + 2);
	assert_false(f->v.syscall.masks_events);
	assert_int_equal(pv_op_set_callbacks(&f->v, some), 0);
	assert_int_equal(f->v.event.address, kernel + 3);
	assert_int_equal(f->v.failsafe.address, kernel + 1);
	assert_int_equal(f->v.syscall.address, kernel + 5);
}

static long nmi_op(struct fake_cpu *f, uint64_t cmd, uint64_t address)
{
	const struct xennmi_callback c = {.handler_address = address};
	const uint64_t args[6] = {cmd, FAKE_DATA};

	memcpy(fake_cpu_at(f, FAKE_DATA), &c, sizeof(c));
	return pv_op_nmi(&f->v, args);
}

static void nmi(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t not_there[6] = {XENNMI_register_callback, NOT_THERE};

	assert_int_equal(nmi_op(f, XENNMI_register_callback, kernel), 0);
	assert_int_equal(f->v.traps[VECTOR_NMI].address, kernel);
	assert_int_equal(f->v.traps[VECTOR_NMI].flags, PV_TRAP_MASKS);
	assert_false(f->v.nmi_pending);
	assert_int_equal(nmi_op(f, XENNMI_register_callback, NOT_CANONICAL), -XEN_EINVAL);
	assert_int_equal(f->v.traps[VECTOR_NMI].address, kernel);
	assert_int_equal(nmi_op(f, 2, kernel), -XEN_ENOSYS);
	assert_int_equal(pv_op_nmi(&f->v, not_there), -XEN_EFAULT);
	assert_int_equal(nmi_op(f, XENNMI_unregister_callback, 0), 0);
	assert_int_equal(f->v.traps[VECTOR_NMI].address, 0);

	assert_int_equal(callback(f, CALLBACKTYPE_nmi, 0, kernel + 1), 0);
	assert_int_equal(f->v.traps[VECTOR_NMI].address, kernel + 1);
	assert_int_equal(callback(f, CALLBACKTYPE_nmi, 0, NOT_CANONICAL), -XEN_EINVAL);
	assert_int_equal(unregister(f, CALLBACKTYPE_nmi), 0);
	assert_int_equal(f->v.traps[VECTOR_NMI].address, 0);
}

/* One that came too early comes again, to vCPU 0. */
static void nmi_waiting(void **state)
{
	struct fake_cpu *f = *state;
	struct shared_info *shared = (void *)f->ram[FAKE_SHARED_INFO];

	shared->arch.nmi_reason = XEN_NMIREASON_unknown;
	f->v.id = 1;
	nmi_op(f, XENNMI_register_callback, kernel);
	assert_false(f->v.nmi_pending);
	f->v.id = 0;
	nmi_op(f, XENNMI_register_callback, kernel);
	assert_true(f->v.nmi_pending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(table),         TEST(table_errors), TEST(callbacks),   TEST(callback_errors),
		TEST(set_callbacks), TEST(nmi),          TEST(nmi_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
