// SPDX-License-Identifier: BSD-2-Clause
/*
 * What guest memory costs those who use it, without a guest: slots of plain memory.
 *
 *	memory_bench gpc COUNT               lock and unlock a cache so many times, and no more: to
 *be memory_bench look-up SLOTS COUNT     run by callgrind; the same for look-ups among slots
 *	memory_bench times                   COST lines: the time of each, ns
 *	memory_bench move                    COST lines: the time of a MOVE of 1 GiB, ms
 *
 * Of many short rounds the quickest counts: whatever else this machine does can only make one
 * slower. The rounds of what is compared alternate, so that a clock that changes its pace with the
 * weather favours neither. Only for a MOVE, which waits for others, it is the median.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "shim/gpc/gpc.h"

#define MANY_SLOTS MEMSLOTS_MAX
#define FEW_SLOTS  32u
#define SLOT_SIZE  GUEST_PAGE_SIZE

#define ROUNDS         200
#define ROUND_CALLS    100000ull
#define TWO_CALLS      2000000ull /* long against the time it takes to start a thread */
#define MOVE_ROUNDS    201
#define MOVE_SLOT_SIZE (1ull << 30)
#define AREA           SLOT_SIZE /* the area of the cache: the second slot */
#define AREA_LEN       64

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The n-th CPU that we may use, or -1. */
static int allowed_cpu(int n)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set) && n-- == 0)
			return cpu;
	return -1;
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void *memory(uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

/*
 * The machinery below: KVM if there is one, or nothing.
 */

struct machinery {
	int vm;      /* < 0: none */
	uint64_t ns; /* time spent in it */
};

static int set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	const struct memslot *s = new ? new : old;
	struct machinery *m = host;
	struct kvm_userspace_memory_region region = {
		.slot = s->id,
		.flags = s->flags,
		.guest_phys_addr = s->start.v,
		.memory_size = new ? new->npages << GUEST_PAGE_SHIFT : 0,
		.userspace_addr = (uintptr_t)s->hva,
	};
	uint64_t start = now_ns();
	int rc = 0;

	if (m->vm >= 0 && ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region))
		rc = -errno;
	m->ns += now_ns() - start;
	return rc;
}

static const struct memslot_ops ops = {.set_slot = set_slot};
static struct machinery nothing = {.vm = -1};

static void must_set_slot(struct memslots *slots, struct memslot_request r)
{
	int rc = memslots_set_slot(slots, &r);

	if (rc)
		errx(1, "slot %u: %s", r.slot, strerror(-rc));
}

/* nr slots side by side, from address 0 on. The memory is never touched. */
static void make_slots(struct memslots *slots, unsigned nr)
{
	uint8_t *ram = memory((uint64_t)nr * SLOT_SIZE);

	if (memslots_init(slots, &ops, &nothing, 0))
		errx(1, "no memory");
	for (unsigned i = 0; i < nr; i++)
		must_set_slot(slots, (struct memslot_request){
					     .slot = i,
					     .gpa = i * SLOT_SIZE,
					     .size = SLOT_SIZE,
					     .hva = (uintptr_t)ram + i * SLOT_SIZE,
				     });
}

static void make_cache(struct gpc *gpc, struct memslots *slots)
{
	gpc_init(gpc, slots);
	if (gpc_activate(gpc, gpa(AREA), AREA_LEN) || !gpc_lock(gpc))
		errx(1, "the cache has no memory");
	gpc_unlock(gpc);
}

/*
 * What is measured. The compiler must not see that nothing is done with the results.
 */

static void use(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void lock_cache(struct gpc *gpc, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		use(gpc_lock(gpc));
		gpc_unlock(gpc);
	}
}

/* Any address below `size`, uniformly: a linear congruential generator's high bits. */
static inline struct gpa random_address(uint64_t *state, uint64_t size)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return gpa((unsigned __int128)*state * size >> 64);
}

static void look_up(struct memslots *slots, unsigned nr, uint64_t count)
{
	uint64_t size = (uint64_t)nr * SLOT_SIZE, random = 1;

	for (uint64_t i = 0; i < count; i++) {
		struct memslot_hint cold = {0};

		use(memslots_find(memslots_enter(slots), &cold, random_address(&random, size)));
		memslots_leave();
	}
}

/* What the cache saves: a lock and a look-up. */
static void look_up_locked(struct memslots *slots, pthread_rwlock_t *lock, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct memslot_hint cold = {0};

		pthread_rwlock_rdlock(lock);
		use(memslots_search(memslots_current(slots), &cold, gpa(AREA)));
		pthread_rwlock_unlock(lock);
	}
}

/*
 * Times.
 */

/* Keep the least of the rounds; `since` is the beginning of this one. */
static void keep_least(uint64_t *least, uint64_t since)
{
	uint64_t ns = now_ns() - since;

	if (!*least || ns < *least)
		*least = ns;
}

static void cost(const char *name, double value)
{
	printf("COST %s %.4f\n", name, value);
}

static void time_gpc(struct memslots *slots, struct gpc *gpc)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	uint64_t with_gpc = 0, without = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns();

		lock_cache(gpc, ROUND_CALLS);
		keep_least(&with_gpc, start);
		start = now_ns();
		look_up_locked(slots, &lock, ROUND_CALLS);
		keep_least(&without, start);
	}
	cost("gpc-time", (double)with_gpc / ROUND_CALLS);
	cost("rwlock-and-look-up-time", (double)without / ROUND_CALLS);
}

