// SPDX-License-Identifier: BSD-2-Clause
/*
 * guest_memfd on the KVM of this machine, if it has it: the memory that files get and lose, and the
 * rules of binding, ours against the kernel's.
 */
#include "host/kvm/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define M2       512ull /* pages */
#define PAGE     GUEST_PAGE_SIZE
#define MAPPABLE (GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

/* The next fallocate() does its work and then says this. */
static struct {
	int error;
	unsigned calls;
} fallocate_plan;

int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);

int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	int rc = __real_fallocate(fd, mode, offset, len);

	fallocate_plan.calls++;
	if (!fallocate_plan.error)
		return rc;
	errno = fallocate_plan.error;
	fallocate_plan.error = 0;
	return -1;
}

/*
 * A virtual machine with nothing in it.
 */

struct machine {
	int kvm, fd;
	struct memslots slots;
};

static int no_set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	(void)host;
	(void)old;
	(void)new;
	return 0;
}

static const struct memslot_ops rules_only = {.set_slot = no_set_slot};

/* Of the type that can have private pages, if this host has it. */
static int make_vm(int kvm)
{
	int types = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);
	unsigned long type = 0;

	if (types > 0 && types & 1 << KVM_X86_SW_PROTECTED_VM)
		type = KVM_X86_SW_PROTECTED_VM;
	return ioctl(kvm, KVM_CREATE_VM, type);
}

static void close_machine(struct machine *m)
{
	memslots_destroy(&m->slots);
	close(m->fd);
	close(m->kvm);
}

static void skip_because(const char *reason)
{
	print_message("skipped: %s\n", reason);
	skip();
}

static void open_machine(struct machine *m)
{
	m->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (m->kvm < 0)
		skip_because("/dev/kvm cannot be opened here");
	m->fd = make_vm(m->kvm);
	assert_true(m->fd >= 0);
	assert_int_equal(memslots_init(&m->slots, &rules_only, NULL, MEMSLOTS_CAN_PRIVATE), 0);
	if (kvm_gmem_offered(m->fd))
		return;
	close_machine(m);
	skip_because("this host's KVM has no guest_memfd (Linux 6.8, if built for it)");
}

/* ... with files that can be mapped here. */
static void open_mappable(struct machine *m)
{
	int flags;

	open_machine(m);
	flags = ioctl(m->fd, KVM_CHECK_EXTENSION, KVM_CAP_GUEST_MEMFD_FLAGS);
	if (flags > 0 && (flags & MAPPABLE) == MAPPABLE)
		return;
	close_machine(m);
	skip_because("this machine's guest_memfd cannot be mapped (Linux 6.18, plain VMs)");
}

static struct gmem *make_file(struct machine *m, uint64_t npages, uint64_t flags)
{
	struct gmem *g;

	assert_int_equal(kvm_gmem_create(&m->slots, m->fd, npages, flags, &g), 0);
	return g;
}

static void files(void **state)
{
	struct machine m;
	struct gmem *g;
	struct stat st;
	int fd;

	(void)state;
	open_machine(&m);
	g = make_file(&m, 3, 0);
	fd = kvm_gmem_fd(g);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 3 * PAGE);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	gmem_put(g);
	assert_int_equal(fcntl(fd, F_GETFD), -1);

	assert_int_equal(kvm_gmem_create(&m.slots, m.fd, 0, 0, &g), -EINVAL);
	assert_int_equal(kvm_gmem_create(&m.slots, m.fd, 1ull << 51, 0, &g), -EINVAL);
	assert_int_equal(kvm_gmem_create(&m.slots, m.fd, (1ull << 52) + 1, 0, &g), -EINVAL);
	assert_int_equal(kvm_gmem_create(&m.slots, m.fd, 1, 1ull << 40, &g), -EINVAL);
	close_machine(&m);
}

/*
 * Memory.
 */

/* cachestat(2), newer than Debian 12's headers: Linux 6.5. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* Pages [first, first + npages) of the file that have memory. */
static uint64_t resident_fd(int fd, uint64_t first, uint64_t npages)
{
	const uint64_t range[2] = {first * PAGE, npages * PAGE};
	struct {
		uint64_t cache, dirty, writeback, evicted, recently_evicted;
	} stat;

	assert_int_equal(syscall(SYS_cachestat, fd, range, &stat, 0), 0);
	return stat.cache;
}

