// SPDX-License-Identifier: BSD-2-Clause
/* What a PV domain is told and may do, where it differs from one of the HVM kind. */
#include <errno.h>
#include <string.h>

#include "shim/fake_fifo.h"
#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "shim/hvm_op.h"
#include "shim/shared_info.h"
#include "shim/soft_reset.h"

#define BUFFER 0x20000ull

static long call(struct fake *f, uint64_t nr, uint64_t a, uint64_t b)
{
	return fake_call(f, nr, a, b, 0);
}

static struct shared_info *shared_info(struct fake *f)
{
	return f->shared_info;
}

/* What the domain builder leaves behind. */
static void made(void **state)
{
	const uint64_t mfn = PV_SHARED_FRAMES >> GUEST_PAGE_SHIFT;
	struct fake *f = *state;
	const struct domain *d = &f->domain;
	struct gpa at;

	assert_int_equal(d->type, DOMAIN_PV);
	assert_int_equal(d->callback.type, CALLBACK_VECTOR);
	assert_int_equal(d->callback.where, PV_UPCALL_VECTOR);
	assert_int_equal(d->shared_info_gfn.v, mfn);
	assert_true(vcpu_info_gpa(d->vcpus[1], &at));
	assert_int_equal(at.v, PV_SHARED_FRAMES + sizeof(struct vcpu_info));
	for (unsigned i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		assert_int_equal(shared_info(f)->vcpu_info[i].evtchn_upcall_mask, 1);
	assert_int_equal(shared_info(f)->wc_version, 2);
	assert_true(f->frames[mfn].flags & PV_FRAME_SHARED);
	assert_int_equal(f->frames[mfn].refs, 1);
	assert_int_equal(f->frames[mfn].type, PV_TYPE_WRITABLE);
	assert_int_equal(f->frames[mfn].type_refs, 1);
	assert_true(f->frames[mfn + OVERLAY_GRANT_FRAMES].flags & PV_FRAME_SHARED);
	assert_int_equal(f->frames[mfn + OVERLAY_GRANT_FRAMES + 1].flags, 0);
	assert_int_equal(f->m2p[mfn], PV_M2P_INVALID);
}

/* The monitor's business, and what is of no kind of guest. */
static void not_here(void **state)
{
	static const unsigned numbers[] = {
		__HYPERVISOR_set_trap_table,
		__HYPERVISOR_mmu_update,
		__HYPERVISOR_set_gdt,
		__HYPERVISOR_stack_switch,
		__HYPERVISOR_fpu_taskswitch,
		__HYPERVISOR_update_descriptor,
		__HYPERVISOR_update_va_mapping,
		__HYPERVISOR_iret,
		__HYPERVISOR_set_segment_base,
		__HYPERVISOR_callback_op,
		__HYPERVISOR_nmi_op,
		__HYPERVISOR_mmuext_op,
		__HYPERVISOR_multicall,
		__HYPERVISOR_xenoprof_op,
	};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_refused(f, call(f, numbers[i], 0, FAKE_ARG), XEN_ENOSYS);
}

/* The rows of either kind, and whether they can be told apart. */
static void columns(void **state)
{
	const struct hypercall_family *hvm = hypercall_family(__HYPERVISOR_hvm_op);
	const struct hypercall_family *calls = hypercall_family(__HYPERVISOR_multicall);

	(void)state;
	assert_null(hypercall_served_by(calls, DOMAIN_PV, 0));
	assert_non_null(hypercall_served_by(calls, DOMAIN_PVH, 0));
	assert_null(hypercall_served_by(hvm, DOMAIN_PVH, HVMOP_flush_tlbs));
	assert_non_null(hypercall_served_by(hvm, DOMAIN_PV, HVMOP_flush_tlbs));
	assert_null(hypercall_served_by(hvm, DOMAIN_PV, UINT64_MAX));
}

static void tell(void *opaque, const char *name, uint32_t calls, bool implemented)
{
	bool *told = opaque;

	(void)calls;
	if (!strcmp(name, "multicall"))
		*told = implemented;
}

static void counted_as_of_its_kind(void **state)
{
	struct fake *f = *state;
	bool implemented = true;

	call(f, __HYPERVISOR_multicall, 0, 0);
	hypercall_counts_visit(fake_current(f), tell, &implemented);
	assert_false(implemented);
}

static uint32_t features(struct fake *f)
{
	struct xen_feature_info info = {.submap_idx = 0};

	assert_int_equal(
		fake_op(f, __HYPERVISOR_xen_version, XENVER_get_features, &info, sizeof(info)), 0);
	return info.submap;
}

static void version(void **state)
{
	const uint32_t always = 1u << XENFEAT_memory_op_vnode_supported |
				1u << XENFEAT_mmu_pt_update_preserve_ad |
				1u << XENFEAT_highmem_assist | 1u << XENFEAT_gnttab_map_avail_bits |
				1u << XENFEAT_direct_mapped;
	struct fake *f = *state;

	assert_int_equal(features(f), always);
	call(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_pae_extended_cr3);
	assert_int_equal(features(f), always | 1u << XENFEAT_pae_pgdir_above_4gb);
	assert_int_equal(call(f, __HYPERVISOR_xen_version, XENVER_capabilities, BUFFER), 0);
	assert_memory_equal(f->ram + BUFFER, "xen-3.0-x86_64 ", 15);
	assert_int_equal(call(f, __HYPERVISOR_xen_version, XENVER_platform_parameters, BUFFER), 0);
	assert_int_equal(*(uint64_t *)(f->ram + BUFFER), 0xffff800000000000ull);
}

static long assist(struct fake *f, uint64_t cmd, uint64_t type)
{
	return call(f, __HYPERVISOR_vm_assist, cmd, type);
}

static void assists(void **state)
{
	static const unsigned types[] = {
		VMASST_TYPE_4gb_segments,        VMASST_TYPE_4gb_segments_notify,
		VMASST_TYPE_writable_pagetables, VMASST_TYPE_pae_extended_cr3,
		VMASST_TYPE_architectural_iopl,  VMASST_TYPE_runstate_update_flag,
		VMASST_TYPE_m2p_strict,
	};
	struct fake *f = *state;
	uint64_t all = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		assert_int_equal(assist(f, VMASST_CMD_enable, types[i]), 0);
		assert_true(domain_assists(&f->domain, types[i]));
		all |= 1ull << types[i];
	}
	assert_int_equal(f->domain.vm_assist, all);
	for (unsigned type = 0; type < 70; type++)
		if (type >= 64 || !(all >> type & 1))
			assert_refused(f, assist(f, VMASST_CMD_enable, type), XEN_EINVAL);
	assert_refused(f, assist(f, 2, VMASST_TYPE_m2p_strict), XEN_ENOSYS);
	assert_int_equal(assist(f, VMASST_CMD_disable, VMASST_TYPE_m2p_strict), 0);
	assert_int_equal(f->domain.vm_assist, all & ~(1ull << VMASST_TYPE_m2p_strict));
}

