// SPDX-License-Identifier: BSD-2-Clause
/*
 * Covering and uncovering a page of RAM, with each system call failing in turn: then all is as
 * before. Links with --wrap=mmap, --wrap=mremap, --wrap=mprotect, --wrap=pread and --wrap=pwrite.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/kvm/cover.h"
#include "shim/types.h"

#define PAGES  3
#define FILE_0 'f'
#define FILE_1 'g'

void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mremap(void *from, size_t len, size_t new_len, int flags, void *to);
void *__real_mremap(void *from, size_t len, size_t new_len, int flags, void *to);
int __wrap_mprotect(void *at, size_t len, int prot);
int __real_mprotect(void *at, size_t len, int prot);

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t offset);
ssize_t __real_pread(int fd, void *to, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *from, size_t len, off_t offset);
ssize_t __real_pwrite(int fd, const void *from, size_t len, off_t offset);

/* The calls until one fails; 0: none does. After it, all succeed but if `for_good`. */
static unsigned fail_at, calls;
static bool for_good;

static bool fails(void)
{
	calls++;
	if (!fail_at || (calls != fail_at && !(for_good && calls > fail_at)))
		return false;
	errno = ENOMEM;
	return true;
}

void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	return fails() ? MAP_FAILED : __real_mmap(at, len, prot, flags, fd, offset);
}

void *__wrap_mremap(void *from, size_t len, size_t new_len, int flags, void *to)
{
	return fails() ? MAP_FAILED : __real_mremap(from, len, new_len, flags, to);
}

int __wrap_mprotect(void *at, size_t len, int prot)
{
	return fails() ? -1 : __real_mprotect(at, len, prot);
}

ssize_t __wrap_pread(int fd, void *to, size_t len, off_t offset)
{
	return fails() ? -1 : __real_pread(fd, to, len, offset);
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t len, off_t offset)
{
	return fails() ? -1 : __real_pwrite(fd, from, len, offset);
}

struct fixture {
	uint8_t *ram, *page; /* PAGES pages, and the one in the middle */
	int fd;              /* of two */
};

static void write_file(int fd)
{
	char bytes[2 * GUEST_PAGE_SIZE];

	memset(bytes, FILE_0, GUEST_PAGE_SIZE);
	memset(bytes + GUEST_PAGE_SIZE, FILE_1, GUEST_PAGE_SIZE);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
}

