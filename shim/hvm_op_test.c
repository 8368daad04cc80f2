// SPDX-License-Identifier: BSD-2-Clause
/* HVMOP_*: which parameters a guest may read and write, the per-vCPU upcall vector. */
#include "shim/hvm_op.h"

#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "shim/shared_info.h"

static long set_of(struct fake *f, domid_t domid, uint32_t index, uint64_t value)
{
	struct xen_hvm_param p = {.domid = domid, .index = index, .value = value};

	return fake_op(f, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p));
}

static long set(struct fake *f, uint32_t index, uint64_t value)
{
	return set_of(f, DOMID_SELF, index, value);
}

static long get_of(struct fake *f, domid_t domid, uint32_t index, uint64_t *value)
{
	struct xen_hvm_param p = {.domid = domid, .index = index, .value = 0x5555};
	long rc = fake_op(f, __HYPERVISOR_hvm_op, HVMOP_get_param, &p, sizeof(p));

	*value = p.value;
	return rc;
}

static long get(struct fake *f, uint32_t index)
{
	uint64_t value;
	long rc = get_of(f, DOMID_SELF, index, &value);

	return rc ? rc : (long)value;
}

/* What the guest may do with each number: as hvm_allow_set_param() and hvm_allow_get_param(). */
enum allowed { NOTHING, DEPRECATED, READ, BOTH };

static enum allowed allowed(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ:
	case HVM_PARAM_VM86_TSS:
	case HVM_PARAM_VM86_TSS_SIZED:
	case HVM_PARAM_ACPI_IOPORTS_LOCATION:
	case HVM_PARAM_VM_GENERATION_ID_ADDR:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_EVTCHN:
	case HVM_PARAM_X87_FIP_WIDTH:
		return BOTH;
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_ALTP2M:
		return READ;
	case 4:  /* PAE_ENABLED */
	case 13: /* DM_DOMAIN */
	case 20: /* MEMORY_EVENT_CR0, _CR3, _CR4, _INT3 */
	case 21:
	case 22:
	case 23:
	case 24: /* NESTEDHVM */
	case 25: /* MEMORY_EVENT_SINGLE_STEP */
	case 26: /* BUFIOREQ_EVTCHN */
	case 30: /* MEMORY_EVENT_MSR */
		return DEPRECATED;
	default:
		return NOTHING;
	}
}

static void every_number(void **state)
{
	struct fake *f = *state;

	for (uint32_t i = 0; i < HVM_NR_PARAMS; i++) {
		uint64_t value;

		f->domain.hvm_params[i] = 0;
		switch (allowed(i)) {
		case BOTH:
			assert_int_equal(get_of(f, DOMID_SELF, i, &value), 0);
			assert_int_equal(value, 0);
			break;
		case READ:
			f->domain.hvm_params[i] = 0x123456789;
			assert_int_equal(get(f, i), 0x123456789);
			assert_refused(f, set(f, i, 1), XEN_EPERM);
			break;
		case DEPRECATED:
			assert_refused(f, get(f, i), XEN_EINVAL);
			assert_refused(f, set(f, i, 1), XEN_EINVAL);
			break;
		case NOTHING:
			assert_refused(f, get(f, i), XEN_EPERM);
			assert_refused(f, set(f, i, 1), XEN_EPERM);
			break;
		}
	}
}

static void kept_parameters(void **state)
{
	static const uint32_t kept[] = {HVM_PARAM_VM_GENERATION_ID_ADDR, HVM_PARAM_STORE_EVTCHN,
					HVM_PARAM_CONSOLE_EVTCHN};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++) {
		assert_int_equal(set(f, kept[i], 0xfedcba98 + i), 0);
		assert_int_equal(get(f, kept[i]), 0xfedcba98 + i);
	}
	assert_int_equal(f->methods_changed, 0);
}

static void numbers_out_of_range(void **state)
{
	struct fake *f = *state;

	assert_refused(f, get(f, HVM_NR_PARAMS), XEN_EINVAL);
	assert_refused(f, get(f, UINT32_MAX), XEN_EINVAL);
	assert_refused(f, set(f, HVM_NR_PARAMS, 0), XEN_EINVAL);
	assert_refused(f, set(f, UINT32_MAX, 0), XEN_EINVAL);
}