static long hvm_op(struct fake *f, unsigned op, void *arg, size_t len)
{
	return fake_op(f, __HYPERVISOR_hvm_op, op, arg, len);
}

/* Nothing of it, and nothing that would change how upcalls come. */
static void no_hvm_op(void **state)
{
	struct xen_hvm_param p = {
		.domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = 2ull << 56 | 0x55};
	struct xen_hvm_evtchn_upcall_vector vector = {.vcpu = 0, .vector = 0x55};
	struct xen_hvm_get_mem_type type = {.domid = DOMID_SELF, .pfn = 3};
	struct fake *f = *state;

	assert_refused(f, hvm_op(f, HVMOP_set_param, &p, sizeof(p)), XEN_EINVAL);
	assert_refused(f, hvm_op(f, HVMOP_get_param, &p, sizeof(p)), XEN_EINVAL);
	p.domid = 3;
	assert_refused(f, hvm_op(f, HVMOP_get_param, &p, sizeof(p)), XEN_ESRCH);
	p.index = HVM_NR_PARAMS;
	assert_refused(f, hvm_op(f, HVMOP_get_param, &p, sizeof(p)), XEN_EINVAL);
	assert_refused(f, call(f, __HYPERVISOR_hvm_op, HVMOP_set_param, FAKE_HOLE), XEN_EFAULT);
	assert_refused(f, hvm_op(f, HVMOP_set_evtchn_upcall_vector, &vector, sizeof(vector)),
		       XEN_EINVAL);
	assert_refused(f, call(f, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, FAKE_HOLE),
		       XEN_EINVAL);
	assert_refused(f, hvm_op(f, HVMOP_get_mem_type, &type, sizeof(type)), XEN_EINVAL);
	type.domid = 0;
	assert_refused(f, hvm_op(f, HVMOP_get_mem_type, &type, sizeof(type)), XEN_EPERM);
	assert_refused(f, call(f, __HYPERVISOR_hvm_op, HVMOP_flush_tlbs, 0), XEN_EINVAL);
	assert_refused(f, call(f, __HYPERVISOR_hvm_op, HVMOP_get_time, BUFFER), XEN_ENOSYS);
	assert_int_equal(f->domain.callback.where, PV_UPCALL_VECTOR);
	assert_int_equal(f->methods_changed, 0);
}

