// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pointers that lead nowhere: -EFAULT, and nothing has happened.
 *
 * A hypercall's argument is a guest-virtual address that the hypervisor walks itself. It may be
 * unmapped, not canonical, mapped to a frame without RAM, or end in the middle of a structure whose
 * second page is missing. The operation must say so before it acts: no port made, no page moved, no
 * machine switched off. Where only the way back fails (a read-only page) Xen has already acted, so
 * only the answer and the page are looked at. And the opposite: a structure across two pages that
 * are neighbours only in the page table is a good one.
 *
 * Without paging (32 bits) an address is bad when there is no RAM, or when it wraps.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "bad pointers give -EFAULT and change nothing";

static evtchn_port_t expected_port;

static evtchn_port_t next_free(void)
{
	long port = evtchn_bind_ipi(0);

	evtchn_close((evtchn_port_t)port);
	return (evtchn_port_t)port;
}

/* Each family once, with the operations whose success would be seen below. */
static void every_family(const void *bad, const char *what)
{
	static const struct {
		unsigned int nr, cmd;
		bool vcpu;
	} calls[] = {
		{__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, false},
		{__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, false},
		{__HYPERVISOR_event_channel_op, EVTCHNOP_send, false},
		{__HYPERVISOR_xen_version, XENVER_extraversion, false},
		{__HYPERVISOR_xen_version, XENVER_get_features, false},
		{__HYPERVISOR_memory_op, XENMEM_add_to_physmap, false},
		{__HYPERVISOR_sched_op, SCHEDOP_shutdown, false},
		{__HYPERVISOR_hvm_op, HVMOP_get_param, false},
		{__HYPERVISOR_hvm_op, HVMOP_set_param, false},
		{__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, false},
		{__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, true},
		{__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, true},
		{__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, true},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned long p = (unsigned long)bad;
		long rc = calls[i].vcpu ? hypercall(calls[i].nr, calls[i].cmd, 0, p, 0, 0)
					: hypercall(calls[i].nr, calls[i].cmd, p, 0, 0, 0);

		CHECK(rc == -XEN_EFAULT, "hypercall %u operation %u at %s: %ld", calls[i].nr,
		      calls[i].cmd, what, rc);
	}
	CHECK_EQ(next_free(), expected_port);
}

/* CONSOLEIO_write of a good beginning and a bad end; refused altogether by a release build of Xen.
 */
static void console(const char *bad, const char *what)
{
	long rc = hypercall_console_io(CONSOLEIO_write, 32, bad);

	CHECK(rc == -XEN_EFAULT || rc == -XEN_EPERM, "CONSOLEIO_write at %s: %ld", what, rc);
}

/* The operation is wrong in itself, its structure is good: the page must stay where it is. */
static void shared_info_stays(void)
{
	struct shared_info *s = shared_info_map();
	uint32_t before = READ_ONCE(s->wc_sec);

	CHECK(before, "no wall clock in shared_info");
	CHECK_EQ(add_to_physmap(XENMAPSPACE_shared_info, 1, (unsigned long)s / PAGE_SIZE + 1),
		 -XEN_EINVAL);
	CHECK_EQ(READ_ONCE(s->wc_sec), before);
}

/* A structure whose first bytes lie at the end of a good page, the rest in what follows. */
static void crossing(uint8_t *end_of_good, const char *what)
{
	struct evtchn_bind_virq *virq = (void *)(end_of_good - 4);
	char *text = (char *)end_of_good - 5;

	*(volatile uint32_t *)virq = VIRQ_DEBUG;
	CHECK(hypercall_event_channel_op(EVTCHNOP_bind_virq, virq) == -XEN_EFAULT,
	      "bind_virq across %s", what);
	CHECK_EQ(next_free(), expected_port);
	CHECK(evtchn_bind_virq(VIRQ_DEBUG, 0) == (long)expected_port,
	      "VIRQ_DEBUG was bound across %s", what);
	CHECK_EQ(evtchn_close(expected_port), 0);
	CHECK(hypercall_xen_version(XENVER_extraversion, text) == -XEN_EFAULT,
	      "extraversion across %s", what);
	console(text, what);
}