/* The number is looked at before the domain, the domain before what may be done with it. */
static void domains(void **state)
{
	struct fake *f = *state;
	uint64_t value;

	assert_int_equal(set_of(f, FAKE_DOMID, HVM_PARAM_STORE_EVTCHN, 3), 0);
	assert_int_equal(get_of(f, FAKE_DOMID, HVM_PARAM_STORE_EVTCHN, &value), 0);
	assert_int_equal(value, 3);
	assert_refused(f, set_of(f, 0, HVM_PARAM_STORE_EVTCHN, 3), XEN_EPERM);
	assert_refused(f, get_of(f, 0, HVM_PARAM_STORE_EVTCHN, &value), XEN_EPERM);
	assert_refused(f, set_of(f, 99, HVM_PARAM_STORE_EVTCHN, 3), XEN_ESRCH);
	assert_refused(f, get_of(f, 99, HVM_PARAM_STORE_EVTCHN, &value), XEN_ESRCH);
	assert_refused(f, get_of(f, 99, HVM_NR_PARAMS, &value), XEN_EINVAL);
	assert_refused(f, get_of(f, 99, HVM_PARAM_NESTEDHVM, &value), XEN_ESRCH);
	assert_refused(f, get_of(f, 0, HVM_PARAM_NESTEDHVM, &value), XEN_EPERM);
}

static void x87_fip_width(void **state)
{
	struct fake *f = *state;

	assert_int_equal(set(f, HVM_PARAM_X87_FIP_WIDTH, 4), 0);
	assert_int_equal(get(f, HVM_PARAM_X87_FIP_WIDTH), 4);
	assert_int_equal(set(f, HVM_PARAM_X87_FIP_WIDTH, 8), 0);
	assert_refused(f, set(f, HVM_PARAM_X87_FIP_WIDTH, 1), XEN_EINVAL);
	assert_refused(f, set(f, HVM_PARAM_X87_FIP_WIDTH, 1ull << 32), XEN_EINVAL);
	assert_int_equal(get(f, HVM_PARAM_X87_FIP_WIDTH), 8);
	assert_int_equal(set(f, HVM_PARAM_X87_FIP_WIDTH, 0), 0);
}

/* A PVH guest has no ACPI PM timer to move. */
static void acpi_io_ports(void **state)
{
	struct fake *f = *state;

	assert_refused(f, set(f, HVM_PARAM_ACPI_IOPORTS_LOCATION, 0), XEN_ENODEV);
	assert_refused(f, set(f, HVM_PARAM_ACPI_IOPORTS_LOCATION, 1), XEN_ENODEV);
	assert_int_equal(get(f, HVM_PARAM_ACPI_IOPORTS_LOCATION), 0);
}

/* One TSS under two names: the address alone, of a TSS of 128 bytes, or with the size above it. */
static void vm86_tss(void **state)
{
	const uint64_t largest = 104 + 256 / 8 + 65536 / 8 + 1;
	struct fake *f = *state;

	assert_int_equal(set(f, HVM_PARAM_VM86_TSS, 0x12345000), 0);
	assert_int_equal(get(f, HVM_PARAM_VM86_TSS), 0x12345000);
	assert_int_equal(get(f, HVM_PARAM_VM86_TSS_SIZED), 128ull << 32 | 0x12345000);
	assert_int_equal(set(f, HVM_PARAM_VM86_TSS_SIZED, 104ull << 32 | 0xabc000), 0);
	assert_int_equal(get(f, HVM_PARAM_VM86_TSS), 0xabc000);
	assert_int_equal(get(f, HVM_PARAM_VM86_TSS_SIZED), 104ull << 32 | 0xabc000);
	assert_int_equal(set(f, HVM_PARAM_VM86_TSS_SIZED, (largest + 1) << 32 | 0xabc000), 0);
	assert_int_equal(get(f, HVM_PARAM_VM86_TSS_SIZED), largest << 32 | 0xabc000);
	assert_int_equal(set(f, HVM_PARAM_VM86_TSS, 0), 0);
	assert_int_equal(get(f, HVM_PARAM_VM86_TSS_SIZED), 0);
	assert_int_equal(f->shutdowns, 0);
}