static uint64_t resident(const struct gmem *g, uint64_t first, uint64_t npages)
{
	return resident_fd(kvm_gmem_fd(g), first, npages);
}

static void memory_comes_and_goes(void **state)
{
	struct machine m;
	struct gmem *g;

	(void)state;
	open_machine(&m);
	g = make_file(&m, 64 * M2, 0);
	assert_int_equal(resident(g, 0, 64 * M2), 0);
	assert_int_equal(gmem_allocate(g, 4 * M2, 8 * M2, PAGE_2M), 0);
	assert_int_equal(gmem_allocate(g, 5, 7, PAGE_4K), 0);
	assert_int_equal(resident(g, 4 * M2, 8 * M2), 8 * M2);
	assert_int_equal(resident(g, 0, 64 * M2), 8 * M2 + 7);
	/* All pages of each unit but one, and then that. */
	for (uint64_t unit = 4; unit < 12; unit++)
		assert_int_equal(gmem_free(g, unit * M2 + 1, M2 - 1), 0);
	assert_int_equal(resident(g, 4 * M2, 8 * M2), 8 * M2);
	for (uint64_t unit = 4; unit < 10; unit++)
		assert_int_equal(gmem_free(g, unit * M2, 1), 0);
	assert_int_equal(resident(g, 4 * M2, 6 * M2), 0);
	assert_int_equal(resident(g, 10 * M2, 2 * M2), 2 * M2);
	assert_int_equal(gmem_free(g, 6, 3), 0);
	assert_int_equal(resident(g, 0, M2), 4);
	gmem_put(g);
	close_machine(&m);
}

/* Interrupted by a signal: tried again. Without memory half-way: all given back. */
static void allocation_in_part(void **state)
{
	struct machine m;
	struct gmem *g;

	(void)state;
	open_machine(&m);
	g = make_file(&m, 16 * M2, 0);
	fallocate_plan.calls = 0;
	fallocate_plan.error = EINTR;
	assert_int_equal(gmem_allocate(g, 0, 1, PAGE_4K), 0);
	assert_int_equal(fallocate_plan.calls, 2);
	fallocate_plan.error = ENOMEM;
	assert_int_equal(gmem_allocate(g, 8 * M2, 8 * M2, PAGE_2M), -ENOMEM);
	assert_int_equal(fallocate_plan.calls, 4);
	assert_int_equal(resident(g, 0, 16 * M2), 1);
	gmem_put(g);
	close_machine(&m);
}

/* With the last reference all is punched, whoever else may have the file open. */
static void memory_goes_with_the_file(void **state)
{
	struct machine m;
	struct gmem *g;
	int fd;

	(void)state;
	open_machine(&m);
	g = make_file(&m, 16 * M2, 0);
	assert_int_equal(gmem_allocate(g, 0, 8 * M2, PAGE_2M), 0);
	fd = dup(kvm_gmem_fd(g));
	assert_true(fd >= 0);
	gmem_put(g);
	assert_int_equal(resident_fd(fd, 0, 16 * M2), 0);
	close(fd);
	close_machine(&m);
}

