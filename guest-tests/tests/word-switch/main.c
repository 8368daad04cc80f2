// SPDX-License-Identifier: BSD-2-Clause
/*
 * A kernel that changes its word size on the run: 64 bits, 32, and 64 again, by the hypercall page
 * written anew, and by HVM_PARAM_CALLBACK_IRQ (Xen: hvm_latch_shinfo_size()). So does one that
 * starts another by kexec, and a loader its kernel.
 *
 * The word size of shared_info, vcpu_info and the runstate area is latched at those two moments and
 * at no other; what a hypercall's arguments look like depends on the mode in which it is made.
 * Ports beyond the 1024 of 32 bits are there again when the word size is 64 again. Xen puts the
 * pending bits of such ports, sent to meanwhile, into the words behind the array, which are the
 * masks: that is not looked at there (subject=xen).
 */
#include "guest-tests/lib/test.h"
#include "xen-abi/x86_32.h"

const char test_title[] = "64 bits, 32 and 64 again: layouts, ports, wall clock, arguments";

#define PORTS_32 1024U

/*
 * Calls in 32-bit protected mode: write the hypercall MSR, or make a hypercall by a page that was
 * filled in that mode.
 */
struct call {
	uint32_t nr, arg[5], result;
};

__asm__(".code32\n"
	"write_page_msr_32:\n"
	"	mov	4(%esp), %eax\n"
	"	xor	%edx, %edx\n"
	"	mov	msr_number, %ecx\n"
	"	wrmsr\n"
	"	xor	%eax, %eax\n"
	"	ret\n"
	"hypercall_32:\n"
	"	push	%ebx\n"
	"	push	%esi\n"
	"	push	%edi\n"
	"	push	%ebp\n"
	"	mov	20(%esp), %ebp\n"
	"	mov	(%ebp), %eax\n"
	"	shl	$5, %eax\n"
	"	add	$page_32, %eax\n"
	"	mov	4(%ebp), %ebx\n"
	"	mov	8(%ebp), %ecx\n"
	"	mov	12(%ebp), %edx\n"
	"	mov	16(%ebp), %esi\n"
	"	mov	20(%ebp), %edi\n"
	"	call	*%eax\n"
	"	mov	%eax, 24(%ebp)\n"
	"	pop	%ebp\n"
	"	pop	%edi\n"
	"	pop	%esi\n"
	"	pop	%ebx\n"
	"	ret\n"
	".code64\n");
extern const uint8_t write_page_msr_32[], hypercall_32[];
uint32_t msr_number;
uint8_t page_32[PAGE_SIZE] PAGE_ALIGNED;

static uint8_t page_64[PAGE_SIZE] PAGE_ALIGNED; /* to write the MSR with; ours stays as it is */

static uint32_t low(const void *p)
{
	return (uint32_t)(unsigned long)p;
}

static long call_32(uint32_t nr, uint32_t a1, uint32_t a2, uint32_t a3)
{
	static struct call c;

	c = (struct call){.nr = nr, .arg = {a1, a2, a3}};
	protected_mode_call(hypercall_32, low(&c));
	return (int32_t)c.result;
}

static void latch_by_page(bool wide)
{
	if (wide)
		CHECK(!wrmsr_safe(msr_number, (unsigned long)page_64), "#GP for a page");
	else
		protected_mode_call(write_page_msr_32, low(page_32));
}

/*
 * What is latched.
 */

/* Offsets in struct shared_info of either word size, and of the selector in a vcpu_info. */
struct layout {
	unsigned int mask, clock, seconds_high, selector, word_bits;
};

/* Where the public header has wc_sec_hi for 32 bits: behind the others of arch_shared_info. */
#define SECONDS_HIGH_32                              \
	(offsetof(struct shared_info_x86_32, arch) + \
	 offsetof(struct arch_shared_info_x86_32, p2m_generation) + 4)

static const struct layout layouts[2] = {
	{offsetof(struct shared_info_x86_32, evtchn_mask),
	 offsetof(struct shared_info_x86_32, wc_version), SECONDS_HIGH_32, 4, 32},
	{offsetof(struct shared_info, evtchn_mask), offsetof(struct shared_info, wc_version),
	 offsetof(struct shared_info, wc_sec_hi), 8, 64},
};

#define PENDING offsetof(struct shared_info, evtchn_pending)

static uint8_t *info; /* the registered vcpu_info */

static volatile uint8_t *byte_at(unsigned int offset)
{
	return (volatile uint8_t *)shared_info_map() + offset;
}

static volatile uint32_t *word_at(unsigned int offset)
{
	return (volatile uint32_t *)(volatile void *)byte_at(offset);
}