/* Xen crashes a domain that asks for what the processor could not do. */
static void bad_vm86_tss(void **state)
{
	struct fake *f = *state;

	assert_int_equal(set(f, HVM_PARAM_VM86_TSS, 1ull << 32), -XEN_EINVAL);
	assert_int_equal(f->shutdowns, 1);
	assert_int_equal(f->shutdown_reason, SHUTDOWN_crash);
	fake_revive(f);
	assert_int_equal(set(f, HVM_PARAM_VM86_TSS_SIZED, 103ull << 32), -XEN_EINVAL);
	assert_int_equal(f->shutdowns, 2);
	assert_int_equal(get(f, HVM_PARAM_VM86_TSS_SIZED), 0);
}

/* The caller's word size at this moment becomes that of shared_info. */
static void callback_latches_the_word_size(void **state)
{
	struct fake *f = *state;

	f->domain.long_mode = !f->long_mode;
	assert_int_equal(set(f, HVM_PARAM_STORE_EVTCHN, 1), 0);
	assert_int_equal(f->domain.long_mode, !f->long_mode);
	assert_int_equal(set(f, HVM_PARAM_CALLBACK_IRQ, 0), 0);
	assert_int_equal(f->domain.long_mode, f->long_mode);
	assert_int_equal(f->word_sizes_latched, 1);
}

static void set_pending(struct fake *f, unsigned vcpu)
{
	guest_vcpu_info *info = vcpu_info_lock(f->domain.vcpus[vcpu]);

	info->evtchn_upcall_pending = 1;
	vcpu_info_unlock(f->domain.vcpus[vcpu]);
}

static long upcall_vector(struct fake *f, uint32_t vcpu, uint8_t vector)
{
	struct xen_hvm_evtchn_upcall_vector op = {.vcpu = vcpu, .vector = vector};

	return fake_op(f, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &op, sizeof(op));
}

static void upcall_vectors(void **state)
{
	struct fake *f = *state;

	assert_int_equal(upcall_vector(f, 1, 0x10), 0);
	assert_int_equal(f->domain.vcpus[1]->upcall_vector, 0x10);
	assert_int_equal(upcall_vector(f, 1, 0xff), 0);
	assert_int_equal(f->domain.vcpus[1]->upcall_vector, 0xff);
	assert_int_equal(f->domain.vcpus[0]->upcall_vector, 0);
	assert_int_equal(f->methods_changed, 2);
	assert_int_equal(f->word_sizes_latched, 0);
}

static void bad_upcall_vectors(void **state)
{
	struct fake *f = *state;

	assert_refused(f, upcall_vector(f, 0, 0), XEN_EINVAL);
	assert_refused(f, upcall_vector(f, 0, 0x0f), XEN_EINVAL);
	assert_refused(f, upcall_vector(f, FAKE_VCPUS, 0x10), XEN_ENOENT);
	assert_refused(f, upcall_vector(f, UINT32_MAX, 0x10), XEN_ENOENT);
	/* The vector first. */
	assert_refused(f, upcall_vector(f, FAKE_VCPUS, 0x0f), XEN_EINVAL);
}

static void new_vector_upcalls_if_events_are_pending(void **state)
{
	struct fake *f = *state;

	set_pending(f, 1);
	assert_int_equal(upcall_vector(f, 0, 0x40), 0);
	assert_int_equal(f->vcpu[0].upcalls + f->vcpu[1].upcalls, 0);
	assert_int_equal(upcall_vector(f, 1, 0x40), 0);
	assert_int_equal(f->vcpu[1].upcalls, 1);
}

/* Only the answer needs the page writable: an error comes before it, and set_param has none. */
static void read_only_page(void **state)
{
	struct fake *f = *state;

	fake_paging_read_only_arg(f);
	assert_refused(f, get(f, HVM_PARAM_STORE_EVTCHN), XEN_EFAULT);
	assert_refused(f, get(f, HVM_NR_PARAMS), XEN_EINVAL);
	assert_refused(f, get(f, HVM_PARAM_IOREQ_PFN), XEN_EPERM);
	assert_int_equal(set(f, HVM_PARAM_STORE_EVTCHN, 5), 0);
	assert_int_equal(upcall_vector(f, 0, 0x40), 0);
}

