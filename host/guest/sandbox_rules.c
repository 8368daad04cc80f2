// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every system call that the process of a running guest may make, each with its reason. A call that
 * is not here ends the process. Whoever needs another one adds its line, with the narrowest
 * arguments that will do: only plain numbers can be looked at, nothing behind a pointer.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "host/guest/sandbox_internal.h"
#include "host/kvm/uapi.h"
#include "shim/types.h"

/* A call whatever its arguments are. */
struct call {
	int nr;
	const char *why;
};

static const struct call calls[] = {
	/* The event loop, and threads that wait. */
	{SCMP_SYS(epoll_wait), "the event loop waits"},
	{SCMP_SYS(epoll_pwait), "the same, by another name of the C library's"},
	{SCMP_SYS(epoll_ctl), "it watches a descriptor more or less"},
	{SCMP_SYS(epoll_create1), "a disk's or network's thread begins with a loop of its own"},
	{SCMP_SYS(poll), "a disk behind NBD waits for its server"},
	{SCMP_SYS(ppoll), "the same"},
	{SCMP_SYS(eventfd2), "threads tell each other; a restarted guest makes its own anew"},
	{SCMP_SYS(timerfd_create), "a vCPU's timer"},
	{SCMP_SYS(timerfd_settime), "it is set"},
	{SCMP_SYS(timerfd_gettime), "it is looked at"},
	{SCMP_SYS(signalfd4), "signals come by the loop"},
	{SCMP_SYS(pipe2), "a console's bytes, and answers to commands"},

	/* Bytes in and out of what is open. */
	{SCMP_SYS(read), "everything that is open"},
	{SCMP_SYS(write), "the same; eventfds and messages"},
	{SCMP_SYS(readv), "console and store"},
	{SCMP_SYS(writev), "the same"},
	{SCMP_SYS(pread64), "disks"},
	{SCMP_SYS(pwrite64), "disks; the memory of a guest that has crashed"},
	{SCMP_SYS(preadv), "disks"},
	{SCMP_SYS(pwritev), "disks"},
	{SCMP_SYS(preadv2), "disks, without waiting"},
	{SCMP_SYS(pwritev2), "disks, and at once on the medium"},
	{SCMP_SYS(fsync), "flush: what the guest has been told is durable, is"},
	{SCMP_SYS(fdatasync), "the same"},
	{SCMP_SYS(fallocate), "discard; the pages of a soft reset"},
	{SCMP_SYS(ftruncate), "the hypervisor's pages; the file with the guest's name"},
	{SCMP_SYS(lseek), "the size of a disk, that may change"},
	{SCMP_SYS(io_uring_enter),
	 "disks, by rings that are there and can do no more (image_rings.h)"},

	/* Sockets that are there, or come by accept or over one of them. */
	{SCMP_SYS(accept4), "clients of the control socket and of the store"},
	{SCMP_SYS(recvmsg), "requests, with descriptors; packets"},
	{SCMP_SYS(sendmsg), "answers; packets"},
	{SCMP_SYS(recvmmsg), "packets"},
	{SCMP_SYS(sendmmsg), "packets"},
	{SCMP_SYS(recvfrom), "the same as read"},
	{SCMP_SYS(shutdown), "a connection ends"},
	{SCMP_SYS(getsockopt), "what went wrong with a connection; who its client is"},
	{SCMP_SYS(setsockopt), "sizes of buffers"},
	{SCMP_SYS(getsockname), "an NBD connection looks at its socket"},
	{SCMP_SYS(getpeername), "the same"},

	/* Descriptors and files that may be read. */
	{SCMP_SYS(close), "what is no longer needed"},
	{SCMP_SYS(dup), "one descriptor for two owners"},
	{SCMP_SYS(dup3), "the same, at a number"},
	{SCMP_SYS(fstat), "what kind of file it is, and how long"},
	{SCMP_SYS(newfstatat), "the same, by the C library"},
	{SCMP_SYS(statx), "the same"},
	{SCMP_SYS(fstatfs), "can a disk discard"},
	{SCMP_SYS(getdents64), "guests of the runtime folder, for a name that is taken"},
	{SCMP_SYS(flock), "the runtime folder's lock, while a name is taken"},

	/* Memory. */
	{SCMP_SYS(munmap), "slots, rings and grants that go"},
	{SCMP_SYS(mremap), "RAM aside for an overlay; a larger allocation"},
	{SCMP_SYS(madvise), "RAM that the guest gives back"},
	{SCMP_SYS(brk), "the heap"},
	{SCMP_SYS(memfd_create), "the hypervisor's pages of a guest that restarts"},
	{SCMP_SYS(membarrier), "RCU"},

	/* Threads and time. */
	{SCMP_SYS(futex), "locks and conditions"},
	{SCMP_SYS(rseq), "a thread begins"},
	{SCMP_SYS(set_robust_list), "the same"},
	{SCMP_SYS(sched_yield), "the guest's SCHEDOP_yield"},
	{SCMP_SYS(sched_getaffinity), "how many threads make sense"},
	{SCMP_SYS(sched_setscheduler),
	 "a disk's thread lets the guest go first, or does not (SCHED_BATCH)"},
	{SCMP_SYS(gettid), "a thread asks who it is"},
	{SCMP_SYS(getpid), "the same of the process"},
	{SCMP_SYS(getuid), "whose client it is"},
	{SCMP_SYS(geteuid), "the same"},
	{SCMP_SYS(clock_gettime), "time, where the vDSO does not tell"},
	{SCMP_SYS(clock_getres), "the same"},
	{SCMP_SYS(clock_nanosleep), "a retry"},
	{SCMP_SYS(nanosleep), "the same"},
	{SCMP_SYS(gettimeofday), "time"},
	{SCMP_SYS(time), "the same"},
	{SCMP_SYS(getrandom), "addresses, identifiers, the heap's secrets"},
	{SCMP_SYS(getrusage), "how long a guest has run, for lists"},
	{SCMP_SYS(sysinfo), "how much memory the host has, for lists"},
	{SCMP_SYS(uname), "the host's name, for lists"},

	/* Signals and the end. */
	{SCMP_SYS(rt_sigaction), "the end of this: a handler goes"},
	{SCMP_SYS(rt_sigprocmask), "a thread begins with signals off"},
	{SCMP_SYS(rt_sigreturn), "a kick was handled"},
	{SCMP_SYS(rt_sigtimedwait), "a thread waits for one"},
	{SCMP_SYS(sigaltstack), "a thread begins"},
	{SCMP_SYS(restart_syscall), "the kernel goes on with a wait"},
	{SCMP_SYS(wait4), "a program that it has started has ended"},
	{SCMP_SYS(waitid), "the same"},
	{SCMP_SYS(exit), "a thread ends"},
	{SCMP_SYS(exit_group), "the process ends"},
};

