// SPDX-License-Identifier: BSD-2-Clause
/*
 * The word size of shared_info, without a hypercall page.
 *
 * Who writes the hypercall MSR tells the hypervisor by it which layout of shared_info it wants.
 * Linux since XSA-466 does not; its word size is taken when it sets HVM_PARAM_CALLBACK_IRQ (Xen:
 * hvm_latch_shinfo_size() from hvm_set_param()). Until then a domain has the 64-bit layout,
 * whatever the mode of its CPU, and no wall clock. So here nothing but the bare instruction is
 * used, and the places are looked at before and after. The arrays of pending bits begin at the same
 * place in both layouts, the masks and the clock do not.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "shared_info's word size without a hypercall page";
bool test_without_page = true;

/* Offsets in struct shared_info (xen/xen.h) of either word size. */
struct layout {
	unsigned int mask, wc_sec;
};
static const struct layout layout_32 = {0x880, 0x904};
static const struct layout layout_64 = {0xa00, 0xc04};
#ifdef __x86_64__
_Static_assert(offsetof(struct shared_info, evtchn_mask) == 0xa00, "64-bit mask");
_Static_assert(offsetof(struct shared_info_x86_32, evtchn_mask) == 0x880, "32-bit mask");
_Static_assert(offsetof(struct shared_info, wc_sec) == 0xc04, "64-bit clock");
_Static_assert(offsetof(struct shared_info_x86_32, wc_sec) == 0x904, "32-bit clock");
#endif

static volatile uint8_t *byte_at(unsigned int offset)
{
	return (volatile uint8_t *)shared_info_map() + offset;
}

/* x86 numbers the bits of an array alike for words of any size. */
static void set_mask(const struct layout *l, evtchn_port_t p, bool masked)
{
	volatile uint8_t *byte = byte_at(l->mask + p / 8);

	*byte = (uint8_t)(masked ? *byte | 1U << p % 8 : *byte & ~(1U << p % 8));
}

/* Send to a fresh port that is masked in the one place or the other: does it raise an upcall? */
static bool raises(bool masked_32, bool masked_64)
{
	long port = evtchn_bind_ipi(0);
	evtchn_port_t p = (evtchn_port_t)port;
	bool raised;

	CHECK(port > 0, "bind_ipi: %ld", port);
	set_mask(&layout_32, p, masked_32);
	set_mask(&layout_64, p, masked_64);
	WRITE_ONCE(vcpu_info()->evtchn_upcall_pending, 0);
	memset(&vcpu_info()->evtchn_pending_sel, 0, 8);
	CHECK_EQ(evtchn_send(p), 0);
	CHECK(*byte_at(0x800 + p / 8) & 1U << p % 8, "port %u is not pending", p);
	raised = READ_ONCE(vcpu_info()->evtchn_upcall_pending);
	CHECK_EQ(evtchn_close(p), 0);
	return raised;
}

static bool clock_at(const struct layout *l)
{
	return *(volatile uint32_t *)byte_at(l->wc_sec) > 1577836800U; /* 2020 */
}

void test_main(void)
{
	CHECK(!raises(false, true), "at first, a port masked in the 64-bit place raises an upcall");
	CHECK(raises(true, false), "at first, a port masked in the 32-bit place raises no upcall");
	CHECK_EQ(set_callback_vector(0xf3), 0);
	CHECK(raises(WIDTH == 64, WIDTH == 32),
	      "with the callback, the other word size's mask counts");
	CHECK(!raises(WIDTH == 32, WIDTH == 64), "with the callback, the own mask does not count");
	CHECK(clock_at(WIDTH == 64 ? &layout_64 : &layout_32),
	      "no wall clock in the %d-bit place after the callback was set", WIDTH);
	test_success();
}
