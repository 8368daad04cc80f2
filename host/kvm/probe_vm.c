// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/probe_vm.h"
#include "host/kvm/probe_guest.h"
#include "shim/x86.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc has the field, but not always this name for it (timer_create(2)). */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* Intel CPUs without unrestricted guest need three pages for KVM's own use; far above our RAM. */
#define TSS_ADDR 0xfffbd000

#define KERNEL_SIGSET 8 /* bytes: one bit per signal */
#define MAX_CPUID     256
#define IRQCHIP_PINS  24

#define PTE_P    0x01
#define PTE_RW   0x02
#define PTE_USER 0x04
#define PTE_PS   0x80
#define PTE_ALL  (PTE_P | PTE_RW | PTE_USER)

int probe_enable_cap(int fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = {.cap = cap, .args = {arg}};

	return ioctl(fd, KVM_ENABLE_CAP, &enable);
}

int probe_set_msr(struct probe_vm *vm, uint32_t index, uint64_t value)
{
	union {
		struct kvm_msrs msrs;
		uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} one = {.room = {0}};
	int done;

	one.msrs.nmsrs = 1;
	one.msrs.entries[0] = (struct kvm_msr_entry){.index = index, .data = value};
	done = ioctl(vm->vcpu, KVM_SET_MSRS, &one);
	/* KVM says how many it took. */
	if (done == 0)
		errno = EPERM;
	return done == 1 ? 0 : -1;
}

/*
 * The clock that ends a guest which says nothing. SIGALRM is blocked except inside KVM_RUN, so it
 * can neither be lost between the check and the ioctl nor do anything to the process.
 */
static int timer_open(struct probe_vm *vm)
{
	union {
		struct kvm_signal_mask mask;
		uint8_t room[sizeof(struct kvm_signal_mask) + KERNEL_SIGSET];
	} inside = {.room = {0}};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
	sigset_t alarm_only, mask;

	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	if (pthread_sigmask(SIG_BLOCK, &alarm_only, &vm->old_mask) != 0)
		return -1;
	event.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &vm->timer) < 0) {
		pthread_sigmask(SIG_SETMASK, &vm->old_mask, NULL);
		return -1;
	}
	vm->has_timer = true;

	mask = vm->old_mask;
	sigdelset(&mask, SIGALRM);
	inside.mask.len = KERNEL_SIGSET;
	memcpy(inside.mask.sigset, &mask, KERNEL_SIGSET);
	return ioctl(vm->vcpu, KVM_SET_SIGNAL_MASK, &inside);
}

static bool timer_pending(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGALRM) == 1;
}

/* Take the alarm off the queue, if it is there. */
static void timer_take(void)
{
	const struct timespec now = {0};
	sigset_t alarm_only;

	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigtimedwait(&alarm_only, NULL, &now);
}

static void timer_set(struct probe_vm *vm, long ms)
{
	const struct itimerspec when = {
		.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};

	timer_settime(vm->timer, 0, &when, NULL);
}

static void timer_close(struct probe_vm *vm)
{
	if (!vm->has_timer)
		return;
	timer_delete(vm->timer);
	timer_take(); /* before it is let through */
	pthread_sigmask(SIG_SETMASK, &vm->old_mask, NULL);
}

