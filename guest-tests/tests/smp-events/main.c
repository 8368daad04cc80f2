// SPDX-License-Identifier: BSD-2-Clause
/*
 * All vCPUs send events to all others, while ports are masked, unmasked and moved from vCPU to
 * vCPU: not one is lost, not one comes twice. 2-level events; with -DFIFO=1, those of the other
 * kind.
 *
 * Each pair of vCPUs has an IPI port and an interdomain channel (a loopback) for each direction. An
 * event that comes while its port is pending is one with it, so to see that every one arrives, a
 * sender sends the next one only when the last has been counted by its receiver: what is lost then
 * is missed for ever, and what comes twice is one too many. One more port is sent to by all, as
 * often as they can; there events merge, and what must arrive is the work that was put down before
 * each send.
 *
 * Receivers sleep in hlt, so an upcall that is lost shows as well: nobody wakes up any more. That
 * is noticed by vCPU 0, which the timer of its local APIC wakes.
 */
#include "guest-tests/lib/test.h"

#ifdef FIFO
#define KIND "FIFO"
#else
#define FIFO 0
#define KIND "2-level"
#endif

const char test_title[] = "events among all vCPUs, " KIND ": none lost, none doubled";

#define VECTOR       0xf4
#define WAKE_VECTOR  0xf5
#define WATCH_VECTOR 0xf6
#define WATCH_NS     100000000U
#define SEC          1000000000ULL

#define CPUS  8
#define EDGES (2 * CPUS * (CPUS - 1))
/* About so many, of which a third goes to the shared port. The other word size differs in the
 * layout only. */
#define EVENTS (sizeof(long) == 8 ? 100000U : 20000U)
/* Where ring 0 is emulated, an event takes a millisecond. */
#define EVENTS_SLOW 2000U
#define STALLED     (15 * SEC)

struct edge {
	evtchn_port_t port;    /* where it arrives */
	evtchn_port_t send_to; /* what its sender names */
	unsigned int from;
	bool movable;
	uint32_t sent, got;
	uint32_t locked; /* by whoever masks or moves it */
};

static struct edge edges[EDGES];
static unsigned int nr_edges, nr_cpus, quota;
static struct edge *edge_of[1024];

static evtchn_port_t shared_port;
static uint32_t shared_work, shared_done, shared_sends, shared_receptions;

static uint32_t finished, stop, spurious, moves, masks;
static uint32_t random_state[CPUS], asleep[CPUS];

