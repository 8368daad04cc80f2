// SPDX-License-Identifier: BSD-2-Clause
/*
 * The FIFO ABI under a guest that writes what it likes into its words and control blocks: every
 * operation ends, only the guest's own words change, and nothing of it is believed that matters.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shim/event_port.h"
#include "shim/fake_fifo.h"
#include "shim/fake_test.h"
#include "shim/memslot/dirty_log.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED  (1u << EVTCHN_FIFO_MASKED)
#define LINKED  (1u << EVTCHN_FIFO_LINKED)
#define BUSY    (1u << EVTCHN_FIFO_BUSY)
#define DEFAULT EVTCHN_FIFO_PRIORITY_DEFAULT

static void start(struct fake *f, evtchn_port_t ports)
{
	fake_fifo_start(f, 1);
	for (evtchn_port_t port = 1; port <= ports; port++)
		assert_int_equal(fake_bind_ipi(f, 0), port);
}

/* LINKED, without being in any queue: the guest never gets the event, and nobody else minds. */
static void linked_by_the_guest(void **state)
{
	struct fake *f = *state;

	start(f, 2);
	*fake_fifo_word(f, 1) = LINKED | 2;
	assert_int_equal(fake_send(f, 1), 0);
	assert_int_equal(*fake_fifo_word(f, 1), PENDING | LINKED | 2);
	assert_int_equal(fake_fifo_control(f, 0)->head[DEFAULT], 0);
	assert_int_equal(f->vcpu[0].upcalls, 0);
	assert_int_equal(fake_send(f, 2), 0);
	assert_int_equal(fake_fifo_control(f, 0)->head[DEFAULT], 2);
}

/* The links of the queue are the guest's: the end of it is what we have put there. */
static void a_loop(void **state)
{
	struct fake *f = *state;

	start(f, 3);
	fake_send(f, 1);
	fake_send(f, 2);
	*fake_fifo_word(f, 1) = PENDING | LINKED | 1;
	*fake_fifo_word(f, 2) = PENDING | LINKED | 1;
	assert_int_equal(fake_send(f, 3), 0);
	assert_int_equal(*fake_fifo_word(f, 1), PENDING | LINKED | 1);
	assert_int_equal(*fake_fifo_word(f, 2), PENDING | LINKED | 3);
	assert_int_equal(*fake_fifo_word(f, 3), PENDING | LINKED);
}

/* Links to ports that are not there, BUSY left over, bits that nobody has given a meaning. */
static void wrong_links(void **state)
{
	struct fake *f = *state;

	start(f, 3);
	fake_send(f, 1);
	*fake_fifo_word(f, 1) = UINT32_MAX;
	assert_int_equal(fake_send(f, 2), 0);
	assert_int_equal(*fake_fifo_word(f, 1), (~(BUSY | EVTCHN_FIFO_LINK_MASK)) | 2);
	*fake_fifo_word(f, 2) = 0;
	*fake_fifo_word(f, 3) = BUSY | 0x1ffff;
	assert_int_equal(fake_send(f, 3), 0);
	assert_int_equal(*fake_fifo_word(f, 3), PENDING | LINKED | BUSY | 0x1ffff);
	assert_int_equal(fake_fifo_control(f, 0)->head[DEFAULT], 3);
}

/* The control block is only written to. */
static void nonsense_in_the_control_block(void **state)
{
	struct fake *f = *state;
	struct evtchn_fifo_control_block *control = fake_fifo_control(f, 0);

	start(f, 2);
	memset(control, 0xff, sizeof(*control));
	assert_int_equal(fake_send(f, 1), 0);
	assert_int_equal(control->head[DEFAULT], 1);
	assert_int_equal(control->head[DEFAULT + 1], UINT32_MAX);
	assert_int_equal(control->ready, UINT32_MAX);
	assert_int_equal(control->_rsvd, UINT32_MAX);
	assert_int_equal(f->vcpu[0].upcalls, 0);
}

/* All in one page: both control blocks, and two pages of the array. */
static void everything_in_one_page(void **state)
{
	struct fake *f = *state;
	const uint64_t gfn = FAKE_FIFO_CONTROL >> GUEST_PAGE_SHIFT;

	assert_int_equal(fake_init_control(f, 0, gfn, 0), 0);
	assert_int_equal(fake_init_control(f, 1, gfn, 0), 0);
	assert_int_equal(fake_expand_array(f, gfn), 0);
	assert_int_equal(fake_expand_array(f, gfn), 0);
	for (evtchn_port_t port = 1; port <= 1100; port++)
		assert_int_equal(fake_bind_ipi(f, port % 2), port);
	for (evtchn_port_t port = 1; port <= 1100; port++) {
		assert_int_equal(fake_send(f, port), 0);
		assert_int_equal(fake_unmask(f, port), 0);
	}
	assert_int_equal(fake_reset(f, DOMID_SELF), 0);
}

