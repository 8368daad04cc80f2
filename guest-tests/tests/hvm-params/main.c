// SPDX-License-Identifier: BSD-2-Clause
/*
 * HVM parameters: what a guest may read and write, and the console they lead to.
 *
 * Xen sorts the parameters (hvm_allow_set_param(), hvm_allow_get_param() in hvm/hvm.c): some are
 * the guest's own, some it may only read, deprecated ones are -EINVAL, the toolstack's are -EPERM.
 * Two that it reads are the way to its console: a ring in a shared page and an event channel to say
 * that something is in it.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "HVM parameters and the console ring";

#define MS 1000000ULL

static long get(uint32_t index)
{
	uint64_t value;

	return hvm_get_param(index, &value);
}

static void guests_own(void)
{
	uint64_t value = 0, before = 0;

	CHECK_EQ(hvm_get_param(HVM_PARAM_STORE_EVTCHN, &before), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_STORE_EVTCHN, before), 0);
	CHECK_EQ(hvm_get_param(HVM_PARAM_CONSOLE_EVTCHN, &before), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_CONSOLE_EVTCHN, before), 0);
	CHECK_EQ(hvm_get_param(HVM_PARAM_VM_GENERATION_ID_ADDR, &before), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_VM_GENERATION_ID_ADDR, 0x1234000), 0);
	CHECK_EQ(hvm_get_param(HVM_PARAM_VM_GENERATION_ID_ADDR, &value), 0);
	CHECK_EQ(value, 0x1234000);
	CHECK_EQ(hvm_set_param(HVM_PARAM_VM_GENERATION_ID_ADDR, before), 0);
}

static void callback(void)
{
	uint64_t value = 0, want = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | 0xf3;

	CHECK_EQ(set_callback_vector(0xf3), 0);
	CHECK_EQ(hvm_get_param(HVM_PARAM_CALLBACK_IRQ, &value), 0);
	CHECK(value == want, "callback is %#llx", (unsigned long long)value);
	CHECK_EQ(hvm_set_param(HVM_PARAM_CALLBACK_IRQ, 0), 0);
}

static void read_only(void)
{
	CHECK_EQ(get(HVM_PARAM_STORE_PFN), 0);
	CHECK_EQ(get(HVM_PARAM_CONSOLE_PFN), 0);
	CHECK_EQ(hvm_set_param(HVM_PARAM_STORE_PFN, 1), -XEN_EPERM);
	CHECK_EQ(hvm_set_param(HVM_PARAM_CONSOLE_PFN, 1), -XEN_EPERM);
}

static void toolstacks(void)
{
	static const uint32_t params[] = {HVM_PARAM_IOREQ_PFN, HVM_PARAM_BUFIOREQ_PFN,
					  HVM_PARAM_IDENT_PT, HVM_PARAM_ACPI_S_STATE,
					  HVM_PARAM_TIMER_MODE};

	for (unsigned int i = 0; i < ARRAY_SIZE(params); i++) {
		long g = get(params[i]), s = hvm_set_param(params[i], 0);

		CHECK(g == -XEN_EPERM && s == -XEN_EPERM, "parameter %u: get %ld set %ld",
		      params[i], g, s);
	}
}

static void deprecated(void)
{
	/* PAE_ENABLED, DM_DOMAIN, MEMORY_EVENT_CR0, NESTEDHVM: guests get no names for them */
	static const uint32_t params[] = {4, 13, 20, 24};

	for (unsigned int i = 0; i < ARRAY_SIZE(params); i++) {
		long g = get(params[i]), s = hvm_set_param(params[i], 0);

		CHECK(g == -XEN_EINVAL && s == -XEN_EINVAL, "parameter %u: get %ld set %ld",
		      params[i], g, s);
	}
}

static void refused(void)
{
	struct xen_hvm_param arg = {.domid = 0x1234, .index = HVM_PARAM_CALLBACK_IRQ};

	CHECK_EQ(get(HVM_NR_PARAMS), -XEN_EINVAL);
	CHECK_EQ(get(~0U), -XEN_EINVAL);
	CHECK_EQ(hvm_set_param(HVM_NR_PARAMS, 0), -XEN_EINVAL);
	CHECK_EQ(hypercall_hvm_op(HVMOP_get_param, &arg), -XEN_ESRCH);
	CHECK_EQ(hypercall_hvm_op(HVMOP_set_param, &arg), -XEN_ESRCH);
}

/* xen/io/console.h: the frontend writes at out_prod, the backend reads up to it. */
static void console_write(struct xencons_interface *ring, const char *text)
{
	XENCONS_RING_IDX prod = ring->out_prod;

	for (; *text; text++, prod++)
		ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *text;
	__atomic_store_n(&ring->out_prod, prod, __ATOMIC_RELEASE);
}

static bool console_taken(struct xencons_interface *ring)
{
	uint64_t until = clock_now() + 3000 * MS;

	while (READ_ONCE(ring->out_cons) != ring->out_prod && clock_now() < until)
		pause();
	return READ_ONCE(ring->out_cons) == ring->out_prod;
}

static void console(void)
{
	uint64_t pfn = 0, port = 0;
	struct xencons_interface *ring;

	hvm_get_param(HVM_PARAM_CONSOLE_PFN, &pfn);
	hvm_get_param(HVM_PARAM_CONSOLE_EVTCHN, &port);
	CHECK(pfn && pfn < 1UL << 20, "console ring at frame %#llx", (unsigned long long)pfn);
	CHECK(port && port < 4096, "console port %llu", (unsigned long long)port);
	if (!pfn || pfn >= 1UL << 20)
		return;
	ring = (void *)(unsigned long)(pfn * PAGE_SIZE);
	CHECK_EQ(ring->out_prod - ring->out_cons, 0);
	/* Three times around the ring of 2048 bytes: indices run free, only their use is masked. */
	for (unsigned int i = 0; i < 100; i++) {
		char line[128];

		snprintf(line, sizeof(line),
			 "console ring line %2u of the test hvm-params, "
			 "which goes past the end of the ring\r\n",
			 i);
		console_write(ring, line);
		CHECK_EQ(evtchn_send((evtchn_port_t)port), 0);
		if (!CHECK(console_taken(ring), "line %u was not taken in three seconds", i))
			return;
	}
}

void test_main(void)
{
	guests_own();
	callback();
	read_only();
	toolstacks();
	deprecated();
	refused();
	console();
	test_success();
}
