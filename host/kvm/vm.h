/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual machine on KVM: the machinery below a struct domain. Every KVM ioctl of the program is
 * in this folder.
 *
 * Life: vm_create; load a kernel into vm->ram; vm_start; wait (the event loop runs meanwhile) until
 * the `ended` callback; vm_stop; vm_destroy.
 *
 * Threads: each vCPU has one. What another thread wants of a vCPU it posts as a request bit and
 * kicks; the vCPU serves requests before it enters the guest. See struct vm_vcpu.
 */
#ifndef HOST_KVM_VM_H
#define HOST_KVM_VM_H

#include <linux/kvm.h>
#include <pthread.h>

#include "host/loader/hypercall_patch.h"
#include "host/loader/ram.h"
#include "host/loop.h"
#include "host/problem.h"
#include "shim/domain.h"
#include "shim/ioapic.h"
#include "shim/vcpu_run.h"

/* How hypercalls and upcalls are carried. */
enum accel {
	ACCEL_AUTO,
	ACCEL_STOCK,   /* nothing but plain KVM */
	ACCEL_KVM_XEN, /* KVM_CAP_XEN_HVM */
};

/* I/O ports of the machine. */
/* Hypercalls: 32-bit reads only. 0xa2 and up are free beside the second PIC. */
#define PORT_HYPERCALL     0xa8 /* from anywhere */
#define PORT_HYPERCALL_64  0xac /* from a 64-bit hypercall page: ring 0, cr3 in rbx */
#define PORT_ACPI_SLEEP    0xb0
#define PORT_ACPI_STATUS   0xb1
#define PORT_ACPI_RESET    0xb2
#define PORT_DEBUG_CONSOLE 0xe9 /* Xen's own (XEN_HVM_DEBUGCONS_IOPORT) */
#define ACPI_SLEEP_TYPE_S5 5
#define ACPI_RESET_VALUE   0x0f

/* Guest-physical layout, as Xen's PVH domain builder has it. */
#define LOW_RAM_MAX          0xf0000000ull
#define HIGH_RAM_START       0x100000000ull
#define ACPI_START           0xfc000000ull
#define ACPI_SIZE            0x10000ull
#define SPECIAL_PAGES_START  0xfeff8000ull
#define SPECIAL_PAGES        8
#define SPECIAL_PAGE_CONSOLE 0
#define SPECIAL_PAGE_STORE   1
#define VM_AREAS_MAX         4

enum vcpu_request {
	VCPU_REQ_STOP = 1 << 0,
	VCPU_REQ_TIME_AREA = 1 << 1,     /* vcpu_info has moved: tell KVM */
	VCPU_REQ_UPCALL_METHOD = 1 << 2, /* upcall method has changed */
	VCPU_REQ_NMI = 1 << 3,
	VCPU_REQ_CALLBACK = 1 << 4, /* vCPU 0's callback is a line, and shall rise */
	VCPU_REQ_PAUSE = 1 << 5,    /* wait for vm_resume() */
};

struct vm_vcpu {
	struct vm *vm;
	struct vcpu *vcpu;
	int fd;
	struct kvm_run *run;
	pthread_t thread; /* to be joined, if started: for vm_start and vm_stop */
	pthread_t self;   /* to be kicked, if running */
	bool started;
	bool running;      /* atomic */
	pid_t tid;         /* the kernel's name of the thread, atomic; 0: it has not begun */
	uint32_t requests; /* atomic */
	uint64_t time_ns;  /* of the host's CPUs that its thread had, when it ended; atomic */

	/*
	 * Of the exit at hand. Segments and control registers cost KVM some 500 instructions an
	 * exit, so they come with it only if the last hypercall needed them, and else by a call
	 * when wanted.
	 */
	struct kvm_sregs sregs;
	bool sregs_valid, want_sregs, from_page_64;
	struct paging paging;
	struct paging page_64; /* of who calls by the 64-bit page, but for cr3: as last seen */

	bool has_xsave, has_fsgsbase; /* what its CPUID says */
	bool synic_on;
	unsigned upcalls_dropped; /* atomic: the LAPIC was off, send again */
	uint8_t kernel_vector;    /* the upcall vector that KVM_XEN knows; 0: none. Atomic */
	bool reset;               /* it is down, and the shim knows of its INIT */

