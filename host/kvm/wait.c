// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vCPU that waits (shim/vcpu_run.h), and one that comes up.
 *
 * KVM does the waiting, in KVM_RUN, by the state that it calls the vCPU's: as one that is halted,
 * so that an interrupt of its LAPIC wakes it too, of which nobody else hears; as one that has not
 * been initialised, so that INIT and SIPI can start it. What comes by the shim kicks the thread.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/kvm/pv.h"
#include "shim/x86.h"

#define NS_PER_S 1000000000ull

/* Not more often than this does a vCPU ask what was stolen from it, and whether it has restarted.
 */
#define STEAL_INTERVAL_NS 1000000ull

static uint32_t kvm_state(struct vm_vcpu *vv)
{
	struct kvm_mp_state mp = {.mp_state = vv->mp_state};

	ioctl(vv->fd, KVM_GET_MP_STATE, &mp);
	return mp.mp_state;
}

static void set_state(struct vm_vcpu *vv, uint32_t state)
{
	struct kvm_mp_state mp = {.mp_state = state};

	if (state == KVM_MP_STATE_RUNNABLE)
		vv->reset = false;
	if (vv->mp_state != state)
		ioctl(vv->fd, KVM_SET_MP_STATE, &mp);
	vv->mp_state = state;
}

/*
 * At INIT KVM forgets where it was to keep the time, which Xen does not, and with the rest of the
 * LAPIC an upcall that it has not taken. Of an INIT to a CPU that is up KVM tells nobody.
 */
void vcpu_restarted(struct vm_vcpu *vv)
{
	if (vv->vm->kvm_xen)
		return;
	vcpu_apply_time_area(vv);
	event_channels_recheck_upcall(vv->vcpu);
}

/* INIT and SIPI have started one that was down. */
static void started(struct vm_vcpu *vv)
{
	vv->mp_state = KVM_MP_STATE_RUNNABLE;
	vv->reset = false;
	vcpu_started(vv->vcpu);
	vcpu_restarted(vv);
}

/* SIPI may let it run without our seeing it, and its clock is to be right from the first. */
static void was_reset(struct vm_vcpu *vv)
{
	vv->reset = true;
	vcpu_reset(vv->vcpu);
	vcpu_restarted(vv);
}

/* KVM has let it run, though it was to wait: something has interrupted it. */
static void woken(struct vm_vcpu *vv)
{
	if (vv->mp_state == KVM_MP_STATE_UNINITIALIZED)
		started(vv);
	else
		vcpu_unblock(vv->vcpu);
	vv->mp_state = KVM_MP_STATE_RUNNABLE;
	vcpu_may_run(vv->vcpu);
}

/* Its registers are not those that KVM_RUN has left it with. */
static bool is_elsewhere(struct vm_vcpu *vv)
{
	struct kvm_regs regs;

	return !ioctl(vv->fd, KVM_GET_REGS, &regs) &&
	       memcmp(&regs, &vv->run->s.regs.regs, sizeof(regs)) != 0;
}

/*
 * What INIT and SIPI may have made of one that waits, or is to. Before it is told a state: after
 * INIT, KVM would run one that is called runnable from where reset leaves it, and drop the SIPI
 * that follows for one that is called anything else. If it was just about to go down, only its
 * registers show that both have come.
 */
static void look_for_init(struct vm_vcpu *vv)
{
	switch (kvm_state(vv)) {
	case KVM_MP_STATE_RUNNABLE:
		if (vv->mp_state != KVM_MP_STATE_RUNNABLE)
			woken(vv);
		else if (is_elsewhere(vv))
			started(vv);
		break;
	case KVM_MP_STATE_INIT_RECEIVED: /* and stays so until SIPI comes: once is enough */
		vv->mp_state = KVM_MP_STATE_UNINITIALIZED;
		if (!vv->reset)
			was_reset(vv);
		break;
	}
}

/*
 * Where it runs on, KVM_RUN first does the rest of the instruction that it last exited with, which
 * is to be before INIT and SIPI send it elsewhere: of one that is down KVM forgets it until then.
 */
static bool must_finish_exit(const struct vm_vcpu *vv)
{
	return vv->mp_state == KVM_MP_STATE_RUNNABLE && vv->exits_done != vv->exits;
}

void vcpu_prepare_run_slowly(struct vm_vcpu *vv)
{
	struct vcpu *v = vv->vcpu;

	if (vcpu_is_down(v) && must_finish_exit(vv)) {
		vv->run->immediate_exit = 1;
		return;
	}
	if (vv->mp_state != KVM_MP_STATE_RUNNABLE || vcpu_is_down(v))
		look_for_init(vv);
	if (vcpu_may_run(v) || pv_vcpu_comes_out(vv))
		set_state(vv, KVM_MP_STATE_RUNNABLE);
	else if (vcpu_is_down(v))
		set_state(vv, KVM_MP_STATE_UNINITIALIZED);
	else
		set_state(vv, KVM_MP_STATE_HALTED);
}

