// SPDX-License-Identifier: BSD-2-Clause
/* The dispatcher: who may call, which numbers there are, what is counted and under which name. */
#include "shim/hypercall.h"

#include <string.h>

#include "shim/fake_test.h"

/* What hypercall_counts_visit() told of one name. */
struct told {
	const char *name;
	unsigned times, calls;
	bool implemented;
};

static void tell(void *opaque, const char *name, uint32_t calls, bool implemented)
{
	struct told *told = opaque;

	if (strcmp(name, told->name) != 0)
		return;
	told->times++;
	told->calls += calls;
	told->implemented = implemented;
}

static struct told counted(struct fake *f, const char *name)
{
	struct told told = {.name = name};

	hypercall_counts_visit(fake_current(f), tell, &told);
	return told;
}

#define assert_counted(f, name, n, is_implemented)                            \
	do {                                                                  \
		struct told told_ = counted(f, name);                         \
                                                                              \
		assert_int_equal(told_.times, (n) ? 1 : 0);                   \
		assert_int_equal(told_.calls, n);                             \
		assert_int_equal(told_.implemented, (n) && (is_implemented)); \
	} while (0)

static void tell_any(void *opaque, const char *name, uint32_t calls, bool implemented)
{
	(void)name;
	(void)implemented;
	*(unsigned *)opaque += calls;
}

static unsigned all_counted(struct fake *f)
{
	unsigned calls = 0;

	hypercall_counts_visit(fake_current(f), tell_any, &calls);
	return calls;
}

static void nothing_is_counted_at_first(void **state)
{
	assert_int_equal(all_counted(*state), 0);
}

static void only_ring_0_may_call(void **state)
{
	struct fake *f = *state;

	for (f->cpl = 1; f->cpl <= 3; f->cpl++) {
		assert_refused(f, fake_call(f, __HYPERVISOR_xen_version, XENVER_version, 0, 0),
			       XEN_EPERM);
		assert_refused(f, fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0),
			       XEN_EPERM);
		assert_refused(f, fake_call(f, 1000, 0, 0, 0), XEN_EPERM);
	}
	assert_int_equal(all_counted(f), 0);
	f->cpl = 0;
	assert_true(fake_call(f, __HYPERVISOR_xen_version, XENVER_version, 0, 0) > 0);
}

static void numbers_out_of_range(void **state)
{
	static const uint64_t numbers[] = {64, 65, 127, 0x80000000, 1ull << 32, UINT64_MAX};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_refused(f, fake_call(f, numbers[i], 0, 0, 0), XEN_ENOSYS);
	assert_counted(f, "hypercall 64 and above", ARRAY_SIZE(numbers), false);
	assert_int_equal(all_counted(f), ARRAY_SIZE(numbers));
	assert_null(hypercall_family(64));
	assert_null(hypercall_family(UINT64_MAX));
	assert_non_null(hypercall_family(63));
}

/* Every number that has neither a handler nor sub-operations. */
static void absent_hypercalls(void **state)
{
	struct fake *f = *state;
	unsigned absent = 0;

	for (unsigned nr = 0; nr < HYPERCALL_MAX; nr++) {
		const struct hypercall_family *family = hypercall_family(nr);

		if (family->handler[DOMAIN_PVH] || family->ops)
			continue;
		assert_refused(f, fake_call(f, nr, 3, FAKE_ARG, 0), XEN_ENOSYS);
		if (family->name)
			assert_counted(f, family->name, 1, false);
		absent++;
	}
	assert_counted(f, "hypercall 11", 1, false);
	assert_counted(f, "hypercall 63", 1, false);
	assert_int_equal(all_counted(f), absent);
}

/* What PV guests have and a guest with translated memory has not. */
static void not_for_hvm(void **state)
{
	static const unsigned numbers[] = {
		__HYPERVISOR_set_trap_table,
		__HYPERVISOR_mmu_update,
		__HYPERVISOR_set_gdt,
		__HYPERVISOR_stack_switch,
		__HYPERVISOR_fpu_taskswitch,
		__HYPERVISOR_update_descriptor,
		__HYPERVISOR_update_va_mapping,
		__HYPERVISOR_iret,
		__HYPERVISOR_set_segment_base,
		__HYPERVISOR_callback_op,
		__HYPERVISOR_nmi_op,
	};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_refused(f, fake_call(f, numbers[i], 0, FAKE_ARG, 0), XEN_ENOSYS);
}

