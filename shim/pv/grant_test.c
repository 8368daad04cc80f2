// SPDX-License-Identifier: BSD-2-Clause
/* Maps of a guest's own grants: entries, references, each status. */
#include <string.h>

#include "shim/pv/cpu_op.h"
#include "shim/pv/fake_test.h"

/* An address with an L1 table and no entry, and its entry. */
#define SPARE 200u

enum { REF, REF_READONLY, REF_TABLE, REF_SHARED, REF_NOBODYS, REF_NONE };

#define GRANTED FAKE_WRITABLE

static const uint64_t writable = PV_PTE_PRESENT | PV_PTE_RW | PV_PTE_USER | PV_PTE_AD | PV_PTE_NX;

static int setup(void **state)
{
	fake_setup(state);
	fake_grant(*state, REF, GRANTED, false);
	fake_grant(*state, REF_READONLY, GRANTED, true);
	fake_grant(*state, REF_TABLE, FAKE_L1, false);
	fake_grant(*state, REF_SHARED, FAKE_SHARED, false);
	fake_grant(*state, REF_NOBODYS, FAKE_UNALLOCATED, false);
	return 0;
}

static struct gnttab_map_grant_ref map_op(uint32_t ref, uint32_t flags, uint64_t addr)
{
	return (struct gnttab_map_grant_ref){.host_addr = addr,
					     .flags = flags,
					     .ref = ref,
					     .dom = FAKE_DOMID,
					     .status = 55,
					     .handle = 0x5555};
}

static int map(struct fake_machine *m, struct gnttab_map_grant_ref *op)
{
	assert_int_equal(fake_grant_op(m, GNTTABOP_map_grant_ref, op, sizeof(*op)), 0);
	return op->status;
}

static int try_map(struct fake_machine *m, uint32_t ref, uint32_t flags, uint64_t addr)
{
	struct gnttab_map_grant_ref op = map_op(ref, flags, addr);

	return map(m, &op);
}

static uint32_t must_map(struct fake_machine *m, uint32_t ref, uint32_t flags, uint64_t addr)
{
	struct gnttab_map_grant_ref op = map_op(ref, flags, addr);

	assert_int_equal(map(m, &op), GNTST_okay);
	assert_int_equal(op.dev_bus_addr, m->host.grants[ref].mfn * PV_PAGE_SIZE);
	fake_check(m);
	return op.handle;
}

static int unmap_bus(struct fake_machine *m, uint32_t handle, uint64_t addr, uint64_t bus)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = addr, .dev_bus_addr = bus, .handle = handle, .status = 55};

	assert_int_equal(fake_grant_op(m, GNTTABOP_unmap_grant_ref, &op, sizeof(op)), 0);
	fake_check(m);
	return op.status;
}

static int unmap(struct fake_machine *m, uint32_t handle, uint64_t addr)
{
	return unmap_bus(m, handle, addr, 0);
}

static int replace(struct fake_machine *m, uint32_t handle, uint64_t addr, uint64_t new_addr)
{
	struct gnttab_unmap_and_replace op = {
		.host_addr = addr, .new_addr = new_addr, .handle = handle, .status = 55};

	assert_int_equal(fake_grant_op(m, GNTTABOP_unmap_and_replace, &op, sizeof(op)), 0);
	fake_check(m);
	return op.status;
}

static uint64_t entry(struct fake_machine *m, unsigned index)
{
	return fake_table(m, FAKE_L1)[index];
}

static uint64_t machine_address(unsigned index)
{
	return FAKE_L1 * PV_PAGE_SIZE + index * sizeof(uint64_t);
}

static unsigned users(struct fake_machine *m, unsigned ref)
{
	return m->host.grants[ref].readers + m->host.grants[ref].writers;
}

/* At an address, or at the entry itself. */
static void a_map(void **state)
{
	struct fake_machine *m = *state;

	for (unsigned by_pte = 0; by_pte < 2; by_pte++) {
		uint64_t addr = by_pte ? machine_address(SPARE) : fake_va(SPARE) + 0x123;
		uint32_t flags = GNTMAP_host_map | (by_pte ? GNTMAP_contains_pte : 0);
		uint32_t handle = must_map(m, REF, flags, addr);

		assert_int_equal(entry(m, SPARE),
				 pv_pte_make(GRANTED, writable | PV_PTE_GUEST_KERNEL));
		assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 3, 2);
		assert_int_equal(m->host.grants[REF].writers, 1);
		m->asked[1].flush_all = 0;
		assert_int_equal(unmap(m, handle, addr), GNTST_okay);
		assert_int_equal(m->asked[1].flush_all, 1);
		assert_int_equal(entry(m, SPARE), 0);
		assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 2, 1);
		assert_int_equal(users(m, REF), 0);
		assert_int_equal(unmap(m, handle, addr), GNTST_bad_handle);
	}
}