static int map_ram(struct probe_vm *vm)
{
	struct kvm_userspace_memory_region region = {.memory_size = PROBE_RAM};

	vm->ram = mmap(NULL, PROBE_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->ram == MAP_FAILED) {
		vm->ram = NULL;
		return -1;
	}
	region.userspace_addr = (uintptr_t)vm->ram;
	return ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* The guest may use what KVM supports: without these leaves KVM refuses EFER.LME. */
static int set_cpuid(struct probe_vm *vm)
{
	size_t size = sizeof(struct kvm_cpuid2) + MAX_CPUID * sizeof(struct kvm_cpuid_entry2);
	struct kvm_cpuid2 *cpuid = calloc(1, size);
	int ret = -1;

	if (!cpuid)
		return -1;
	cpuid->nent = MAX_CPUID;
	if (ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0)
		ret = ioctl(vm->vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return ret;
}

static int make_vcpu(struct probe_vm *vm)
{
	int size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (size < (int)sizeof(struct kvm_run))
		return -1;
	vm->vcpu = ioctl(vm->vm, KVM_CREATE_VCPU, 0);
	if (vm->vcpu < 0)
		return -1;
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	if (run == MAP_FAILED)
		return -1;
	vm->run = run;
	vm->run_size = size;
	return set_cpuid(vm);
}

static int make_vm(struct probe_vm *vm, bool irqchip)
{
	vm->vm = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->vm < 0)
		return -1;
	ioctl(vm->vm, KVM_SET_TSS_ADDR,
	      (unsigned long)TSS_ADDR); /* where it is not needed, it fails */
	if (irqchip && probe_enable_cap(vm->vm, KVM_CAP_SPLIT_IRQCHIP, IRQCHIP_PINS) < 0)
		return -1;
	if (map_ram(vm) < 0 || make_vcpu(vm) < 0)
		return -1;
	return timer_open(vm);
}

int probe_vm_open(struct probe_vm *vm, int kvm, bool irqchip)
{
	int error;

	*vm = (struct probe_vm){.kvm = kvm, .vm = -1, .vcpu = -1};
	if (make_vm(vm, irqchip) == 0)
		return 0;
	error = errno;
	probe_vm_close(vm);
	errno = error;
	return -1;
}

void probe_vm_close(struct probe_vm *vm)
{
	if (vm->run)
		munmap(vm->run, vm->run_size);
	if (vm->vcpu >= 0)
		close(vm->vcpu);
	if (vm->vm >= 0)
		close(vm->vm);
	if (vm->ram)
		munmap(vm->ram, PROBE_RAM);
	timer_close(vm);
}

static void put32(struct probe_vm *vm, uint32_t gpa, uint32_t value)
{
	memcpy(vm->ram + gpa, &value, sizeof(value));
}

static void put64(struct probe_vm *vm, uint32_t gpa, uint64_t value)
{
	memcpy(vm->ram + gpa, &value, sizeof(value));
}

/* One large page one to one at 0, and PROBE_VIRTUAL by a small one: in each of the three forms. */
static void build_page_tables(struct probe_vm *vm)
{
	put32(vm, PROBE_PD_32, PTE_ALL | PTE_PS);
	put32(vm, PROBE_PD_32 + 4 * (PROBE_VIRTUAL >> 22), PROBE_PT_32 | PTE_ALL);
	put32(vm, PROBE_PT_32, PROBE_DATA | PTE_ALL);

	put64(vm, PROBE_PDPT_PAE, PROBE_PD | PTE_P); /* PAE reserves the other bits here */
	put64(vm, PROBE_PML4, PROBE_PDPT_LONG | PTE_ALL);
	put64(vm, PROBE_PDPT_LONG, PROBE_PD | PTE_ALL);
	put64(vm, PROBE_PD, PTE_ALL | PTE_PS);
	put64(vm, PROBE_PD + 8 * (PROBE_VIRTUAL >> 21), PROBE_PT | PTE_ALL);
	put64(vm, PROBE_PT, PROBE_DATA | PTE_ALL);
}

/* Where a label of probe_guest.S is in the guest. */
static uint64_t guest_address(const uint8_t *label)
{
	return PROBE_CODE + (label - probe_guest_start);
}

/* The state that the PVH boot protocol prescribes (Xen, docs/misc/pvh). */
static int set_pvh_state(struct probe_vm *vm)
{
	const struct kvm_segment code = {.limit = 0xffffffff,
					 .selector = PROBE_CS32,
					 .type = 11,
					 .present = 1,
					 .db = 1,
					 .s = 1,
					 .g = 1};
	struct kvm_segment data = code;
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	data.selector = PROBE_DS;
	data.type = 3;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.tr = (struct kvm_segment){.limit = 0x67, .type = 11, .present = 1};
	sregs.ldt = (struct kvm_segment){.unusable = 1};
	sregs.gdt.base = guest_address(probe_guest_gdt);
	sregs.gdt.limit = probe_guest_gdt_end - probe_guest_gdt - 1;
	sregs.idt.base = guest_address(probe_guest_idt);
	sregs.idt.limit = probe_guest_idt_end - probe_guest_idt - 1;
	sregs.cr0 = CR0_PE | CR0_ET;
	sregs.cr4 = 0;
	sregs.efer = 0;
	return ioctl(vm->vcpu, KVM_SET_SREGS, &sregs);
}

int probe_vm_load(struct probe_vm *vm, const uint8_t *entry)
{
	struct kvm_regs regs = {.rip = guest_address(entry), .rsp = PROBE_STACK_TOP, .rflags = 0x2};

	memset(vm->ram, 0, PROBE_RAM);
	memcpy(vm->ram + PROBE_CODE, probe_guest_start, probe_guest_end - probe_guest_start);
	put32(vm, PROBE_DATA, PROBE_MAGIC);
	build_page_tables(vm);
	if (set_pvh_state(vm) < 0)
		return -1;
	return ioctl(vm->vcpu, KVM_SET_REGS, &regs);
}

static enum kvm_answer exit_answer(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		return KVM_SHUTDOWN;
	case KVM_EXIT_INTERNAL_ERROR:
	case KVM_EXIT_FAIL_ENTRY:
		return KVM_INTERNAL_ERROR;
	default:
		return KVM_WORKS;
	}
}

enum kvm_answer probe_vm_run(struct probe_vm *vm)
{
	enum kvm_answer answer = KVM_INTERNAL_ERROR;
	int ret;

	timer_set(vm, PROBE_TIMEOUT_MS);
	/* EINTR without our alarm is someone else's signal, or a stop and a continue. */
	do
		ret = ioctl(vm->vcpu, KVM_RUN, 0);
	while (ret < 0 && errno == EINTR && !timer_pending());

	if (ret == 0)
		answer = exit_answer(vm->run);
	else if (errno == EINTR)
		answer = KVM_TIMED_OUT;
	timer_set(vm, 0);
	timer_take();
	return answer;
}

static enum kvm_answer run_to_port(struct probe_vm *vm, uint8_t direction)
{
	const struct kvm_run *run = vm->run;
	enum kvm_answer answer = probe_vm_run(vm);

	if (answer != KVM_WORKS)
		return answer;
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != PROBE_PORT || run->io.size != 4 ||
	    run->io.count != 1 || run->io.direction != direction ||
	    run->io.data_offset > vm->run_size - 4)
		return KVM_WRONG;
	return KVM_WORKS;
}

enum kvm_answer probe_vm_hear(struct probe_vm *vm, uint32_t *value)
{
	enum kvm_answer answer = run_to_port(vm, KVM_EXIT_IO_OUT);

	if (answer == KVM_WORKS)
		memcpy(value, (uint8_t *)vm->run + vm->run->io.data_offset, sizeof(*value));
	return answer;
}

enum kvm_answer probe_vm_tell(struct probe_vm *vm, uint32_t value)
{
	enum kvm_answer answer = run_to_port(vm, KVM_EXIT_IO_IN);

	if (answer == KVM_WORKS)
		memcpy((uint8_t *)vm->run + vm->run->io.data_offset, &value, sizeof(value));
	return answer;
}
