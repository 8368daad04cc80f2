// SPDX-License-Identifier: BSD-2-Clause
/* Which CPU modes a guest can enter, and how fast its instructions are. */
#include "host/kvm/probe_trials.h"
#include "host/kvm/probe_guest.h"
#include "shim/x86.h"

#include <string.h>
#include <sys/ioctl.h>

/* The loop of probe_guest.S: instructions a turn; turns to begin with; when it is long enough. */
#define LOOP_INSNS     2
#define LOOP_FIRST     500
#define LOOP_MAX       50000000
#define LOOP_ENOUGH_NS 1000000

/* The smallest of several: noise only ever adds. */
#define LOOP_RUNS 5

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* One loop of `turns`; its time in *ns, the way in and out of the guest with it. */
typedef enum kvm_answer (*timed_loop)(struct probe_vm *vm, uint32_t turns, double *ns);

static enum kvm_answer guest_loop(struct probe_vm *vm, uint32_t turns, double *ns)
{
	enum kvm_answer answer = probe_vm_tell(vm, turns);
	uint32_t done;
	double start;

	if (answer != KVM_WORKS)
		return answer;
	start = now_ns();
	answer = probe_vm_hear(vm, &done);
	*ns = now_ns() - start;
	return answer == KVM_WORKS && done != turns ? KVM_WRONG : answer;
}

static enum kvm_answer host_loop(struct probe_vm *vm, uint32_t turns, double *ns)
{
	double start = now_ns();

	(void)vm;
	__asm__ volatile("1: decl %0\n\tjnz 1b" : "+r"(turns) : : "cc");
	*ns = now_ns() - start;
	return KVM_WORKS;
}

static enum kvm_answer best_of(timed_loop loop, struct probe_vm *vm, uint32_t turns, double *best)
{
	enum kvm_answer answer;
	double ns;

	answer = loop(vm, turns, best);
	for (int i = 1; answer == KVM_WORKS && i < LOOP_RUNS; i++) {
		answer = loop(vm, turns, &ns);
		if (answer == KVM_WORKS && ns < *best)
			*best = ns;
	}
	return answer;
}

/* Time per instruction: a loop long enough to measure, less what a loop of one turn costs. */
static enum kvm_answer measure(timed_loop loop, struct probe_vm *vm, double *ns_per_insn)
{
	uint32_t turns = LOOP_FIRST;
	enum kvm_answer answer;
	double once, many;

	for (;;) {
		answer = loop(vm, turns, &many);
		if (answer != KVM_WORKS)
			return answer;
		if (many >= LOOP_ENOUGH_NS || turns >= LOOP_MAX)
			break;
		turns *= 10;
	}
	answer = best_of(loop, vm, turns, &many);
	if (answer == KVM_WORKS)
		answer = best_of(loop, vm, 1, &once);
	if (answer != KVM_WORKS)
		return answer;
	*ns_per_insn = many > once ? (many - once) / LOOP_INSNS / (turns - 1.0) : 0;
	return KVM_WORKS;
}

double probe_host_speed(void)
{
	double ns = 0;

	measure(host_loop, NULL, &ns);
	return ns;
}

/* Start at `entry` and expect to hear `expected`. */
static enum kvm_answer start(struct probe_vm *vm, const uint8_t *entry, uint32_t expected)
{
	enum kvm_answer answer;
	uint32_t heard;

	if (probe_vm_load(vm, entry) < 0)
		return KVM_INTERNAL_ERROR;
	answer = probe_vm_hear(vm, &heard);
	return answer == KVM_WORKS && heard != expected ? KVM_WRONG : answer;
}

enum kvm_answer probe_unpaged(struct probe_vm *vm, struct kvm_facts *facts)
{
	enum kvm_answer answer = start(vm, probe_guest_unpaged, PROBE_MAGIC);

	return answer == KVM_WORKS ? measure(guest_loop, vm, &facts->speed.unpaged) : answer;
}

enum kvm_answer probe_paging_32(struct probe_vm *vm, struct kvm_facts *facts)
{
	(void)facts;
	return start(vm, probe_guest_paging_32, PROBE_MAGIC);
}

enum kvm_answer probe_paging_pae(struct probe_vm *vm, struct kvm_facts *facts)
{
	(void)facts;
	return start(vm, probe_guest_paging_pae, PROBE_MAGIC);
}

enum kvm_answer probe_long_mode(struct probe_vm *vm, struct kvm_facts *facts)
{
	enum kvm_answer answer = start(vm, probe_guest_long, PROBE_MAGIC);

	return answer == KVM_WORKS ? measure(guest_loop, vm, &facts->speed.ring0) : answer;
}

enum kvm_answer probe_user_speed(struct probe_vm *vm, struct kvm_facts *facts)
{
	enum kvm_answer answer = start(vm, probe_guest_user, 3);

	return answer == KVM_WORKS ? measure(guest_loop, vm, &facts->speed.ring3) : answer;
}

/* The guest says the ring it came to, and then what only ring 0 can read. */
enum kvm_answer probe_syscall(struct probe_vm *vm, struct kvm_facts *facts)
{
	enum kvm_answer answer = start(vm, probe_guest_syscall, 0);
	uint32_t cr0;

	(void)facts;
	if (answer == KVM_WORKS)
		answer = probe_vm_hear(vm, &cr0);
	if (answer == KVM_WORKS && !(cr0 & CR0_PE))
		answer = KVM_WRONG;
	return answer;
}