static void flags_of_entries(void **state)
{
	static const struct {
		uint32_t ref, flags;
		uint64_t entry;
	} cases[] = {
		{REF, GNTMAP_application_map, writable | PV_PTE_GLOBAL},
		{REF, 5u << _GNTMAP_guest_avail0, writable | PV_PTE_GUEST_KERNEL | 0xa00},
		{REF, ~0u << _GNTMAP_guest_avail0, writable | PV_PTE_GUEST_KERNEL | 0xe00},
		{REF_READONLY, GNTMAP_readonly, (writable & ~PV_PTE_RW) | PV_PTE_GUEST_KERNEL},
		{REF_READONLY, GNTMAP_readonly | GNTMAP_application_map,
		 (writable & ~PV_PTE_RW) | PV_PTE_GLOBAL},
	};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t handle =
			must_map(m, cases[i].ref, GNTMAP_host_map | cases[i].flags, fake_va(SPARE));

		assert_int_equal(entry(m, SPARE), pv_pte_make(GRANTED, cases[i].entry));
		assert_int_equal(unmap(m, handle, fake_va(SPARE)), GNTST_okay);
	}
}

/* What was mapped there has one use less. */
static void over_another_map(void **state)
{
	struct fake_machine *m = *state;
	uint32_t handle = must_map(m, REF, GNTMAP_host_map, fake_va(FAKE_WRITABLE + 1));

	assert_frame(m, FAKE_WRITABLE + 1, PV_TYPE_WRITABLE, 1, 0);
	assert_int_equal(unmap(m, handle, fake_va(FAKE_WRITABLE + 1)), GNTST_okay);
	assert_frame(m, FAKE_WRITABLE + 1, PV_TYPE_WRITABLE, 1, 0);
}

/* Read-only, so can a page table be; the hypervisor's frames both ways. */
static void special_frames(void **state)
{
	struct fake_machine *m = *state;
	uint32_t handle = must_map(m, REF_TABLE, GNTMAP_host_map | GNTMAP_readonly, fake_va(SPARE));

	assert_int_equal(unmap(m, handle, fake_va(SPARE)), GNTST_okay);
	assert_int_equal(try_map(m, REF_TABLE, GNTMAP_host_map, fake_va(SPARE)),
			 GNTST_general_error);
	assert_int_equal(try_map(m, REF_TABLE, GNTMAP_device_map, 0), GNTST_general_error);
	handle = must_map(m, REF_SHARED, GNTMAP_host_map, fake_va(SPARE));
	assert_int_equal(unmap(m, handle, fake_va(SPARE)), GNTST_okay);
	assert_int_equal(try_map(m, REF_NOBODYS, GNTMAP_host_map, fake_va(SPARE)), GNTST_bad_page);
	fake_grant(m, REF_NOBODYS, UINT32_MAX, false);
	assert_int_equal(try_map(m, REF_NOBODYS, GNTMAP_host_map, fake_va(SPARE)), GNTST_bad_page);
	assert_int_equal(users(m, REF_TABLE) + users(m, REF_SHARED) + users(m, REF_NOBODYS), 0);
	assert_int_equal(entry(m, SPARE), 0);
}

/* While it is mapped writable by a grant alone, it is no page table. */
static void keeps_its_type(void **state)
{
	struct fake_machine *m = *state;
	uint32_t handle = must_map(m, REF, GNTMAP_host_map, fake_va(SPARE));

	memset(fake_table(m, GRANTED), 0, PV_PAGE_SIZE);
	assert_int_equal(fake_remap(m, GRANTED, FAKE_RO), 0);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, GRANTED, 0), -XEN_EINVAL);
	assert_int_equal(unmap(m, handle, fake_va(SPARE)), GNTST_okay);
	assert_int_equal(fake_mmuext(m, MMUEXT_PIN_L1_TABLE, GRANTED, 0), 0);
}

