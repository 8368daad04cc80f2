// SPDX-License-Identifier: BSD-2-Clause
/*
 * Upcalls of a PV guest: the event callback is entered before the next instruction of the guest
 * when an event is pending and the vCPU's mask (vcpu_info.evtchn_upcall_mask, its interrupt flag)
 * is off; it is entered with the mask on, and its iret takes it off again. Xen: test_guest_events,
 * do_iret().
 */
#include "guest-tests/lib/fifo.h"
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "upcalls: masked, unmasked, by iret, from user mode, out of a block";

#define MS 1000000ULL

bool test_keeps_tick = true;

static evtchn_port_t port, again;
static unsigned int upcalls, events, deepest, depth;
static bool masked_within;
static struct trap_frame seen;

static void on_event(struct trap_frame *f)
{
	evtchn_port_t p = again;

	seen = *f;
	upcalls++;
	if (++depth > deepest)
		deepest = depth;
	masked_within = events_masked();
	events += evtchn_drain(NULL);
	again = 0;
	if (p)
		evtchn_send(p);
	depth--;
}

/* Upcalls in the hundreds, events in the units. */
static unsigned int happened(void)
{
	unsigned int n = upcalls * 100 + events;

	upcalls = events = 0;
	return n;
}

static void open(void)
{
	WRITE_ONCE(vcpu_info()->evtchn_upcall_mask, 0);
}

static void masked(void)
{
	CHECK_EQ(evtchn_send(port), 0);
	CHECK_EQ(happened(), 0);
	CHECK_EQ(READ_ONCE(vcpu_info()->evtchn_upcall_pending), 1);
	CHECK(port_is_pending(port), "the port is not pending");
	events_unmask();
	CHECK_EQ(happened(), 101);
	CHECK_EQ(masked_within, true);
	CHECK_EQ(events_masked(), false);
	CHECK_EQ(READ_ONCE(vcpu_info()->evtchn_upcall_pending), 0);
	events_mask();
}

static void unmasked(void)
{
	open();
	for (unsigned int i = 0; i < 100; i++) {
		CHECK_EQ(evtchn_send(port), 0);
		CHECK_EQ(happened(), 101);
	}
	CHECK_EQ(seen.cs >> 32, 0);
	CHECK_EQ((uint16_t)seen.cs, FLAT_KERNEL_CS & ~3);
	CHECK_EQ(seen.flags & EFLAGS_IF, EFLAGS_IF);
	CHECK_EQ(seen.ax, 0); /* the result of the hypercall that it came from */
	events_mask();
}

static void masked_port(void)
{
	open();
	port_set_mask(port, true);
	CHECK_EQ(evtchn_send(port), 0);
	CHECK_EQ(happened(), 0);
	CHECK_EQ(evtchn_unmask(port), 0);
	CHECK_EQ(happened(), 101);
	events_mask();
}

/* One that comes in the handler waits for its iret, and comes on the same stack. */
static void from_within(void)
{
	open();
	again = port;
	deepest = 0;
	CHECK_EQ(evtchn_send(port), 0);
	CHECK_EQ(happened(), 202);
	CHECK_EQ(deepest, 1);
	events_mask();
}

