// SPDX-License-Identifier: BSD-2-Clause
#include "host/kvm/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "host/clock.h"
#include "shim/x86.h"

/* proc(5): in /proc/PID/stat, fields are counted from 1, and the name may hold anything but ')'. */
#define STAT_STATE     3
#define STAT_PROCESSOR 39

/* The fields from STAT_STATE on. False: the thread is no more. */
static bool read_stat(pid_t tid, char *text, size_t size, const char **fields)
{
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(text, 1, size - 1, f);
	fclose(f);
	text[n] = '\0';
	*fields = strrchr(text, ')');
	if (!*fields || (*fields)[1] != ' ')
		return false;
	*fields += 2;
	return true;
}

static int processor(const char *fields)
{
	char *end;
	long cpu;

	for (int field = STAT_STATE; field < STAT_PROCESSOR; field++) {
		fields = strchr(fields, ' ');
		if (!fields)
			return -1;
		fields++;
	}
	cpu = strtol(fields, &end, 10);
	return end > fields ? (int)cpu : -1;
}

void vcpu_usage_ends(struct vm_vcpu *vv)
{
	struct timespec t;

	if (!clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		__atomic_store_n(&vv->time_ns, timespec_ns(&t), __ATOMIC_RELAXED);
}

static uint64_t time_of(const struct vm_vcpu *vv)
{
	struct timespec t;
	clockid_t clock;

	if (vv->started && !pthread_getcpuclockid(vv->thread, &clock) && !clock_gettime(clock, &t))
		return timespec_ns(&t);
	return __atomic_load_n(&vv->time_ns, __ATOMIC_RELAXED);
}

void vcpu_usage(const struct vm_vcpu *vv, struct vcpu_usage *usage)
{
	const char *fields;
	char text[1024];

	*usage = (struct vcpu_usage){
		.cpu = -1,
		.online = !vcpu_is_down(vv->vcpu),
		.time_ns = time_of(vv),
	};
	if (!vv->started ||
	    !read_stat(__atomic_load_n(&vv->tid, __ATOMIC_RELAXED), text, sizeof(text), &fields))
		return;
	usage->running = *fields == 'R';
	usage->cpu = processor(fields);
}

bool vcpu_is_off(struct vm_vcpu *vv)
{
	struct kvm_mp_state mp;
	struct kvm_regs regs;
	bool off;

	vm_pause_begin(vv->vm);
	vm_pause_wait(vv->vm);
	/* One that waits in a hypercall is halted by us. */
	off = vv->mp_state == KVM_MP_STATE_RUNNABLE && !ioctl(vv->fd, KVM_GET_MP_STATE, &mp) &&
	      mp.mp_state == KVM_MP_STATE_HALTED && !ioctl(vv->fd, KVM_GET_REGS, &regs) &&
	      !(regs.rflags & RFLAGS_IF);
	vm_resume(vv->vm);
	return off;
}