static void what_the_host_refuses(void **state)
{
	struct gnttab_map_grant_ref op;
	struct fake_machine *m = *state;

	assert_int_equal(try_map(m, REF, GNTMAP_readonly, fake_va(SPARE)), GNTST_bad_gntref);
	assert_int_equal(try_map(m, FAKE_GRANTS, GNTMAP_host_map, fake_va(SPARE)),
			 GNTST_bad_gntref);
	assert_int_equal(try_map(m, REF_NONE, GNTMAP_host_map, fake_va(SPARE)),
			 GNTST_general_error);
	assert_int_equal(try_map(m, REF_READONLY, GNTMAP_host_map, fake_va(SPARE)),
			 GNTST_general_error);
	op = map_op(REF, GNTMAP_host_map, fake_va(SPARE));
	op.dom = 99;
	assert_int_equal(map(m, &op), GNTST_bad_domain);
	assert_int_equal(op.handle, 0x5555);
	assert_int_equal(entry(m, SPARE), 0);
}

static void places_that_are_none(void **state)
{
	static const struct {
		uint64_t addr;
		uint32_t flags;
	} cases[] = {
		{0, 0},
		{1ull << 47, 0},
		{PV_HYPER_START, 0},
		{PV_M2P_VIRT, 0},
		{PV_HYPER_END - 1, 0},
		{FAKE_BASE + (1ull << 21), 0},
		{~0ull, 0},
		{FAKE_L1 * PV_PAGE_SIZE + SPARE * 8 + 4, GNTMAP_contains_pte},
		{FAKE_L1 * PV_PAGE_SIZE + SPARE * 8 + 1, GNTMAP_contains_pte},
		{FAKE_L2 * PV_PAGE_SIZE + SPARE * 8, GNTMAP_contains_pte},
		{FAKE_WRITABLE * PV_PAGE_SIZE, GNTMAP_contains_pte},
		{FAKE_FREE * PV_PAGE_SIZE, GNTMAP_contains_pte},
		{FAKE_UNALLOCATED * PV_PAGE_SIZE, GNTMAP_contains_pte},
		{FAKE_FRAMES * PV_PAGE_SIZE, GNTMAP_contains_pte},
		{~7ull, GNTMAP_contains_pte},
	};
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (unsigned device = 0; device < 2; device++) {
			assert_int_equal(try_map(m, REF,
						 GNTMAP_host_map | cases[i].flags |
							 (device ? GNTMAP_device_map : 0),
						 cases[i].addr),
					 GNTST_general_error);
			assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 2, 1);
			assert_int_equal(users(m, REF), 0);
		}
}

/* By a root that maps itself, upper tables are found where L1 tables are. */
static void through_a_linear_table(void **state)
{
	struct fake_machine *m = *state;
	uint64_t self = 300, va = 0xffffull << 48 | self << 39 | self << 30 | self << 21;

	assert_int_equal(fake_update(m, FAKE_L4, self, pv_pte_make(FAKE_L4, FAKE_RO)), 0);
	assert_int_equal(try_map(m, REF, GNTMAP_host_map, va | 273ull << 12), GNTST_general_error);
	assert_int_equal(try_map(m, REF, GNTMAP_host_map, va | 256ull << 12), GNTST_general_error);
}

/* A device's map is a use of the page and of the grant; each ends by itself. */
static void device_maps(void **state)
{
	struct fake_machine *m = *state;
	uint64_t bus = GRANTED * PV_PAGE_SIZE;
	uint32_t handle = must_map(m, REF, GNTMAP_host_map | GNTMAP_device_map, fake_va(SPARE));

	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 4, 3);
	assert_int_equal(m->host.grants[REF].writers, 2);
	assert_int_equal(unmap_bus(m, handle, 0, 0), GNTST_okay);
	assert_int_equal(unmap_bus(m, handle, fake_va(SPARE), bus + 1), GNTST_bad_dev_addr);
	assert_int_equal(unmap_bus(m, handle, 0, bus + PV_PAGE_SIZE), GNTST_bad_dev_addr);
	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 4, 3);
	assert_int_equal(unmap_bus(m, handle, 0, bus), GNTST_okay);
	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 3, 2);
	assert_int_equal(users(m, REF), 1);
	/* Only the host's is left: the device's address says nothing any more. */
	assert_int_equal(unmap_bus(m, handle, fake_va(SPARE), 1), GNTST_okay);
	assert_int_equal(users(m, REF), 0);
	assert_int_equal(unmap_bus(m, handle, 0, bus), GNTST_bad_handle);
	handle = must_map(m, REF, GNTMAP_host_map | GNTMAP_device_map | GNTMAP_readonly,
			  fake_va(SPARE));
	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 4, 1);
	assert_int_equal(unmap_bus(m, handle, fake_va(SPARE), bus), GNTST_okay);
	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 2, 1);
	handle = must_map(m, REF, GNTMAP_device_map, ~0ull);
	assert_int_equal(unmap_bus(m, handle, ~0ull, 0), GNTST_okay);
	assert_int_equal(users(m, REF), 1);
	assert_int_equal(unmap_bus(m, handle, ~0ull, bus), GNTST_okay);
	assert_int_equal(users(m, REF), 0);
}