/* Sub-operations that the ABI has and we do not: -ENOSYS, told by their own names. */
static void absent_suboperations(void **state)
{
	struct fake *f = *state;

	for (unsigned nr = 0; nr < HYPERCALL_MAX; nr++) {
		const struct hypercall_family *family = hypercall_family(nr);

		for (unsigned cmd = 0; family->ops && cmd < *family->ops_count; cmd++) {
			const struct suboperation *op = &family->ops[cmd];

			if (op->handler[DOMAIN_PVH])
				continue;
			assert_refused(f, fake_call(f, nr, cmd, 0, 0), XEN_ENOSYS);
			if (op->name)
				assert_counted(f, op->name, 1, false);
		}
	}
}

static void suboperations_beyond_the_table(void **state)
{
	struct fake *f = *state;

	for (unsigned nr = 0; nr < HYPERCALL_MAX; nr++) {
		if (!hypercall_family(nr)->ops)
			continue;
		assert_int_equal(fake_call(f, nr, 62, 0, 0), -XEN_ENOSYS);
		assert_int_equal(fake_call(f, nr, 63, 0, 0), -XEN_ENOSYS);
	}
	assert_int_equal(fake_call(f, __HYPERVISOR_xen_version, 64, 0, 0), -XEN_ENOSYS);
	assert_int_equal(fake_call(f, __HYPERVISOR_xen_version, 0xffffffff, 0, 0), -XEN_ENOSYS);
	assert_counted(f, "xen_version/62", 1, false);
	assert_counted(f, "xen_version/63+", 3, false);
	assert_counted(f, "memory_op/63+", 1, false);
}

static void implemented_suboperations_are_counted(void **state)
{
	struct fake *f = *state;

	for (unsigned i = 0; i < 3; i++)
		fake_call(f, __HYPERVISOR_xen_version, XENVER_version, 0, 0);
	fake_call(f, __HYPERVISOR_xen_version, XENVER_extraversion, FAKE_HOLE, 0);
	fake_call(f, __HYPERVISOR_set_timer_op, 0, 0, 0);
	assert_counted(f, "XENVER_version", 3, true);
	assert_counted(f, "XENVER_extraversion", 1, true);
	assert_counted(f, "set_timer_op", 1, true);
	assert_int_equal(all_counted(f), 5);
	/* Each vCPU counts for itself. */
	f->current = 1;
	assert_int_equal(all_counted(f), 0);
}

/* `int cmd` in Xen: the upper half of the register says nothing. */
static void commands_of_32_bits(void **state)
{
	const uint64_t high = 0xdeadbeefull << 32;
	struct fake *f = *state;

	assert_true(fake_call(f, __HYPERVISOR_xen_version, high | XENVER_version, 0, 0) > 0);
	assert_int_equal(fake_call(f, __HYPERVISOR_sched_op, high | SCHEDOP_yield, 0, 0), 0);
	assert_int_equal(fake_call(f, __HYPERVISOR_console_io, high | CONSOLEIO_write, 0, 0), 0);
	assert_int_equal(
		fake_call(f, __HYPERVISOR_event_channel_op, high | EVTCHNOP_send, FAKE_HOLE, 0),
		-XEN_EFAULT);
}

/* `unsigned long op` in Xen: all of the register counts. */
static void commands_of_64_bits(void **state)
{
	const uint64_t high = 1ull << 32;
	struct fake *f = *state;

	assert_refused(f, fake_call(f, __HYPERVISOR_hvm_op, high | HVMOP_set_param, FAKE_HOLE, 0),
		       XEN_ENOSYS);
	assert_refused(f, fake_call(f, __HYPERVISOR_hvm_op, high | HVMOP_get_param, FAKE_HOLE, 0),
		       XEN_ENOSYS);
	assert_counted(f, "hvm_op/63+", 2, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(nothing_is_counted_at_first),
		TEST_BOTH(only_ring_0_may_call),
		TEST_BOTH(numbers_out_of_range),
		TEST_BOTH(absent_hypercalls),
		TEST_BOTH(not_for_hvm),
		TEST_BOTH(absent_suboperations),
		TEST_BOTH(suboperations_beyond_the_table),
		TEST_BOTH(implemented_suboperations_are_counted),
		TEST_64(commands_of_32_bits),
		TEST_64(commands_of_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
