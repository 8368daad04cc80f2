// SPDX-License-Identifier: BSD-2-Clause
/* SHUTDOWN_soft_reset: a guest that has used all there is, reset, is one that has used nothing. */
#include "shim/soft_reset.h"

#include <errno.h>
#include <string.h>

#include "shim/fake_events.h"
#include "shim/fake_fifo.h"
#include "shim/fake_test.h"
#include "shim/hvm_op.h"
#include "shim/memslot/overlay.h"
#include "shim/shared_info.h"

#define SHARED_INFO_GFN 0x33
#define AREAS           0x40000ull /* frame by frame, one a vCPU */
#define OTHER_SIZE      0x800

static void notify(void *opaque)
{
	(void)opaque;
}

static const struct port_backend console = {.notify = notify};

static struct vcpu *vcpu(struct fake *f, unsigned i)
{
	return f->domain.vcpus[i];
}

static long set_param(struct fake *f, uint32_t index, uint64_t value)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index, .value = value};

	return fake_op(f, __HYPERVISOR_hvm_op, HVMOP_set_param, &p, sizeof(p));
}

static long set_vector(struct fake *f, uint32_t v, uint8_t vector)
{
	struct xen_hvm_evtchn_upcall_vector op = {.vcpu = v, .vector = vector};

	return fake_op(f, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &op, sizeof(op));
}

static long register_info(struct fake *f, unsigned v)
{
	struct vcpu_register_vcpu_info info = {.mfn = (AREAS >> GUEST_PAGE_SHIFT) + v};

	return fake_vcpu_op(f, VCPUOP_register_vcpu_info, v, &info, sizeof(info));
}

static long register_area(struct fake *f, uint64_t cmd, unsigned v, uint64_t offset)
{
	uint64_t addr = AREAS + v * GUEST_PAGE_SIZE + offset;

	return fake_vcpu_op(f, cmd, v, &addr, sizeof(addr));
}

static void map_shared_info(struct fake *f)
{
	assert_int_equal(shared_info_map(&f->domain, gfn(SHARED_INFO_GFN)), 0);
}

static void use_events(struct fake *f)
{
	long port = fake_bind_ipi(f, 1), loopback;

	assert_true(port > 0);
	assert_true(fake_bind_virq(f, VIRQ_TIMER, 2) > 0);
	assert_true(fake_bind_pirq(f, 9) > 0);
	loopback = fake_alloc_unbound(f, DOMID_SELF, DOMID_SELF);
	assert_true(fake_bind_interdomain(f, DOMID_SELF, loopback) > 0);
	fake_set_mask(f, loopback, true);
	assert_int_equal(fake_send(f, port), 0);
	assert_int_equal(fake_close(f, 1), 0); /* the console's */
}

static void use_timers(struct fake *f)
{
	struct sched_watchdog dog = {.timeout = 5};

	timer_set(vcpu(f, 1), TIMER_SINGLESHOT, 1000);
	timer_set_period(vcpu(f, 2), 2000);
	assert_int_equal(fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_watchdog, &dog, sizeof(dog)), 1);
}

static void use_params(struct fake *f)
{
	assert_int_equal(set_param(f, HVM_PARAM_CONSOLE_EVTCHN, 77), 0);
	assert_int_equal(set_param(f, HVM_PARAM_STORE_EVTCHN, 78), 0);
	assert_int_equal(set_param(f, HVM_PARAM_VM_GENERATION_ID_ADDR, 0x1000), 0);
	assert_int_equal(set_param(f, HVM_PARAM_X87_FIP_WIDTH, 4), 0);
	assert_int_equal(set_param(f, HVM_PARAM_VM86_TSS, 0x2000), 0);
	assert_int_equal(set_param(f, HVM_PARAM_CALLBACK_IRQ,
				   (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | 0xf3),
			 0);
	for (unsigned i = 0; i < FAKE_VCPUS; i++)
		assert_int_equal(set_vector(f, i, 0x40 + i), 0);
}

static void use_areas(struct fake *f)
{
	map_shared_info(f);
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		f->current = i;
		assert_int_equal(register_info(f, i), 0);
		assert_int_equal(register_area(f, VCPUOP_register_runstate_memory_area, i, 0x100),
				 0);
		assert_int_equal(register_area(f, VCPUOP_register_vcpu_time_memory_area, i, 0x200),
				 0);
	}
	f->current = 0;
	assert_int_equal(register_area(f, VCPUOP_register_runstate_phys_area, 2, OTHER_SIZE), 0);
}

