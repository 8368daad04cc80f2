// SPDX-License-Identifier: BSD-2-Clause
/*
 * Is what a disk says is durable still there after a crash?
 *
 *	durable write FILE MIB		fills the first MIB MiB, again and again, until something
 *					fails or kills it; after each fsync() that comes back it
 *					says "durable: FILE: pass P: N MiB promised" on stdout
 *	durable verify FILE MIB PASS	are the first MIB MiB those of that pass, or of later ones?
 *					"durable: FILE: pass P: N MiB verified", or what is wrong
 *
 * Each block says where it belongs, of which pass it is, and its own checksum: one that is old, or
 * torn, or in another's place is told apart. Runs in the guest and on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK      4096u
#define MIB        (1u << 20)
#define BLOCKS     (MIB / BLOCK) /* written with one call */
#define PROMISE    8             /* MiB between two flushes */
#define MAGIC      UINT64_C(0x656c62617275644b)
#define FILLER     (BLOCK / sizeof(uint64_t) - 4)
#define GOLDEN     UINT64_C(0x9e3779b97f4a7c15)
#define MULTIPLIER UINT64_C(0xbf58476d1ce4e5b9)

struct block {
	uint64_t magic, pass, index, sum;
	uint64_t filler[FILLER];
};
_Static_assert(sizeof(struct block) == BLOCK, "a block is a page");

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * MULTIPLIER;
	return x ^ (x >> 27);
}

static uint64_t sum_of(const struct block *b)
{
	uint64_t sum = mix(b->pass + mix(b->index));

	for (size_t i = 0; i < FILLER; i++)
		sum = mix(sum + b->filler[i]);
	return sum;
}

static void fill(struct block *b, uint64_t pass, uint64_t index)
{
	uint64_t state = mix(pass) + index * GOLDEN;

	*b = (struct block){.magic = MAGIC, .pass = pass, .index = index};
	for (size_t i = 0; i < FILLER; i++)
		b->filler[i] = mix(state += GOLDEN);
	b->sum = sum_of(b);
}

static const char *wrong(const struct block *b, uint64_t pass, uint64_t index)
{
	if (b->magic != MAGIC)
		return "was never written";
	if (b->sum != sum_of(b))
		return "has a wrong checksum";
	if (b->pass < pass)
		return "is of an earlier pass";
	if (b->index != index)
		return "is another one";
	return NULL;
}

/* All of it, however many calls that takes. */
static bool transfer(int fd, char *at, size_t size, off_t offset, bool out)
{
	while (size) {
		ssize_t n = out ? pwrite(fd, at, size, offset) : pread(fd, at, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			printf("durable: %s at %lld: %s\n", out ? "pwrite" : "pread",
			       (long long)offset, n ? strerror(errno) : "the end of the file");
			return false;
		}
		at += n;
		offset += n;
		size -= (size_t)n;
	}
	return true;
}

static struct block chunk[BLOCKS];

static bool write_pass(int fd, const char *file, unsigned mib, uint64_t pass)
{
	for (unsigned done = 0; done < mib;) {
		for (unsigned i = 0; i < BLOCKS; i++)
			fill(&chunk[i], pass, (uint64_t)done * BLOCKS + i);
		if (!transfer(fd, (char *)chunk, MIB, (off_t)done * MIB, true))
			return false;
		if (++done % PROMISE && done < mib)
			continue;
		if (fsync(fd)) {
			printf("durable: %s: fsync: %s\n", file, strerror(errno));
			return false;
		}
		printf("durable: %s: pass %llu: %u MiB promised\n", file, (unsigned long long)pass,
		       done);
	}
	return true;
}

static bool write_for_ever(int fd, const char *file, unsigned mib)
{
	for (uint64_t pass = 1; write_pass(fd, file, mib, pass); pass++)
		;
	return false;
}

static bool verify(int fd, const char *file, unsigned mib, uint64_t pass)
{
	for (unsigned done = 0; done < mib; done++) {
		if (!transfer(fd, (char *)chunk, MIB, (off_t)done * MIB, false))
			return false;
		for (unsigned i = 0; i < BLOCKS; i++) {
			uint64_t index = (uint64_t)done * BLOCKS + i;
			const char *why = wrong(&chunk[i], pass, index);

			if (why) {
				printf("durable: %s: block %llu %s\n", file,
				       (unsigned long long)index, why);
				return false;
			}
		}
	}
	printf("durable: %s: pass %llu: %u MiB verified\n", file, (unsigned long long)pass, mib);
	return true;
}

/* A whole number from 1 to INT32_MAX, or 0. */
static unsigned number(const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	return *end || n > INT32_MAX ? 0 : (unsigned)n;
}

int main(int argc, char **argv)
{
	bool writes = argc == 4 && !strcmp(argv[1], "write");
	bool verifies = argc == 5 && !strcmp(argv[1], "verify");
	unsigned mib = argc > 3 ? number(argv[3]) : 0, pass = verifies ? number(argv[4]) : 1;
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if ((!writes && !verifies) || !mib || !pass) {
		fprintf(stderr, "usage: durable write FILE MIB | durable verify FILE MIB PASS\n");
		return 2;
	}
	fd = open(argv[2], writes ? O_WRONLY : O_RDONLY);
	if (fd < 0) {
		printf("durable: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	return writes ? !write_for_ever(fd, argv[2], mib) : !verify(fd, argv[2], mib, pass);
}