	uint32_t mp_state;    /* KVM_MP_STATE_*, as we have set it (wait.c) */
	int schedstat_fd;     /* of its thread; -1: none. Atomic */
	uint64_t steal_asked; /* when, by the coarse clock */

	struct watch timer; /* timerfd, served by the loop */
	uint64_t exits, mmio_exits;
	uint64_t exits_done;   /* so many of `exits` as were when KVM_RUN was last interrupted */
	uint64_t mmio_nowhere; /* of the latter: no memory there, even after a second look */
	uint64_t faults;       /* on memory that was being changed, or that is not accessible */
	uint64_t not_emulated; /* exits because of such */
	unsigned tries_left;   /* after those, with the memory as it is: */
	uint64_t fault_generation;
};

/* How the guest has ended. */
enum vm_end {
	VM_RUNNING,
	VM_SHUTDOWN, /* vm->shutdown_reason: SHUTDOWN_* of xen/sched.h */
	VM_FAILED,   /* KVM or the host could not go on: vm->failure */
};

struct vm_config {
	const char *device; /* normally /dev/kvm */
	enum accel accel;
	uint64_t memory; /* bytes, a multiple of the page size: what it shall have at first */
	/*
	 * The same, not less: what it may ever have, and is shown as RAM; 0: as `memory`. If more,
	 * its balloon driver gives the rest back when it starts.
	 */
	uint64_t max_memory;
	unsigned vcpus;
	domid_t domid;               /* 0: 1 */
	bool ioapic;                 /* has one, as HVM guests have */
	bool pv;                     /* a PV guest: its own kernel runs in ring 3 (pv.h) */
	bool manual_dirty_log;       /* dirty_log_get() does not clear, dirty_log_clear() does */
	void (*ended)(void *opaque); /* once, on any thread */
	/*
	 * The guest begins anew: vm_pause_begin() has been called, the rest is to be done on
	 * another thread than a vCPU's: vm_pause_wait(), vm_soft_reset(), vm_resume(). Any thread.
	 */
	void (*soft_reset)(void *opaque);
	void (*console_write)(void *opaque, const char *bytes, size_t len);
	void *opaque;
};

struct vm {
	struct vm_config config;
	int kvm_fd, fd;
	int run_size;
	bool kvm_xen;
	struct pv_monitor *pv;         /* NULL: not a PV guest */
	struct kvm_xen_events *events; /* what KVM_XEN sends (kvm_xen_events.h); NULL: nothing */
	struct loop *loop;

	struct domain domain;
	struct ram ram; /* where a kernel may be loaded: neither of the two below */
	uint8_t *acpi;
	int overlay_fd;
	/* What vm_memory_create has mapped; an index is the number of its slot. */
	struct vm_area {
		uint64_t gpa, size;
		uint8_t *hva;
		bool borrowed;        /* not ours to free */
		uint64_t *kept_small; /* balloon.c: a bit for each huge page */
	} areas[VM_AREAS_MAX];
	unsigned nr_areas;
	unsigned kept_small; /* of all areas; under the reservation's lock, as the bits */
	uint32_t tsc_khz;
	struct hvm_memmap_table_entry memmap[VM_AREAS_MAX];

	/* If so configured. The lock is the last of all. */
	pthread_mutex_t ioapic_lock;
	struct ioapic ioapic;
	struct ioapic_message ioapic_routes[IOAPIC_PINS]; /* that KVM has; data 0: none */

	struct watch upcall_retry; /* timerfd */
	unsigned upcall_retry_ms;  /* atomic */

	pthread_mutex_t end_lock;
	enum vm_end end;
	int shutdown_reason;
	struct problem failure;

	/* text.c: hypercall instructions that were made port reads, the first that a loader did. */
	unsigned calls_patched;
	bool text_unknown;            /* what runs may have others. Atomic */
	const uint8_t *first_patched; /* in `ram`; NULL: none */

	/* pause.c: under pause_lock. */
	pthread_mutex_t pause_lock;
	pthread_cond_t pause_changed;
	unsigned pauses;          /* who wants that all stand still */
	unsigned threads_running; /* vCPUs' that do not */

	unsigned nr_vcpus;
	struct vm_vcpu vcpus[DOMAIN_MAX_VCPUS];
};

