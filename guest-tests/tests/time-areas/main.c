// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copies of the time and of the runstate where the guest wants them: by virtual address (VCPUOP 5
 * and 13), at any offset and across pages, and by physical address (14 and 15), for oneself and for
 * another vCPU. What an area shows is current, it stops when the area is taken away, and the bytes
 * around it are nobody's.
 *
 * By physical address they are newer than Xen 4.17 (subject=xen). There the layout is that of the
 * caller who registered it, and a place has to be aligned and within a page.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "time and runstate areas by virtual and by physical address";

#define FILL 0x5a
#define MS   1000000ULL

static uint8_t pages[2 * PAGE_SIZE] PAGE_ALIGNED;

static long by_address(int cmd, unsigned int cpu, void *at)
{
	struct vcpu_register_time_memory_area arg = {.addr.v = at};

	return hypercall_vcpu_op(cmd, cpu, &arg);
}

static long by_frame(int cmd, unsigned int cpu, uint64_t at)
{
	return hypercall_vcpu_op(cmd, cpu, &at);
}

/* Leave the guest and come back, so that copies are brought up to date. */
static void pass_some_time(void)
{
	smp_sleep_until(clock_now() + MS);
}

static void fill(void)
{
	memset(pages, FILL, sizeof(pages));
}

static void check_around(unsigned int at, unsigned int size)
{
	for (unsigned int i = PAGE_SIZE - 128; i < PAGE_SIZE + 128; i++)
		if ((i < at || i >= at + size) && pages[i] != FILL) {
			CHECK(false, "area at %#x: byte %#x was written", at, i);
			return;
		}
	CHECK(true, "%s", "");
}

/* The copy and the original tell one time, now and later. */
static void check_time(unsigned int at)
{
	struct vcpu_time_info copy;
	uint64_t first, second, third;

	pass_some_time();
	memcpy(&copy, pages + at, sizeof(copy));
	first = clock_now();
	second = clock_read(&copy);
	third = clock_now();
	CHECK(!(copy.version & 1) && copy.version, "area at %#x: version %u", at, copy.version);
	CHECK(first <= second + MS / 10 && second <= third + MS / 10,
	      "area at %#x: %llu, %llu by the copy, %llu", at, (unsigned long long)first,
	      (unsigned long long)second, (unsigned long long)third);
	check_around(at, sizeof(copy));
}

static void time_by_address(void)
{
	static const unsigned int places[] = {PAGE_SIZE - 32, PAGE_SIZE - 31, PAGE_SIZE - 8,
					      PAGE_SIZE - 1,  PAGE_SIZE,      PAGE_SIZE + 3};

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		CHECK_EQ(by_address(VCPUOP_register_vcpu_time_memory_area, 0, pages + 512), 0);
		fill();
		CHECK_EQ(by_address(VCPUOP_register_vcpu_time_memory_area, 0, pages + places[i]),
			 0);
		memset(pages + 512, FILL, 64);
		check_time(places[i]);
	}
}

static void time_by_frame(void)
{
	uint64_t base = (unsigned long)pages;

	fill();
	CHECK_EQ(by_frame(VCPUOP_register_vcpu_time_phys_area, 0, base + PAGE_SIZE - 32), 0);
	check_time(PAGE_SIZE - 32);
	CHECK_EQ(by_frame(VCPUOP_register_vcpu_time_phys_area, 0, base + PAGE_SIZE - 24),
		 -XEN_ENXIO);
	check_time(PAGE_SIZE - 32);
	CHECK_EQ(by_frame(VCPUOP_register_vcpu_time_phys_area, 0, ~0ULL), 0);
	fill();
	pass_some_time();
	check_around(PAGE_SIZE, 0);
}

static void check_runstate(unsigned int at, int state)
{
	struct vcpu_runstate_info r;
	uint64_t sum;

	memcpy(&r, pages + at, sizeof(r));
	sum = r.time[0] + r.time[1] + r.time[2] + r.time[3];
	CHECK(r.state == state, "area at %#x: state %d, not %d", at, r.state, state);
	if (!strstr(start_info_cmdline(), "subject=xen"))
		CHECK(sum == r.state_entry_time, "area at %#x: entry %llu, the times make %llu", at,
		      (unsigned long long)r.state_entry_time, (unsigned long long)sum);
	check_around(at, sizeof(r));
}

static void runstate_by_frame(void)
{
	static const unsigned int places[] = {PAGE_SIZE - 48, PAGE_SIZE, PAGE_SIZE + 16};
	uint64_t base = (unsigned long)pages;

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		CHECK_EQ(by_frame(VCPUOP_register_runstate_phys_area, 0, ~0ULL), 0);
		fill();
		CHECK_EQ(by_frame(VCPUOP_register_runstate_phys_area, 0, base + places[i]), 0);
		check_runstate(places[i], RUNSTATE_running);
		pass_some_time();
		check_runstate(places[i], RUNSTATE_running);
	}
	CHECK_EQ(by_frame(VCPUOP_register_runstate_phys_area, 0, base + PAGE_SIZE - 40),
		 -XEN_ENXIO);
	CHECK_EQ(by_frame(VCPUOP_register_runstate_phys_area, 0, ~0ULL), 0);
	fill();
	pass_some_time();
	check_around(PAGE_SIZE, 0);
}

/* By itself: to one that is blocked it makes no difference under Xen. */
static void go_down(void *unused)
{
	(void)unused;
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_down, cpu_number(), NULL), 0);
}

/* Of a vCPU that is down, runs, sleeps, and is down again. */
static void of_another(void)
{
	CHECK_EQ(by_address(VCPUOP_register_vcpu_time_memory_area, 0, pages + 512), 0);
	fill();
	CHECK_EQ(by_address(VCPUOP_register_runstate_memory_area, 1, pages + PAGE_SIZE), 0);
	memset(pages + 512, FILL, 64);
	check_runstate(PAGE_SIZE, RUNSTATE_offline);
	if (!smp_start(1, SMP_BY_SIPI))
		return;
	pass_some_time();
	CHECK(READ_ONCE(*(int32_t *)(void *)(pages + PAGE_SIZE)) != RUNSTATE_offline,
	      "vCPU 1 is up, and its area says offline");
	smp_run(1, go_down, NULL);
	for (unsigned int i = 0; i < 20; i++)
		pass_some_time();
	check_runstate(PAGE_SIZE, RUNSTATE_offline);
}

void test_main(void)
{
	bool by_frames = !strstr(start_info_cmdline(), "subject=xen");

	shared_info_map();
	time_by_address();
	if (by_frames) {
		time_by_frame();
		runstate_by_frame();
	}
	of_another();
	test_success();
}
