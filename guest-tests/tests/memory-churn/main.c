// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest uses its memory while the host changes it: moves slots, deletes them and makes them anew,
 * switches their dirty log, shows pages of its own over RAM and takes them away. Nothing that the
 * guest writes may be lost, and nothing may be seen that nobody has written.
 *
 * The host's half (guest-tests/churn, which starts this kernel in the place of `xenolith run`)
 * says by a mailbox what is to be done, and checks the exits, the dirty log and the memory itself.
 */
#include "guest-tests/lib/test.h"
#include "guest-tests/tests/memory-churn/protocol.h"

const char test_title[] = "memory in use while slots and overlays move, go and come";

#define WRONG_SHOWN 8

static struct churn_mailbox *const box = (struct churn_mailbox *)CHURN_MAILBOX;
static evtchn_port_t port;

#define WRONG(...)                                                         \
	do {                                                               \
		if (WRITE_ONCE(box->wrong, box->wrong + 1) <= WRONG_SHOWN) \
			test_failure(__VA_ARGS__);                         \
	} while (0)

static volatile uint32_t *word_at(unsigned int page, unsigned int offset)
{
	return (volatile uint32_t *)(uintptr_t)(READ_ONCE(box->at) + page * PAGE_SIZE + offset);
}

static uint32_t param_at(void)
{
	return box->at + CHURN_PARAM_PAGE * PAGE_SIZE + CHURN_PARAM_AT;
}

static bool is_meant(unsigned int page)
{
	return READ_ONCE(box->pages) >> page & 1;
}

static void fill(void)
{
	for (unsigned int i = 0; i < CHURN_WINDOW_PAGES; i++)
		if (is_meant(i))
			*word_at(i, CHURN_FILL_AT) = box->value + i;
}

static void expect(bool none)
{
	for (unsigned int i = 0; i < CHURN_WINDOW_PAGES; i++) {
		uint32_t want = none ? ~0u : box->value + i, seen;

		if (!is_meant(i))
			continue;
		seen = *word_at(i, CHURN_FILL_AT);
		if (seen != want)
			WRONG("page %u of the window at %#x holds %#x, not %#x", i, box->at, seen,
			      want);
	}
}

static long counted(long result)
{
	WRITE_ONCE(box->calls, box->calls + 1);
	return result;
}

static long call_with(uint32_t arg)
{
	return counted(hypercall_hvm_op(HVMOP_get_param, (const void *)(uintptr_t)arg));
}

static void count(void)
{
	uint32_t turns = 0;

	while (!READ_ONCE(box->stop)) {
		for (unsigned int i = 0; i < CHURN_WINDOW_PAGES; i++)
			if (is_meant(i))
				++*word_at(i, CHURN_COUNT_AT);
		WRITE_ONCE(box->turns, ++turns);
		if (turns % CHURN_CALL_EVERY == 0 && call_with(param_at()))
			WRONG("a hypercall with its argument in a page that stays has failed");
	}
}

/* What was last written to a covered page's word, as RAM (0) and as the overlay (1). */
static uint16_t last[CHURN_COVERED_PAGES][2];

static volatile uint32_t *covered_word(unsigned int page)
{
	return (volatile uint32_t *)(uintptr_t)(CHURN_COVERED + page * PAGE_SIZE +
						CHURN_WORD(page));
}

/* 0: RAM, 1: its overlay, -1: neither. */
static int view_of(unsigned int page, uint32_t word)
{
	if (word >> 16 == CHURN_TAG_RAM)
		return 0;
	return word >> 16 == (CHURN_TAG_OVERLAY | CHURN_OVERLAY(page)) ? 1 : -1;
}

/* By a locked instruction at times: who emulates it has another way for them. */
static void write_half(volatile uint32_t *word, uint16_t value)
{
	volatile uint16_t *half = (volatile uint16_t *)word;

	if (value & 1)
		*half = value;
	else
		__asm__ volatile("xchgw %0, %1" : "+r"(value), "+m"(*half));
}

/*
 * One write of the lower half and one read of the whole word. The write has gone to one of two
 * pages, and the read, that tells which page it has come from, tells where: if it finds what was
 * written, there; if it finds what was there before, to the other.
 */
static void use_covered(unsigned int page)
{
	static uint16_t value; /* unlike all that can be found there */
	uint32_t word;
	int view;

	do
		value++;
	while (value == last[page][0] || value == last[page][1]);
	write_half(covered_word(page), value);
	word = *covered_word(page);
	view = view_of(page, word);
	if (view < 0)
		WRONG("covered page %u: a page with tag %#x, neither RAM nor overlay", page,
		      word >> 16);
	else if ((uint16_t)word == value)
		last[page][view] = value;
	else if ((uint16_t)word == last[page][view])
		last[page][!view] = value;
	else
		WRONG("covered page %u as %s holds %#x; %#x was written last, and %#x just now",
		      page, view ? "overlay" : "RAM", (uint16_t)word, last[page][view], value);
}

static void use_all_covered(void)
{
	static uint32_t turns;
	long rc;

	while (!READ_ONCE(box->stop)) {
		turns++;
		for (unsigned int i = 0; i < CHURN_COVERED_PAGES; i++)
			use_covered(i);
		WRITE_ONCE(box->turns, turns);
		if (turns % CHURN_CALL_EVERY)
			continue;
		rc = call_with(CHURN_COVERED + CHURN_PARAM_AT);
		if (rc)
			WRONG("a hypercall with its argument in a covered page: %ld", rc);
	}
}