/* Another place than that of the map; the entry written over; then as it was again. */
static void unmaps_that_fail(void **state)
{
	struct fake_machine *m = *state;
	uint32_t handle = must_map(m, REF, GNTMAP_host_map, fake_va(SPARE));
	uint64_t was = entry(m, SPARE);

	assert_int_equal(unmap(m, handle, fake_va(SPARE + 1)), GNTST_general_error);
	assert_int_equal(unmap(m, handle, fake_va(FAKE_WRITABLE + 1)), GNTST_general_error);
	assert_int_equal(unmap(m, handle, FAKE_BASE + (1ull << 30)), GNTST_general_error);
	assert_int_equal(unmap(m, FAKE_HANDLES, fake_va(SPARE)), GNTST_bad_handle);
	assert_int_equal(unmap(m, handle + 1, fake_va(SPARE)), GNTST_bad_handle);
	assert_int_equal(unmap(m, handle, 0), GNTST_okay);
	assert_int_equal(entry(m, SPARE), was);
	/* Not as it was mapped. */
	assert_int_equal(fake_update(m, FAKE_L1, SPARE, was & ~PV_PTE_RW), 0);
	assert_int_equal(unmap(m, handle, fake_va(SPARE)), GNTST_general_error);
	assert_int_equal(fake_update(m, FAKE_L1, SPARE, 0), 0);
	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 2, 1);
	assert_int_equal(unmap(m, handle, fake_va(SPARE)), GNTST_general_error);
	assert_int_equal(users(m, REF), 1);
	/* Other flags do not count. */
	assert_int_equal(fake_update(m, FAKE_L1, SPARE, pv_pte_make(GRANTED, FAKE_RW)), 0);
	assert_int_equal(unmap(m, handle, fake_va(SPARE)), GNTST_okay);
	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 2, 1);
	assert_int_equal(users(m, REF), 0);
}

static void replaced(void **state)
{
	struct fake_machine *m = *state;
	uint64_t was = entry(m, FAKE_WRITABLE + 1);
	uint32_t handle = must_map(m, REF, GNTMAP_host_map, fake_va(SPARE));

	assert_int_equal(replace(m, handle, fake_va(SPARE), fake_va(FAKE_WRITABLE + 1)),
			 GNTST_okay);
	assert_int_equal(entry(m, SPARE), was);
	assert_int_equal(entry(m, FAKE_WRITABLE + 1), 0);
	assert_frame(m, FAKE_WRITABLE + 1, PV_TYPE_WRITABLE, 2, 1);
	assert_frame(m, GRANTED, PV_TYPE_WRITABLE, 2, 1);
	assert_int_equal(users(m, REF), 0);
	/* By nothing: an unmap. */
	handle = must_map(m, REF, GNTMAP_host_map, fake_va(SPARE));
	assert_int_equal(replace(m, handle, fake_va(SPARE), 0), GNTST_okay);
	assert_int_equal(entry(m, SPARE), 0);
	/* Nothing there: then the map goes as well. */
	handle = must_map(m, REF, GNTMAP_host_map, fake_va(SPARE));
	assert_int_equal(replace(m, handle, fake_va(SPARE), fake_va(SPARE + 1)), GNTST_okay);
	assert_int_equal(entry(m, SPARE), 0);
}

