// SPDX-License-Identifier: BSD-2-Clause
/*
 * SHUTDOWN_soft_reset: the hypercall comes back, and all that the guest had set is as in a new one,
 * console and memory are still there. It is how kexec and kdump get rid of the old kernel's ports,
 * and of areas that the hypervisor would go on to write to (Xen, domain_soft_reset()). Twice: the
 * second time everything can be set again.
 */
#include "guest-tests/kexec/anew.h"

const char test_title[] = "SHUTDOWN_soft_reset comes back, and everything is as in a new guest";

static uint8_t page[PAGE_SIZE] PAGE_ALIGNED;

/* Xen puts a new page there. */
static void ram_is_back(void)
{
	if (strstr(start_info_cmdline(), "subject=xen"))
		return;
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		if (!CHECK(page[i] == 0x77, "byte %u of the RAM below shared_info is %#x", i,
			   page[i]))
			return;
}

/* Longer than the watchdog has: nothing that was set before is heard of. */
static void silence(const struct shared_info *si)
{
	const volatile struct vcpu_time_info *t = &si->vcpu_info[0].time;
	uint64_t until = clock_read(t) + 1200 * ANEW_MS;
	const uint8_t *bytes = (const void *)&anew_areas;

	memset(&anew_areas, 0x5a, sizeof(anew_areas));
	while (clock_read(t) < until)
		hypercall_xen_version(XENVER_version, NULL);
	for (unsigned int i = 0; i < sizeof(anew_areas); i++)
		if (!CHECK(bytes[i] == 0x5a, "byte %u of the old areas was written", i))
			break;
	CHECK_EQ(si->vcpu_info[0].evtchn_upcall_pending, 0);
}

void test_main(void)
{
	struct shared_info *shared_info = (void *)page;

	for (unsigned int i = 0; i < 2; i++) {
		memset(page, 0x77, sizeof(page));
		CHECK_EQ(
			add_to_physmap(XENMAPSPACE_shared_info, 0, (unsigned long)page / PAGE_SIZE),
			0);
		anew_set_everything();
		anew_reset();
		ram_is_back();
		anew_check_params();
		anew_check_ports();
		anew_check_shared_info(shared_info);
		silence(shared_info);
		/* To set it all up once more, from the beginning. */
		anew_reset();
	}
	test_success();
}