static void time_look_up(struct memslots *few, struct memslots *many)
{
	uint64_t among_few = 0, among_many = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns();

		look_up(few, FEW_SLOTS, ROUND_CALLS);
		keep_least(&among_few, start);
		start = now_ns();
		look_up(many, MANY_SLOTS, ROUND_CALLS);
		keep_least(&among_many, start);
	}
	cost("look-up-few-time", (double)among_few / ROUND_CALLS);
	cost("look-up-many-time", (double)among_many / ROUND_CALLS);
}

struct runner {
	struct gpc *gpc;
	pthread_barrier_t *line;
	int cpu;
	uint64_t start, end;
};

static void *run(void *opaque)
{
	struct runner *r = opaque;

	stay_on(r->cpu);
	pthread_barrier_wait(r->line);
	r->start = now_ns();
	lock_cache(r->gpc, TWO_CALLS);
	r->end = now_ns();
	return NULL;
}

/* From the first start to the last end. */
static uint64_t race(struct gpc *gpc, unsigned runners)
{
	struct runner r[2];
	pthread_barrier_t line;
	pthread_t thread[2];
	uint64_t start = UINT64_MAX, end = 0;

	pthread_barrier_init(&line, NULL, runners);
	for (unsigned i = 0; i < runners; i++) {
		r[i] = (struct runner){.gpc = gpc, .line = &line, .cpu = allowed_cpu(i)};
		if (pthread_create(&thread[i], NULL, run, &r[i]))
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < runners; i++) {
		pthread_join(thread[i], NULL);
		start = r[i].start < start ? r[i].start : start;
		end = r[i].end > end ? r[i].end : end;
	}
	pthread_barrier_destroy(&line);
	return end - start;
}

static void time_threads(struct gpc *gpc)
{
	uint64_t least[2] = {UINT64_MAX, UINT64_MAX};

	if (allowed_cpu(1) < 0)
		return; /* the figure is missing then */
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t ns = race(gpc, i % 2 + 1);

		if (ns < least[i % 2])
			least[i % 2] = ns;
	}
	cost("gpc-1-thread-per-us", 1000.0 * TWO_CALLS / least[0]);
	cost("gpc-2-threads-per-us", 2 * 1000.0 * TWO_CALLS / least[1]);
}

static void print_times(void)
{
	static struct memslots few, many;
	static struct gpc gpc;

	make_slots(&few, FEW_SLOTS);
	make_slots(&many, MANY_SLOTS);
	make_cache(&gpc, &few);
	time_threads(&gpc); /* before we stay on one CPU, which new threads would inherit */
	stay_on(allowed_cpu(0));
	time_gpc(&few, &gpc);
	time_look_up(&few, &many);
}

/*
 * MOVE.
 */

static int compare_ns(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median_ms(uint64_t *ns)
{
	const uint64_t *middle = &ns[MOVE_ROUNDS / 2];

	qsort(ns, MOVE_ROUNDS, sizeof(*ns), compare_ns);
	return (double)*middle / 1e6;
}

static int open_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	if (kvm < 0)
		return -1;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
	return vm;
}

/* There and back, with the dirty log on. Ours is what the kernel did not take. */
static void print_move(void)
{
	static uint64_t ours[MOVE_ROUNDS], below[MOVE_ROUNDS];
	static struct memslots slots;
	struct machinery m = {.vm = open_vm()};
	struct memslot_request r = {
		.flags = MEMSLOT_LOG_DIRTY,
		.size = MOVE_SLOT_SIZE,
		.hva = (uintptr_t)memory(MOVE_SLOT_SIZE),
	};

	if (memslots_init(&slots, &ops, &m, 0))
		errx(1, "no memory");
	must_set_slot(&slots, r);
	for (int i = 0; i < MOVE_ROUNDS; i++) {
		uint64_t start = now_ns();

		m.ns = 0;
		r.gpa ^= 1ull << 32;
		must_set_slot(&slots, r);
		ours[i] = now_ns() - start - m.ns;
		below[i] = m.ns;
	}
	cost("move-ours-ms", median_ms(ours));
	cost(m.vm < 0 ? "move-no-kvm-ms" : "move-kvm-ms", median_ms(below));
}

static uint64_t number(const char *s)
{
	char *end;
	uint64_t n = strtoull(s, &end, 10);

	if (*end || !n || n > UINT32_MAX)
		errx(2, "%s is no count", s);
	return n;
}

int main(int argc, char **argv)
{
	static struct memslots slots;
	static struct gpc gpc;

	if (argc == 3 && !strcmp(argv[1], "gpc")) {
		make_slots(&slots, FEW_SLOTS);
		make_cache(&gpc, &slots);
		lock_cache(&gpc, number(argv[2]));
	} else if (argc == 4 && !strcmp(argv[1], "look-up")) {
		make_slots(&slots, number(argv[2]));
		look_up(&slots, number(argv[2]), number(argv[3]));
	} else if (argc == 2 && !strcmp(argv[1], "times")) {
		print_times();
	} else if (argc == 2 && !strcmp(argv[1], "move")) {
		print_move();
	} else {
		errx(2, "usage: memory_bench gpc COUNT | look-up SLOTS COUNT | times | move");
	}
	return 0;
}