static void replaces_that_fail(void **state)
{
	struct fake_machine *m = *state;
	uint32_t handle = must_map(m, REF, GNTMAP_host_map, fake_va(SPARE));
	uint64_t was = entry(m, SPARE);

	assert_int_equal(replace(m, handle, fake_va(SPARE), FAKE_BASE + (1ull << 21)),
			 GNTST_general_error);
	assert_int_equal(entry(m, SPARE), was);
	/* There is no map, but what should have come to its place has gone. */
	assert_int_equal(replace(m, handle, fake_va(SPARE + 1), fake_va(FAKE_WRITABLE + 1)),
			 GNTST_general_error);
	assert_int_equal(entry(m, FAKE_WRITABLE + 1), 0);
	assert_frame(m, FAKE_WRITABLE + 1, PV_TYPE_WRITABLE, 1, 0);
	/* By itself. */
	assert_int_equal(replace(m, handle, fake_va(SPARE), fake_va(SPARE)), GNTST_general_error);
	assert_int_equal(entry(m, SPARE), 0);
	assert_int_equal(users(m, REF), 1);
	handle = must_map(m, REF, GNTMAP_host_map | GNTMAP_contains_pte, machine_address(SPARE));
	assert_int_equal(replace(m, handle, machine_address(SPARE), fake_va(FAKE_WRITABLE + 2)),
			 GNTST_general_error);
	assert_int_equal(replace(m, handle, machine_address(SPARE), 0), GNTST_okay);
}

static long call(struct fake_machine *m, uint64_t cmd, uint64_t list, uint64_t count)
{
	const uint64_t args[6] = {cmd, list, count};

	return pv_op_grant_table(&m->vcpus[0], args);
}

static void lists(void **state)
{
	const uint64_t end = FAKE_OUTSIDE + sizeof(((struct fake_machine *)0)->outside);
	struct gnttab_map_grant_ref ops[3];
	struct fake_machine *m = *state;

	for (unsigned i = 0; i < 3; i++)
		ops[i] = map_op(i == 1 ? REF_NONE : REF, GNTMAP_host_map, fake_va(SPARE + i));
	memcpy(m->outside, ops, sizeof(ops));
	assert_int_equal(call(m, GNTTABOP_map_grant_ref, FAKE_OUTSIDE, 3), 0);
	memcpy(ops, m->outside, sizeof(ops));
	assert_int_equal(ops[0].status, GNTST_okay);
	assert_int_equal(ops[1].status, GNTST_general_error);
	assert_int_equal(ops[2].status, GNTST_okay);
	assert_int_equal(m->host.grants[REF].writers, 2);
	/* Two, and a third that cannot be read. */
	memcpy(m->outside + sizeof(m->outside) - 2 * sizeof(ops[0]), ops, 2 * sizeof(ops[0]));
	assert_int_equal(call(m, GNTTABOP_map_grant_ref, end - 2 * sizeof(ops[0]), 3), -XEN_EFAULT);
	assert_int_equal(m->host.grants[REF].writers, 3);
	for (unsigned cmd = 0; cmd < 64; cmd++) {
		bool ours = cmd == GNTTABOP_map_grant_ref || cmd == GNTTABOP_unmap_grant_ref ||
			    cmd == GNTTABOP_unmap_and_replace;

		assert_true(call(m, cmd, 0, 0) == (ours ? 0 : PV_OP_HOST));
		if (!ours)
			continue;
		assert_int_equal(call(m, cmd, FAKE_OUTSIDE, 0x80000000), -XEN_EINVAL);
		assert_int_equal(call(m, cmd, PV_HYPER_START, 0), -XEN_EFAULT);
		assert_int_equal(call(m, cmd, fake_va(FAKE_HOLE), 1), -XEN_EFAULT);
	}
	assert_int_equal(call(m, 1ull << 32 | GNTTABOP_map_grant_ref, PV_HYPER_START, 1),
			 -XEN_EFAULT);
}

/* It is done, and then its status cannot be told. */
static void a_list_that_cannot_be_written(void **state)
{
	struct fake_machine *m = *state;
	struct gnttab_map_grant_ref op = map_op(REF, GNTMAP_host_map, fake_va(SPARE));

	memcpy(fake_table(m, FAKE_FREE), &op, sizeof(op));
	assert_int_equal(call(m, GNTTABOP_map_grant_ref, fake_va(FAKE_FREE), 1), -XEN_EFAULT);
	assert_int_equal(users(m, REF), 1);
	assert_int_equal(pv_pte_mfn(entry(m, SPARE)), GRANTED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_map),
		TEST(flags_of_entries),
		TEST(over_another_map),
		TEST(special_frames),
		TEST(keeps_its_type),
		TEST(what_the_host_refuses),
		TEST(places_that_are_none),
		TEST(through_a_linear_table),
		TEST(device_maps),
		TEST(unmaps_that_fail),
		TEST(replaced),
		TEST(replaces_that_fail),
		TEST(lists),
		TEST(a_list_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