static long mem_type_of(struct fake *f, domid_t domid, uint64_t pfn)
{
	struct xen_hvm_get_mem_type op = {.domid = domid, .mem_type = 0x77, .pfn = pfn};
	long rc = fake_op(f, __HYPERVISOR_hvm_op, HVMOP_get_mem_type, &op, sizeof(op));

	assert_int_equal(op.pfn, pfn);
	return rc ? rc : op.mem_type;
}

static long mem_type(struct fake *f, uint64_t pfn)
{
	return mem_type_of(f, DOMID_SELF, pfn);
}

static void what_is_at_a_frame(void **state)
{
	static uint8_t rom[GUEST_PAGE_SIZE] __attribute__((aligned(GUEST_PAGE_SIZE)));
	const uint64_t rom_gpa = FAKE_HOLE + 0x100000;
	const struct memslot_request request = {.slot = 2,
						.flags = MEMSLOT_READONLY,
						.gpa = rom_gpa,
						.size = sizeof(rom),
						.hva = (uintptr_t)rom};
	struct fake *f = *state;

	assert_int_equal(memslots_set_slot(&f->domain.memslots, &request), 0);
	assert_int_equal(mem_type(f, 0), HVMMEM_ram_rw);
	assert_int_equal(mem_type(f, (FAKE_RAM_SIZE >> 12) - 1), HVMMEM_ram_rw);
	assert_int_equal(mem_type(f, FAKE_RAM_SIZE >> 12), HVMMEM_mmio_dm);
	assert_int_equal(mem_type(f, FAKE_HIGH >> 12), HVMMEM_ram_rw);
	assert_int_equal(mem_type(f, rom_gpa >> 12), HVMMEM_ram_ro);
	assert_int_equal(mem_type_of(f, FAKE_DOMID, 0), HVMMEM_ram_rw);
	/* Numbers whose addresses are none. */
	assert_int_equal(mem_type(f, UINT64_MAX), HVMMEM_mmio_dm);
	assert_int_equal(mem_type(f, 1ull << 52), HVMMEM_mmio_dm);
	assert_int_equal(shared_info_map(&f->domain, gfn(FAKE_HOLE >> 12)), 0);
	assert_int_equal(mem_type(f, FAKE_HOLE >> 12), HVMMEM_ram_rw);
	assert_int_equal(
		memslots_set_slot(&f->domain.memslots, &(struct memslot_request){.slot = 2}), 0);
}

static void mem_type_errnos(void **state)
{
	struct fake *f = *state;
	const uint64_t cmd = HVMOP_get_mem_type;

	assert_refused(f, mem_type_of(f, 0, 0), XEN_EPERM);
	assert_refused(f, mem_type_of(f, FAKE_DOMID + 1, 0), XEN_ESRCH);
	assert_refused(f, fake_call(f, __HYPERVISOR_hvm_op, cmd, FAKE_HOLE, 0), XEN_EFAULT);
	assert_refused(f, fake_call(f, __HYPERVISOR_hvm_op, cmd, FAKE_RAM_SIZE - 8, 0), XEN_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(every_number),
		TEST_BOTH(kept_parameters),
		TEST_BOTH(numbers_out_of_range),
		TEST_BOTH(domains),
		TEST_BOTH(x87_fip_width),
		TEST_BOTH(acpi_io_ports),
		TEST_BOTH(vm86_tss),
		TEST_BOTH(bad_vm86_tss),
		TEST_BOTH(callback_latches_the_word_size),
		TEST_BOTH(upcall_vectors),
		TEST_BOTH(bad_upcall_vectors),
		TEST_BOTH(new_vector_upcalls_if_events_are_pending),
		TEST_BOTH(read_only_page),
		TEST_BOTH(what_is_at_a_frame),
		TEST_BOTH(mem_type_errnos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