/* The accel of that name; -1 if there is none. */
int accel_parse(const char *name, enum accel *accel);
const char *accel_name(enum accel accel);

/* 0, or -1 with the reason in *p and nothing held. */
int vm_create(struct vm *vm, const struct vm_config *config, struct loop *loop, struct problem *p);
/* Start the vCPUs; the first enters at `entry` with ebx = start_info, as PVH says. */
int vm_start(struct vm *vm, uint32_t entry, uint32_t start_info, struct problem *p);
/* A PV guest's: its monitor has vCPU 0's context (pv.h). */
int vm_start_pv(struct vm *vm, struct problem *p);
/* Stop all vCPU threads and wait for them. */
void vm_stop(struct vm *vm);
void vm_destroy(struct vm *vm);

/* The guest is over. The first call counts; calls `ended`. Any thread. */
void vm_end_shutdown(struct vm *vm, int reason);
void vm_end_failed(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * pause.c: no vCPU runs, or handles an exit, from when vm_pause_wait() has returned until
 * vm_resume(). Pauses count: each vm_pause_begin() needs its vm_resume(). Any thread; only
 * vm_pause_wait() waits, and is not for a vCPU's thread or one with a lock that those take.
 */
void vm_pause_begin(struct vm *vm);
void vm_pause_wait(struct vm *vm);
void vm_resume(struct vm *vm);
void vm_pause_create(struct vm *vm);
void vm_pause_destroy(struct vm *vm);
/* The guest ends: those that are paused go on, to their end. */
void vm_pause_recheck(struct vm *vm);
/* vcpu.c tells: before a vCPU's thread begins, at its end, and when it has been asked to pause. */
void vm_thread_begins(struct vm *vm);
void vm_thread_ends(struct vm *vm);
void vcpu_park(struct vm_vcpu *vv);

/*
 * text.c: hypercalls in the text of kernels, on stock KVM. loaded: the loader has patched it.
 * replaced: by another kernel, soon. No vCPU runs meanwhile.
 */
void vm_text_loaded(struct vm *vm, const struct patch_stats *stats);
void vm_text_replaced(struct vm *vm);
/* A vCPU of stock KVM writes MSR_GS_BASE. Its own thread, at that exit. */
void vcpu_look_at_text(struct vm_vcpu *vv);
/* The same of MSR_EFER, without paging and not for long mode. */
void vcpu_look_at_text_32(struct vm_vcpu *vv);

/* While no vCPU runs: the guest begins anew. 0, or -errno, and then it cannot go on. */
int vm_soft_reset(struct vm *vm);

/* memory.c: the guest's RAM and its like. */
int vm_memory_create(struct vm *vm, struct problem *p);
/* Also hides all overlays. The domain is still there. */
void vm_memory_destroy(struct vm *vm);

/* balloon.c: platform_ops.ram_discard and ram_populated. */
void vm_ram_discard(struct domain *d, struct gfn base, uint64_t npages);
void vm_ram_populated(struct domain *d, struct gfn base, uint64_t npages);
/* What it keeps of an area, to be freed with it: 0 or -ENOMEM. */
int vm_area_books(struct vm_area *a);

/* slots.c: the shim's memslots on KVM. */
extern const struct memslot_ops vm_memslot_ops;
/* If the configuration says so; before the first slot. */
int vm_enable_manual_dirty_log(struct vm *vm, struct problem *p);

/* mmio.c: an access where KVM has found no memory. */
void vcpu_handle_mmio(struct vm_vcpu *vv);

/* retry.c: after EFAULT of KVM_RUN, or a failed emulation: may the guest try again? */
bool vcpu_retry_fault(struct vm_vcpu *vv);
bool vcpu_retry_emulation(struct vm_vcpu *vv);

/* cpuid.c, msr.c, clock.c: what a new VM and vCPU are given. */
int vm_set_cpuid(struct vm_vcpu *vv, struct problem *p);
int vm_filter_msrs(struct vm *vm, struct problem *p);
int vcpu_init_msrs(struct vm_vcpu *vv, struct problem *p);
/* 0, -EINVAL: KVM has no such MSR or not that value, or another -errno. */
int vcpu_set_msr(struct vm_vcpu *vv, uint32_t index, uint64_t value);
int vcpu_get_msr(struct vm_vcpu *vv, uint32_t index, uint64_t *value);
void vcpu_handle_rdmsr(struct vm_vcpu *vv);
void vcpu_handle_wrmsr(struct vm_vcpu *vv);
uint64_t vm_system_time(struct vcpu *v);
uint64_t vm_wallclock_base(struct domain *d);
int vcpu_timer_create(struct vm_vcpu *vv, struct problem *p);
void vcpu_timer_destroy(struct vm_vcpu *vv);
void vm_set_timer(struct vcpu *v, uint64_t deadline);
void vm_time_area_moved(struct vcpu *v);
void vcpu_apply_time_area(struct vm_vcpu *vv);
/* Has KVM been told of the time area, and forgotten it? Its thread. */
bool vcpu_time_area_lost(struct vm_vcpu *vv);

/* wait.c: a vCPU that waits. The first five on its thread. */
void vcpu_begin(struct vm_vcpu *vv);
/* INIT and SIPI have started it, or so it seems: give back what INIT has taken away. */
void vcpu_restarted(struct vm_vcpu *vv);
void vcpu_prepare_run_slowly(struct vm_vcpu *vv);
void vcpu_has_run_slowly(struct vm_vcpu *vv);

/* Before each KVM_RUN: does it run now, or wait? */
static inline void vcpu_prepare_run(struct vm_vcpu *vv)
{
	if (vv->mp_state != KVM_MP_STATE_RUNNABLE || !vcpu_may_run(vv->vcpu))
		vcpu_prepare_run_slowly(vv);
}

/* After a KVM_RUN that did not fail, before the exit is handled. */
static inline void vcpu_has_run(struct vm_vcpu *vv)
{
	if (vv->mp_state != KVM_MP_STATE_RUNNABLE || gpc_is_active(&vv->vcpu->runstate_area))
		vcpu_has_run_slowly(vv);
}

void vm_set_context(struct vcpu *v, const struct vcpu_context *c);
/* When the thread is no more. */
void vcpu_end(struct vm_vcpu *vv);
uint64_t vm_run_delay(struct vcpu *v);
bool vm_interrupts_enabled(struct vcpu *v);
bool vm_must_stop(struct vcpu *v);
void vm_wake(struct vcpu *v);
void vm_nmi(struct vcpu *v);

/* irq.c: upcalls. */
int vm_upcalls_create(struct vm *vm, struct problem *p);
/* Send again what the vCPU's LAPIC has dropped. Any thread. */
void vcpu_retry_upcall(struct vm_vcpu *vv);
void vm_upcall(struct vcpu *v);
void vm_upcall_method_changed(struct domain *d);
void vcpu_apply_upcall_method(struct vm_vcpu *vv);

/* ioapic.c. Of the next to last: false: the access is not to the I/O APIC. */
void vm_ioapic_create(struct vm *vm);
void vm_set_gsi(struct domain *d, unsigned gsi, bool level);
bool vcpu_ioapic_mmio(struct vm_vcpu *vv);
void vcpu_ioapic_eoi(struct vm_vcpu *vv);

/* intercept.c: how a hypercall reaches the shim. */
int vm_enable_hypercalls(struct vm *vm, struct problem *p);
int vm_set_word_size(struct vm *vm);
const struct paging *vcpu_paging(struct vcpu *v, bool exact);
/* False: the port is not a hypercall's. */
bool vcpu_hypercall_port(struct vm_vcpu *vv);
void vcpu_hypercall_xen(struct vm_vcpu *vv);
/* Fill the hypercall page at value's frame (MSR write); false: #GP. */
bool vcpu_fill_hypercall_page(struct vm_vcpu *vv, uint64_t value);

/* vcpu.c: the run loop. */
int vcpu_create(struct vm *vm, struct vm_vcpu *vv, struct problem *p);
void vcpu_destroy(struct vm_vcpu *vv);
int vcpu_set_pvh_state(struct vm_vcpu *vv, uint32_t entry, uint32_t start_info, struct problem *p);
int vcpu_thread_start(struct vm_vcpu *vv, struct problem *p);
/* Post requests (may be 0) and make sure that the vCPU looks at them before it runs on. Any thread.
 */
void vcpu_post(struct vm_vcpu *vv, uint32_t requests);
bool vcpu_is_current(const struct vm_vcpu *vv);

#endif