/* As on Xen, where the toolstack then destroys it. */
static void no_soft_reset(void **state)
{
	struct fake *f = *state;

	assert_int_equal(domain_soft_reset(&f->domain), -EINVAL);
	assert_int_equal(f->domain.callback.where, PV_UPCALL_VECTOR);
	assert_true(f->domain.shared_info_mapped);
}

static struct vcpu_info *info_of(struct fake *f, unsigned vcpu)
{
	return &shared_info(f)->vcpu_info[vcpu];
}

/* RFLAGS.IF, which the platform knows, says nothing. */
static void interrupts_are_the_mask(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);

	info_of(f, 0)->evtchn_upcall_pending = 1;
	f->vcpu[0].interrupts = true;
	assert_false(vcpu_interrupts_enabled(v));
	assert_false(vcpu_upcall_deliverable(v));
	f->vcpu[0].interrupts = false;
	info_of(f, 0)->evtchn_upcall_mask = 0;
	assert_true(vcpu_interrupts_enabled(v));
	assert_true(vcpu_upcall_deliverable(v));
	info_of(f, 0)->evtchn_upcall_pending = 0;
	assert_false(vcpu_upcall_deliverable(v));
}

static void block_clears_the_mask(void **state)
{
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);

	assert_int_equal(call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0), 0);
	assert_int_equal(info_of(f, 0)->evtchn_upcall_mask, 0);
	assert_false(vcpu_may_run(v));
	vcpu_unblock(v);
	assert_true(vcpu_may_run(v));
	info_of(f, 0)->evtchn_upcall_pending = info_of(f, 0)->evtchn_upcall_mask = 1;
	assert_int_equal(call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0), 0);
	assert_true(vcpu_may_run(v)); /* it has an upcall to take */
}

/* An upcall that is masked ends no poll; one that is not does. */
static void polls(void **state)
{
	struct sched_poll op = {.nr_ports = 0, .timeout = 0};
	struct fake *f = *state;
	struct vcpu *v = fake_current(f);

	info_of(f, 0)->evtchn_upcall_pending = 1;
	assert_int_equal(fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_poll, &op, sizeof(op)), 0);
	assert_false(vcpu_may_run(v));
	vcpu_unblock(v);
	info_of(f, 0)->evtchn_upcall_mask = 0;
	assert_int_equal(fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_poll, &op, sizeof(op)), 0);
	assert_true(vcpu_may_run(v));
}

static long vcpu_op(struct fake *f, unsigned cmd, unsigned vcpu)
{
	return fake_call(f, __HYPERVISOR_vcpu_op, cmd, vcpu, 0);
}

/* The monitor has the context; here is whether there may be one. */
static void initialise(void **state)
{
	struct fake *f = *state;

	assert_refused(f, vcpu_op(f, VCPUOP_initialise, FAKE_VCPUS), XEN_ENOENT);
	assert_refused(f, vcpu_op(f, VCPUOP_initialise, 0), XEN_EEXIST);
	assert_refused(f, vcpu_op(f, VCPUOP_up, 1), XEN_EINVAL);
	assert_int_equal(vcpu_op(f, VCPUOP_initialise, 1), 0);
	assert_refused(f, vcpu_op(f, VCPUOP_initialise, 1), XEN_EEXIST);
	assert_int_equal(vcpu_op(f, VCPUOP_is_up, 1), 0);
	assert_int_equal(vcpu_op(f, VCPUOP_up, 1), 0);
	assert_int_equal(vcpu_op(f, VCPUOP_is_up, 1), 1);
	assert_true(vcpu_may_run(f->domain.vcpus[1]));
	assert_int_equal(f->vcpu[1].contexts, 0);
	assert_int_equal(vcpu_op(f, VCPUOP_down, 1), 0);
	assert_false(vcpu_may_run(f->domain.vcpus[1]));
}