static uint32_t add(uint32_t *n)
{
	return __atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

static uint32_t load(const uint32_t *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static uint32_t random_below(uint32_t limit)
{
	uint32_t *r = &random_state[cpu_number()];

	*r = *r * 1664525 + 1013904223;
	return (*r >> 8) % limit;
}

static void wake_cpu(unsigned int cpu)
{
	lapic_send(smp_apic_id(cpu), ICR_FIXED | ICR_ASSERT | WAKE_VECTOR);
}

static void came(evtchn_port_t port)
{
	struct edge *e = edge_of[port];

	if (port == shared_port) {
		add(&shared_receptions);
		shared_done += __atomic_exchange_n(&shared_work, 0, __ATOMIC_SEQ_CST);
	} else if (!e || load(&e->got) == load(&e->sent)) {
		add(&spurious);
	} else {
		add(&e->got);
		if (load(&asleep[e->from]))
			wake_cpu(e->from);
	}
}

static void take_events(void)
{
	if (FIFO)
		fifo_drain(came);
	else
		evtchn_drain(came);
}

static void upcall(struct trap_frame *frame)
{
	(void)frame;
	lapic_eoi();
	take_events();
}

static void wake(struct trap_frame *frame)
{
	(void)frame;
	lapic_eoi();
}

/*
 * Masks, unmasks and moves.
 */

static void mask(evtchn_port_t port)
{
	if (FIFO)
		fifo_mask(port);
	else
		port_set_mask(port, true);
}

/* As kernels do it: with the port masked, so that nobody takes an event for two. */
static void move(struct edge *e)
{
	unsigned int to = random_below(nr_cpus);

	mask(e->port);
	CHECK_EQ(evtchn_bind_vcpu(e->port, to), 0);
	port_set_owner(e->port, to);
	CHECK_EQ(evtchn_unmask(e->port), 0);
	add(&moves);
}

static void mask_and_unmask(struct edge *e)
{
	mask(e->port);
	for (uint32_t i = random_below(50); i; i--)
		pause();
	CHECK_EQ(evtchn_unmask(e->port), 0);
	add(&masks);
}

static void disturb(void)
{
	struct edge *e = &edges[random_below(nr_edges)];

	if (__atomic_exchange_n(&e->locked, 1, __ATOMIC_ACQUIRE))
		return;
	if (e->movable && random_below(2))
		move(e);
	else
		mask_and_unmask(e);
	__atomic_store_n(&e->locked, 0, __ATOMIC_RELEASE);
}

/*
 * Sending.
 */

#define BATCH (EDGES / CPUS + 4)

static multicall_entry_t calls[CPUS][BATCH];
static struct evtchn_send args[CPUS][BATCH];

/* Now, or in one multicall with others. */
static void put(unsigned int *n, evtchn_port_t port, bool together)
{
	unsigned int me = cpu_number();

	if (!together) {
		CHECK_EQ(evtchn_send(port), 0);
		return;
	}
	args[me][*n] = (struct evtchn_send){.port = port};
	calls[me][*n] = (multicall_entry_t){
		.op = __HYPERVISOR_event_channel_op,
		.args = {EVTCHNOP_send, (unsigned long)&args[me][*n]},
	};
	++*n;
}

static void put_together(unsigned int n)
{
	unsigned int me = cpu_number();

	if (!n)
		return;
	CHECK_EQ(hypercall(__HYPERVISOR_multicall, (unsigned long)calls[me], n, 0, 0, 0), 0);
	for (unsigned int i = 0; i < n; i++)
		CHECK_EQ(calls[me][i].result, 0);
}

static void put_shared(unsigned int *n, bool together)
{
	__atomic_fetch_add(&shared_work, 1, __ATOMIC_SEQ_CST);
	add(&shared_sends);
	put(n, shared_port, together);
}

/* Send to whoever has had the last one: how many; and is there none left to come? */
static unsigned int send_round(bool together, bool *all_done)
{
	unsigned int n = 0, sent = 0;

	*all_done = true;
	for (unsigned int i = 0; i < nr_edges; i++) {
		struct edge *e = &edges[i];

		if (e->from != cpu_number())
			continue;
		*all_done &= load(&e->got) == quota;
		if (load(&e->got) != load(&e->sent) || load(&e->sent) == quota)
			continue;
		add(&e->sent);
		put(&n, e->send_to, together);
		sent++;
	}
	if (sent)
		put_shared(&n, together);
	put_together(n);
	return sent;
}

static void wake_all(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		wake_cpu(cpu);
}

/* The last one wakes those that sleep. */
static void finish(void)
{
	if (add(&finished) == nr_cpus)
		wake_all();
}

static bool going_on(void)
{
	return load(&finished) < nr_cpus && !load(&stop);
}

/*
 * Take interrupts; sleep for one if there was nothing to send. Who is asleep is woken when an event
 * of its own has been counted; so it says so, and looks once more before it is. What comes after we
 * have looked is an interrupt that waits.
 */
static void rest(bool active)
{
	uint32_t *mine = &asleep[cpu_number()];

	if (!active && going_on() && __atomic_exchange_n(mine, 1, __ATOMIC_SEQ_CST)) {
		irq_wait();
		active = true;
	}
	if (active)
		__atomic_store_n(mine, 0, __ATOMIC_SEQ_CST);
	irq_enable();
	irq_disable();
}

static void send_and_receive(void)
{
	bool done = false, was_done = false;

	for (unsigned int round = 0; going_on(); round++) {
		unsigned int sent = send_round(round % 8, &done);

		if (done && !was_done)
			finish();
		was_done = done;
		if (!done && round % 16 == 15)
			disturb();
		rest(sent);
	}
}

static void begin(void)
{
	lapic_init();
	random_state[cpu_number()] = cpu_number() * 7919 + 17;
	CHECK_EQ(set_upcall_vector(cpu_number(), VECTOR), 0);
}

static void other(void *unused)
{
	(void)unused;
	begin();
	send_and_receive();
}

/*
 * The ports.
 */

static void add_edge(evtchn_port_t port, evtchn_port_t send_to, unsigned int from, unsigned int to,
		     bool movable)
{
	struct edge *e = &edges[nr_edges++];

	*e = (struct edge){.port = port, .send_to = send_to, .from = from, .movable = movable};
	edge_of[port] = e;
	if (movable)
		CHECK_EQ(evtchn_bind_vcpu(port, to), 0);
	port_set_owner(port, to);
}

static evtchn_port_t got_port(long rc)
{
	CHECK(rc > 0 && rc < 1024, "a port: %ld", rc);
	return rc > 0 && rc < 1024 ? (evtchn_port_t)rc : 1;
}

static void make_edges(void)
{
	for (unsigned int a = 0; a < nr_cpus; a++)
		for (unsigned int b = 0; b < nr_cpus; b++) {
			evtchn_port_t p, q;

			if (a == b)
				continue;
			p = got_port(evtchn_bind_ipi(b));
			add_edge(p, p, a, b, false);
			if (b < a)
				continue;
			p = got_port(evtchn_alloc_unbound(DOMID_SELF, DOMID_SELF));
			q = got_port(evtchn_bind_interdomain(DOMID_SELF, p));
			add_edge(q, p, a, b, true);
			add_edge(p, q, b, a, true);
		}
	shared_port = got_port(evtchn_bind_ipi(nr_cpus - 1));
	port_set_owner(shared_port, nr_cpus - 1);
}

/* Binding a channel has made its ports pending. */
static void open(evtchn_port_t port)
{
	if (FIFO)
		fifo_take(port, FIFO_PENDING);
	else
		port_test_and_clear_pending(port);
	CHECK_EQ(evtchn_unmask(port), 0);
}

static void open_all(void)
{
	for (unsigned int i = 0; i < nr_edges; i++)
		open(edges[i].port);
	open(shared_port);
}

/*
 * The whole.
 */

static uint32_t received(void)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < nr_edges; i++)
		n += load(&edges[i].got);
	return n;
}

