// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/kvm/gmem.h"
#include "host/kvm/kvm_xen.h"
#include "host/kvm/kvm_xen_events.h"
#include "host/kvm/pv.h"
#include "shim/soft_reset.h"

#define GUEST_DOMID 1

/* Three pages for the TSS and one for the page table that Intel's KVM needs below 4 GiB. */
#define TSS_ADDRESS          0xfffbd000
#define IDENTITY_MAP_ADDRESS 0xfffbc000ull

static void end(struct vm *vm, enum vm_end how, int reason, const char *fmt, va_list ap)
{
	bool first;

	pthread_mutex_lock(&vm->end_lock);
	first = vm->end == VM_RUNNING;
	if (first) {
		vm->end = how;
		vm->shutdown_reason = reason;
		if (fmt)
			vsnprintf(vm->failure.text, sizeof(vm->failure.text), fmt, ap);
	}
	pthread_mutex_unlock(&vm->end_lock);
	if (!first)
		return;
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		vcpu_post(&vm->vcpus[i], VCPU_REQ_STOP);
	vm_pause_recheck(vm);
	vm->config.ended(vm->config.opaque);
}

static void end_with(struct vm *vm, enum vm_end how, int reason, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end(vm, how, reason, fmt, ap);
	va_end(ap);
}

void vm_end_shutdown(struct vm *vm, int reason)
{
	end_with(vm, VM_SHUTDOWN, reason, NULL);
}

void vm_end_failed(struct vm *vm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end(vm, VM_FAILED, 0, fmt, ap);
	va_end(ap);
}

static void op_yield(struct vcpu *v)
{
	(void)v;
	sched_yield();
}

static void op_shutdown(struct domain *d, int reason)
{
	struct vm *vm = d->host;

	if (reason != SHUTDOWN_soft_reset) {
		vm_end_shutdown(vm, reason);
		return;
	}
	/* At once, so that a vCPU that asks for it does not run on before it is done. */
	vm_pause_begin(vm);
	vm->config.soft_reset(vm->config.opaque);
}

static void op_console_write(struct domain *d, const char *bytes, size_t len)
{
	struct vm *vm = d->host;

	vm->config.console_write(vm->config.opaque, bytes, len);
}

static void op_word_size_latched(struct domain *d)
{
	vm_set_word_size(d->host);
}

static const struct platform_ops platform = {
	.memory = &vm_memslot_ops,
	.ram_discard = vm_ram_discard,
	.ram_populated = vm_ram_populated,
	.paging = vcpu_paging,
	.upcall = vm_upcall,
	.port_changed = vm_port_changed,
	.set_gsi = vm_set_gsi,
	.upcall_method_changed = vm_upcall_method_changed,
	.time_area_moved = vm_time_area_moved,
	.system_time = vm_system_time,
	.wallclock_base = vm_wallclock_base,
	.set_timer = vm_set_timer,
	.wake = vm_wake,
	.set_context = vm_set_context,
	.nmi = vm_nmi,
	.interrupts_enabled = vm_interrupts_enabled,
	.run_delay = vm_run_delay,
	.must_stop = vm_must_stop,
	.yield = op_yield,
	.shutdown = op_shutdown,
	.console_write = op_console_write,
	.word_size_latched = op_word_size_latched,
};