/* Every 10 ms, from when it has a context; or none, if it was stopped before. */
static void ticks(void **state)
{
	const uint64_t period = 10000000;
	struct fake *f = *state;

	assert_int_equal(f->vcpu[0].timer, period);
	assert_int_equal(f->vcpu[1].timer, 0);
	f->now = 7 * period;
	assert_int_equal(vcpu_op(f, VCPUOP_initialise, 1), 0);
	assert_int_equal(f->vcpu[1].timer, 8 * period);
	assert_refused(f, vcpu_op(f, VCPUOP_initialise, 1), XEN_EEXIST);
	assert_int_equal(vcpu_op(f, VCPUOP_stop_periodic_timer, 2), 0);
	assert_int_equal(vcpu_op(f, VCPUOP_initialise, 2), 0);
	assert_int_equal(f->vcpu[2].timer, 0);
}

static void initialise_without_vcpu_info(void **state)
{
	struct fake *f = *state;

	while (f->domain.nr_vcpus <= XEN_LEGACY_MAX_VCPUS)
		assert_non_null(domain_add_vcpu(&f->domain, &f->vcpu[2]));
	assert_int_equal(vcpu_op(f, VCPUOP_initialise, XEN_LEGACY_MAX_VCPUS - 1), 0);
	assert_refused(f, vcpu_op(f, VCPUOP_initialise, XEN_LEGACY_MAX_VCPUS), XEN_EINVAL);
}

static long register_info(struct fake *f, unsigned vcpu, uint64_t mfn, uint32_t offset)
{
	struct vcpu_register_vcpu_info op = {.mfn = mfn, .offset = offset};

	return fake_vcpu_op(f, VCPUOP_register_vcpu_info, vcpu, &op, sizeof(op));
}

/* It moves, with what it says, and the monitor is told; its frame is data from then on. */
static void vcpu_info_moves(void **state)
{
	struct fake *f = *state;
	const struct vcpu_info *info = (struct vcpu_info *)(f->ram + 0x42080);
	unsigned moves = f->vcpu[0].time_area_moves;

	info_of(f, 0)->arch.cr2 = 0x1234;
	assert_int_equal(register_info(f, 0, 0x42, 0x80), 0);
	assert_int_equal(info->arch.cr2, 0x1234);
	assert_int_equal(info->evtchn_upcall_mask, 1);
	assert_int_equal(info->evtchn_upcall_pending, 1);
	assert_int_equal(f->vcpu[0].time_area_moves, moves + 1);
	assert_int_equal(f->frames[0x42].type, PV_TYPE_WRITABLE);
	assert_int_equal(f->frames[0x42].type_refs, 1);
	assert_int_equal(f->frames[0x42].refs, 2);
	assert_refused(f, register_info(f, 0, 0x43, 0), XEN_EINVAL);
}

static void vcpu_info_in_a_page_table(void **state)
{
	struct fake *f = *state;

	f->frames[0x42] = (struct pv_frame){
		.refs = 2, .type_refs = 1, .type = PV_TYPE_L1, .flags = PV_FRAME_RAM};
	assert_refused(f, register_info(f, 0, 0x42, 0), XEN_EINVAL);
	f->frames[0x43] = (struct pv_frame){.refs = 0};
	assert_refused(f, register_info(f, 0, 0x43, 0), XEN_EINVAL);
	assert_refused(f, register_info(f, 0, FAKE_FRAMES, 0), XEN_EINVAL);
	assert_int_equal(f->frames[0x42].refs, 2);
	assert_int_equal(register_info(f, 0, PV_SHARED_FRAMES >> GUEST_PAGE_SHIFT, 0), 0);
}

static uint64_t fifo_page(unsigned n)
{
	return (FAKE_FIFO_CONTROL >> GUEST_PAGE_SHIFT) + n;
}