/* A call with an argument that is looked at. */
struct checked_call {
	int nr;
	const char *why;
	struct scmp_arg_cmp arg;
};

#define EQ(n, value)                     \
	{                                \
		n, SCMP_CMP_EQ, value, 0 \
	}
#define MASKED(n, mask, bits)                     \
	{                                         \
		n, SCMP_CMP_MASKED_EQ, mask, bits \
	}

/* Flags of openat by which a file would be changed, or made: O_TMPFILE needs the first. */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

/* What makes a thread of this process, and nothing that another namespace begins with. */
#define THREAD                                                                              \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	 CLONE_SETTLS)
#define NAMESPACES                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

static const struct checked_call checked_calls[] = {
	{SCMP_SYS(openat), "files to read: KVM's and the kernel of a restart, /proc, /sys",
	 MASKED(2, WRITING, O_RDONLY)},
	{SCMP_SYS(mmap), "memory, none of it to be run", MASKED(2, PROT_EXEC, 0)},
	{SCMP_SYS(mprotect), "the same", MASKED(2, PROT_EXEC, 0)},
	{SCMP_SYS(clone), "a thread", MASKED(0, THREAD | NAMESPACES, THREAD)},
	{SCMP_SYS(io_uring_register), "a disk's queue takes a ring: what it is told by",
	 EQ(1, IORING_REGISTER_EVENTFD)},
	{SCMP_SYS(io_uring_register), "and gives it back", EQ(1, IORING_UNREGISTER_EVENTFD)},
	{SCMP_SYS(prctl), "a thread's name", EQ(0, PR_SET_NAME)},
	{SCMP_SYS(sendto), "the same as write: to no address", EQ(4, 0)},
	{SCMP_SYS(prlimit64), "limits are asked for, for a thread's stack", EQ(2, 0)},
	{SCMP_SYS(fcntl), "a descriptor's flags", EQ(1, F_GETFL)},
	{SCMP_SYS(fcntl), "not to wait on it", EQ(1, F_SETFL)},
	{SCMP_SYS(fcntl), "not to be inherited", EQ(1, F_GETFD)},
	{SCMP_SYS(fcntl), "the same", EQ(1, F_SETFD)},
	{SCMP_SYS(fcntl), "one descriptor for two owners", EQ(1, F_DUPFD_CLOEXEC)},
	{SCMP_SYS(fcntl), "the lock of an image that was attached", EQ(1, F_OFD_SETLK)},
	{SCMP_SYS(fcntl), "the same", EQ(1, F_OFD_GETLK)},
	{SCMP_SYS(fcntl), "room in a pipe", EQ(1, F_GETPIPE_SZ)},
};