static void set_bit_in(unsigned int array, evtchn_port_t p, bool value)
{
	volatile uint8_t *byte = byte_at(array + p / 8);

	*byte = (uint8_t)(value ? *byte | 1U << p % 8 : *byte & ~(1U << p % 8));
}

static bool bit_in(unsigned int array, evtchn_port_t p)
{
	return *byte_at(array + p / 8) >> p % 8 & 1;
}

static evtchn_port_t low_port, other_port, high_port;

static void clear_all(evtchn_port_t p)
{
	set_bit_in(PENDING, p, false);
	set_bit_in(layouts[0].mask, p, false);
	set_bit_in(layouts[1].mask, p, false);
	memset(info, 0, 16); /* the flag, the mask, selectors of either size */
}

/* One event shows where that word size has it, and only there. */
static void shows(evtchn_port_t p, bool wide, const char *when)
{
	const struct layout *l = &layouts[wide], *not = &layouts[!wide];
	uint64_t selector = 1ULL << p / l->word_bits, seen = 0;

	clear_all(p);
	CHECK_EQ(evtchn_send(p), 0);
	memcpy(&seen, info + l->selector, l->word_bits / 8);
	CHECK(bit_in(PENDING, p), "%s: port %u is not pending", when, p);
	CHECK(info[0] && seen == selector, "%s: flag %u, selector %#llx, not %#llx", when, info[0],
	      (unsigned long long)seen, (unsigned long long)selector);
	/* Masked in its place it raises nothing; in the other's it does. */
	clear_all(p);
	set_bit_in(l->mask, p, true);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(!info[0], "%s: port %u is masked, and raises an upcall", when, p);
	clear_all(p);
	set_bit_in(not ->mask, p, true);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(info[0], "%s: the mask of the other word size counts", when);
	clear_all(p);
}

static void spoil_clocks(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		*word_at(layouts[i].clock + 4) = 77;
		*word_at(layouts[i].seconds_high) = 77;
	}
}

/* Latching writes the wall clock in its place, and not in the other. */
static void clock_written(bool wide, const char *when)
{
	const struct layout *l = &layouts[wide], *not = &layouts[!wide];

	CHECK(!(*word_at(l->clock) & 1), "%s: the wall clock's version is odd", when);
	CHECK(*word_at(l->clock + 4) > 1577836800U, "%s: no wall clock", when); /* 2020 */
	CHECK_EQ(*word_at(l->seconds_high), 0);
	CHECK(*word_at(not ->clock + 4) == 77 && *word_at(not ->seconds_high) == 77,
	      "%s: a wall clock in the other word size's place", when);
}

static void nothing_latched(bool wide, const char *when)
{
	shows(low_port, wide, when);
	CHECK(*word_at(layouts[0].clock + 4) == 77 && *word_at(layouts[1].clock + 4) == 77,
	      "%s: the wall clock was written", when);
}

/*
 * Beyond the ports of 32 bits.
 */

static void make_ports(void)
{
	long rc;

	do
		rc = evtchn_bind_ipi(0);
	while (rc > 0 && rc <= (long)PORTS_32 + 5);
	low_port = high_port = 40;
	other_port = 41;
	if (rc == -XEN_ENOSPC && strstr(start_info_cmdline(), "subject=xen")) {
		printf("this domain may not have more than 1023 ports\n");
		return;
	}
	CHECK_EQ(rc, PORTS_32 + 6);
	high_port = (evtchn_port_t)rc;
}

static void high_ports_rest(void)
{
	struct evtchn_status s;

	if (high_port < PORTS_32)
		return;
	CHECK_EQ(evtchn_bind_ipi(0), -XEN_ENOSPC);
	CHECK_EQ(evtchn_status(DOMID_SELF, high_port, &s), 0);
	CHECK_EQ(s.status, EVTCHNSTAT_ipi);
	if (strstr(start_info_cmdline(), "subject=xen"))
		return;
	clear_all(low_port);
	CHECK_EQ(evtchn_send(high_port), 0);
	CHECK(!info[0], "a port beyond the array raises an upcall");
	CHECK(!bit_in(layouts[0].mask, high_port - PORTS_32),
	      "a port beyond the array of pending bits is written into the masks");
}

/*
 * The whole way, there and back.
 */

static void there_and_back(void)
{
	spoil_clocks();
	latch_by_page(false);
	clock_written(false, "64 to 32 by the page");
	shows(low_port, false, "64 to 32 by the page");
	high_ports_rest();
	spoil_clocks();
	latch_by_page(true);
	clock_written(true, "32 to 64 by the page");
	shows(low_port, true, "32 to 64 by the page");
	shows(high_port, true, "32 to 64 by the page");
}

