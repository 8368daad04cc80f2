// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vCPU's thread: serve requests, enter the guest, handle the exit, again.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/kvm/pv.h"
#include "host/kvm/usage.h"
#include "host/loader/acpi.h"
#include "host/thread.h"
#include "shim/callback.h"
#include "shim/x86.h"

#define KICK_SIGNAL (SIGRTMIN)

static __thread struct vm_vcpu *current;

bool vcpu_is_current(const struct vm_vcpu *vv)
{
	return current == vv;
}

/* A kick that lands just before KVM_RUN must not be lost: the flag makes KVM_RUN return at once. */
static void on_kick(int sig)
{
	(void)sig;
	if (current)
		current->run->immediate_exit = 1;
}

static void install_kick_handler(void)
{
	struct sigaction sa = {.sa_handler = on_kick};

	sigemptyset(&sa.sa_mask);
	sigaction(KICK_SIGNAL, &sa, NULL);
}

void vcpu_post(struct vm_vcpu *vv, uint32_t requests)
{
	__atomic_fetch_or(&vv->requests, requests, __ATOMIC_SEQ_CST);
	/* One that is about to run looks at its requests first. */
	if (!vcpu_is_current(vv) && __atomic_load_n(&vv->running, __ATOMIC_SEQ_CST))
		pthread_kill(vv->self, KICK_SIGNAL);
}

/* False: the thread shall end. */
static bool serve_requests(struct vm_vcpu *vv)
{
	while (__atomic_load_n(&vv->requests, __ATOMIC_SEQ_CST)) {
		uint32_t requests = __atomic_exchange_n(&vv->requests, 0, __ATOMIC_SEQ_CST);

		if (requests & VCPU_REQ_STOP)
			return false;
		if (requests & VCPU_REQ_TIME_AREA)
			vcpu_apply_time_area(vv);
		if (requests & VCPU_REQ_UPCALL_METHOD)
			vcpu_apply_upcall_method(vv);
		if (requests & VCPU_REQ_CALLBACK)
			callback_raise(&vv->vm->domain);
		if (requests & VCPU_REQ_NMI)
			ioctl(vv->fd, KVM_NMI);
		/* There may be new ones afterwards. */
		if (requests & VCPU_REQ_PAUSE)
			vcpu_park(vv);
	}
	return true;
}

/*
 * What is not there reads as all ones, as on an empty bus. But for two: the sleep status, which has
 * nothing to report; and the counter of the absent PIT, where Linux, calibrating its TSC, would
 * wait a long time for all ones to become something less.
 */
static uint8_t read_port(uint16_t port)
{
	return port == PORT_ACPI_STATUS || port == PORT_PIT_COUNTER_2 ? 0 : 0xff;
}

static void handle_io(struct vm_vcpu *vv)
{
	struct kvm_run *run = vv->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	size_t len = (size_t)run->io.size * run->io.count;
	struct vm *vm = vv->vm;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, read_port(run->io.port), len);
		return;
	}
	switch (run->io.port) {
	case PORT_ACPI_SLEEP:
		if (data[0] == ACPI_POWER_OFF(ACPI_SLEEP_TYPE_S5))
			vm_end_shutdown(vm, SHUTDOWN_poweroff);
		break;
	case PORT_ACPI_RESET:
		if (data[0] == ACPI_RESET_VALUE)
			vm_end_shutdown(vm, SHUTDOWN_reboot);
		break;
	case PORT_DEBUG_CONSOLE:
		vm->config.console_write(vm->config.opaque, (const char *)data, len);
		break;
	}
}

static void stuck(struct vm_vcpu *vv, const char *what, uint64_t detail)
{
	struct kvm_regs regs = {0};

	ioctl(vv->fd, KVM_GET_REGS, &regs);
	vm_end_failed(vv->vm, "KVM cannot run vCPU %u any further: %s (%#llx) at rip %#llx",
		      vv->vcpu->id, what, (unsigned long long)detail, (unsigned long long)regs.rip);
}

static void handle_exit(struct vm_vcpu *vv)
{
	struct kvm_run *run = vv->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		if (!vcpu_hypercall_port(vv) && !pv_vcpu_exit(vv))
			handle_io(vv);
		break;
	case KVM_EXIT_XEN:
		vcpu_hypercall_xen(vv);
		break;
	case KVM_EXIT_MMIO:
		vcpu_handle_mmio(vv);
		break;
	case KVM_EXIT_X86_RDMSR:
		vcpu_handle_rdmsr(vv);
		break;
	case KVM_EXIT_X86_WRMSR:
		vcpu_handle_wrmsr(vv);
		break;
	case KVM_EXIT_SHUTDOWN:
		/* A triple fault: Xen's default for it is a reboot (HVM_PARAM_TRIPLE_FAULT_REASON).
		 */
		vm_end_shutdown(vv->vm, SHUTDOWN_reboot);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		if (!vcpu_retry_emulation(vv))
			stuck(vv, "internal error", run->internal.suberror);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		stuck(vv, "entry failed", run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_IOAPIC_EOI:
		vcpu_ioapic_eoi(vv);
		break;
	case KVM_EXIT_HYPERV: /* SynIC state that we set ourselves */
	case KVM_EXIT_INTR:
		break;
	default:
		stuck(vv, "unexpected exit reason", run->exit_reason);
		break;
	}
}