/* Requests of ioctl. All of KVM's that the program makes, of which many at a restart only. */
static const struct {
	uint32_t request;
	const char *why;
} requests[] = {
	{KVM_SIGNAL_MSI, "an upcall, an interrupt of the I/O APIC"},
	{KVM_GET_REGS, "a hypercall's arguments"},
	{KVM_SET_REGS, "its result, where the exit does not carry it"},
	{KVM_GET_SREGS, "how the guest's addresses are translated"},
	{KVM_SET_SREGS, "a vCPU starts"},
	{KVM_SET_XCRS, "the same, a PV guest's"},
	{KVM_SET_MSRS, "where the clock is, and the SynIC's vector"},
	{KVM_GET_MSRS, "what a vCPU that starts again had"},
	{KVM_GET_CLOCK, "the guest's time"},
	{KVM_NMI, "VCPUOP_send_nmi"},
	{KVM_GET_STATS_FD, "what KVM has counted, for who asks at the end"},
	{KVM_GET_MP_STATE, "has a vCPU been started"},
	{KVM_SET_MP_STATE, "it is to wait for that"},
	{KVM_GET_VCPU_EVENTS, "what a vCPU that is reset has pending"},
	{KVM_SET_VCPU_EVENTS, "the same, put back"},
	{KVM_SET_USER_MEMORY_REGION, "slots"},
	{KVM_SET_USER_MEMORY_REGION2, "the same with private memory"},
	{KVM_CREATE_GUEST_MEMFD, "private memory"},
	{KVM_SET_MEMORY_ATTRIBUTES, "the same"},
	{KVM_GET_DIRTY_LOG, "pages that were written"},
	{KVM_CLEAR_DIRTY_LOG, "the same"},
	{KVM_SET_GSI_ROUTING, "the I/O APIC's ends of interrupt"},
	{KVM_ENABLE_CAP, "what is asked of a vCPU: the SynIC"},
	{KVM_XEN_HVM_CONFIG, "KVM's Xen support"},
	{KVM_XEN_HVM_SET_ATTR, "ports that KVM sends to"},
	{KVM_XEN_VCPU_SET_ATTR, "where vcpu_info is"},
	{KVM_CHECK_EXTENSION, "a restart: what KVM can do"},
	{KVM_GET_API_VERSION, "a restart"},
	{KVM_CREATE_VM, "a restart"},
	{KVM_GET_VCPU_MMAP_SIZE, "a restart"},
	{KVM_GET_SUPPORTED_CPUID, "a restart"},
	{KVM_CREATE_VCPU, "a restart"},
	{KVM_SET_CPUID2, "a restart"},
	{KVM_GET_TSC_KHZ, "a restart"},
	{KVM_SET_TSS_ADDR, "a restart"},
	{KVM_SET_IDENTITY_MAP_ADDR, "a restart"},
	{KVM_X86_SET_MSR_FILTER, "a restart"},
	{TCGETS, "is it a terminal"},
	{TCSETS, "the terminal as it was, at the end"},
	{FIONREAD, "has the pty's reader read the guest's last words"},
	{TIOCGPTPEER, "the same"},
	{TUNGETIFF, "a tap device that comes while the guest runs: which one it is"},
	{TUNSETOFFLOAD, "a tap device: what the guest's network can do"},
	{BLKDISCARD, "discard, to a block device"},
	{BLKGETSIZE64, "its size, that may change"},
	{BLKPBSZGET, "its sectors, when it is attached"},
	{BLKSSZGET, "the same"},
};