/* What is freed is really gone: it comes back empty. */
static void contents_go(void **state)
{
	struct machine m;
	struct gmem *g;
	uint8_t *at;

	(void)state;
	open_mappable(&m);
	g = make_file(&m, M2, MAPPABLE);
	at = mmap(NULL, M2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, kvm_gmem_fd(g), 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	assert_int_equal(gmem_allocate(g, 0, M2, PAGE_2M), 0);
	memset(at, 0x5a, 3 * PAGE);
	assert_int_equal(at[PAGE], 0x5a);
	assert_int_equal(gmem_free(g, 1, M2 - 1), 0);
	assert_int_equal(at[PAGE], 0x5a);
	assert_int_equal(gmem_free(g, 0, 1), 0);
	assert_int_equal(resident(g, 0, M2), 0);
	assert_int_equal(gmem_allocate(g, 1, 1, PAGE_4K), 0);
	assert_int_equal(at[PAGE], 0);
	munmap(at, M2 * PAGE);
	gmem_put(g);
	close_machine(&m);
}

/*
 * Binding: the same requests to the kernel and to our rules.
 */

enum file {
	NO_FILE,
	FILE_A, /* 16 pages */
	FILE_OF_ANOTHER,
	FILES,
};

struct request {
	const char *what;
	uint32_t id, flags;
	uint64_t page, npages; /* guest-physical */
	uint64_t offset;       /* in the file, bytes */
	enum file file;
	int kernels_else; /* what kernels of another version, or build, say */
};

#define PRIVATE   MEMSLOT_PRIVATE
#define AS1       (1u << 16)
#define AT(pages) ((pages) * (uint64_t)PAGE)

static const struct request requests[] = {
	{"no file", 1, PRIVATE, 0, 4, 0, NO_FILE, 0},
	{"another VM's file", 1, PRIVATE, 0, 4, 0, FILE_OF_ANOTHER, 0},
	{"offset not at a page", 1, PRIVATE, 0, 4, 8, FILE_A, 0},
	{"offset that wraps", 1, PRIVATE, 0, 4, UINT64_MAX - PAGE + 1, FILE_A, 0},
	{"offset at the end", 1, PRIVATE, 0, 1, AT(16), FILE_A, 0},
	{"one page past the end", 1, PRIVATE, 0, 4, AT(13), FILE_A, 0},
	{"longer than the file", 1, PRIVATE, 0, 17, 0, FILE_A, 0},
	{"nothing", 1, PRIVATE, 0, 0, 0, FILE_A, 0},
	{"no such slot number", MEMSLOTS_MAX, PRIVATE, 0, 4, 0, FILE_A, 0},
	{"logged", 1, PRIVATE | MEMSLOT_LOG_DIRTY, 0, 4, 0, FILE_A, 0},
	{"read-only", 1, PRIVATE | MEMSLOT_READONLY, 0, 4, 0, FILE_A, 0},
	{"unknown flag", 1, PRIVATE | 1u << 9, 0, 4, 0, FILE_A, 0},
	/* We follow VMs with private memory, which have one address space. A plain VM of a kernel
	 * with SMM has two. */
	{"second address space", AS1 | 1, PRIVATE, 0, 4, AT(12), FILE_A, 0},
	{"good", 1, PRIVATE, 0, 4, AT(4), FILE_A, 0},
	{"the same", 1, PRIVATE, 0, 4, AT(4), FILE_A, 0},
	{"move", 1, PRIVATE, 64, 4, AT(4), FILE_A, 0},
	{"part of the file", 1, PRIVATE, 0, 4, 0, FILE_A, 0},
	{"private no more", 1, 0, 0, 4, 0, NO_FILE, 0},
	{"private no more, logged", 1, MEMSLOT_LOG_DIRTY, 0, 4, 0, NO_FILE, 0},
	/* -EINVAL in Linux 6.12 and 6.18, -EEXIST in 7.2. */
	{"bound already", 2, PRIVATE, 64, 4, AT(4), FILE_A, -EINVAL},
	{"bound already: first page", 2, PRIVATE, 64, 4, AT(7), FILE_A, -EINVAL},
	{"bound already: last page", 2, PRIVATE, 64, 4, AT(1), FILE_A, -EINVAL},
	{"bound already: within", 2, PRIVATE, 64, 6, AT(3), FILE_A, -EINVAL},
	{"guest memory taken", 2, PRIVATE, 3, 4, AT(8), FILE_A, 0},
	{"guest memory taken, no file", 2, PRIVATE, 3, 4, 0, NO_FILE, 0},
	{"right behind", 2, PRIVATE, 64, 4, AT(8), FILE_A, 0},
	{"right before", 3, PRIVATE, 128, 4, 0, FILE_A, 0},
	{"delete", 1, 0, 0, 0, 0, NO_FILE, 0},
	{"delete again", 1, 0, 0, 0, 0, NO_FILE, 0},
	{"between", 4, PRIVATE, 256, 4, AT(4), FILE_A, 0},
	{"delete as a private slot", 4, PRIVATE, 0, 0, 0, FILE_A, 0},
	{"delete with what is no file", 2, PRIVATE, 0, 0, 0, NO_FILE, 0},
};

struct sides {
	int vm_fd;
	int fds[FILES];
	struct memslots *slots;
	struct gmem *files[FILES];
	uint8_t *memory; /* for the slots' shared pages */
};

static int ask_kernel(const struct sides *s, const struct request *r)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = r->id,
		.flags = r->flags,
		.guest_phys_addr = AT(r->page),
		.memory_size = AT(r->npages),
		.userspace_addr = (uintptr_t)s->memory,
		.guest_memfd = s->fds[r->file],
		.guest_memfd_offset = r->offset,
	};

	return ioctl(s->vm_fd, KVM_SET_USER_MEMORY_REGION2, &region) < 0 ? -errno : 0;
}