/* Pages of FIFO events are data while they are in use, and nothing else can be. */
static void fifo_pages(void **state)
{
	struct evtchn_reset reset = {.dom = DOMID_SELF};
	struct fake *f = *state;
	const struct pv_frame *control = &f->frames[fifo_page(0)],
			      *array = &f->frames[fifo_page(1)];

	f->frames[fifo_page(2)] = (struct pv_frame){
		.refs = 2, .type_refs = 1, .type = PV_TYPE_L1, .flags = PV_FRAME_RAM};
	assert_int_equal(fake_init_control(f, 0, fifo_page(2), 0), -XEN_EINVAL);
	assert_int_equal(fake_init_control(f, 0, fifo_page(0), 0), 0);
	assert_refused(f, fake_expand_array(f, fifo_page(2)), XEN_EINVAL);
	assert_int_equal(fake_expand_array(f, fifo_page(1)), 0);
	assert_int_equal(control->type, PV_TYPE_WRITABLE);
	assert_int_equal(control->type_refs, 1);
	assert_int_equal(control->refs, 2);
	assert_int_equal(array->type_refs, 1);
	assert_int_equal(pv_frame_hold(&f->domain, fifo_page(0)), PV_HOLD_USES);
	pv_frame_give_up(&f->domain, fifo_page(1));

	assert_int_equal(
		fake_op(f, __HYPERVISOR_event_channel_op, EVTCHNOP_reset, &reset, sizeof(reset)),
		0);
	assert_int_equal(control->type_refs, 0);
	assert_int_equal(control->refs, 1);
	assert_int_equal(control->stamp,
			 UINT32_MAX); /* TLBs know it as what it was, for all we know */
	assert_int_equal(pv_frame_hold(&f->domain, fifo_page(1)), PV_HOLD_NONE);
	assert_int_equal(array->type, PV_TYPE_NONE);
}

static void nmi(void **state)
{
	struct fake *f = *state;

	assert_int_equal(vcpu_op(f, VCPUOP_send_nmi, 1), 0);
	assert_int_equal(f->vcpu[1].nmis, 1);
}

static void no_interrupts_of_the_host(void **state)
{
	struct evtchn_bind_pirq op = {.pirq = 3};
	struct fake *f = *state;

	assert_refused(
		f, fake_op(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, &op, sizeof(op)),
		XEN_EPERM);
	op.pirq = UINT32_MAX;
	assert_refused(
		f, fake_op(f, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, &op, sizeof(op)),
		XEN_EINVAL);
}

/* The monitor's tables map the hypervisor's part of the address space, for itself. */
static void arguments_of_the_hypervisors(void **state)
{
	static const uint64_t places[] = {PV_HYPER_START, PV_DIRECT_VIRT, PV_HYPER_END - 0x1000};
	struct fake *f = *state;
	struct fake_tables t = fake_paging_identity(f);

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		fake_map(&t, places[i], BUFFER, PTE_RW);
		assert_refused(f, call(f, __HYPERVISOR_xen_version, XENVER_changeset, places[i]),
			       XEN_EFAULT);
	}
	fake_map(&t, PV_HYPER_END, BUFFER, PTE_RW);
	assert_int_equal(call(f, __HYPERVISOR_xen_version, XENVER_changeset, PV_HYPER_END), 0);
	fake_map(&t, PV_HYPER_END - 0x1000, BUFFER, PTE_RW);
	assert_refused(f, call(f, __HYPERVISOR_xen_version, XENVER_changeset, PV_HYPER_END - 0x10),
		       XEN_EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PV(made),
		TEST_PV(not_here),
		TEST_PV(columns),
		TEST_PV(counted_as_of_its_kind),
		TEST_PV(version),
		TEST_PV(assists),
		TEST_PV(no_hvm_op),
		TEST_PV(no_soft_reset),
		TEST_PV(interrupts_are_the_mask),
		TEST_PV(block_clears_the_mask),
		TEST_PV(polls),
		TEST_PV(initialise),
		TEST_PV(ticks),
		TEST_PV(initialise_without_vcpu_info),
		TEST_PV(vcpu_info_moves),
		TEST_PV(vcpu_info_in_a_page_table),
		TEST_PV(fifo_pages),
		TEST_PV(nmi),
		TEST_PV(no_interrupts_of_the_host),
		TEST_PV(arguments_of_the_hypervisors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
