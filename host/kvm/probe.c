// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/probe_trials.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/kvm/uapi.h"

/* Newer than Debian 12's linux/kvm.h: Linux 6.3. */
#ifndef KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG
#define KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG (1 << 6)
#endif

/* Facts that KVM_CHECK_EXTENSION tells: all bits of `bits` are there. */
static const struct {
	enum kvm_fact fact;
	int cap;
	unsigned int bits;
} capabilities[] = {
	{KVM_FACT_SYNC_REGS, KVM_CAP_SYNC_REGS, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS},
	{KVM_FACT_IMMEDIATE_EXIT, KVM_CAP_IMMEDIATE_EXIT, 1},
	{KVM_FACT_SIGNAL_MSI, KVM_CAP_SIGNAL_MSI, 1},
	{KVM_FACT_TSC_DEADLINE, KVM_CAP_TSC_DEADLINE_TIMER, 1},
	{KVM_FACT_GMEM, KVM_CAP_GUEST_MEMFD, 1},
	{KVM_FACT_XEN, KVM_CAP_XEN_HVM, KVM_XEN_HVM_CONFIG_HYPERCALL_MSR},
	{KVM_FACT_XEN_INTERCEPT, KVM_CAP_XEN_HVM, KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL},
	{KVM_FACT_XEN_SHARED_INFO, KVM_CAP_XEN_HVM, KVM_XEN_HVM_CONFIG_SHARED_INFO},
	{KVM_FACT_XEN_RUNSTATE, KVM_CAP_XEN_HVM, KVM_XEN_HVM_CONFIG_RUNSTATE},
	{KVM_FACT_XEN_EVTCHN_SEND, KVM_CAP_XEN_HVM, KVM_XEN_HVM_CONFIG_EVTCHN_SEND},
	{KVM_FACT_XEN_RUNSTATE_FLAG, KVM_CAP_XEN_HVM, KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG},
};

/* Facts that only a guest tells, each in a machine of its own. */
static const struct {
	enum kvm_fact fact;
	bool irqchip;
	probe_trial run;
} trials[] = {
	{KVM_FACT_UNPAGED, false, probe_unpaged},
	{KVM_FACT_PAGING_32, false, probe_paging_32},
	{KVM_FACT_PAGING_PAE, false, probe_paging_pae},
	{KVM_FACT_LONG_MODE, false, probe_long_mode},
	{KVM_FACT_SYSCALL, false, probe_syscall},
	{KVM_FACT_USER_SPACE_MSR, false, probe_user_space_msr},
	{KVM_FACT_MSR_FILTER, false, probe_msr_filter},
	{KVM_FACT_PVCLOCK, false, probe_pvclock},
	{KVM_FACT_SYNIC, true, probe_synic},
	{KVM_FACT_AUTO_EOI, true, probe_auto_eoi},
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Leaf 1 and 0x80000001 (Intel SDM, CPUID; AMD APM volume 3, appendix E). */
static void ask_cpu(struct kvm_facts *facts)
{
	unsigned int eax, ebx, ecx, edx;

	if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
		facts->cpu_vmx = ecx & (1u << 5);
		facts->cpu_virtual = ecx & (1u << 31);
	}
	if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx))
		facts->cpu_svm = ecx & (1u << 2);
}

static enum kvm_device device_of_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENODEV:
	case ENXIO:
		return KVM_DEVICE_MISSING;
	case EACCES:
	case EPERM:
		return KVM_DEVICE_DENIED;
	case EBUSY:
		return KVM_DEVICE_BUSY;
	default:
		return KVM_DEVICE_ERROR;
	}
}

static void note_owner(struct kvm_facts *facts)
{
	struct stat st;

	if (stat(facts->path, &st) < 0)
		return;
	facts->exists = true;
	facts->mode = st.st_mode;
	facts->uid = st.st_uid;
	facts->gid = st.st_gid;
}

