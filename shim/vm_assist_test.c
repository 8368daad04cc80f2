// SPDX-License-Identifier: BSD-2-Clause
/* vm_assist: one type, two commands, errors in Xen's order. */
#include "shim/fake_test.h"

static long vm_assist(struct fake *f, uint64_t cmd, uint64_t type)
{
	return fake_call(f, __HYPERVISOR_vm_assist, cmd, type, 0);
}

static bool is_on(const struct fake *f)
{
	return domain_assists(&f->domain, VMASST_TYPE_runstate_update_flag);
}

static void on_and_off(void **state)
{
	struct fake *f = *state;

	assert_false(is_on(f));
	assert_int_equal(vm_assist(f, VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
	assert_int_equal(vm_assist(f, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	assert_true(is_on(f));
	assert_int_equal(vm_assist(f, VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	assert_true(is_on(f));
	assert_int_equal(vm_assist(f, VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
	assert_false(is_on(f));
}

static void refused(void **state)
{
	struct fake *f = *state;

	for (uint64_t type = 0; type <= 70; type++) {
		if (type == VMASST_TYPE_runstate_update_flag)
			continue;
		assert_refused(f, vm_assist(f, VMASST_CMD_enable, type), XEN_EINVAL);
		assert_refused(f, vm_assist(f, 2, type), XEN_EINVAL);
	}
	assert_refused(f, vm_assist(f, 2, VMASST_TYPE_runstate_update_flag), XEN_ENOSYS);
	assert_refused(f, vm_assist(f, UINT32_MAX, VMASST_TYPE_runstate_update_flag), XEN_ENOSYS);
	assert_refused(f, vm_assist(f, VMASST_CMD_enable, UINT32_MAX), XEN_EINVAL);
}

/* Both are unsigned ints in Xen. */
static void upper_halves(void **state)
{
	struct fake *f = *state;

	assert_int_equal(vm_assist(f, 1ull << 32, 1ull << 32 | VMASST_TYPE_runstate_update_flag),
			 0);
	assert_true(is_on(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(on_and_off),
		TEST_BOTH(refused),
		TEST_64(upper_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