static void user_waits(unsigned long arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void user_exits(unsigned long arg)
{
	user_exit(arg);
}

/* An iret that unmasks brings what is pending, before the first instruction of where it goes. */
static void by_iret(void)
{
	struct trap_frame f = user_frame(user_exits, 55);

	CHECK_EQ(evtchn_send(port), 0);
	CHECK_EQ(happened(), 0);
	f.flags |= EFLAGS_IF;
	CHECK_EQ(run_frame(&f, 0).ax, 55);
	CHECK_EQ(happened(), 101);
	CHECK_EQ(seen.ip, f.ip);
	CHECK_EQ(seen.sp, f.sp);
	CHECK_EQ((uint16_t)seen.cs, FLAT_USER_CS);
	events_mask();
}

static long timer(uint64_t deadline)
{
	struct vcpu_set_singleshot_timer arg = {.timeout_abs_ns = deadline};

	return hypercall_vcpu_op(VCPUOP_set_singleshot_timer, 0, &arg);
}

/* A PV guest's vCPU has a tick of 10 ms from the start; others have none. */
static void periodic_tick(void)
{
	uint64_t start = clock_now(), end = start + 5000 * MS;

	events_unmask(); /* one may have come already */
	while (READ_ONCE(upcalls) < 5 && clock_now() < end)
		pause();
	CHECK_EQ(events, 5);
	CHECK(clock_now() - start > 35 * MS, "5 ticks in %llu ns",
	      (unsigned long long)(clock_now() - start));
	CHECK_EQ(hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	events_mask();
	evtchn_drain(NULL);
	happened();
}

static void in_user_mode(void)
{
	struct trap_frame f = user_frame(user_waits, 0);
	uint64_t deadline = clock_now() + 20 * MS;
	struct fault fault;

	f.flags |= EFLAGS_IF;
	irq_set_handler(VECTOR_EVENT, NULL); /* so that it is the end of user mode */
	CHECK_EQ(timer(deadline), 0);
	fault = run_frame(&f, 0);
	CHECK_EQ(fault.vector, VECTOR_EVENT);
	CHECK_EQ((uint16_t)fault_frame()->cs, FLAT_USER_CS);
	CHECK(clock_now() + MS > deadline, "%llu ns too early",
	      (unsigned long long)(deadline - clock_now()));
	CHECK_EQ(events_masked(), true);
	CHECK_EQ(evtchn_drain(NULL), 1);
	irq_set_handler(VECTOR_EVENT, on_event);
}

/* SCHEDOP_block takes the mask off and waits; with something pending it does not wait. */
static void block(void)
{
	uint64_t deadline = clock_now() + 20 * MS;

	CHECK_EQ(timer(deadline), 0);
	CHECK_EQ(hypercall_sched_op(SCHEDOP_block, NULL), 0);
	CHECK_EQ(happened(), 101);
	CHECK(clock_now() + MS > deadline, "it did not wait");
	CHECK_EQ(events_masked(), false);
	events_mask();
	CHECK_EQ(evtchn_send(port), 0);
	CHECK_EQ(hypercall_sched_op(SCHEDOP_block, NULL), 0);
	CHECK_EQ(happened(), 101);
	events_mask();
}

/* While the guest computes: no hypercall and no fault is needed. */
static void while_running(void)
{
	uint64_t end = clock_now() + 2000 * MS;

	CHECK_EQ(timer(clock_now() + 20 * MS), 0);
	open();
	while (!READ_ONCE(upcalls) && clock_now() < end)
		pause();
	CHECK_EQ(happened(), 101);
	events_mask();
}

static void in_a_place_of_its_own(void)
{
	struct vcpu_info *at = page_alloc();

	CHECK_EQ(vcpu_info_register(0, at), 0);
	events_mask();
	/* The change of place makes an upcall of its own. */
	evtchn_drain(NULL);
	CHECK_EQ(evtchn_send(port), 0);
	CHECK_EQ(READ_ONCE(at->evtchn_upcall_pending), 1);
	events_unmask();
	CHECK_EQ(happened(), 101);
	events_mask();
	CHECK_EQ(vcpu_info_register(0, at), -XEN_EINVAL);
}

/* Pages of FIFO events are data while the hypervisor writes to them: no page table is one, and none
 * can become one. */
static void fifo_pages(void)
{
	struct evtchn_reset op = {.dom = DOMID_SELF};
	uint64_t *control = page_alloc(), *array = page_alloc();
	unsigned long mine = mfn_of(control);

	page_protect(control, PTE_READONLY);
	page_protect(array, PTE_READONLY);
	CHECK_EQ(fifo_init_control(0, pte_of(control, 1), 0), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mine, 0), 0);
	CHECK_EQ(fifo_init_control(0, control, 0), -XEN_EINVAL);
	CHECK_EQ(mmuext(MMUEXT_UNPIN_TABLE, mine, 0), 0);
	CHECK_EQ(fifo_init_control(0, control, 0), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mine, 0), -XEN_EINVAL);
	CHECK_EQ(fifo_expand_array(pte_of(control, 1)), -XEN_EINVAL);
	CHECK_EQ(fifo_expand_array(array), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(array), 0), -XEN_EINVAL);
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_reset, &op), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mine, 0), 0);
	CHECK_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(array), 0), 0);
}

void test_main(void)
{
	long virq = evtchn_bind_virq(VIRQ_TIMER, 0);

	port = (evtchn_port_t)evtchn_bind_ipi(0);
	irq_set_handler(VECTOR_EVENT, on_event);
	CHECK(virq > 0, "bind_virq: %ld", virq);
	CHECK_EQ(evtchn_unmask((evtchn_port_t)virq), 0);
	CHECK_EQ(evtchn_unmask(port), 0);
	periodic_tick();
	masked();
	unmasked();
	masked_port();
	from_within();
	by_iret();
	in_user_mode();
	block();
	while_running();
	in_a_place_of_its_own();
	fifo_pages();
	test_success();
}
