// SPDX-License-Identifier: BSD-2-Clause
/*
 * System time on several vCPUs is one time: what one has read, no other reads less afterwards.
 *
 * Each reads the record of its own vcpu_info. All at once first, as fast as they can: look at the
 * latest time that anybody has read, read the own clock, compare. Then one after the other, by a
 * token. Linux lets threads of one process read the clock on any CPU and takes the record's word
 * for it (PVCLOCK_TSC_STABLE_BIT: no vCPU is ahead of another); without that bit it keeps the
 * latest itself.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "the clock never goes backwards across vCPUs";

#define MS       1000000ULL
#define TOGETHER (300 * MS)
#define PASSES   200U

static uint64_t latest, worst, end;
static unsigned int reads, backwards, token, nr_cpus;
static uint32_t lock;

static bool try_lock(void)
{
	return !__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE);
}

/* 32-bit code cannot load 64 bits at once. */
static uint64_t latest_so_far(void)
{
	uint64_t t;

	while (!try_lock())
		smp_relax();
	t = latest;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	return t;
}

static void record(uint64_t before, uint64_t now)
{
	while (!try_lock())
		smp_relax();
	reads++;
	if (now < before) {
		backwards++;
		if (before - now > worst)
			worst = before - now;
	}
	if (now > latest)
		latest = now;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void read_once(void)
{
	uint64_t before = latest_so_far();

	record(before, clock_now());
}

static void read_together(void *unused)
{
	(void)unused;
	while (clock_now() < end)
		read_once();
}

static void pass(void *unused)
{
	unsigned int me = cpu_number(), at;

	(void)unused;
	while ((at = __atomic_load_n(&token, __ATOMIC_ACQUIRE)) < PASSES) {
		if (at % nr_cpus != me) {
			smp_relax();
			continue;
		}
		read_once();
		__atomic_store_n(&token, at + 1, __ATOMIC_RELEASE);
	}
}

static void by_all(void (*fn)(void *arg), const char *how)
{
	reads = backwards = 0;
	worst = 0;
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_run(cpu, fn, NULL);
	fn(NULL);
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_wait(cpu, 5000);
	CHECK(!backwards, "%s: %u of %u reads went backwards, by up to %llu ns", how, backwards,
	      reads, (unsigned long long)worst);
	CHECK(reads >= nr_cpus * 10, "%s: %u reads only", how, reads);
	printf("%s: %u reads on %u vCPUs\n", how, reads, nr_cpus);
}

/* The record is good before the vCPU has made its first hypercall. */
static bool starts_with_the_time(unsigned int cpu)
{
	uint64_t before = clock_now();

	if (!smp_start(cpu, SMP_BY_SIPI))
		return false;
	CHECK(smp_born(cpu) >= before && smp_born(cpu) <= clock_now(),
	      "vCPU %u, started after %llu, reads %llu", cpu, (unsigned long long)before,
	      (unsigned long long)smp_born(cpu));
	return true;
}

static void same_rate(void)
{
	const struct vcpu_time_info *first = &vcpu_info_of(0)->time;
	unsigned int stable = first->flags & XEN_PVCLOCK_TSC_STABLE_BIT;

	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++) {
		const struct vcpu_time_info *t = &vcpu_info_of(cpu)->time;

		stable &= t->flags & XEN_PVCLOCK_TSC_STABLE_BIT;
		CHECK_EQ(t->tsc_shift, first->tsc_shift);
		CHECK(t->version && !(t->version & 1), "vCPU %u: version %u", cpu, t->version);
	}
	printf("TSC stable: %s\n", stable ? "yes" : "no");
}

void test_main(void)
{
	nr_cpus = smp_cpus();
	shared_info_map();
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		if (!starts_with_the_time(cpu))
			return;
	end = clock_now() + TOGETHER;
	by_all(read_together, "together");
	by_all(pass, "by token");
	same_rate();
	test_success();
}