static uint64_t coarse_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return timespec_ns(&ts);
}

void vcpu_has_run_slowly(struct vm_vcpu *vv)
{
	uint64_t now;

	if (vv->mp_state != KVM_MP_STATE_RUNNABLE)
		woken(vv);
	if (!gpc_is_active(&vv->vcpu->runstate_area))
		return;
	now = coarse_now();
	if (now - vv->steal_asked < STEAL_INTERVAL_NS)
		return;
	vv->steal_asked = now;
	/* A 32-bit kernel's restart shows in nothing else. */
	if (vcpu_time_area_lost(vv))
		vcpu_restarted(vv);
	runstate_update(vv->vcpu);
}

void vcpu_begin(struct vm_vcpu *vv)
{
	__atomic_store_n(&vv->schedstat_fd,
			 open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC),
			 __ATOMIC_RELEASE);
	if (vv->vcpu->id == 0)
		vcpu_started(vv->vcpu);
	else
		vv->mp_state = KVM_MP_STATE_UNINITIALIZED;
}

void vcpu_end(struct vm_vcpu *vv)
{
	if (vv->schedstat_fd >= 0)
		close(vv->schedstat_fd);
	vv->schedstat_fd = -1;
}

/* Of the three numbers the second: ns of waiting in the scheduler's queue. */
uint64_t vm_run_delay(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;
	int fd = __atomic_load_n(&vv->schedstat_fd, __ATOMIC_ACQUIRE);
	char text[80], *second;
	ssize_t len = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : 0;

	if (len <= 0)
		return 0;
	text[len] = '\0';
	second = strchr(text, ' ');
	return second ? strtoull(second, NULL, 10) : 0;
}

bool vm_interrupts_enabled(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;

	return vv->run->s.regs.regs.rflags & RFLAGS_IF;
}

bool vm_must_stop(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;

	return __atomic_load_n(&vv->requests, __ATOMIC_SEQ_CST) & VCPU_REQ_STOP;
}

void vm_wake(struct vcpu *v)
{
	vcpu_post(v->host, 0);
}

void vm_nmi(struct vcpu *v)
{
	struct vm_vcpu *vv = v->host;

	if (vv->vm->pv)
		pv_vcpu_nmi(vv);
	else
		vcpu_post(vv, VCPU_REQ_NMI);
}

static struct kvm_segment segment(const struct vcpu_segment *s)
{
	struct kvm_segment k = {
		.base = s->base,
		.limit = s->limit,
		.type = s->attr & 0xf,
		.s = s->attr >> 4 & 1,
		.dpl = s->attr >> 5 & 3,
		.present = s->attr >> 7 & 1,
		.avl = s->attr >> 8 & 1,
		.l = s->attr >> 9 & 1,
		.db = s->attr >> 10 & 1,
		.g = s->attr >> 11 & 1,
		.unusable = !s->attr,
	};

	if (k.g)
		k.limit = s->limit << 12 | 0xfff;
	return k;
}

static int set_sregs(struct vm_vcpu *vv, const struct vcpu_context *c)
{
	struct kvm_sregs s;

	if (ioctl(vv->fd, KVM_GET_SREGS, &s))
		return -1;
	s.cs = segment(&c->cs);
	s.ds = segment(&c->ds);
	s.ss = segment(&c->ss);
	s.es = segment(&c->es);
	s.tr = segment(&c->tr);
	s.cr0 = c->cr0;
	s.cr3 = c->cr3;
	s.cr4 = c->cr4;
	s.efer = c->cr0 & CR0_PG ? c->efer : c->efer & ~EFER_LMA;
	return ioctl(vv->fd, KVM_SET_SREGS, &s);
}

/* Xen finds out at the same moment that a CPU cannot run with what it was given, and ends the
 * guest.
 */
void vm_set_context(struct vcpu *v, const struct vcpu_context *c)
{
	struct vm_vcpu *vv = v->host;
	const struct kvm_regs regs = {
		.rax = c->rax,
		.rcx = c->rcx,
		.rdx = c->rdx,
		.rbx = c->rbx,
		.rsp = c->rsp,
		.rbp = c->rbp,
		.rsi = c->rsi,
		.rdi = c->rdi,
		.rip = c->rip,
		.rflags = c->rflags,
	};

	if (set_sregs(vv, c) || ioctl(vv->fd, KVM_SET_REGS, &regs))
		domain_shutdown(v->domain, SHUTDOWN_crash);
}
