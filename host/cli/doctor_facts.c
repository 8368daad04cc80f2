// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/doctor.h"

#include <stddef.h>

static const char run_in_hardware[] =
	"This KVM runs guest kernels in software. Use a machine with VT-x or AMD-V: in a cloud, a bare\n"
	"metal instance or one with nested virtualisation; in a virtual machine, turn nesting on.";

static const char newer_kernel_5_10[] = "Use a host kernel of Linux 5.10 or newer.";

static const char hyperv_kernel[] =
	"Use a host kernel with CONFIG_KVM_HYPERV=y (before Linux 6.8 it was always built in) and a KVM\n"
	"that has the LAPIC in the kernel.";

static const char xen_kernel[] =
	"Not needed, it only makes guests faster. Host kernels with CONFIG_KVM_XEN=y have it, newer\n"
	"ones more of it.";

/* The entry of PVH is without paging; a PV guest's monitor begins in long mode. */
#define DOCTOR_ALL (DOCTOR_PVH | DOCTOR_PV)

/* clang-format off */
const struct doctor_fact doctor_facts[KVM_FACT_COUNT] = {
	{KVM_FACT_UNPAGED, DOCTOR_PVH, "unpaged", "32-bit, paging off", run_in_hardware},
	{KVM_FACT_LONG_MODE, DOCTOR_ALL, "long-mode", "64-bit long mode", run_in_hardware},
	{KVM_FACT_PAGING_32, DOCTOR_32, "paging-32", "32-bit paging", run_in_hardware},
	{KVM_FACT_PAGING_PAE, DOCTOR_32, "paging-pae", "32-bit PAE paging", run_in_hardware},
	{KVM_FACT_RING0_NATIVE, DOCTOR_ALL, "ring0-native", "ring 0 on the CPU", run_in_hardware},
	{KVM_FACT_SYSCALL, DOCTOR_PV, "syscall", "SYSCALL into ring 0", run_in_hardware},
	{KVM_FACT_SYNC_REGS, DOCTOR_ALL, "sync-regs", "registers in kvm_run",
	 "Use a host kernel of Linux 4.17 or newer."},
	{KVM_FACT_IMMEDIATE_EXIT, DOCTOR_ALL, "immediate-exit", "immediate exit",
	 "Use a host kernel of Linux 4.13 or newer."},
	{KVM_FACT_USER_SPACE_MSR, DOCTOR_ALL, "user-space-msr", "MSR exits", newer_kernel_5_10},
	{KVM_FACT_MSR_FILTER, DOCTOR_ALL, "msr-filter", "MSR filter", newer_kernel_5_10},
	{KVM_FACT_SPLIT_IRQCHIP, DOCTOR_ALL, "split-irqchip", "split irqchip",
	 "Use a host kernel of Linux 4.4 or newer with a LAPIC in the kernel."},
	{KVM_FACT_SIGNAL_MSI, DOCTOR_ALL, "signal-msi", "MSI from here",
	 "Use a host kernel of Linux 3.5 or newer."},
	{KVM_FACT_SYNIC, DOCTOR_ALL, "synic", "SynIC", hyperv_kernel},
	{KVM_FACT_AUTO_EOI, DOCTOR_ALL, "auto-eoi", "interrupts without EOI", hyperv_kernel},
	{KVM_FACT_PVCLOCK, DOCTOR_ALL, "pvclock", "clock page",
	 "Use a host with a stable TSC, whose KVM has its paravirtual clock."},
	{KVM_FACT_TSC_DEADLINE, 0, "tsc-deadline", "TSC-deadline timer",
	 "Not needed: guests use the Xen timer or the plain LAPIC timer."},
	{KVM_FACT_GMEM, 0, "gmem", "guest_memfd",
	 "Not needed. Host kernels of Linux 6.8 and newer can have it."},
	{KVM_FACT_XEN, 0, "kvm-xen", "KVM_XEN", xen_kernel},
	{KVM_FACT_XEN_INTERCEPT, 0, "kvm-xen-intercept", "KVM_XEN hypercall exits",
	 xen_kernel},
	{KVM_FACT_XEN_SHARED_INFO, 0, "kvm-xen-shared-info", "KVM_XEN shared_info",
	 xen_kernel},
	{KVM_FACT_XEN_RUNSTATE, 0, "kvm-xen-runstate", "KVM_XEN runstate", xen_kernel},
	{KVM_FACT_XEN_EVTCHN_SEND, 0, "kvm-xen-evtchn-send", "KVM_XEN event send",
	 xen_kernel},
	{KVM_FACT_XEN_RUNSTATE_FLAG, 0, "kvm-xen-runstate-flag", "KVM_XEN runstate flag", xen_kernel},
};
/* clang-format on */

static const struct {
	const char *word, *text;
} answers[] = {
	[KVM_NOT_TRIED] = {"not-tried", "not tried"},
	[KVM_WORKS] = {"works", "yes"},
	[KVM_ABSENT] = {"absent", "no"},
	[KVM_EMULATED] = {"emulated", "no: emulated"},
	[KVM_SHUTDOWN] = {"shutdown", "no: the vCPU shut down"},
	[KVM_INTERNAL_ERROR] = {"internal-error", "no: KVM internal error"},
	[KVM_TIMED_OUT] = {"timed-out", "no: the test guest hung"},
	[KVM_WRONG] = {"wrong", "no: the test guest saw a wrong result"},
};

const char *doctor_answer_text(enum kvm_answer answer)
{
	return answers[answer].text;
}

const char *doctor_answer_word(enum kvm_answer answer)
{
	return answers[answer].word;
}

bool doctor_blocks(const struct kvm_facts *facts, int i, enum doctor_guest guest)
{
	return doctor_facts[i].need & guest && facts->answer[doctor_facts[i].fact] != KVM_WORKS;
}

bool doctor_runs(const struct kvm_facts *facts, enum doctor_guest guest)
{
	if (facts->device != KVM_DEVICE_OK)
		return false;
	for (int i = 0; i < KVM_FACT_COUNT; i++)
		if (doctor_blocks(facts, i, guest))
			return false;
	return true;
}

/* KVM_XEN_HVM_CONFIG_* of Linux 6.12's uapi header, lower case, '-' for '_'. */
const char *doctor_xen_feature(int bit)
{
	static const char *const names[] = {
		"hypercall-msr",        "intercept-hcall",
		"shared-info",          "runstate",
		"evtchn-2level",        "evtchn-send",
		"runstate-update-flag", "pvclock-tsc-unstable",
		"shared-info-hva",
	};

	return bit < (int)(sizeof(names) / sizeof(names[0])) ? names[bit] : NULL;
}
