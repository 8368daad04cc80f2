// SPDX-License-Identifier: BSD-2-Clause
/*
 * Time between the steps by which a page is covered, so that the guest comes upon each of them,
 * even on a machine with one CPU. Links with --wrap=mmap, --wrap=mremap and --wrap=mprotect.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "guest-tests/churn/churn.h"

#define LONGEST_NS 50000

void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mremap(void *from, size_t len, size_t new_len, int flags, void *to);
void *__real_mremap(void *from, size_t len, size_t new_len, int flags, void *to);
int __wrap_mprotect(void *at, size_t len, int prot);
int __real_mprotect(void *at, size_t len, int prot);

static void linger(size_t len)
{
	static __thread unsigned seed;
	const struct timespec t = {.tv_nsec = rand_r(&seed) % LONGEST_NS};

	if (len == GUEST_PAGE_SIZE && rand_r(&seed) % 4 == 0)
		nanosleep(&t, NULL);
}

void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *result = __real_mmap(at, len, prot, flags, fd, offset);

	linger(len);
	return result;
}

void *__wrap_mremap(void *from, size_t len, size_t new_len, int flags, void *to)
{
	void *result = __real_mremap(from, len, new_len, flags, to);

	linger(len);
	return result;
}

int __wrap_mprotect(void *at, size_t len, int prot)
{
	int result = __real_mprotect(at, len, prot);

	linger(len);
	return result;
}