static bool port_bit(evtchn_port_t port, bool masked)
{
	if (FIFO)
		return fifo_word[port] & (masked ? FIFO_MASKED : FIFO_PENDING);
	return masked ? port_is_masked(port) : port_is_pending(port);
}

static void report_stall(void)
{
	for (unsigned int i = 0; i < nr_edges; i++) {
		const struct edge *e = &edges[i];

		if (e->got != quota)
			printf("from %u by port %u: sent %u, came %u of %u; pending %d, masked %d\n",
			       e->from, e->port, e->sent, e->got, quota, port_bit(e->port, false),
			       port_bit(e->port, true));
	}
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		printf("vCPU %u: upcall pending %u, selector %#lx\n", cpu,
		       vcpu_info_of(cpu)->evtchn_upcall_pending,
		       (unsigned long)vcpu_info_of(cpu)->evtchn_pending_sel);
}

/* By the timer of vCPU 0's local APIC. */
static void watch(struct trap_frame *frame)
{
	static uint32_t seen;
	static uint64_t since;
	uint32_t now = received();

	(void)frame;
	lapic_eoi();
	if (now != seen || !since) {
		seen = now;
		since = clock_now();
	} else if (clock_now() - since > STALLED && going_on()) {
		CHECK(false, "nothing comes any more after %u events", seen);
		report_stall();
		add(&stop);
		wake_all();
	}
}

static void take_rest(void *unused)
{
	(void)unused;
	take_events();
}

/* When everybody rests, nothing is left but, maybe, the last of the shared port. */
static void account(uint64_t ns)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (cpu)
			smp_call(cpu, take_rest, NULL);
		else
			take_events();
	for (unsigned int i = 0; i < nr_edges; i++)
		CHECK(edges[i].got == quota && edges[i].sent == quota,
		      "from %u by port %u: sent %u, came %u of %u", edges[i].from, edges[i].port,
		      edges[i].sent, edges[i].got, quota);
	CHECK(!spurious, "%u events came that nobody had sent", spurious);
	CHECK(shared_done == shared_sends && !shared_work,
	      "the shared port: %u sends, of which %u arrived", shared_sends, shared_done);
	printf("%u events: %u by %u ports in %llu ms, %u sends to the shared port, %u of them merged; "
	       "%u moves, %u masks\n",
	       received() + shared_sends, received(), nr_edges, (unsigned long long)(ns / 1000000),
	       shared_sends, shared_sends - shared_receptions, moves, masks);
}

/* Is ring 0 emulated? */
static bool slow(void)
{
	uint64_t start = clock_now();

	for (unsigned int i = 0; i < 1000; i++)
		barrier();
	return clock_now() - start > 1000000;
}

static void run_all(void)
{
	uint64_t start = clock_now();

	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_run(cpu, other, NULL);
	begin();
	lapic_timer(WATCH_VECTOR, WATCH_NS);
	send_and_receive();
	for (unsigned int cpu = 1; cpu < nr_cpus; cpu++)
		smp_wait(cpu, 5000);
	lapic_timer(WATCH_VECTOR, 0);
	account(clock_now() - start);
}

void test_main(void)
{
	nr_cpus = smp_cpus_up_to(CPUS);
	if (!nr_cpus)
		return;
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	if (FIFO)
		fifo_start(nr_cpus);
	irq_set_handler(VECTOR, upcall);
	irq_set_handler(WAKE_VECTOR, wake);
	irq_set_handler(WATCH_VECTOR, watch);
	if (!smp_start_all(SMP_BY_SIPI))
		return;
	make_edges();
	quota = (slow() ? EVENTS_SLOW : EVENTS) / 3 * 2 / nr_edges;
	open_all();
	run_all();
	test_success();
}