/* Free ports whose words say that they are in a queue: the guest has hidden them from itself. */
static void free_but_linked(void **state)
{
	struct fake *f = *state;

	fake_fifo_start(f, 1);
	for (evtchn_port_t port = 0; port < 1024; port++)
		*fake_fifo_word(f, port) = LINKED;
	assert_int_equal(fake_bind_ipi(f, 0), 1024);
	*fake_fifo_word(f, 500) = 0;
	assert_int_equal(fake_bind_ipi(f, 0), 500);
}

/* Writes of ours are told to the dirty log. */
static void writes_are_logged(void **state)
{
	struct fake *f = *state;
	uint64_t bits[FAKE_HIGH_SIZE / GUEST_PAGE_SIZE / 64];
	const uint64_t gfn = FAKE_HIGH >> GUEST_PAGE_SHIFT;
	const struct memslot_request logged = {.slot = 1,
					       .flags = MEMSLOT_LOG_DIRTY,
					       .gpa = FAKE_HIGH,
					       .size = FAKE_HIGH_SIZE,
					       .hva = (uintptr_t)f->high};

	assert_int_equal(fake_init_control(f, 0, gfn + 1, 0), 0);
	assert_int_equal(fake_expand_array(f, gfn + 2), 0);
	assert_int_equal(fake_expand_array(f, gfn + 3), 0);
	for (evtchn_port_t port = 1; port <= 1030; port++)
		assert_int_equal(fake_bind_ipi(f, 0), port);
	assert_int_equal(memslots_set_slot(&f->domain.memslots, &logged), 0);
	assert_int_equal(fake_send(f, 1), 0); /* word, head and ready bit */
	assert_int_equal(dirty_log_get(&f->domain.memslots, 1, bits), 0);
	assert_int_equal(bits[0], 1u << 1 | 1u << 2);
	assert_int_equal(fake_send(f, 1030), 0); /* word, and that of the tail */
	assert_int_equal(dirty_log_get(&f->domain.memslots, 1, bits), 0);
	assert_int_equal(bits[0], 1u << 2 | 1u << 3);
	assert_int_equal(fake_unmask(f, 2), 0);
	assert_int_equal(dirty_log_get(&f->domain.memslots, 1, bits), 0);
	assert_int_equal(bits[0], 1u << 2);
	assert_int_equal(fake_close(f, 1030), 0);
	assert_int_equal(dirty_log_get(&f->domain.memslots, 1, bits), 0);
	assert_int_equal(bits[0], 1u << 3);
}

/* The same numbers at every run. */
static uint32_t draw(uint32_t below)
{
	static uint32_t seed = 1;

	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* A guest that writes anything anywhere while events come, ports move and all is begun anew. */
struct scribbler {
	struct fake *f;
	bool stop;
};

static void *scribble(void *opaque)
{
	struct scribbler *s = opaque;
	uint32_t x = 1;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		uint32_t *word = fake_fifo_word(s->f, x % 32);

		x = x * 1664525 + 1013904223;
		__atomic_store_n(word, x | LINKED, __ATOMIC_RELAXED);
		word = (uint32_t *)(s->f->ram + FAKE_FIFO_CONTROL) + x / 7 % 18;
		__atomic_store_n(word, x >> 3, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void every_operation_ends(void **state)
{
	struct fake *f = *state;
	struct scribbler s = {.f = f};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
	for (unsigned round = 0; round < 20; round++) {
		fake_fifo_start(f, 1);
		for (unsigned i = 0; i < 30; i++)
			fake_bind_virq(f, i % NR_VIRQS, 0);
		for (unsigned i = 0; i < 1000; i++) {
			evtchn_port_t port = draw(64);

			fake_unmask(f, port);
			event_raise(&f->domain, port);
			fake_set_priority(f, port, draw(16));
			fake_bind_vcpu(f, port, draw(FAKE_VCPUS));
		}
		assert_int_equal(fake_reset(f, DOMID_SELF), 0);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(linked_by_the_guest),
		TEST_64(a_loop),
		TEST_64(wrong_links),
		TEST_64(nonsense_in_the_control_block),
		TEST_64(everything_in_one_page),
		TEST_64(free_but_linked),
		TEST_64(writes_are_logged),
		TEST_64(every_operation_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
