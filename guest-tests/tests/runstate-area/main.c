// SPDX-License-Identifier: BSD-2-Clause
/*
 * The runstate record: when a vCPU entered its state, and how long it has been in each so far. A
 * kernel puts it anywhere; Linux has it in a per-CPU variable that may lie across two pages, which
 * KVM once refused, and KVM has got the layout of either word size wrong since (its selftest:
 * xen_shinfo_test). So it is registered at each offset around the end of a page, the vCPU sleeps
 * and wakes, and every byte of the record and around it is looked at.
 *
 * The four times sum to the entry time, exactly: Linux takes what is stolen from them. (Under Xen
 * they lack what was before the vCPU was made.) XEN_RUNSTATE_UPDATE is never left behind.
 *
 * Then the two pages are the last of one slot of memory and the first of another. In 64 bits they
 * are, at first, neighbours in the page table only, and the word size changes with the area
 * registered: the record's layout is that of shared_info (Xen: update_runstate_area()).
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "the runstate area at each offset around a page and a slot, sums exact";

#define FILL 0x77
#define MS   1000000ULL

/* A record of either word size, taken apart. */
struct record {
	uint64_t entry, time[4];
	int32_t state;
};

static uint8_t pages[2 * PAGE_SIZE] PAGE_ALIGNED;
static uint8_t *area; /* two pages, in this order for the guest */
static uint64_t base; /* the entry time, less the sum */

static void read_record(struct record *r, const uint8_t *at, bool wide)
{
	memcpy(&r->state, at, 4);
	memcpy(&r->entry, at + (wide ? 8 : 4), 8);
	memcpy(r->time, at + (wide ? 16 : 12), 32);
}

static uint64_t sum(const struct record *r)
{
	return r->time[0] + r->time[1] + r->time[2] + r->time[3];
}

/* The page that is filled in 64 bits stays so, whatever the word size is told to be. */
static long call(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	return hypercall(nr, a1, a2, a3, 0, 0);
}

static long register_area(void *at)
{
	struct vcpu_register_runstate_memory_area arg = {.addr.v = at};

	return call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0,
		    (unsigned long)&arg);
}

static uint64_t time_blocked(void)
{
	struct vcpu_runstate_info info;

	CHECK_EQ(call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, (unsigned long)&info), 0);
	return info.time[RUNSTATE_blocked];
}

/* Blocked, and running again; a timeout may have passed before there is anything to wait for. */
static void change(void)
{
	uint64_t before = time_blocked();

	for (unsigned int i = 0; i < 100; i++) {
		struct sched_poll arg = {.timeout = clock_now() + MS / 5};

		CHECK_EQ(call(__HYPERVISOR_sched_op, SCHEDOP_poll, (unsigned long)&arg, 0), 0);
		if (time_blocked() > before)
			return;
	}
	CHECK(false, "a hundred polls, and never blocked");
}

static void check_record(const struct record *r, const char *what, unsigned int at)
{
	CHECK(r->state == RUNSTATE_running, "%s at %#x: state %d", what, at, r->state);
	CHECK(!(r->entry & XEN_RUNSTATE_UPDATE), "%s at %#x: an update for ever", what, at);
	CHECK(r->entry == sum(r) + base, "%s at %#x: entry %llu, the times make %llu", what, at,
	      (unsigned long long)r->entry, (unsigned long long)sum(r));
}

static void check_around(unsigned int at, unsigned int size, const char *what)
{
	for (unsigned int i = PAGE_SIZE - 72; i < PAGE_SIZE + 72; i++)
		if (i < at || i >= at + size)
			if (!CHECK(area[i] == FILL, "%s at %#x: byte %#x was written: %#x", what,
				   at, i, area[i]))
				return;
}

static void at_offset(unsigned int at)
{
	const unsigned int size = sizeof(struct vcpu_runstate_info);
	struct record before, after;
	uint64_t now;

	/* The area before may be written to until it is no more. */
	CHECK_EQ(register_area(NULL), 0);
	memset(area + PAGE_SIZE - 72, FILL, 144);
	CHECK_EQ(register_area(area + at), 0);
	check_around(at, size, "registered");
	read_record(&before, area + at, WIDTH == 64);
	check_record(&before, "registered", at);
	now = clock_now();
	change();
	check_around(at, size, "changed");
	read_record(&after, area + at, WIDTH == 64);
	check_record(&after, "changed", at);
	CHECK(after.entry >= now, "at %#x: entered at %llu, but slept at %llu", at,
	      (unsigned long long)after.entry, (unsigned long long)now);
	CHECK(after.time[RUNSTATE_running] >= before.time[RUNSTATE_running] &&
		      after.time[RUNSTATE_blocked] + after.time[RUNSTATE_runnable] >
			      before.time[RUNSTATE_blocked] + before.time[RUNSTATE_runnable],
	      "at %#x: no time has passed", at);
}