/* Pages are given back, and one is lost; the map is the guest's own. */
static void use_memory(struct fake *f)
{
	const uint64_t frames[] = {0x150, 0x151, FAKE_HIGH >> GUEST_PAGE_SHIFT};
	struct xen_foreign_memory_map map = {.domid = DOMID_SELF, .map.nr_entries = 1};

	assert_int_equal(reservation_remove(&f->domain, frames, ARRAY_SIZE(frames), 0), 3);
	assert_int_equal(reservation_unmap(&f->domain, gfn(0x160)), 0);
	if (f->long_mode)
		assert_int_equal(fake_op(f, __HYPERVISOR_memory_op, XENMEM_set_memory_map, &map,
					 sizeof(map)),
				 0);
}

static void use_everything(struct fake *f)
{
	assert_int_equal(fake_call(f, __HYPERVISOR_vm_assist, VMASST_CMD_enable,
				   VMASST_TYPE_runstate_update_flag, 0),
			 0);
	use_areas(f);
	use_events(f);
	use_timers(f);
	use_params(f);
	use_memory(f);
}

static void start_all(struct fake *f)
{
	for (unsigned i = 1; i < FAKE_VCPUS; i++)
		fake_start(f, i);
}

static long status_of(struct fake *f, evtchn_port_t port)
{
	struct evtchn_status s;
	long rc = fake_status(f, DOMID_SELF, port, &s);

	return rc ? rc : (long)s.status;
}

static void offer_console(struct fake *f)
{
	long port = event_channel_bind_backend(&f->domain, &console);

	assert_int_equal(port, 1);
	f->domain.hvm_params[HVM_PARAM_CONSOLE_PFN] = 0x99;
	f->domain.hvm_params[HVM_PARAM_CONSOLE_EVTCHN] = port;
}

/* What the guest's own memory and the platform have of it is theirs. */
static void forget_traces(struct fake *f, const struct fake *before)
{
	memset(f->ram + AREAS, 0, FAKE_VCPUS * GUEST_PAGE_SIZE);
	memcpy(f->vcpu, before->vcpu, sizeof(f->vcpu));
	f->methods_changed = before->methods_changed;
	f->word_sizes_latched = before->word_sizes_latched;
	f->overlay_maps = before->overlay_maps;
	f->overlay_unmaps = before->overlay_unmaps;
	f->ram_discarded = before->ram_discarded;
	f->ram_populated = before->ram_populated;
}

static void as_new(void **state)
{
	static struct fake before;
	struct fake *f = *state;
	struct fake_snapshot *fresh;
	const char *changed;

	start_all(f);
	offer_console(f);
	f->now = 12345;
	before = *f;
	fresh = fake_snapshot(f);
	use_everything(f);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		assert_int_equal(f->vcpu[i].timer, 0);
		assert_true(f->vcpu[i].time_area_moves > before.vcpu[i].time_area_moves);
	}
	assert_true(f->methods_changed > before.methods_changed);
	assert_int_equal(f->domain.hvm_params[HVM_PARAM_CONSOLE_EVTCHN], 0);
	f->domain.hvm_params[HVM_PARAM_CONSOLE_EVTCHN] = 1;
	assert_int_equal(overlay_at(&f->domain.memslots, gfn(SHARED_INFO_GFN)), -ENOENT);
	forget_traces(f, &before);
	changed = fake_changed(f, fresh);
	if (changed)
		fail_msg("after a soft reset there is a difference in %s", changed);
	assert_int_equal(status_of(f, 1), EVTCHNSTAT_interdomain);
}

/* The next kernel may do all that the first has done. */
static void all_over_again(void **state)
{
	struct fake *f = *state;

	start_all(f);
	offer_console(f);
	for (unsigned i = 0; i < 3; i++) {
		use_everything(f);
		assert_int_equal(domain_soft_reset(&f->domain), 0);
	}
}

/* The time that a vCPU had is in its slot, whether or not it had one before. */
static void times_stay(void **state)
{
	struct fake *f = *state;
	struct shared_info *si = f->domain.shared_info;
	struct vcpu_info *info = (void *)(f->ram + AREAS + GUEST_PAGE_SIZE);

	start_all(f);
	map_shared_info(f);
	f->current = 1;
	assert_int_equal(register_info(f, 1), 0);
	info->time =
		(struct vcpu_time_info){.version = 7, .tsc_to_system_mul = 123, .tsc_shift = 1};
	si->vcpu_info[2].time.system_time = 456;
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	assert_int_equal(si->vcpu_info[1].time.tsc_to_system_mul, 123);
	assert_int_equal(si->vcpu_info[1].time.version, 6);
	assert_int_equal(si->vcpu_info[2].time.system_time, 456);
	assert_int_equal(si->vcpu_info[1].evtchn_upcall_pending, 0);
}