/* Open the device and see that it is KVM: the file descriptor, or -1 with facts->device set. */
static int open_device(struct kvm_facts *facts)
{
	int fd;

	note_owner(facts);
	/* O_NONBLOCK: whatever the path names, opening it must not hang. */
	fd = open(facts->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		facts->error = errno;
		facts->device = device_of_errno(errno);
		return -1;
	}
	facts->api_version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (!S_ISCHR(facts->mode) || facts->api_version < 0)
		facts->device = KVM_DEVICE_NOT_KVM;
	else if (facts->api_version != KVM_API_VERSION)
		facts->device = KVM_DEVICE_VERSION;
	else
		return fd;
	close(fd);
	return -1;
}

static void ask_capabilities(int kvm, struct kvm_facts *facts)
{
	int n = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	facts->max_vcpus = n > 0 ? n : 0;
	n = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
	facts->xen_features = n > 0 ? n : 0;
	for (size_t i = 0; i < ARRAY_LEN(capabilities); i++) {
		n = ioctl(kvm, KVM_CHECK_EXTENSION, capabilities[i].cap);
		facts->answer[capabilities[i].fact] =
			n > 0 && (n & capabilities[i].bits) == capabilities[i].bits ? KVM_WORKS
										    : KVM_ABSENT;
	}
}

/* Can there be a virtual machine at all? */
static bool try_machine(int kvm, struct kvm_facts *facts)
{
	struct probe_vm vm;

	if (probe_vm_open(&vm, kvm, false) < 0) {
		facts->error = errno;
		facts->device = errno == EBUSY ? KVM_DEVICE_BUSY : KVM_DEVICE_NO_VM;
		return false;
	}
	probe_vm_close(&vm);
	return true;
}

static enum kvm_answer in_machine(int kvm, bool irqchip, probe_trial run, struct kvm_facts *facts)
{
	enum kvm_answer answer;
	struct probe_vm vm;

	/* The plain machine could be made, so it is the irqchip that could not. */
	if (probe_vm_open(&vm, kvm, irqchip) < 0)
		return KVM_ABSENT;
	answer = run(&vm, facts);
	probe_vm_close(&vm);
	return answer;
}

static enum kvm_answer having_machine(struct probe_vm *vm, struct kvm_facts *facts)
{
	(void)vm;
	(void)facts;
	return KVM_WORKS;
}

/* Emulation costs thousands of times the CPU's own speed, noise not even ten. */
static enum kvm_answer judge_ring0(const struct kvm_facts *facts)
{
	const struct kvm_speed *speed = &facts->speed;
	double slowest = speed->ring0 > speed->unpaged ? speed->ring0 : speed->unpaged;

	if (facts->answer[KVM_FACT_UNPAGED] != KVM_WORKS || speed->host <= 0)
		return KVM_NOT_TRIED;
	return slowest > PROBE_EMULATED_RATIO * speed->host ? KVM_EMULATED : KVM_WORKS;
}

static void try_guests(int kvm, struct kvm_facts *facts)
{
	facts->answer[KVM_FACT_SPLIT_IRQCHIP] = in_machine(kvm, true, having_machine, facts);
	for (size_t i = 0; i < ARRAY_LEN(trials); i++)
		facts->answer[trials[i].fact] =
			in_machine(kvm, trials[i].irqchip, trials[i].run, facts);
	in_machine(kvm, false, probe_user_speed, facts);
	facts->speed.host = probe_host_speed();
	facts->answer[KVM_FACT_RING0_NATIVE] = judge_ring0(facts);
}

void probe_kvm(const char *path, struct kvm_facts *facts)
{
	int kvm;

	*facts = (struct kvm_facts){.path = path};
	ask_cpu(facts);
	kvm = open_device(facts);
	if (kvm < 0)
		return;
	ask_capabilities(kvm, facts);
	if (try_machine(kvm, facts))
		try_guests(kvm, facts);
	close(kvm);
}

enum kvm_answer probe_fact(const char *path, enum kvm_fact fact)
{
	struct kvm_facts facts = {.path = path};
	enum kvm_answer answer = KVM_NOT_TRIED;
	int kvm = open_device(&facts);

	if (kvm < 0)
		return KVM_NOT_TRIED;
	for (size_t i = 0; i < ARRAY_LEN(trials); i++)
		if (trials[i].fact == fact)
			answer = in_machine(kvm, trials[i].irqchip, trials[i].run, &facts);
	close(kvm);
	return answer;
}