static void covered_are(uint32_t tag)
{
	for (unsigned int i = 0; i < CHURN_COVERED_PAGES; i++) {
		uint32_t word = *covered_word(i);
		int view = view_of(i, word);

		if (!is_meant(i))
			continue;
		if (word >> 16 != tag)
			WRONG("covered page %u shows the page with tag %#x, not %#x", i, word >> 16,
			      tag);
		else if (view >= 0 && (uint16_t)word != last[i][view])
			WRONG("covered page %u as %s holds %#x, not %#x", i,
			      view ? "overlay" : "RAM", (uint16_t)word, last[i][view]);
	}
}

/*
 * The vCPU's areas.
 */

static volatile struct vcpu_info *info(void)
{
	return (volatile struct vcpu_info *)(uintptr_t)(box->at + CHURN_INFO_AT);
}

static volatile struct vcpu_time_info *time_copy(void)
{
	return (volatile struct vcpu_time_info *)(uintptr_t)(box->at + CHURN_TIME_AT);
}

static volatile struct vcpu_runstate_info *runstate(void)
{
	return (volatile struct vcpu_runstate_info *)(uintptr_t)(box->at + CHURN_RUNSTATE_AT);
}

static long register_runstate(void)
{
	struct vcpu_register_runstate_memory_area arg = {
		.addr.v = (struct vcpu_runstate_info *)(uintptr_t)(box->at + CHURN_RUNSTATE_AT)};

	return counted(hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &arg));
}

static long register_areas(void)
{
	struct vcpu_register_vcpu_info place = {
		.mfn = (box->at + CHURN_INFO_AT) / PAGE_SIZE,
		.offset = (box->at + CHURN_INFO_AT) % PAGE_SIZE,
	};
	struct vcpu_register_time_memory_area copy = {
		.addr.v = (struct vcpu_time_info *)(uintptr_t)(box->at + CHURN_TIME_AT)};
	long rc;

	rc = counted(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &place));
	if (!rc)
		rc = counted(hypercall_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &copy));
	return rc ? rc : register_runstate();
}

static void wipe_areas(void)
{
	info()->time.tsc_to_system_mul = 0;
	time_copy()->tsc_to_system_mul = 0;
}

static void wait_for_time(void)
{
	unsigned int tries;

	for (tries = 0; tries < 100000; tries++) {
		if (info()->time.tsc_to_system_mul && time_copy()->tsc_to_system_mul)
			return;
		counted(hypercall_xen_version(XENVER_version,
					      NULL)); /* an exit, as all guests have */
	}
	WRONG("the clock's rate does not come back: %#x in vcpu_info, %#x in the time area",
	      info()->time.tsc_to_system_mul, time_copy()->tsc_to_system_mul);
}

static long runstate_again(void)
{
	long rc;

	runstate()->state = ~0;
	rc = register_runstate();
	if (runstate()->state != RUNSTATE_running)
		WRONG("the runstate area says %d after it was registered", runstate()->state);
	return rc;
}

static long send_event(void)
{
	port_test_and_clear_pending(port);
	return counted(evtchn_send(port));
}

static long see_event(void)
{
	long rc;

	info()->evtchn_upcall_pending = 0;
	info()->evtchn_pending_sel = 0;
	rc = send_event();
	if (!info()->evtchn_upcall_pending)
		WRONG("an event does not show in vcpu_info");
	return rc;
}

static void carry_out(uint32_t command)
{
	switch (command) {
	case CHURN_FILL:
		fill();
		break;
	case CHURN_EXPECT:
	case CHURN_EXPECT_NONE:
		expect(command == CHURN_EXPECT_NONE);
		break;
	case CHURN_CALL:
		box->result = (int32_t)call_with(param_at());
		break;
	case CHURN_COUNT:
		count();
		break;
	case CHURN_COVERED_USE:
		use_all_covered();
		break;
	case CHURN_COVERED_ARE:
		covered_are(box->value);
		break;
	case CHURN_REGISTER:
		box->result = (int32_t)register_areas();
		break;
	case CHURN_AREAS_WIPE:
		wipe_areas();
		break;
	case CHURN_AREAS_LIVE:
		wait_for_time();
		break;
	case CHURN_RUNSTATE:
		box->result = (int32_t)runstate_again();
		break;
	case CHURN_EVENT:
		box->result = (int32_t)send_event();
		break;
	case CHURN_EVENT_SEEN:
		box->result = (int32_t)see_event();
		break;
	case CHURN_END:
		break;
	default:
		test_error("command %u", command);
	}
}

static void carry_out_all(void)
{
	uint32_t request = 0, command;

	do {
		while (READ_ONCE(box->request) == request)
			pause();
		request++;
		command = READ_ONCE(box->command);
		carry_out(command);
		WRITE_ONCE(box->done, request);
	} while (command != CHURN_END);
}

void test_main(void)
{
	long bound;

	if (strstr(start_info_cmdline(), "subject=xen")) {
		test_skip("nobody changes memory under a guest there");
		return;
	}
	if (!strstr(start_info_cmdline(), "churn=on")) {
		test_error("this kernel is started by guest-tests/churn, which changes its memory");
		return;
	}
	shared_info_map();
	bound = evtchn_bind_ipi(0);
	CHECK(bound > 0, "bind_ipi: %ld", bound);
	port = (evtchn_port_t)bound;
	port_set_mask(port, false);
	carry_out_all();
	CHECK(!box->wrong, "%u times memory was not as it had to be", box->wrong);
	test_success();
}