/* Nothing is written to what the old kernel had registered. */
static void old_areas_are_left_alone(void **state)
{
	struct fake *f = *state;

	start_all(f);
	use_everything(f);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	memset(f->ram + AREAS, 0x5a, FAKE_VCPUS * GUEST_PAGE_SIZE);
	f->ram[SHARED_INFO_GFN * GUEST_PAGE_SIZE] = 0x5a;
	f->now = 1000000000000;
	for (unsigned i = 0; i < FAKE_VCPUS; i++) {
		vcpu_timer_expired(vcpu(f, i));
		vcpu_time_area_update(vcpu(f, i));
		runstate_set(vcpu(f, i), RUNSTATE_blocked, true);
		event_channel_raise_virq(vcpu(f, i), VIRQ_TIMER);
	}
	for (unsigned i = 0; i < FAKE_VCPUS * GUEST_PAGE_SIZE; i++)
		assert_int_equal(f->ram[AREAS + i], 0x5a);
	assert_int_equal(f->ram[SHARED_INFO_GFN * GUEST_PAGE_SIZE], 0x5a);
	assert_int_equal(f->shutdowns, 0); /* no watchdog */
}

static void fifo_ends(void **state)
{
	struct fake *f = *state;
	long port;

	fake_fifo_start(f, 1);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	map_shared_info(f);
	port = fake_bind_ipi(f, 0);
	assert_int_equal(fake_send(f, port), 0);
	assert_true(fake_pending(f, port));
}

/* Xen leaves it as it was latched. */
static void word_size_stays(void **state)
{
	struct fake *f = *state;
	bool other = !f->long_mode;

	domain_latch_word_size(&f->domain, other);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	assert_int_equal(f->domain.long_mode, other);
}

static void waiting_vcpus_go_on(void **state)
{
	struct fake *f = *state;

	uint8_t zeros[sizeof(struct sched_poll)] = {0};

	start_all(f);
	f->current = 1;
	assert_int_equal(fake_call(f, __HYPERVISOR_sched_op, SCHEDOP_block, 0, 0), 0);
	f->current = 2;
	assert_int_equal(fake_op(f, __HYPERVISOR_sched_op, SCHEDOP_poll, zeros, sizeof(zeros)), 0);
	assert_false(vcpu_may_run(vcpu(f, 1)));
	assert_false(vcpu_may_run(vcpu(f, 2)));
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	assert_true(vcpu_may_run(vcpu(f, 1)));
	assert_true(vcpu_may_run(vcpu(f, 2)));
	assert_int_equal(f->domain.events.pollers, 0);
}

/* One that is down stays so. */
static void down_is_down(void **state)
{
	struct fake *f = *state;

	fake_start(f, 1);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	assert_false(vcpu_is_down(vcpu(f, 1)));
	assert_true(vcpu_is_down(vcpu(f, 2)));
}

/* The next kernel finds CPUs that are up and halted, and registers for them before it starts them.
 */
static void others_are_set_up(void **state)
{
	struct fake *f = *state;

	start_all(f);
	assert_refused(f, register_info(f, 1), XEN_EINVAL);
	assert_int_equal(domain_soft_reset(&f->domain), 0);
	assert_int_equal(register_info(f, 1), 0);
	assert_refused(f, register_info(f, 1), XEN_EINVAL);
	f->current = 1;
	assert_refused(f, register_info(f, 1), XEN_EINVAL);
	assert_int_equal(register_info(f, 2), 0);
}

/* The host does not give the RAM back: the caller knows, and the rest has been done. */
static void overlay_that_stays(void **state)
{
	struct fake *f = *state;

	map_shared_info(f);
	assert_true(fake_bind_ipi(f, 0) > 0);
	f->overlay_unmap_rc = -EIO;
	f->overlay_unmap_fails = 1;
	assert_int_equal(domain_soft_reset(&f->domain), -EIO);
	assert_int_equal(status_of(f, 1), EVTCHNSTAT_closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(as_new),
		TEST_BOTH(all_over_again),
		TEST_BOTH(times_stay),
		TEST_BOTH(old_areas_are_left_alone),
		TEST_BOTH(fifo_ends),
		TEST_BOTH(word_size_stays),
		TEST_BOTH(waiting_vcpus_go_on),
		TEST_BOTH(down_is_down),
		TEST_BOTH(others_are_set_up),
		TEST_BOTH(overlay_that_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
