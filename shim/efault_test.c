// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every operation with a pointer: when the argument cannot be read, or its results could not be
 * written, the answer is -EFAULT and nothing has changed.
 */
#include <string.h>

#include "shim/fake_events.h"
#include "shim/fake_paging.h"
#include "shim/fake_test.h"

/* All argument structures are below this size. */
#define ARGUMENT_MAX 1024

static const struct operation {
	uint64_t nr, cmd;
	bool third;      /* the pointer is the third argument, the second a vCPU's id (0) */
	bool result;     /* writes to where the pointer says */
	unsigned len_64; /* of what it points to, in bytes */
	unsigned len_32;
} operations[] = {
	{__HYPERVISOR_memory_op, XENMEM_add_to_physmap, false, false, 24, 16},
	{__HYPERVISOR_memory_op, XENMEM_memory_map, false, true, 16, 8},
	{__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, false, false, 16, 8},
	{__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, false, false, 32, 20},
	{__HYPERVISOR_grant_table_op, GNTTABOP_set_version, false, true, 4, 4},
	{__HYPERVISOR_memory_op, XENMEM_current_reservation, false, false, 2, 2},
	{__HYPERVISOR_memory_op, XENMEM_maximum_reservation, false, false, 2, 2},
	{__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, false, false, 2, 2},
	{__HYPERVISOR_memory_op, XENMEM_exchange, false, true, 72, 44},
	{__HYPERVISOR_memory_op, XENMEM_set_memory_map, false, false, 24, 12},
	{__HYPERVISOR_memory_op, XENMEM_get_vnumainfo, false, false, 40, 40},
	{__HYPERVISOR_xen_version, XENVER_extraversion, false, true, 16, 16},
	{__HYPERVISOR_xen_version, XENVER_compile_info, false, true, 144, 144},
	{__HYPERVISOR_xen_version, XENVER_capabilities, false, true, 1024, 1024},
	{__HYPERVISOR_xen_version, XENVER_changeset, false, true, 64, 64},
	{__HYPERVISOR_xen_version, XENVER_platform_parameters, false, true, 8, 4},
	{__HYPERVISOR_xen_version, XENVER_get_features, false, true, 8, 8},
	{__HYPERVISOR_xen_version, XENVER_guest_handle, false, true, 16, 16},
	{__HYPERVISOR_xen_version, XENVER_commandline, false, true, 9, 9},
	{__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, true, true, 48, 44},
	{__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, true, false, 8, 4},
	{__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, true, false, 16, 12},
	{__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, true, false, 16, 16},
	{__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, true, false, 8, 4},
	{__HYPERVISOR_sched_op, SCHEDOP_shutdown, false, false, 4, 4},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, false, true, 12, 12},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, false, true, 12, 12},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, false, true, 8, 8},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, false, true, 8, 8},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_status, false, true, 24, 24},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_close, false, false, 4, 4},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_send, false, false, 4, 4},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, false, false, 8, 8},
	{__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, false, false, 4, 4},
	{__HYPERVISOR_hvm_op, HVMOP_set_param, false, false, 16, 16},
	{__HYPERVISOR_hvm_op, HVMOP_get_param, false, true, 16, 16},
	{__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, false, false, 8, 8},
};
#define FOR_EACH_OPERATION(op)                                                                  \
	for (const struct operation *op = operations; op < operations + ARRAY_SIZE(operations); \
	     op++)

static unsigned len_of(const struct fake *f, const struct operation *op)
{
	return f->long_mode ? op->len_64 : op->len_32;
}

static long call(struct fake *f, const struct operation *op, uint64_t pointer)
{
	return op->third ? fake_call(f, op->nr, op->cmd, 0, pointer)
			 : fake_call(f, op->nr, op->cmd, pointer, 0);
}

#define assert_fault(f, op, pointer)                                               \
	do {                                                                       \
		struct fake_snapshot *before_ = fake_snapshot(f);                  \
		long rc_ = call(f, op, pointer);                                   \
		const char *changed_ = fake_changed(f, before_);                   \
                                                                                   \
		if (rc_ != -XEN_EFAULT || changed_)                                \
			fail_msg("hypercall %u operation %u: %ld, %s has changed", \
				 (unsigned)(op)->nr, (unsigned)(op)->cmd, rc_,     \
				 changed_ ? changed_ : "nothing");                 \
	} while (0)