static long set_callback_32(void)
{
	static struct xen_hvm_param arg = {
		.domid = DOMID_SELF,
		.index = HVM_PARAM_CALLBACK_IRQ,
		.value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | 0xf3,
	};

	return call_32(__HYPERVISOR_hvm_op, HVMOP_set_param, low(&arg), 0);
}

static void by_callback(void)
{
	spoil_clocks();
	CHECK_EQ(set_callback_32(), 0);
	clock_written(false, "64 to 32 by the callback");
	shows(low_port, false, "64 to 32 by the callback");
	spoil_clocks();
	CHECK_EQ(set_callback_vector(0xf3), 0);
	clock_written(true, "32 to 64 by the callback");
	shows(high_port, true, "32 to 64 by the callback");
}

/* In the mode of the moment; the word size stays `wide`. */
static void arguments_of_32(bool wide)
{
	static struct sched_poll_x86_32 poll = {.nr_ports = 1, .timeout = 1};
	static struct vcpu_runstate_info area;
	static struct {
		uint32_t address, not_read;
	} runstate = {.not_read = 0xdeadbeef};
	static struct multicall_entry_x86_32 entries[2] = {
		{.op = __HYPERVISOR_xen_version, .args = {XENVER_version}},
		{.op = __HYPERVISOR_sched_op, .args = {SCHEDOP_poll}},
	};
	static struct evtchn_send send;
	uint32_t now;

	poll.ports = low(&other_port);
	CHECK_EQ(call_32(__HYPERVISOR_sched_op, SCHEDOP_poll, low(&poll), 0), 0);
	entries[1].args[1] = low(&poll);
	CHECK_EQ(call_32(__HYPERVISOR_multicall, low(entries), 2, 0), 0);
	CHECK((int32_t)entries[0].result > 0 && !entries[1].result, "multicall: %d, %d",
	      (int32_t)entries[0].result, (int32_t)entries[1].result);
	runstate.address = low(&area);
	area.state = -1;
	CHECK_EQ(call_32(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0,
			 low(&runstate)),
		 0);
	CHECK_EQ(area.state, RUNSTATE_running);
	send.port = other_port;
	CHECK_EQ(call_32(__HYPERVISOR_event_channel_op, EVTCHNOP_send, low(&send), 0), 0);
	CHECK(bit_in(PENDING, other_port), "an event sent in 32 bits is not pending");
	set_bit_in(PENDING, other_port, false);
	now = (uint32_t)(clock_now() >> 32);
	CHECK_EQ(call_32(__HYPERVISOR_set_timer_op, 0, now + 1000, 0), 0);
	CHECK_EQ(call_32(__HYPERVISOR_set_timer_op, 0, 0, 0), 0);
	nothing_latched(wide, "hypercalls in 32 bits");
}

static void arguments_of_64(bool wide)
{
	static struct vcpu_runstate_info area;
	struct vcpu_register_runstate_memory_area runstate = {.addr.v = &area};
	struct sched_poll poll = {.nr_ports = 1, .timeout = 1};
	multicall_entry_t entry = {.op = __HYPERVISOR_sched_op,
				   .args = {SCHEDOP_poll, (unsigned long)&poll}};
	uint64_t value;

	poll.ports.p = &other_port;
	CHECK_EQ(hypercall_sched_op(SCHEDOP_poll, &poll), 0);
	CHECK_EQ(hypercall(__HYPERVISOR_multicall, (unsigned long)&entry, 1, 0, 0, 0), 0);
	CHECK_EQ(entry.result, 0);
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &runstate), 0);
	CHECK_EQ(area.state, RUNSTATE_running);
	CHECK_EQ(hvm_get_param(HVM_PARAM_CALLBACK_IRQ, &value), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_X87_FIP_WIDTH, 0), 0);
	CHECK_EQ(set_upcall_vector(0, 0xf3), 0);
	nothing_latched(wide, "hypercalls in 64 bits");
}

static void modes(void)
{
	for (unsigned int wide = 0; wide < 2; wide++) {
		latch_by_page(wide);
		spoil_clocks();
		arguments_of_32(wide);
		arguments_of_64(wide);
	}
}

void test_main(void)
{
	static uint8_t place[PAGE_SIZE] PAGE_ALIGNED;

	msr_number = hypercall_msr();
	shared_info_map();
	CHECK_EQ(vcpu_info_register(0, (struct vcpu_info *)(void *)(place + 64)), 0);
	info = place + 64;
	make_ports();
	latch_by_page(false); /* fills page_32 */
	latch_by_page(true);
	for (unsigned int i = 0; i < 5; i++)
		there_and_back();
	by_callback();
	modes();
	test_success();
}
