// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: block-bench read|write FILE SIZE DEPTH COUNT
 *
 * COUNT direct requests of SIZE bytes, DEPTH of them at a time. Up to 4 KiB they are spread over
 * FILE (a disk, or a file as large as one), larger ones go through it in order, again and again.
 * Prints one line:
 *
 *	block: read 4096x8: COUNT requests, N MB/s, N IOPS, N us
 *
 * where us is what 99 of 100 requests have not waited longer than, and MB are 10^6 bytes. Runs in
 * the guest and on the host. A FILE that takes no direct requests (an old tmpfs) gets plain ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX 256u
#define SPREAD    4096u                /* up to this size */
#define STEP      UINT64_C(2654435761) /* odd, and far from any power of two */
#define NS        UINT64_C(1000000000)

struct bench {
	int fd;
	bool writes;
	size_t size;
	unsigned depth;
	uint64_t count, slots;
	uint64_t *waited; /* ns, by request */
	char *buffers;
};

static void fail(const char *what)
{
	fprintf(stderr, "block-bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

static off_t place(const struct bench *b, uint64_t i)
{
	return (off_t)((b->size > SPREAD ? i : i * STEP) % b->slots * b->size);
}

static void one_by_one(const struct bench *b)
{
	for (uint64_t i = 0; i < b->count; i++) {
		uint64_t begin = now();
		ssize_t n = b->writes ? pwrite(b->fd, b->buffers, b->size, place(b, i))
				      : pread(b->fd, b->buffers, b->size, place(b, i));

		if (n != (ssize_t)b->size)
			fail(b->writes ? "pwrite" : "pread");
		b->waited[i] = now() - begin;
	}
}

/* Request i in the buffer of a slot. */
static void submit(const struct bench *b, aio_context_t context, struct iocb *slot, unsigned n,
		   uint64_t i)
{
	*slot = (struct iocb){
		.aio_data = n,
		.aio_lio_opcode = b->writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)b->fd,
		.aio_buf = (uintptr_t)(b->buffers + n * b->size),
		.aio_nbytes = b->size,
		.aio_offset = place(b, i),
	};
	b->waited[i] = now();
	if (syscall(SYS_io_submit, context, 1, &slot) != 1)
		fail("io_submit");
}

/* A new one for each that ends. */
static void side_by_side(const struct bench *b)
{
	static struct iocb slots[DEPTH_MAX];
	static uint64_t of_slot[DEPTH_MAX];
	struct io_event events[DEPTH_MAX];
	aio_context_t context = 0;
	uint64_t next = 0, done = 0;

	if (syscall(SYS_io_setup, b->depth, &context))
		fail("io_setup");
	for (unsigned n = 0; n < b->depth && next < b->count; n++) {
		of_slot[n] = next;
		submit(b, context, &slots[n], n, next++);
	}
	while (done < b->count) {
		long got = syscall(SYS_io_getevents, context, 1, b->depth, events, NULL);

		if (got < 0 && errno != EINTR)
			fail("io_getevents");
		for (long e = 0; e < got; e++) {
			unsigned n = (unsigned)events[e].data;

			if (events[e].res != (int64_t)b->size) {
				errno = events[e].res < 0 ? (int)-events[e].res : EIO;
				fail("a request");
			}
			b->waited[of_slot[n]] = now() - b->waited[of_slot[n]];
			done++;
			if (next == b->count)
				continue;
			of_slot[n] = next;
			submit(b, context, &slots[n], n, next++);
		}
	}
	syscall(SYS_io_destroy, context);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(const struct bench *b)
{
	uint64_t begin = now(), took;

	if (b->depth == 1)
		one_by_one(b);
	else
		side_by_side(b);
	if (b->writes && fdatasync(b->fd))
		fail("fdatasync");
	took = now() - begin;
	qsort(b->waited, b->count, sizeof(*b->waited), by_size);
	printf("block: %s %zux%u: %llu requests, %.1f MB/s, %.0f IOPS, %.1f us\n",
	       b->writes ? "write" : "read", b->size, b->depth, (unsigned long long)b->count,
	       (double)b->count * (double)b->size / (double)took * 1e3,
	       (double)b->count * 1e9 / (double)took,
	       (double)b->waited[(b->count - 1) * 99 / 100] / 1e3);
}

static uint64_t number(const char *word, uint64_t max)
{
	char *end;
	unsigned long long n = strtoull(word, &end, 10);

	if (*end || !n || n > max) {
		fprintf(stderr, "block-bench: %s: not a number from 1 to %llu\n", word,
			(unsigned long long)max);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	off_t end;

	if (argc != 6 || (strcmp(argv[1], "read") && strcmp(argv[1], "write"))) {
		fprintf(stderr, "usage: block-bench read|write FILE SIZE DEPTH COUNT\n");
		return 2;
	}
	b.writes = !strcmp(argv[1], "write");
	b.size = number(argv[3], 64u << 20);
	b.depth = (unsigned)number(argv[4], DEPTH_MAX);
	b.count = number(argv[5], 100000000);
	b.fd = open(argv[2], O_RDWR | O_DIRECT);
	if (b.fd < 0 && errno == EINVAL)
		b.fd = open(argv[2], O_RDWR);
	if (b.fd < 0)
		fail(argv[2]);
	end = lseek(b.fd, 0, SEEK_END);
	if (end < (off_t)b.size) {
		errno = ENOSPC;
		fail(argv[2]);
	}
	b.slots = (uint64_t)end / b.size;
	b.waited = calloc(b.count, sizeof(*b.waited));
	b.buffers = aligned_alloc(4096, (b.size * b.depth + 4095) & ~4095ul);
	if (!b.waited || !b.buffers)
		fail("memory");
	memset(b.buffers, 0x5a, b.size * b.depth);
	measure(&b);
	return 0;
}