#ifdef __x86_64__

static uint8_t pages[2][PAGE_SIZE] PAGE_ALIGNED;

static void read_only(void)
{
	uint8_t *p = window_map(8, (unsigned long)pages[0], PTE_P | PTE_US);

	memset(pages[0], 0x77, PAGE_SIZE);
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, p), -XEN_EFAULT);
	CHECK_EQ(hypercall_xen_version(XENVER_get_features, p), -XEN_EINVAL);
	memset(pages[0], 0, PAGE_SIZE);
	CHECK_EQ(hypercall_xen_version(XENVER_get_features, p), -XEN_EFAULT);
	for (unsigned int i = 0; i < PAGE_SIZE; i += 64)
		if (!CHECK(!pages[0][i], "the read-only page was written to"))
			break;
	/* reading from it is right */
	*(uint32_t *)(void *)pages[0] = 0x100000;
	CHECK_EQ(hypercall_event_channel_op(EVTCHNOP_send, p), -XEN_EINVAL);
}

/* Neighbours in the page table, in RAM the other way round. */
static void scattered(void)
{
	uint8_t *first = window_map(4, (unsigned long)pages[1], PTE_P | PTE_RW | PTE_US);
	uint8_t *second = window_map(5, (unsigned long)pages[0], PTE_P | PTE_RW | PTE_US);
	struct xen_feature_info *f = (void *)(second - 4);
	xen_extraversion_t straight = "";

	memset(pages, 0, sizeof(pages));
	CHECK_EQ(hypercall_xen_version(XENVER_get_features, f), 0);
	CHECK(f->submap & 1U << XENFEAT_auto_translated_physmap, "features %#x", f->submap);
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, second - 7), 0);
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, straight), 0);
	CHECK(!memcmp(second - 7, straight, sizeof(straight)), "text across pages differs");
	for (unsigned int i = 16; i < PAGE_SIZE - 16; i += 64)
		if (!CHECK(!first[i] && !second[i], "bytes elsewhere in the pages changed"))
			break;
}

static void bad_places(void)
{
	uint64_t beyond = (ram_end() + (64UL << 20)) & ~(PAGE_SIZE - 1);
	uint8_t *good = window_map(0, (unsigned long)pages[0], PTE_P | PTE_RW | PTE_US);
	uint8_t *unmapped = window_map(1, 0, 0);
	uint8_t *no_ram = window_map(3, beyond, PTE_P | PTE_RW | PTE_US);

	every_family(unmapped, "an unmapped page");
	every_family((const void *)0x200000000UL, "an address without page tables");
	every_family((const void *)0x800000000000UL, "the first non-canonical address");
	every_family((const void *)0xdeadbeefcafe0000UL, "a non-canonical address");
	every_family(no_ram, "a page that maps no RAM");
	crossing(good + PAGE_SIZE, "the end of mapped memory");
	console((char *)unmapped, "an unmapped page");
	read_only();
	scattered();
}

#else

static void bad_places(void)
{
	unsigned long end = (unsigned long)ram_end_low();

	every_family((const void *)(end + (16UL << 20)), "an address past RAM");
	every_family((const void *)end, "the first address past RAM");
	every_family((const void *)0xfffff000UL, "the last page below 4 GiB");
	every_family((const void *)0xfffffffeUL, "an address that wraps");
	crossing((uint8_t *)end, "the end of RAM");
}

#endif

void test_main(void)
{
	shared_info_map();
	expected_port = next_free();
	bad_places();
	shared_info_stays();
	CHECK(hypercall_xen_version(XENVER_version, NULL) > 0, "hypercalls are dead");
	test_success();
}
