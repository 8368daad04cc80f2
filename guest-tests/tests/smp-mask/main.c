// SPDX-License-Identifier: BSD-2-Clause
/*
 * A port is masked and unmasked on and on by the vCPU that it belongs to, while another sends to
 * it: each event arrives, once. With 2-level events, then with FIFO ones.
 *
 * Unmasked is it in turn by EVTCHNOP_unmask and as kernels do it themselves: clear the bit, look
 * whether the port is pending, and if so have the hypervisor look again. What a sender sees of mask
 * and pending bit, and what an unmasker, must fit together at each moment (Xen: event_2l.c,
 * event_fifo.c).
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "a mask, an unmask and a pending that race lose nothing";

#define MS     1000000ULL
#define ROUNDS 700U
#define LIMIT  (3000 * MS)
#define LOST   (2000 * MS)

static bool fifo;
static evtchn_port_t port;
static uint32_t sent, got, masks, stop;

static uint32_t load(const uint32_t *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void add(uint32_t *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_SEQ_CST);
}

static void came(evtchn_port_t p)
{
	CHECK(p == port && load(&got) != load(&sent), "port %u: an event that nobody sent", p);
	add(&got);
}

static void mask(void)
{
	if (fifo)
		fifo_mask(port);
	else
		port_set_mask(port, true);
}

static bool clear_mask_and_look(void)
{
	if (fifo)
		return fifo_take(port, FIFO_MASKED) & FIFO_PENDING;
	port_set_mask(port, false);
	return port_is_pending(port);
}

static void unmask(bool by_itself)
{
	if (!by_itself) {
		CHECK_EQ(evtchn_unmask(port), 0);
	} else if (clear_mask_and_look()) {
		/* Masked again, since it is from there that the hypervisor begins. */
		mask();
		CHECK_EQ(evtchn_unmask(port), 0);
	}
}

/* Only what the hypervisor has announced is taken. */
static void take(void)
{
	if (!READ_ONCE(vcpu_info()->evtchn_upcall_pending))
		return;
	if (fifo)
		fifo_drain(came);
	else
		evtchn_drain(came);
}

static void receive(void *unused)
{
	(void)unused;
	while (!load(&stop)) {
		mask();
		for (unsigned int i = masks % 7; i; i--)
			pause();
		unmask(masks % 2);
		add(&masks);
		take();
		if (masks % 8 == 0)
			smp_relax();
	}
}

static void send_all(void)
{
	uint64_t start = clock_now();

	while (load(&sent) < ROUNDS && clock_now() - start < LIMIT && load(&got) == load(&sent)) {
		uint64_t now = clock_now();

		add(&sent);
		CHECK_EQ(evtchn_send(port), 0);
		while (load(&got) != load(&sent) && clock_now() - now < LOST)
			smp_relax();
	}
	CHECK(load(&got) == load(&sent), "%s: of %u events %u came; pending %d, masked %d",
	      fifo ? "FIFO" : "2-level", load(&sent), load(&got),
	      fifo ? !!(fifo_word[port] & FIFO_PENDING) : port_is_pending(port),
	      fifo ? !!(fifo_word[port] & FIFO_MASKED) : port_is_masked(port));
}

static void race(void)
{
	long rc = evtchn_bind_ipi(1);

	CHECK(rc > 0, "bind_ipi: %ld", rc);
	port = (evtchn_port_t)rc;
	sent = got = masks = stop = 0;
	CHECK_EQ(evtchn_unmask(port), 0);
	smp_run(1, receive, NULL);
	send_all();
	add(&stop);
	smp_wait(1, 2000);
	CHECK(load(&sent) >= 50, "%u events only", load(&sent));
	printf("%s: %u events, %u times masked\n", fifo ? "FIFO" : "2-level", load(&got), masks);
}

void test_main(void)
{
	memset(shared_info_map()->evtchn_mask, 0xff, sizeof(shared_info_map()->evtchn_mask));
	if (!smp_start(1, SMP_BY_SIPI))
		return;
	race();
	fifo = true;
	fifo_start(2);
	race();
	test_success();
}