static int open_kvm(struct vm *vm, struct problem *p)
{
	const char *device = vm->config.device;

	/* To be read: it is all ioctls, and a guest that restarts opens it from the sandbox. */
	vm->kvm_fd = open(device, O_RDONLY | O_CLOEXEC);
	if (vm->kvm_fd < 0 && errno == ENOENT)
		return problem(p,
			       "%s is not there: load the module kvm-intel or kvm-amd, or enable "
			       "virtualisation in the firmware ('xenolith doctor' tells more)",
			       device);
	if (vm->kvm_fd < 0 && (errno == EACCES || errno == EPERM))
		return problem(p,
			       "%s: no permission: join the group that owns it (usually: adduser "
			       "$USER kvm, then log in again)",
			       device);
	if (vm->kvm_fd < 0)
		return problem(p, "%s: cannot open: %s; 'xenolith doctor' tells more", device,
			       strerror(errno));
	if (ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return problem(p, "%s is not a KVM device; KVM's is normally /dev/kvm", device);
	return 0;
}

static int check_capabilities(struct vm *vm, struct problem *p)
{
	static const struct {
		int cap;
		const char *name;
	} needed[] = {
		{KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
		{KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP"},
		{KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"},
		{KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
		{KVM_CAP_SYNC_REGS, "KVM_CAP_SYNC_REGS"},
		{KVM_CAP_X86_USER_SPACE_MSR, "KVM_CAP_X86_USER_SPACE_MSR"},
		{KVM_CAP_X86_MSR_FILTER, "KVM_CAP_X86_MSR_FILTER"},
		{KVM_CAP_ADJUST_CLOCK, "KVM_CAP_ADJUST_CLOCK"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(needed); i++)
		if (ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, needed[i].cap) <= 0)
			return problem(p, "this host's KVM lacks %s: Linux 5.10 or newer is needed",
				       needed[i].name);
	return 0;
}

static int choose_accel(struct vm *vm, struct problem *p)
{
	bool available = kvm_xen_available(vm->kvm_fd);

	if (vm->config.accel == ACCEL_KVM_XEN && !available)
		return problem(p, "--accel=kvm-xen: this host's KVM has no Xen support "
				  "(CONFIG_KVM_XEN); use --accel=stock");
	/* What KVM_XEN does for a guest it does for one whose kernel is in ring 0. */
	vm->kvm_xen = vm->config.accel != ACCEL_STOCK && available && !vm->config.pv;
	return 0;
}

static int create_kvm_vm(struct vm *vm, struct problem *p)
{
	uint64_t identity_map = IDENTITY_MAP_ADDRESS;
	/* The argument: how many routes are the I/O APIC's. */
	struct kvm_enable_cap split = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.args = {vm->config.ioapic ? IOAPIC_PINS : 0},
	};

	vm->run_size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	if (vm->fd < 0 || vm->run_size <= 0)
		return problem(p, "KVM cannot create a virtual machine: %s", strerror(errno));
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS) ||
	    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) ||
	    ioctl(vm->fd, KVM_ENABLE_CAP, &split))
		return problem(p, "KVM cannot set the virtual machine up: %s", strerror(errno));
	return 0;
}

static int create_domain(struct vm *vm, struct problem *p)
{
	void *overlays;

	vm->overlay_fd = memfd_create("hypervisor-pages", MFD_CLOEXEC);
	if (vm->overlay_fd < 0 || ftruncate(vm->overlay_fd, OVERLAY_COUNT * GUEST_PAGE_SIZE))
		return problem(p, "cannot create the hypervisor's pages: %s", strerror(errno));
	overlays = mmap(NULL, OVERLAY_MAPPED * GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			vm->overlay_fd, 0);
	if (overlays == MAP_FAILED)
		return problem(p, "cannot map the hypervisor's pages: %s", strerror(errno));
	if (domain_init(&vm->domain, &platform, vm,
			vm->config.domid ? vm->config.domid : GUEST_DOMID, overlays)) {
		vm->domain.shared_info = NULL; /* which says that there is a domain */
		munmap(overlays, OVERLAY_MAPPED * GUEST_PAGE_SIZE);
		return problem(p, "no memory for the domain");
	}
	vm_ioapic_create(vm);
	vm->domain.hvm_params[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
	if (kvm_gmem_can_be_private(vm->fd))
		vm->domain.memslots.features |= MEMSLOTS_CAN_PRIVATE;
	if (vm_enable_manual_dirty_log(vm, p))
		return -1;
	if (kvm_xen_events_create(vm))
		return problem(p, "KVM refuses to send events; try --accel=stock");
	if (vm_set_word_size(vm))
		return problem(p, "KVM refuses the guest's word size; try --accel=stock");
	return 0;
}

static int create_vcpus(struct vm *vm, struct problem *p)
{
	while (vm->nr_vcpus < vm->config.vcpus) {
		struct vm_vcpu *vv = &vm->vcpus[vm->nr_vcpus];

		if (vcpu_create(vm, vv, p))
			return -1;
		vm->nr_vcpus++;
		if (!vm->tsc_khz)
			vm->tsc_khz = ioctl(vv->fd, KVM_GET_TSC_KHZ, 0);
		if (vm_set_cpuid(vv, p) || vcpu_init_msrs(vv, p) || vcpu_timer_create(vv, p))
			return -1;
	}
	return 0;
}

int vm_create(struct vm *vm, const struct vm_config *config, struct loop *loop, struct problem *p)
{
	memset(vm, 0, sizeof(*vm));
	vm->config = *config;
	vm->loop = loop;
	vm->kvm_fd = vm->fd = vm->overlay_fd = vm->upcall_retry.fd = -1;
	pthread_mutex_init(&vm->end_lock, NULL);
	vm_pause_create(vm);
	pthread_mutex_init(&vm->ioapic_lock, NULL);
	if (open_kvm(vm, p) || check_capabilities(vm, p) || choose_accel(vm, p) ||
	    create_kvm_vm(vm, p) || vm_filter_msrs(vm, p) || vm_enable_hypercalls(vm, p) ||
	    create_domain(vm, p) || vm_memory_create(vm, p) ||
	    (vm->config.pv && vm_pv_create(vm, p)) || vm_upcalls_create(vm, p) ||
	    create_vcpus(vm, p)) {
		vm_destroy(vm);
		return -1;
	}
	return 0;
}

static int start_threads(struct vm *vm, struct problem *p)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		if (vcpu_thread_start(&vm->vcpus[i], p))
			return -1;
	return 0;
}

int vm_start(struct vm *vm, uint32_t entry, uint32_t start_info, struct problem *p)
{
	return vcpu_set_pvh_state(&vm->vcpus[0], entry, start_info, p) || start_threads(vm, p) ? -1
											       : 0;
}

int vm_start_pv(struct vm *vm, struct problem *p)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		if (pv_vcpu_set_state(&vm->vcpus[i], vm->pv, p))
			return -1;
	if (vm_become_pv(vm, p))
		return -1;
	vm_upcall_method_changed(&vm->domain);
	return start_threads(vm, p);
}

void vm_stop(struct vm *vm)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		vcpu_post(&vm->vcpus[i], VCPU_REQ_STOP);
	vm_pause_recheck(vm);
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].started)
			pthread_join(vm->vcpus[i].thread, NULL);
		vm->vcpus[i].started = vm->vcpus[i].running = false;
	}
}

int vm_soft_reset(struct vm *vm)
{
	vm_text_replaced(vm);
	return domain_soft_reset(&vm->domain);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void vm_destroy(struct vm *vm)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		vcpu_destroy(&vm->vcpus[i]);
	if (vm->domain.shared_info) {
		vm_memory_destroy(vm);
		munmap(vm->domain.shared_info, OVERLAY_MAPPED * GUEST_PAGE_SIZE);
		domain_destroy(&vm->domain);
	}
	free(vm->pv);
	kvm_xen_events_destroy(vm);
	close_if_open(vm->upcall_retry.fd);
	close_if_open(vm->overlay_fd);
	close_if_open(vm->fd);
	close_if_open(vm->kvm_fd);
	vm_pause_destroy(vm);
	pthread_mutex_destroy(&vm->ioapic_lock);
	pthread_mutex_destroy(&vm->end_lock);
}