/* Each way in which an openat is not for reading alone. */
static const struct checked_call writing_calls[] = {
	{SCMP_SYS(openat), "to write", MASKED(2, O_WRONLY, O_WRONLY)},
	{SCMP_SYS(openat), "to read and write", MASKED(2, O_RDWR, O_RDWR)},
	{SCMP_SYS(openat), "to make", MASKED(2, O_CREAT, O_CREAT)},
	{SCMP_SYS(openat), "to empty", MASKED(2, O_TRUNC, O_TRUNC)},
};

/* Names of files: only where Landlock says which. */
static const struct call naming_calls[] = {
	{SCMP_SYS(unlink), "the guest's folder is emptied at the end"},
	{SCMP_SYS(unlinkat), "the same"},
	{SCMP_SYS(rmdir), "it goes"},
	{SCMP_SYS(linkat), "a crashed guest's memory gets its name"},
	{SCMP_SYS(mkdir), "the runtime folder, if it is not there: it is"},
};

static int add(scmp_filter_ctx filter, uint32_t action, const struct call *list, unsigned n)
{
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = seccomp_rule_add(filter, action, list[i].nr, 0);
	return rc;
}

static int add_checked(scmp_filter_ctx filter, uint32_t action, const struct checked_call *list,
		       unsigned n)
{
	int rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = seccomp_rule_add_array(filter, action, list[i].nr, 1, &list[i].arg);
	return rc;
}

/*
 * What a guest waits for at every exit comes first in the filter: ioctl by its priority, and this
 * request by its mask, for libseccomp puts those before the plain comparisons, which it sorts.
 * (What is looked at by number alone, most other calls, the kernel remembers and asks no filter.)
 */
static int allow_to_run(scmp_filter_ctx filter)
{
	static const struct checked_call run = {SCMP_SYS(ioctl), "a vCPU runs",
						MASKED(1, UINT32_MAX, KVM_RUN)};
	int rc = seccomp_syscall_priority(filter, run.nr, UINT8_MAX);

	return rc ? rc : add_checked(filter, SCMP_ACT_ALLOW, &run, 1);
}

static int allow_requests(scmp_filter_ctx filter)
{
	int rc = allow_to_run(filter);

	for (unsigned i = 0; i < ARRAY_SIZE(requests) && !rc; i++) {
		const struct checked_call call = {SCMP_SYS(ioctl), requests[i].why,
						  EQ(1, requests[i].request)};

		rc = add_checked(filter, SCMP_ACT_ALLOW, &call, 1);
	}
	return rc;
}

/* What is refused, and whoever asks goes on without. */
static int refuse_calls(scmp_filter_ctx filter)
{
	/* Its flags are behind a pointer: the C library then uses clone. */
	int rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	return rc ? rc
		  : add_checked(filter, SCMP_ACT_ERRNO(EACCES), writing_calls,
				ARRAY_SIZE(writing_calls));
}

static int allow_signal(scmp_filter_ctx filter, int nr, pid_t pid)
{
	const struct checked_call call = {nr, "to this process, or one of its own", EQ(0, pid)};

	return add_checked(filter, SCMP_ACT_ALLOW, &call, 1);
}

/* Programs that this thread has started (proc(5)): qemu-nbd, passt. */
static int allow_to_end_children(scmp_filter_ctx filter)
{
	FILE *children = fopen("/proc/thread-self/children", "re");
	char *number = NULL;
	size_t size = 0;
	int rc = 0;

	while (!rc && children && getdelim(&number, &size, ' ', children) > 0)
		rc = allow_signal(filter, SCMP_SYS(kill), strtol(number, NULL, 10));
	if (children)
		fclose(children);
	free(number);
	return rc;
}

static int allow_signals(scmp_filter_ctx filter)
{
	int rc = allow_signal(filter, SCMP_SYS(tgkill), getpid());

	if (!rc)
		rc = allow_signal(filter, SCMP_SYS(kill), getpid());
	return rc ? rc : allow_to_end_children(filter);
}

int sandbox_add_rules(scmp_filter_ctx filter, bool files_fenced)
{
	uint32_t naming = files_fenced ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES);
	int rc = add(filter, SCMP_ACT_ALLOW, calls, ARRAY_SIZE(calls));

	if (!rc)
		rc = add_checked(filter, SCMP_ACT_ALLOW, checked_calls, ARRAY_SIZE(checked_calls));
	if (!rc)
		rc = allow_requests(filter);
	if (!rc)
		rc = allow_signals(filter);
	if (!rc)
		rc = refuse_calls(filter);
	return rc ? rc : add(filter, naming, naming_calls, ARRAY_SIZE(naming_calls));
}
