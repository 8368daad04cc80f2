// SPDX-License-Identifier: BSD-2-Clause
/*
 * VCPUOP_* on the one vCPU there is, and on others: each errno in Xen's order (common_vcpu_op(),
 * do_vcpu_op(), arch_initialise_vcpu()), and vm_assist's. What succeeds with several vCPUs only is
 * tested elsewhere; timers and areas have tests of their own.
 *
 * Those by physical address are newer than Xen 4.17 (subject=xen), which knows none of them.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "VCPUOP_*: errnos of each operation, and vm_assist's";

static const void *bad_pointer(void)
{
#ifdef __x86_64__
	return window_map(1, 0, 0);
#else
	return (const void *)((unsigned long)ram_end_low() + (16UL << 20));
#endif
}

static void nobody(void)
{
	static const int cmds[] = {
		VCPUOP_initialise,
		VCPUOP_up,
		VCPUOP_down,
		VCPUOP_is_up,
		VCPUOP_get_runstate_info,
		VCPUOP_register_runstate_memory_area,
		VCPUOP_set_periodic_timer,
		VCPUOP_stop_periodic_timer,
		VCPUOP_set_singleshot_timer,
		VCPUOP_stop_singleshot_timer,
		VCPUOP_register_vcpu_info,
		VCPUOP_send_nmi,
		VCPUOP_get_physid,
		VCPUOP_register_vcpu_time_memory_area,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		long rc = hypercall_vcpu_op(cmds[i], 77, bad_pointer());

		CHECK(rc == -XEN_ENOENT, "VCPUOP %d of vCPU 77: %ld", cmds[i], rc);
	}
}

/* It runs already, which is found out after its context has been read. */
static void initialise(void)
{
	static struct vcpu_hvm_context context;

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_initialise, 0, bad_pointer()), -XEN_EFAULT);
	context.mode = 77;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_initialise, 0, &context), -XEN_EEXIST);
}

static void up(void)
{
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 0, NULL), 1);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_up, 0, NULL), 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_is_up, 0, bad_pointer()), 1);
}

static void pointers(void)
{
	const void *bad = bad_pointer();

	CHECK_EQ(hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, bad), -XEN_EFAULT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, bad), -XEN_EFAULT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, bad), -XEN_EFAULT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, bad), -XEN_EFAULT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_periodic_timer, 0, bad), -XEN_EFAULT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, bad), -XEN_EFAULT);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_send_nmi, 0, bad), -XEN_EINVAL);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_get_physid, 0, bad), -XEN_EINVAL);
}

static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;

static long register_phys(int cmd, uint64_t at)
{
	return hypercall_vcpu_op(cmd, 0, &at);
}

static void by_physical_address(int cmd)
{
	uint64_t at = (unsigned long)page;

	CHECK_EQ(hypercall_vcpu_op(cmd, 77, bad_pointer()), -XEN_ENOENT);
	CHECK_EQ(hypercall_vcpu_op(cmd, 0, bad_pointer()), -XEN_EFAULT);
	CHECK_EQ(register_phys(cmd, at + PAGE_SIZE - 16), -XEN_ENXIO);
	CHECK_EQ(register_phys(cmd, at + 2), -XEN_ENXIO);
	CHECK_EQ(register_phys(cmd, at + 4), WIDTH == 64 ? -XEN_ENXIO : 0);
	CHECK_EQ(register_phys(cmd, (ram_end() + (64UL << 20)) & ~(PAGE_SIZE - 1)), -XEN_EINVAL);
	CHECK_EQ(register_phys(cmd, at + 64), 0);
	CHECK_EQ(register_phys(cmd, ~0ULL), 0);
	CHECK_EQ(register_phys(cmd, ~0ULL), 0);
}

static long vm_assist(unsigned long cmd, unsigned long type)
{
	return hypercall(__HYPERVISOR_vm_assist, cmd, type, 0, 0, 0);
}

static void assists(void)
{
	for (unsigned int type = 0; type <= 64; type++)
		if (type != VMASST_TYPE_runstate_update_flag)
			CHECK_EQ(vm_assist(VMASST_CMD_enable, type), -XEN_EINVAL);
	CHECK_EQ(vm_assist(2, VMASST_TYPE_writable_pagetables), -XEN_EINVAL);
	CHECK_EQ(vm_assist(2, VMASST_TYPE_runstate_update_flag), -XEN_ENOSYS);
	CHECK_EQ(vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
	CHECK_EQ(vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
}

static long remote_shutdown(domid_t dom)
{
	struct sched_remote_shutdown arg = {.domain_id = dom, .reason = SHUTDOWN_poweroff};

	return hypercall_sched_op(SCHEDOP_remote_shutdown, &arg);
}

/* What Xen answers to a guest without privilege. */
static void privileged(void)
{
	CHECK_EQ(remote_shutdown(0), -XEN_EPERM);
	CHECK_EQ(remote_shutdown(DOMID_SELF), -XEN_ESRCH);
	CHECK_EQ(remote_shutdown(0x7000), -XEN_ESRCH);
	CHECK_EQ(hypercall_sched_op(SCHEDOP_remote_shutdown, bad_pointer()), -XEN_EFAULT);
	CHECK_EQ(hypercall_sched_op(SCHEDOP_pin_override, bad_pointer()), -XEN_EPERM);
}

static void shutdown_code(void)
{
	struct sched_shutdown arg = {.reason = SHUTDOWN_poweroff};

	CHECK_EQ(hypercall_sched_op(SCHEDOP_shutdown_code, bad_pointer()), -XEN_EFAULT);
	CHECK_EQ(hypercall_sched_op(SCHEDOP_shutdown_code, &arg), 0);
}

void test_main(void)
{
	nobody();
	initialise();
	up();
	pointers();
	if (!strstr(start_info_cmdline(), "subject=xen")) {
		by_physical_address(VCPUOP_register_runstate_phys_area);
		by_physical_address(VCPUOP_register_vcpu_time_phys_area);
	}
	assists();
	privileged();
	shutdown_code();
	test_success();
}
