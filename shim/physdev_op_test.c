// SPDX-License-Identifier: BSD-2-Clause
/* PHYSDEVOP_* of a PV guest that has none of the host's devices. */
#include <string.h>

#include "shim/fake_test.h"
#include "shim/physdev_op.h"

static long physdev_op(struct fake *f, unsigned cmd, void *arg, size_t len)
{
	return fake_op(f, __HYPERVISOR_physdev_op, cmd, arg, len);
}

/* Of operations that look at their argument and do not like the caller. */
static void refused(void **state)
{
	static const struct {
		unsigned cmd;
		long rc;
		bool reads; /* its argument */
	} cases[] = {
		{PHYSDEVOP_apic_read, XEN_EPERM, true},
		{PHYSDEVOP_apic_write, XEN_EPERM, true},
		{PHYSDEVOP_alloc_irq_vector, XEN_EPERM, true},
		{PHYSDEVOP_manage_pci_add, XEN_EPERM, true},
		{PHYSDEVOP_manage_pci_remove, XEN_EPERM, true},
		{PHYSDEVOP_manage_pci_add_ext, XEN_EPERM, true},
		{PHYSDEVOP_setup_gsi, XEN_EPERM, true},
		{PHYSDEVOP_pci_device_add, XEN_EPERM, true},
		{PHYSDEVOP_pci_device_remove, XEN_EPERM, true},
		{PHYSDEVOP_prepare_msix, XEN_EPERM, true},
		{PHYSDEVOP_release_msix, XEN_EPERM, true},
		{PHYSDEVOP_restore_msi, XEN_ENODEV, true},
		{PHYSDEVOP_restore_msi_ext, XEN_ENODEV, true},
		{PHYSDEVOP_pci_mmcfg_reserved, XEN_EPERM, false},
		{PHYSDEVOP_dbgp_op, XEN_EPERM, false},
		{PHYSDEVOP_eoi, XEN_EINVAL, true},
	};
	struct fake *f = *state;
	uint8_t zeros[64] = {0};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_refused(f, physdev_op(f, cases[i].cmd, zeros, sizeof(zeros)), cases[i].rc);
		assert_refused(f, fake_call(f, __HYPERVISOR_physdev_op, cases[i].cmd, FAKE_HOLE, 0),
			       cases[i].reads ? XEN_EFAULT : cases[i].rc);
	}
}

static void bad_arguments(void **state)
{
	struct physdev_setup_gsi gsi = {.gsi = 24};
	struct physdev_manage_pci_ext pci = {.is_extfn = 2};
	struct fake *f = *state;

	assert_refused(f, physdev_op(f, PHYSDEVOP_setup_gsi, &gsi, sizeof(gsi)), XEN_EINVAL);
	gsi.gsi = -1;
	assert_refused(f, physdev_op(f, PHYSDEVOP_setup_gsi, &gsi, sizeof(gsi)), XEN_EINVAL);
	assert_refused(f, physdev_op(f, PHYSDEVOP_manage_pci_add_ext, &pci, sizeof(pci)),
		       XEN_EINVAL);
}

static void pirqs(void **state)
{
	struct physdev_map_pirq map = {.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI};
	struct physdev_unmap_pirq unmap = {.domid = DOMID_SELF};
	struct fake *f = *state;

	assert_refused(f, physdev_op(f, PHYSDEVOP_map_pirq, &map, sizeof(map)), XEN_EPERM);
	map.domid = 99;
	assert_refused(f, physdev_op(f, PHYSDEVOP_map_pirq, &map, sizeof(map)), XEN_ESRCH);
	map.type = MAP_PIRQ_TYPE_MULTI_MSI;
	map.table_base = 1;
	assert_refused(f, physdev_op(f, PHYSDEVOP_map_pirq, &map, sizeof(map)), XEN_EINVAL);
	assert_refused(f, physdev_op(f, PHYSDEVOP_unmap_pirq, &unmap, sizeof(unmap)), XEN_EPERM);
	unmap.domid = 99;
	assert_refused(f, physdev_op(f, PHYSDEVOP_unmap_pirq, &unmap, sizeof(unmap)), XEN_ESRCH);
}

static void irq_status(void **state)
{
	struct physdev_irq_status_query op = {.irq = 5, .flags = 0x55};
	struct fake *f = *state;

	assert_int_equal(physdev_op(f, PHYSDEVOP_irq_status_query, &op, sizeof(op)), 0);
	assert_int_equal(op.flags, XENIRQSTAT_needs_eoi);
	op.irq = EVENT_PIRQS;
	assert_refused(f, physdev_op(f, PHYSDEVOP_irq_status_query, &op, sizeof(op)), XEN_EINVAL);
}

/* Linux names one as it starts. */
static void eoi_page(void **state)
{
	struct physdev_pirq_eoi_gmfn op = {.gmfn = FAKE_FRAMES};
	struct fake *f = *state;

	assert_refused(f, physdev_op(f, PHYSDEVOP_pirq_eoi_gmfn_v2, &op, sizeof(op)), XEN_EINVAL);
	op.gmfn = 0x42;
	f->frames[0x42].type = PV_TYPE_L1;
	f->frames[0x42].type_refs = 1;
	assert_refused(f, physdev_op(f, PHYSDEVOP_pirq_eoi_gmfn_v2, &op, sizeof(op)), XEN_EINVAL);
	f->frames[0x42].type_refs = 0;
	assert_int_equal(physdev_op(f, PHYSDEVOP_pirq_eoi_gmfn_v2, &op, sizeof(op)), 0);
	assert_int_equal(f->frames[0x42].type, PV_TYPE_WRITABLE);
	assert_int_equal(f->frames[0x42].refs, 2);
	op.gmfn = 0x43;
	assert_refused(f, physdev_op(f, PHYSDEVOP_pirq_eoi_gmfn_v1, &op, sizeof(op)), XEN_EBUSY);
	assert_int_equal(f->frames[0x43].refs, 1);
}

static void not_for_hvm(void **state)
{
	struct fake *f = *state;

	for (unsigned cmd = 0; cmd < physdev_ops_count; cmd++)
		assert_refused(f, fake_call(f, __HYPERVISOR_physdev_op, cmd, FAKE_ARG, 0),
			       XEN_ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PV(refused),    TEST_PV(bad_arguments), TEST_PV(pirqs),
		TEST_PV(irq_status), TEST_PV(eoi_page),      TEST_BOTH(not_for_hvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
