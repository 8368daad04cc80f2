/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host's KVM can do, found out by trying it.
 *
 * probe_kvm() opens the device, asks for capabilities, and runs guests of a few instructions each
 * (probe_guest.S). It only fills in facts; host/cli/doctor.c puts them into words.
 */
#ifndef HOST_KVM_PROBE_H
#define HOST_KVM_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One thing that a KVM has or lacks. */
enum kvm_fact {
	KVM_FACT_UNPAGED,           /* 32-bit protected mode without paging, the PVH entry state */
	KVM_FACT_PAGING_32,         /* two-level paging */
	KVM_FACT_PAGING_PAE,        /* three-level paging */
	KVM_FACT_LONG_MODE,         /* four-level paging and 64-bit code */
	KVM_FACT_RING0_NATIVE,      /* ring-0 code runs on the CPU, not in an emulator */
	KVM_FACT_SYSCALL,           /* SYSCALL in ring 3 arrives in ring 0 */
	KVM_FACT_SYNC_REGS,         /* registers travel in struct kvm_run */
	KVM_FACT_IMMEDIATE_EXIT,    /* kvm_run.immediate_exit */
	KVM_FACT_USER_SPACE_MSR,    /* MSR accesses can exit to us */
	KVM_FACT_MSR_FILTER,        /* ... a chosen MSR really does */
	KVM_FACT_SPLIT_IRQCHIP,     /* LAPIC in the kernel, the rest here */
	KVM_FACT_SIGNAL_MSI,        /* KVM_SIGNAL_MSI */
	KVM_FACT_SYNIC,             /* the Hyper-V interrupt controller, for its auto-EOI */
	KVM_FACT_AUTO_EOI,          /* ... a vector comes again and again with no EOI */
	KVM_FACT_PVCLOCK,           /* KVM keeps a vcpu_time_info current */
	KVM_FACT_TSC_DEADLINE,      /* LAPIC timer in TSC-deadline mode */
	KVM_FACT_GMEM,              /* guest_memfd */
	KVM_FACT_XEN,               /* CONFIG_KVM_XEN: hypercall page by the kernel */
	KVM_FACT_XEN_INTERCEPT,     /* ... hypercalls exit with KVM_EXIT_XEN */
	KVM_FACT_XEN_SHARED_INFO,   /* ... the kernel knows shared_info and vcpu_info */
	KVM_FACT_XEN_RUNSTATE,      /* ... accounts runstate */
	KVM_FACT_XEN_EVTCHN_SEND,   /* ... sends events, keeps timers */
	KVM_FACT_XEN_RUNSTATE_FLAG, /* ... the runstate update flag can be chosen */
	KVM_FACT_COUNT
};

/* What trying it gave. */
enum kvm_answer {
	KVM_NOT_TRIED = 0, /* something before it failed */
	KVM_WORKS,
	KVM_ABSENT,         /* the capability is not offered, or its ioctl refused */
	KVM_EMULATED,       /* it works, but far slower than the CPU */
	KVM_SHUTDOWN,       /* the vCPU shut down (triple fault) */
	KVM_INTERNAL_ERROR, /* KVM_EXIT_INTERNAL_ERROR or KVM_EXIT_FAIL_ENTRY */
	KVM_TIMED_OUT,      /* no answer from the guest in PROBE_TIMEOUT_MS */
	KVM_WRONG,          /* an answer, but not the right one */
};

/* How far the way to a virtual machine goes. */
enum kvm_device {
	KVM_DEVICE_OK,
	KVM_DEVICE_MISSING, /* no such file, or no driver behind it */
	KVM_DEVICE_DENIED,  /* not permitted to open it */
	KVM_DEVICE_BUSY,    /* the device or the CPU's virtualisation is in other hands */
	KVM_DEVICE_NOT_KVM, /* it opens but does not answer as KVM */
	KVM_DEVICE_VERSION, /* an API version other than 12 */
	KVM_DEVICE_NO_VM,   /* KVM answers but makes no virtual machine */
	KVM_DEVICE_ERROR,   /* any other errno */
};

/* Nanoseconds for one instruction of a tight loop; 0 when not measured. */
struct kvm_speed {
	double host;    /* this process */
	double unpaged; /* guest, ring 0, 32-bit protected mode */
	double ring0;   /* guest, ring 0, long mode */
	double ring3;   /* guest, ring 3, long mode */
};

struct kvm_facts {
	const char *path; /* the device, as the caller gave it: not owned */
	enum kvm_device device;
	int error;       /* errno belonging to `device`, 0 if none */
	int api_version; /* when it could be asked */
	bool exists;     /* the next three lines are valid */
	mode_t mode;
	uid_t uid;
	gid_t gid;

	bool cpu_vmx, cpu_svm; /* what CPUID shows this process */
	bool cpu_virtual;      /* this machine is itself a guest */

	enum kvm_answer answer[KVM_FACT_COUNT];
	struct kvm_speed speed;
	uint32_t xen_features; /* KVM_XEN_HVM_CONFIG_* bits, also those without a fact above */
	unsigned int max_vcpus;
};

/* No single trial takes longer than this. */
#define PROBE_TIMEOUT_MS 2000

/* Ring 0 counts as emulated from this many times the host's own time per instruction. */
#define PROBE_EMULATED_RATIO 30

/*
 * Fill in *facts for the KVM device at `path` (normally /dev/kvm). Always gives an answer: what
 * cannot be found out stays KVM_NOT_TRIED, and facts->device says why. Uses SIGALRM, blocked
 * during the call and not handled; not for use by two threads of a process at once.
 */
void probe_kvm(const char *path, struct kvm_facts *facts);

/* One fact that is found out by running a guest, in a few ms. KVM_NOT_TRIED: there is no KVM. */
enum kvm_answer probe_fact(const char *path, enum kvm_fact fact);

#endif
