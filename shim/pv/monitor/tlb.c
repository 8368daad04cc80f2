// SPDX-License-Identifier: BSD-2-Clause
/*
 * Locks between vCPUs, and translations that others shall forget.
 *
 * The monitor runs with interrupts off. A vCPU that wants others to forget marks it in their
 * windows, interrupts those that run, and waits until each has done it or has gone away to the
 * host, from where it comes back forgetting first, or lost its CPU, which KVM gives back likewise.
 * Who waits, for this or for a lock, does what others want of it meanwhile: so nobody waits for one
 * that waits for him.
 */
#include "shim/pv/monitor/asm.h"
#include "shim/pv/monitor/percpu.h"
#include "xen-abi/xen.h"

#define MSR_X2APIC_ICR 0x830

/*
 * CR4.PGE is off (host/kvm/pv_vcpu.c), so that this is all of them: a change of CR4 would leave the
 * virtual machine, a load of CR3 does not.
 */
static void forget_all(void)
{
	write_cr3(read_cr3());
}

/* Who waits goes on as soon as nothing is owed: so that is said when it is done. What is wanted
 * meanwhile is done again. */
static void __attribute__((noinline)) forget_wanted(uint32_t *flush)
{
	while (__atomic_load_n(flush, __ATOMIC_RELAXED)) {
		uint32_t under_way = PV_FLUSH_UNDER_WAY;

		__atomic_store_n(flush, under_way, __ATOMIC_SEQ_CST);
		forget_all();
		__atomic_compare_exchange_n(flush, &under_way, 0, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED);
	}
}

void serve_flush(void)
{
	uint32_t *flush = &this_window()->flush;

	if (__atomic_load_n(flush, __ATOMIC_RELAXED))
		forget_wanted(flush);
}

void go_away(void)
{
	__atomic_store_n(&this_window()->away, 1, __ATOMIC_SEQ_CST);
}

void come_back(void)
{
	__atomic_store_n(&this_window()->away, 0, __ATOMIC_SEQ_CST);
	serve_flush();
}

/*
 * Who is waited for may have lost its CPU to us, and where KVM does not see us spin (a CPU without
 * pause filters) we would have it for a whole time slice.
 */
#define SPINS 500u

static void relax(unsigned *spins)
{
	serve_flush();
	if (++*spins % SPINS)
		__builtin_ia32_pause();
	else
		yield_to_host();
}

/* Who has a lock is not stopped, or all would wait for it: the host looks while the vCPU is out
 * there. */
static void count_locks(int by)
{
	uint32_t *locks = &this_window()->locks;

	__atomic_store_n(locks, *locks + by, __ATOMIC_RELAXED);
}

/* Not in turn: whose turn it is may have no CPU, and all would wait for that at each unlock. */
void pv_lock(struct pv_lock *l)
{
	unsigned spins = 0;

	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
			relax(&spins);
	count_locks(1);
}

void pv_unlock(struct pv_lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
	count_locks(-1);
}

/* APIC ids are vCPU ids (host/kvm/cpuid.c). */
static void interrupt(uint32_t vcpu)
{
	write_msr(MSR_X2APIC_ICR, (uint64_t)vcpu << 32 | VECTOR_FLUSH);
}

/*
 * It has no CPU of the host's now, and KVM has it forget before it has one again: so KVM says in
 * struct kvm_steal_time, and so it is asked there (Linux, Documentation/virt/kvm/x86/msr.rst).
 */
static bool kvm_flushes(struct pv_window *w)
{
	uint8_t preempted = __atomic_load_n(&w->steal.preempted, __ATOMIC_SEQ_CST);

	return preempted & KVM_VCPU_PREEMPTED &&
	       __atomic_compare_exchange_n(&w->steal.preempted, &preempted,
					   preempted | KVM_VCPU_FLUSH_TLB, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static bool owes(uint32_t vcpu)
{
	struct pv_window *w = window_of(vcpu);

	return __atomic_load_n(&w->flush, __ATOMIC_SEQ_CST) &&
	       !__atomic_load_n(&w->away, __ATOMIC_SEQ_CST) && !kvm_flushes(w);
}

static void others_forget(uint64_t vcpus)
{
	unsigned spins = 0;
	uint64_t left;

	for (left = vcpus; left; left &= left - 1) {
		uint32_t id = __builtin_ctzll(left);

		__atomic_store_n(&window_of(id)->flush, PV_FLUSH_ALL, __ATOMIC_SEQ_CST);
		if (owes(id))
			interrupt(id);
	}
	for (left = vcpus; left; left &= left - 1)
		while (owes(__builtin_ctzll(left)))
			relax(&spins);
}

static uint64_t without_this(uint64_t vcpus, bool *has_this)
{
	uint32_t id = this_vcpu()->id, nr = pv_boot.domain.nr_vcpus;
	uint64_t there = nr >= 64 ? ~0ull : (1ull << nr) - 1;

	*has_this = vcpus >> id & 1;
	return vcpus & there & ~(1ull << id);
}

void pv_flush_all(uint64_t vcpus)
{
	bool mine;
	uint64_t others = without_this(vcpus, &mine);

	if (mine)
		forget_all();
	others_forget(others);
}

void pv_flush_page(uint64_t vcpus, uint64_t va)
{
	bool mine;
	uint64_t others = without_this(vcpus, &mine);

	if (mine)
		__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
	others_forget(others);
}

void pv_flush_caches(void)
{
	__asm__ volatile("wbinvd" ::: "memory");
}