static void run_failed(struct vm_vcpu *vv, int err)
{
	if (err == EINTR || err == EAGAIN) {
		vv->run->immediate_exit = 0;
		vv->exits_done = vv->exits;
	} else if (err != EFAULT || !vcpu_retry_fault(vv))
		stuck(vv, strerror(err), err);
}

static void run_once(struct vm_vcpu *vv)
{
	vv->run->kvm_valid_regs = KVM_SYNC_X86_REGS | (vv->want_sregs ? KVM_SYNC_X86_SREGS : 0);
	vv->sregs_valid = vv->from_page_64 = false;
	vcpu_prepare_run(vv);
	if (ioctl(vv->fd, KVM_RUN, NULL) == 0) {
		vv->exits++;
		vcpu_has_run(vv);
		callback_after_exit(&vv->vm->domain);
		handle_exit(vv);
		if (__atomic_load_n(&vv->upcalls_dropped, __ATOMIC_RELAXED))
			vcpu_retry_upcall(vv);
		/* A copy of the time is ours to keep level where KVM does not do it. */
		if (gpc_is_active(&vv->vcpu->time_area))
			vcpu_time_area_update(vv->vcpu);
		return;
	}
	run_failed(vv, errno);
}

static void *vcpu_thread(void *opaque)
{
	struct vm_vcpu *vv = opaque;

	current = vv;
	vv->self = pthread_self();
	__atomic_store_n(&vv->tid, gettid(), __ATOMIC_RELAXED);
	__atomic_store_n(&vv->running, true, __ATOMIC_SEQ_CST);
	vcpu_begin(vv);
	while (serve_requests(vv))
		run_once(vv);
	vcpu_usage_ends(vv);
	vm_thread_ends(vv->vm);
	return NULL;
}

static struct kvm_segment flat_segment(uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff, .type = type, .present = 1, .db = 1, .s = 1, .g = 1};
}

/* The state of docs/misc/pvh.pandoc: 32-bit protected mode, flat, unpaged. */
int vcpu_set_pvh_state(struct vm_vcpu *vv, uint32_t entry, uint32_t start_info, struct problem *p)
{
	struct kvm_regs regs = {.rip = entry, .rbx = start_info, .rflags = 2};
	struct kvm_sregs s;

	if (ioctl(vv->fd, KVM_GET_SREGS, &s))
		return problem(p, "KVM does not tell the vCPU's state: %s", strerror(errno));
	s.cs = flat_segment(0xb);
	s.ds = s.es = s.fs = s.gs = s.ss = flat_segment(0x3);
	s.tr = (struct kvm_segment){.limit = 0x67, .type = 0xb, .present = 1};
	s.ldt = (struct kvm_segment){.unusable = 1};
	s.gdt.base = s.idt.base = 0;
	s.gdt.limit = s.idt.limit = 0;
	s.cr0 = CR0_PE | CR0_ET;
	s.cr3 = s.cr4 = s.efer = 0;
	if (ioctl(vv->fd, KVM_SET_SREGS, &s) || ioctl(vv->fd, KVM_SET_REGS, &regs))
		return problem(p, "KVM refuses the PVH entry state: %s", strerror(errno));
	return 0;
}

int vcpu_create(struct vm *vm, struct vm_vcpu *vv, struct problem *p)
{
	*vv = (struct vm_vcpu){
		.vm = vm,
		.timer.fd = -1,
		.schedstat_fd = -1,
		.page_64 = {.cr0 = CR0_PG | CR0_WP, .cr4 = CR4_PAE, .efer = EFER_LMA},
	};
	if (vm->events)
		vv->requests = VCPU_REQ_TIME_AREA; /* which also tells KVM where events go */
	vv->vcpu = domain_add_vcpu(&vm->domain, vv);
	if (!vv->vcpu)
		return problem(p, "no memory for another vCPU");
	vv->fd = ioctl(vm->fd, KVM_CREATE_VCPU, vv->vcpu->id);
	if (vv->fd < 0)
		return problem(p, "KVM cannot create vCPU %u: %s", vv->vcpu->id, strerror(errno));
	vv->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vv->fd, 0);
	if (vv->run == MAP_FAILED) {
		vv->run = NULL;
		return problem(p, "cannot map the run area of vCPU %u: %s", vv->vcpu->id,
			       strerror(errno));
	}
	return 0;
}

void vcpu_destroy(struct vm_vcpu *vv)
{
	vcpu_timer_destroy(vv);
	vcpu_end(vv);
	if (vv->run)
		munmap(vv->run, vv->vm->run_size);
	if (vv->fd >= 0)
		close(vv->fd);
}

int vcpu_thread_start(struct vm_vcpu *vv, struct problem *p)
{
	int rc;

	install_kick_handler();
	vm_thread_begins(vv->vm);
	rc = thread_start(&vv->thread, KICK_SIGNAL, vcpu_thread, vv);
	if (rc) {
		vm_thread_ends(vv->vm);
		return problem(p, "cannot start the thread of vCPU %u: %s", vv->vcpu->id,
			       strerror(rc));
	}
	vv->started = true;
	return 0;
}