static int setup(void **state)
{
	static struct fixture f;

	fail_at = calls = 0;
	for_good = false;
	f.fd = memfd_create("pages", MFD_CLOEXEC);
	write_file(f.fd);
	f.ram = __real_mmap(NULL, PAGES * GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(f.ram, MAP_FAILED);
	memset(f.ram, 'r', PAGES * GUEST_PAGE_SIZE);
	f.page = f.ram + GUEST_PAGE_SIZE;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	munmap(f->ram, PAGES * GUEST_PAGE_SIZE);
	close(f->fd);
	return 0;
}

/* The page holds that byte all over and can be written; its neighbours are the RAM that they were.
 */
static void shows(const struct fixture *f, char byte)
{
	for (unsigned i = 0; i < PAGES * GUEST_PAGE_SIZE; i++) {
		bool in_page = i / GUEST_PAGE_SIZE == 1;

		assert_int_equal(f->ram[i], in_page ? byte : 'r');
		*(volatile uint8_t *)&f->ram[i] = f->ram[i];
	}
}

static void covered_and_uncovered(void **state)
{
	struct fixture *f = *state;
	void *aside = NULL;

	assert_int_equal(page_cover(f->page, f->fd, 0, &aside), 0);
	shows(f, FILE_0);
	assert_int_equal(*(uint8_t *)aside, 'r');
	assert_int_equal(page_cover(f->page, f->fd, GUEST_PAGE_SIZE, &aside), 0);
	shows(f, FILE_1);
	assert_int_equal(page_uncover(f->page, aside), 0);
	shows(f, 'r');
}

static void what_is_written_stays(void **state)
{
	struct fixture *f = *state;
	void *aside = NULL;
	char byte = 0;

	assert_int_equal(page_cover(f->page, f->fd, 0, &aside), 0);
	f->page[5] = 'x';
	*(uint8_t *)aside = 'r';
	assert_int_equal(page_uncover(f->page, aside), 0);
	shows(f, 'r');
	assert_int_equal(__real_pread(f->fd, &byte, 1, 5), 1);
	assert_int_equal(byte, 'x');
}

/* Cover or lend with the n-th call failing, until there is no n-th call: that is returned. */
static unsigned until_covered(struct fixture *f,
			      int (*cover)(uint8_t *hva, int fd, uint64_t offset, void **aside),
			      void **aside)
{
	unsigned n = 0;

	do {
		fail_at = ++n;
		calls = 0;
		if (cover(f->page, f->fd, 0, aside)) {
			assert_null(*aside);
			shows(f, 'r');
		}
	} while (calls >= n);
	return n;
}

static void any_step_fails(void **state)
{
	struct fixture *f = *state;
	void *aside = NULL;

	assert_int_equal(until_covered(f, page_cover, &aside), 6); /* five steps */
	assert_non_null(aside);
	shows(f, FILE_0);
}

static void another_page_fails(void **state)
{
	struct fixture *f = *state;
	void *aside = NULL, *before;

	assert_int_equal(page_cover(f->page, f->fd, 0, &aside), 0);
	before = aside;
	fail_at = calls + 1;
	assert_int_equal(page_cover(f->page, f->fd, GUEST_PAGE_SIZE, &aside), -ENOMEM);
	assert_ptr_equal(aside, before);
	shows(f, FILE_0);
	fail_at = calls + 1;
	assert_int_equal(page_uncover(f->page, aside), -ENOMEM);
	shows(f, FILE_0);
	assert_int_equal(page_uncover(f->page, aside), 0);
	shows(f, 'r');
}

/* That it could not be undone is said. */
static void nothing_works_any_more(void **state)
{
	struct fixture *f = *state;

	for (unsigned n = 1; n <= 5; n++) {
		void *aside = NULL;
		int rc;

		fail_at = n;
		calls = 0;
		for_good = true;
		rc = page_cover(f->page, f->fd, 0, &aside);
		for_good = false;
		fail_at = 0;
		assert_null(aside);
		assert_int_equal(rc, n <= 2 ? -ENOMEM : -ENOTRECOVERABLE);
		if (n <= 2)
			shows(f, 'r');
		/* It has no access now; its contents may be elsewhere. Begin with a fresh one. */
		__real_mmap(f->page, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memset(f->page, 'r', GUEST_PAGE_SIZE);
	}
}

static char file_byte(const struct fixture *f)
{
	char byte = 0;

	assert_int_equal(__real_pread(f->fd, &byte, 1, 77), 1);
	return byte;
}

static void lent_and_taken_back(void **state)
{
	struct fixture *f = *state;
	void *aside = NULL, *elsewhere;

	memset(f->page, 'x', GUEST_PAGE_SIZE);
	assert_int_equal(page_lend(f->page, f->fd, 0, &aside), 0);
	shows(f, 'x');
	assert_int_equal(file_byte(f), 'x');
	/* What is written to the file by another mapping comes home. */
	elsewhere =
		__real_mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	memset(elsewhere, 'y', GUEST_PAGE_SIZE);
	shows(f, 'y');
	munmap(elsewhere, GUEST_PAGE_SIZE);
	assert_int_equal(page_take_back(f->page, f->fd, 0, aside), 0);
	shows(f, 'y');
	assert_int_equal(file_byte(f), 0);
	memset(f->page, 'z', GUEST_PAGE_SIZE);
	assert_int_equal(file_byte(f), 0);
	shows(f, 'z');
}

static void a_step_of_lending_fails(void **state)
{
	struct fixture *f = *state;
	void *aside = NULL;
	unsigned n = 0;

	assert_int_equal(until_covered(f, page_lend, &aside), 7); /* six steps */
	shows(f, 'r');
	memset(f->page, 's', GUEST_PAGE_SIZE);
	do {
		fail_at = ++n;
		calls = 0;
		if (page_take_back(f->page, f->fd, 0, aside)) {
			shows(f, 's');
			assert_int_equal(file_byte(f), 's');
		}
	} while (calls >= n);
	assert_int_equal(n, 4); /* three steps */
	shows(f, 's');
	assert_int_equal(file_byte(f), 0);
}

/* The page cannot be given access again: nobody can go on. */
static void what_was_lent_is_stuck(void **state)
{
	struct fixture *f = *state;
	void *aside = NULL;

	assert_int_equal(page_lend(f->page, f->fd, 0, &aside), 0);
	fail_at = calls + 2;
	for_good = true;
	assert_int_equal(page_take_back(f->page, f->fd, 0, aside), -ENOTRECOVERABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(covered_and_uncovered, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_written_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(any_step_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(another_page_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_works_any_more, setup, teardown),
		cmocka_unit_test_setup_teardown(lent_and_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_step_of_lending_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_lent_is_stuck, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
