// SPDX-License-Identifier: BSD-2-Clause
/*
 * The clock, and the records that a guest has the hypervisor keep.
 *
 * System time is read without a hypercall: a record holds a TSC value, the time at that tick and
 * the scale from there; the hypervisor renews it when it likes, with a version that is odd
 * meanwhile. Time must never run backwards, over a million reads. In 64 bits the reading is done in
 * ring 3, as a vdso does it; there it also runs at full speed where ring 0 is emulated.
 *
 * Then the places: vcpu_info moved out of shared_info (once and never again: Linux panics if that
 * fails), the time record and the runstate record registered at addresses of the guest's choice.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "system time is monotonic; vcpu_info, time and runstate areas";

#define READS 1000000U
#define LIMIT 1500000000ULL /* ns, for machines too slow for that many reads */
#define MS    1000000ULL

static volatile struct vcpu_time_info *record;
static unsigned int reads, backwards;
static uint64_t started, ended, tsc_started, tsc_ended;

static void read_on_and_on(void)
{
	uint64_t last = clock_read(record), now = last;

	started = last;
	tsc_started = rdtsc();
	for (reads = 0; reads < READS && now - started < LIMIT; reads++) {
		now = clock_read(record);
		backwards += now < last;
		last = now;
	}
	ended = now;
	tsc_ended = rdtsc();
}

#if WIDTH == 64
static void in_ring3(unsigned long unused)
{
	(void)unused;
	read_on_and_on();
	user_exit(0);
}

static void read_all(void)
{
	struct fault f = run_user(in_ring3, 0);

	CHECK(f.vector == VECTOR_USER_EXIT, "vector %u at %#lx", f.vector, f.ip);
}
#else
#define read_all read_on_and_on
#endif

static void monotonic(void)
{
	uint32_t khz = cpuid(xen_cpuid_base() + 3, 0).ecx;
	uint64_t by_tsc, by_clock;

	read_all();
	by_clock = ended - started;
	CHECK(!backwards, "time ran backwards %u times in %u reads", backwards, reads);
	CHECK(reads > 1000, "only %u reads in %llu ns", reads, (unsigned long long)by_clock);
	by_tsc = (tsc_ended - tsc_started) * 1000 / khz * 1000;
	CHECK(by_clock > by_tsc - by_tsc / 50 - MS && by_clock < by_tsc + by_tsc / 50 + MS,
	      "%llu ns by the clock, %llu ns by the TSC at %u kHz", (unsigned long long)by_clock,
	      (unsigned long long)by_tsc, khz);
	printf("%u reads in %llu ns\n", reads, (unsigned long long)by_clock);
}

/* Two records of the same clock, read one after the other. */
static void agree(const volatile struct vcpu_time_info *a, const volatile struct vcpu_time_info *b,
		  const char *what)
{
	uint64_t first = clock_read(a), second = clock_read(b), third = clock_read(a);

	CHECK(first <= second + MS && second <= third + MS,
	      "%s: %llu, then by the other record %llu, then %llu", what, (unsigned long long)first,
	      (unsigned long long)second, (unsigned long long)third);
}

static uint8_t info_page[2 * PAGE_SIZE] PAGE_ALIGNED;
#define INFO_OFFSET 0x340UL

static long register_info(uint32_t vcpu, uint64_t gfn, uint32_t offset)
{
	struct vcpu_register_vcpu_info arg = {.mfn = gfn, .offset = offset};

	return hypercall_vcpu_op(VCPUOP_register_vcpu_info, vcpu, &arg);
}

static void vcpu_info_refused(void)
{
	uint64_t gfn = (unsigned long)info_page / PAGE_SIZE;

	CHECK_EQ(register_info(0, gfn, PAGE_SIZE - 32), -XEN_ENXIO);
	CHECK_EQ(register_info(0, gfn, 0xffffffc0), -XEN_ENXIO);
	CHECK_EQ(register_info(0, gfn, INFO_OFFSET + 2), -XEN_ENXIO);
	CHECK_EQ(register_info(0, ram_end() / PAGE_SIZE + 0x4000, INFO_OFFSET), -XEN_EINVAL);
	CHECK_EQ(register_info(77, gfn, INFO_OFFSET), -XEN_ENOENT);
}

static void vcpu_info_moved(void)
{
	struct vcpu_info *old = vcpu_info();
	struct vcpu_info *v = (struct vcpu_info *)(void *)(info_page + INFO_OFFSET);
	long port = evtchn_bind_ipi(0);

	CHECK(port > 0, "bind_ipi: %ld", port);
	CHECK_EQ(register_info(0, (unsigned long)info_page / PAGE_SIZE, INFO_OFFSET), 0);
	CHECK(v->evtchn_upcall_pending, "the new place does not announce a pending upcall");
	CHECK(!~v->evtchn_pending_sel, "selector %#lx in the new place, expected all ones",
	      (unsigned long)v->evtchn_pending_sel);
	agree(&old->time, &v->time, "vcpu_info in shared_info and in its new place");
	v->evtchn_upcall_pending = 0;
	v->evtchn_pending_sel = 0;
	old->evtchn_upcall_pending = 0;
	port_set_mask((evtchn_port_t)port, false);
	CHECK_EQ(evtchn_send((evtchn_port_t)port), 0);
	CHECK(READ_ONCE(v->evtchn_upcall_pending), "an event does not show in the new place");
	CHECK(!READ_ONCE(old->evtchn_upcall_pending), "an event still shows in the old place");
	CHECK_EQ(register_info(0, (unsigned long)info_page / PAGE_SIZE + 1, 0), -XEN_EINVAL);
	record = &v->time;
}

static void time_area(void)
{
	static struct vcpu_time_info area;
	struct vcpu_register_time_memory_area arg = {.addr.v = &area};
	long rc = hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &arg);

	CHECK(rc == 0, "register_vcpu_time_memory_area: %ld", rc);
	CHECK(READ_ONCE(area.tsc_to_system_mul), "the time area has no rate");
	agree(record, &area, "vcpu_info and the time area");
}

/* Placed across two pages: compilers and linkers do so with a per-CPU variable. */
static void runstate_area(void)
{
	static uint8_t pages[2 * PAGE_SIZE] PAGE_ALIGNED;
	struct vcpu_runstate_info *r = (void *)(pages + PAGE_SIZE - 16);
	struct vcpu_register_runstate_memory_area arg = {.addr.v = r};
	uint64_t sum = 0, now;

	memset(r, 0xff, sizeof(*r));
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &arg), 0);
	now = clock_read(record);
	for (unsigned int i = 0; i < ARRAY_SIZE(r->time); i++)
		sum += r->time[i];
	CHECK_EQ(r->state, RUNSTATE_running);
	CHECK(!(r->state_entry_time & XEN_RUNSTATE_UPDATE), "an update is in progress for ever");
	CHECK(r->state_entry_time <= now, "running since %llu, now is %llu",
	      (unsigned long long)r->state_entry_time, (unsigned long long)now);
	CHECK(sum <= r->state_entry_time + MS, "the four times make %llu, the entry was at %llu",
	      (unsigned long long)sum, (unsigned long long)r->state_entry_time);
}

void test_main(void)
{
	record = &vcpu_info()->time;
	CHECK(!(record->version & 1), "version %u is odd while the guest runs", record->version);
	CHECK(record->version, "version 0: the record was never written");
	monotonic();
	vcpu_info_refused();
	vcpu_info_moved();
	time_area();
	runstate_area();
	monotonic();
	test_success();
}