static int ask_ours(const struct sides *s, const struct request *r)
{
	const struct memslot_request request = {
		.slot = r->id,
		.flags = r->flags,
		.gpa = AT(r->page),
		.size = AT(r->npages),
		.hva = (uintptr_t)s->memory,
		.gmem = s->files[r->file],
		.gmem_offset = r->offset,
	};

	return memslots_set_slot(s->slots, &request);
}

/* For our side the pages are private, whether the host can have it or not. */
static int all_is_well(void *host, struct gfn base, uint64_t npages, bool is_private)
{
	(void)host;
	(void)base;
	(void)npages;
	(void)is_private;
	return 0;
}

static void nothing_to_destroy(void *host)
{
	(void)host;
}

static const struct gmem_ops ours = {.set_private = all_is_well, .destroy = nothing_to_destroy};

static bool has_second_space(const struct machine *m)
{
	return ioctl(m->fd, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) > 1;
}

static void kernels_binding_rules(void **state)
{
	struct machine m, other;
	struct gmem *a, *foreign;
	struct sides s;

	(void)state;
	open_machine(&m);
	open_machine(&other);
	a = make_file(&m, 16, 0);
	foreign = make_file(&other, 16, 0);
	s = (struct sides){
		.vm_fd = m.fd,
		.fds = {-1, kvm_gmem_fd(a), kvm_gmem_fd(foreign)},
		.slots = &m.slots,
		.files = {NULL, gmem_create(&m.slots, 16, &ours, NULL),
			  gmem_create(&other.slots, 16, &ours, NULL)},
		.memory = mmap(NULL, AT(64), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	};
	assert_non_null(s.files[FILE_A]);
	assert_non_null(s.files[FILE_OF_ANOTHER]);
	assert_ptr_not_equal(s.memory, MAP_FAILED);
	for (unsigned i = 0; i < ARRAY_SIZE(requests); i++) {
		const struct request *r = &requests[i];
		int kernel, we;

		if (r->id == (AS1 | 1) && has_second_space(&m)) {
			print_message("not compared, there is one: %s\n", r->what);
			assert_int_equal(ask_ours(&s, r), -EINVAL);
			continue;
		}
		kernel = ask_kernel(&s, r);
		we = ask_ours(&s, r);
		if (kernel != we)
			print_message("%s: the kernel says %d, we %d\n", r->what, kernel, we);
		if (kernel != we && (!r->kernels_else || kernel != r->kernels_else))
			fail_msg("%s: the kernel says %d, we %d", r->what, kernel, we);
	}
	gmem_put(s.files[FILE_A]);
	gmem_put(s.files[FILE_OF_ANOTHER]);
	gmem_put(a);
	gmem_put(foreign);
	munmap(s.memory, AT(64));
	close_machine(&other);
	close_machine(&m);
}

/* Pages are private where the machine can have it, and the slot is refused where it cannot. */
static void private_pages(void **state)
{
	struct memslot_request r = {
		.slot = 1, .flags = MEMSLOT_PRIVATE, .size = AT(16), .hva = 0x10000};
	struct machine m;
	struct gmem *g;

	(void)state;
	open_machine(&m);
	g = make_file(&m, 16, 0);
	r.gmem = g;
	if (kvm_gmem_can_be_private(m.fd)) {
		assert_int_equal(memslots_set_slot(&m.slots, &r), 0);
		assert_int_equal(gmem_set_private(&m.slots, gfn(3), 5, false), 0);
		assert_int_equal(gmem_set_private(&m.slots, gfn(0), 16, true), 0);
		r.flags = r.size = 0;
		assert_int_equal(memslots_set_slot(&m.slots, &r), 0);
	} else {
		print_message("this host has no machine with private pages\n");
		assert_int_equal(memslots_set_slot(&m.slots, &r), -EOPNOTSUPP);
		assert_null(memslots_by_id(&m.slots, 1));
	}
	gmem_put(g);
	close_machine(&m);
}

/*
 * A guest that lives in a guest_memfd.
 */

#define CODE 0x1000
#define DATA 0x2000

static void start_vcpu(int vcpu)
{
	struct kvm_regs regs = {.rip = CODE, .rflags = 2};
	struct kvm_sregs sregs;

	assert_int_equal(ioctl(vcpu, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	assert_int_equal(ioctl(vcpu, KVM_SET_SREGS, &sregs), 0);
	assert_int_equal(ioctl(vcpu, KVM_SET_REGS, &regs), 0);
}

/* Run the guest once more; the reason of the exit. */
static uint32_t run(const struct machine *m, int vcpu)
{
	int size = ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), rc;
	struct kvm_run *state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	uint32_t reason;

	assert_ptr_not_equal(state, MAP_FAILED);
	alarm(20); /* ends the test */
	do
		rc = ioctl(vcpu, KVM_RUN, 0);
	while (rc < 0 && errno == EINTR);
	alarm(0);
	assert_int_equal(rc, 0);
	reason = state->exit_reason;
	munmap(state, size);
	return reason;
}

/* Its stores arrive in the file; after a free the page is there anew, and empty. */
static void guest_runs_from_it(void **state)
{
	static const uint8_t code[] = {
		0xfe, 0x06, DATA & 0xff, DATA >> 8, /* incb DATA */
		0xf4,                               /* hlt */
		0xeb, 0xf9,                         /* jmp back */
	};
	struct memslot slot = {.flags = MEMSLOT_PRIVATE, .npages = 16};
	struct machine m;
	struct gmem *g;
	uint8_t *at;
	int vcpu;

	(void)state;
	open_mappable(&m);
	g = make_file(&m, 16, MAPPABLE);
	at = mmap(NULL, AT(16), PROT_READ | PROT_WRITE, MAP_SHARED, kvm_gmem_fd(g), 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	slot.hva = at;
	slot.gmem = g;
	assert_int_equal(ioctl(m.fd, KVM_SET_TSS_ADDR, 0xfffbd000), 0);
	assert_int_equal(kvm_gmem_set_slot(m.fd, &slot, AT(16)), 0);
	assert_int_equal(gmem_allocate(g, 0, 16, PAGE_4K), 0);
	memcpy(at + CODE, code, sizeof(code));
	at[DATA] = 7;

	vcpu = ioctl(m.fd, KVM_CREATE_VCPU, 0);
	assert_true(vcpu >= 0);
	start_vcpu(vcpu);
	assert_int_equal(run(&m, vcpu), KVM_EXIT_HLT);
	assert_int_equal(at[DATA], 8);
	assert_int_equal(run(&m, vcpu), KVM_EXIT_HLT);
	assert_int_equal(at[DATA], 9);
	assert_int_equal(gmem_free(g, DATA / PAGE, 1), 0);
	assert_int_equal(run(&m, vcpu), KVM_EXIT_HLT);
	assert_int_equal(at[DATA], 1);
	close(vcpu);
	assert_int_equal(kvm_gmem_set_slot(m.fd, &slot, 0), 0);
	munmap(at, AT(16));
	gmem_put(g);
	close_machine(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(memory_comes_and_goes),
		cmocka_unit_test(allocation_in_part),
		cmocka_unit_test(memory_goes_with_the_file),
		cmocka_unit_test(contents_go),
		cmocka_unit_test(kernels_binding_rules),
		cmocka_unit_test(private_pages),
		cmocka_unit_test(guest_runs_from_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