static const struct hvm_memmap_table_entry memmap[] = {{.addr = 0, .size = FAKE_RAM_SIZE}};

/* A port of each kind, and a map to tell, so that success would be seen. */
static void prepare(struct fake *f)
{
	f->domain.memmap = memmap;
	f->domain.memmap_entries = ARRAY_SIZE(memmap);
	assert_int_equal(fake_alloc_unbound(f, DOMID_SELF, DOMID_SELF), 1);
}

static void unmapped(void **state)
{
	struct fake *f = *state;

	prepare(f);
	FOR_EACH_OPERATION(op)
	{
		assert_fault(f, op, FAKE_HOLE);
		assert_fault(f, op, FAKE_RAM_SIZE);
		assert_fault(f, op, 0xffffff00);
	}
}

/* All but the last byte is there. */
static void last_byte_missing(void **state)
{
	struct fake *f = *state;

	prepare(f);
	FOR_EACH_OPERATION(op)
	assert_fault(f, op, FAKE_RAM_SIZE - len_of(f, op) + 1);
}

/* All but the first byte is there. */
static void first_byte_missing(void **state)
{
	struct fake *f = *state;
	struct fake_tables t;

	prepare(f);
	t = fake_paging_identity(f);
	fake_map(&t, 0x20000, 0, 0);
	FOR_EACH_OPERATION(op)
	assert_fault(f, op, 0x21000 - 1);
}

static void not_canonical(void **state)
{
	struct fake *f = *state;

	prepare(f);
	fake_paging_identity(f);
	FOR_EACH_OPERATION(op)
	{
		assert_fault(f, op, 0x800000000000);
		assert_fault(f, op, 0xdeadbeefcafe0000);
	}
}

/* An argument at 0x20000 with which the operation succeeds, if it is one that writes a result. */
static void put_good_argument(struct fake *f, const struct operation *op)
{
	const uint16_t self = DOMID_SELF, both[] = {DOMID_SELF, DOMID_SELF}, port = 1;
	bool events = op->nr == __HYPERVISOR_event_channel_op;
	uint8_t *at = f->ram + 0x20000;

	memset(at, 0, ARGUMENT_MAX);
	if (events && op->cmd == EVTCHNOP_alloc_unbound)
		memcpy(at, both, sizeof(both));
	else if (op->nr == __HYPERVISOR_hvm_op ||
		 (events && op->cmd != EVTCHNOP_bind_virq && op->cmd != EVTCHNOP_bind_ipi))
		memcpy(at, &self, sizeof(self));
	if (op->nr == __HYPERVISOR_grant_table_op)
		*at = 2; /* the version */
	if (events && op->cmd == EVTCHNOP_bind_interdomain)
		memcpy(at + 4, &port, sizeof(port));
}

/* What could be done but not told is not done. */
static void read_only_result(void **state)
{
	struct fake *f = *state;
	struct fake_tables t;

	prepare(f);
	t = fake_paging_identity(f);
	fake_map(&t, 0x20000, 0x20000, PTE_P);
	FOR_EACH_OPERATION(op)
	{
		if (!op->result)
			continue;
		put_good_argument(f, op);
		assert_fault(f, op, 0x20000);
	}
}

/* On a page that may be written these are good: the test above is no chance. */
static void writable_result(void **state)
{
	struct fake *f = *state;

	prepare(f);
	FOR_EACH_OPERATION(op)
	{
		long rc;

		if (!op->result)
			continue;
		put_good_argument(f, op);
		rc = call(f, op, 0x20000);
		if (rc)
			fail_msg("hypercall %u operation %u: %ld", (unsigned)op->nr,
				 (unsigned)op->cmd, rc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(unmapped),    TEST_BOTH(last_byte_missing), TEST_BOTH(first_byte_missing),
		TEST_64(not_canonical), TEST_BOTH(read_only_result),  TEST_BOTH(writable_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