static void at_every_offset(void)
{
	for (unsigned int at = PAGE_SIZE - 56; at <= PAGE_SIZE + 8; at++)
		at_offset(at);
}

/* What the hypercall says now: the same state, the same entry, times until now. */
static void read_now(void)
{
	struct vcpu_runstate_info info;
	struct record r, in_area;
	uint64_t before, after;

	before = clock_now();
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
	after = clock_now();
	read_record(&r, (const uint8_t *)&info, WIDTH == 64);
	read_record(&in_area, area + PAGE_SIZE + 8, WIDTH == 64);
	CHECK_EQ(r.state, RUNSTATE_running);
	CHECK(r.entry >= in_area.entry, "an older entry than the area's");
	CHECK(sum(&r) + base >= before && sum(&r) + base <= after,
	      "the times make %llu between %llu and %llu", (unsigned long long)(sum(&r) + base),
	      (unsigned long long)before, (unsigned long long)after);
}

static void forgotten(void)
{
	CHECK_EQ(register_area(NULL), 0);
	memset(area + PAGE_SIZE - 72, FILL, 144);
	change();
	check_around(PAGE_SIZE, 0, "forgotten");
}

#ifdef __x86_64__
/* In 32 bits: write the MSR as [arg] says. */
__asm__(".code32\n"
	"latch_in_32bit:\n"
	"	mov	4(%esp), %eax\n"
	"	xor	%edx, %edx\n"
	"	mov	msr_number, %ecx\n"
	"	wrmsr\n"
	"	xor	%eax, %eax\n"
	"	ret\n"
	".code64\n");
extern const uint8_t latch_in_32bit[];
uint32_t msr_number;

static uint8_t spare_page[PAGE_SIZE] PAGE_ALIGNED;

static void latch(bool wide)
{
	uint32_t page = (uint32_t)(unsigned long)spare_page;

	if (wide)
		CHECK(!wrmsr_safe(msr_number, page), "#GP for a hypercall page");
	else
		protected_mode_call(latch_in_32bit, page);
}

static void changed_in(unsigned int at, bool wide)
{
	struct record r;

	latch(wide);
	memset(area + PAGE_SIZE - 72, FILL, 144);
	change();
	check_around(at, wide ? 48 : 44, wide ? "turned 64-bit" : "turned 32-bit");
	read_record(&r, area + at, wide);
	check_record(&r, wide ? "turned 64-bit" : "turned 32-bit", at);
}

static void word_sizes(void)
{
	static const unsigned int places[] = {PAGE_SIZE - 48, PAGE_SIZE - 44, PAGE_SIZE - 13,
					      PAGE_SIZE - 8, PAGE_SIZE};

	msr_number = hypercall_msr();
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		CHECK_EQ(register_area(area + places[i]), 0);
		changed_in(places[i], false);
		changed_in(places[i], true);
		changed_in(places[i], false);
		latch(false);
		CHECK_EQ(register_area(area + places[i]), 0); /* by a 64-bit caller */
		changed_in(places[i], true);
	}
}

static void make_area(void)
{
	area = window_map(4, (unsigned long)pages + PAGE_SIZE, PTE_P | PTE_RW | PTE_US);
	window_map(5, (unsigned long)pages, PTE_P | PTE_RW | PTE_US);
}
#else
static void word_sizes(void)
{
}

static void make_area(void)
{
	area = pages;
}
#endif

/*
 * The same where one slot of memory ends and another begins: after the last page of RAM, where
 * shared_info is mapped, which has a slot to itself there. Its first bytes are vCPU 0's vcpu_info,
 * which is moved away.
 */
static void to_slot_boundary(void)
{
	static struct vcpu_info info __attribute__((aligned(64)));

	CHECK_EQ(register_area(NULL), 0);
	CHECK_EQ(vcpu_info_register(0, &info), 0);
	CHECK_EQ(add_to_physmap(XENMAPSPACE_shared_info, 0, ram_end_low() / PAGE_SIZE), 0);
	area = (uint8_t *)(unsigned long)ram_end_low() - PAGE_SIZE;
}

static void find_base(void)
{
	struct record r;

	if (!strstr(start_info_cmdline(), "subject=xen"))
		return;
	CHECK_EQ(register_area(area), 0);
	change();
	read_record(&r, area, WIDTH == 64);
	base = r.entry - sum(&r);
}

static void update_flag(unsigned int cmd)
{
	CHECK_EQ(call(__HYPERVISOR_vm_assist, cmd, VMASST_TYPE_runstate_update_flag, 0), 0);
}

void test_main(void)
{
	make_area();
	find_base();
	at_every_offset();
	read_now();
	update_flag(VMASST_CMD_enable);
	at_every_offset();
	word_sizes();
	update_flag(VMASST_CMD_disable);
	word_sizes();
	to_slot_boundary();
	at_every_offset();
	word_sizes();
	forgotten();
	test_success();
}
