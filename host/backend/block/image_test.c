// SPDX-License-Identifier: BSD-2-Clause
/* Images: each way to read and write one does the same. */
#include "host/backend/block/image.h"
#include "host/backend/block/image_rings.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE    (1u << 20)
#define PIECE   4096u
#define CLUSTER 65536u /* of qcow2 */
#define PENDING 1      /* no errno */

struct kind {
	const char *format; /* of qemu-nbd; NULL: a raw file */
	enum file_engine engine;
	bool no_rings, in_memory;
	uint64_t size; /* 0: SIZE */
};
static const struct kind on_disk = {.engine = FILE_AUTO};
static const struct kind by_ring = {.engine = FILE_BY_RING};
static const struct kind by_calls = {.engine = FILE_AUTO, .no_rings = true};
static const struct kind in_memory = {.engine = FILE_AUTO, .in_memory = true};
static const struct kind memory_by_ring = {.engine = FILE_BY_RING, .in_memory = true};
static const struct kind qcow2 = {.format = "qcow2"};
static const struct kind large = {.format = "qcow2", .size = UINT64_C(9) << 30};

struct subject {
	const struct kind *kind;
	char path[128];
	int file; /* kept open: of in_memory it is all there is */
	int kick;
	struct image_rings rings;
	struct image *image;
	struct image_queue *queue;
};

struct request {
	struct image_request common;
	struct iovec iov[4];
	int error;
};

static void done(struct image_request *r, int error)
{
	((struct request *)r)->error = error;
}

static void run(const char *command)
{
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
}

static void make_file(struct subject *s)
{
	const char *dir = getenv("TMPDIR");

	if (s->kind->in_memory) {
		s->file = memfd_create("image", MFD_CLOEXEC);
		snprintf(s->path, sizeof(s->path), "/proc/self/fd/%d", s->file);
	} else {
		snprintf(s->path, sizeof(s->path), "%s/image-test-XXXXXX", dir ? dir : P_tmpdir);
		s->file = mkostemp(s->path, O_CLOEXEC);
	}
	assert_true(s->file >= 0);
	if (s->kind->format) {
		char command[400];

		snprintf(command, sizeof(command), "qemu-img create -q -f %s %s %llu",
			 s->kind->format, s->path,
			 (unsigned long long)(s->kind->size ? s->kind->size : SIZE));
		run(command);
	} else {
		assert_int_equal(ftruncate(s->file, SIZE), 0);
	}
}

static struct image *try_open(struct subject *s, bool readonly, struct problem *p)
{
	return s->kind->format ? image_open_nbd(s->path, s->kind->format, readonly, p)
			       : image_open_file(s->path, readonly, s->kind->engine, &s->rings, p);
}

static void open_image(struct subject *s, bool readonly)
{
	struct problem p = {""};

	s->image = try_open(s, readonly, &p);
	s->queue = s->image ? s->image->ops->open_queue(s->image, s->kick, &p) : NULL;
	if (!s->queue)
		fail_msg("%s", p.text);
}

static void close_image(struct subject *s)
{
	if (s->queue)
		s->image->ops->close_queue(s->queue);
	if (s->image)
		image_close(s->image);
	s->queue = NULL;
	s->image = NULL;
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));

	s->kind = *state;
	*state = s;
	s->kick = eventfd(0, EFD_CLOEXEC);
	make_file(s);
	image_rings_open(&s->rings, !s->kind->no_rings);
	open_image(s, false);
	alarm(30);
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	close_image(s);
	image_rings_close(&s->rings);
	close(s->file);
	close(s->kick);
	if (!s->kind->in_memory)
		unlink(s->path);
	free(s);
	alarm(0);
	return 0;
}

static void submit(struct subject *s, struct request *r, enum image_op op, uint64_t offset,
		   uint64_t len)
{
	r->common.op = op;
	r->common.offset = offset;
	r->common.len = len;
	r->common.iov = r->iov;
	r->common.done = done;
	r->error = PENDING;
	s->image->ops->submit(s->queue, &r->common);
}

static int finish(struct subject *s, const struct request *r)
{
	const struct image_ops *ops = s->image->ops;

	ops->push(s->queue);
	ops->reap(s->queue);
	while (r->error == PENDING) {
		ops->wait(s->queue);
		ops->reap(s->queue);
	}
	return r->error;
}

/* One piece of memory. */
static int move(struct subject *s, enum image_op op, uint64_t offset, void *bytes, size_t len)
{
	struct request r = {.iov = {{bytes, len}}};

	r.common.iovcnt = 1;
	submit(s, &r, op, offset, len);
	return finish(s, &r);
}

static int plain(struct subject *s, enum image_op op, uint64_t offset, uint64_t len)
{
	struct request r = {.error = 0};

	submit(s, &r, op, offset, len);
	return finish(s, &r);
}

static void fill(uint8_t *bytes, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256 + seed);
}

static void test_written_is_read(void **state)
{
	struct subject *s = *state;
	uint8_t out[PIECE], in[PIECE];

	assert_int_equal(image_size(s->image), SIZE);
	fill(out, sizeof(out), 1);
	assert_int_equal(move(s, IMAGE_WRITE, 512, out, sizeof(out)), 0);
	assert_int_equal(move(s, IMAGE_READ, 512, in, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(move(s, IMAGE_READ, SIZE - PIECE, in, sizeof(in)), 0);
	for (unsigned i = 0; i < PIECE; i++)
		assert_int_equal(in[i], 0);
	assert_int_equal(s->queue->in_flight, 0);
}

/* Scattered memory, of lengths that share no boundary with the pieces of the image. */
static void test_scattered(void **state)
{
	struct subject *s = *state;
	uint8_t out[3 * PIECE], in[3 * PIECE];
	struct request w = {.iov = {{out, 512}, {out + 512, PIECE}, {out + 512 + PIECE, 2560}}};
	struct request r = {.iov = {{in, 4096 - 512}, {in + 4096 - 512, 1024}, {in + 4608, 2560}}};

	fill(out, sizeof(out), 2);
	memset(in, 0, sizeof(in));
	w.common.iovcnt = r.common.iovcnt = 3;
	submit(s, &w, IMAGE_WRITE, PIECE, 7168);
	assert_int_equal(finish(s, &w), 0);
	submit(s, &r, IMAGE_READ, PIECE, 7168);
	assert_int_equal(finish(s, &r), 0);
	assert_memory_equal(in, out, 7168);
	assert_int_equal(in[7168], 0);
}

/* More at once than any ring has room for. */
static void test_many_at_once(void **state)
{
	struct subject *s = *state;
	enum { MANY = 600 };
	static struct request r[MANY];
	static uint8_t bytes[MANY][512], in[MANY * 512];

	for (unsigned i = 0; i < MANY; i++) {
		memset(bytes[i], (int)i, 512);
		r[i].iov[0] = (struct iovec){bytes[i], 512};
		r[i].common.iovcnt = 1;
		submit(s, &r[i], IMAGE_WRITE, i * 512, 512);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(finish(s, &r[i]), 0);
	assert_int_equal(s->queue->in_flight, 0);
	assert_int_equal(move(s, IMAGE_READ, 0, in, sizeof(in)), 0);
	assert_memory_equal(in, bytes, sizeof(in));
}

/* Not in the page cache: it has to be waited for. */
static void test_not_cached(void **state)
{
	struct subject *s = *state;
	uint8_t out[PIECE], in[PIECE];

	fill(out, sizeof(out), 3);
	assert_int_equal(move(s, IMAGE_WRITE, 8 * PIECE, out, sizeof(out)), 0);
	assert_int_equal(plain(s, IMAGE_FLUSH, 0, 0), 0);
	assert_int_equal(posix_fadvise(s->file, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(move(s, IMAGE_READ, 8 * PIECE, in, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(in));
}

/* A discard of less than the image keeps apart may do nothing. */
static void test_discarded_is_zero(void **state)
{
	struct subject *s = *state;
	static uint8_t bytes[4 * CLUSTER];

	assert_true(s->image->can_discard);
	assert_int_equal(CLUSTER % s->image->discard_granularity, 0);
	memset(bytes, 0xaa, sizeof(bytes));
	assert_int_equal(move(s, IMAGE_WRITE, 0, bytes, sizeof(bytes)), 0);
	assert_int_equal(plain(s, IMAGE_DISCARD, CLUSTER, 2 * CLUSTER), 0);
	assert_int_equal(move(s, IMAGE_READ, 0, bytes, sizeof(bytes)), 0);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		if (bytes[i] != (i / CLUSTER == 1 || i / CLUSTER == 2 ? 0 : 0xaa))
			fail_msg("byte %u is %u", i, bytes[i]);
}

/* More than one command of the protocol can name. */
static void test_large_discard(void **state)
{
	struct subject *s = *state;
	const uint64_t places[] = {0, (UINT64_C(1) << 30) - PIECE, UINT64_C(4) << 30,
				   (UINT64_C(9) << 30) - CLUSTER};
	static uint8_t bytes[CLUSTER];

	assert_int_equal(image_size(s->image), UINT64_C(9) << 30);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memset(bytes, 0xaa, sizeof(bytes));
		assert_int_equal(move(s, IMAGE_WRITE, places[i], bytes, sizeof(bytes)), 0);
	}
	assert_int_equal(plain(s, IMAGE_DISCARD, 0, UINT64_C(9) << 30), 0);
	assert_int_equal(s->queue->in_flight, 0);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_int_equal(move(s, IMAGE_READ, places[i], bytes, sizeof(bytes)), 0);
		assert_int_equal(bytes[0], 0);
		assert_int_equal(bytes[sizeof(bytes) - 1], 0);
	}
}

static void test_flushed_stays(void **state)
{
	struct subject *s = *state;
	uint8_t out[PIECE], in[PIECE];

	fill(out, sizeof(out), 4);
	assert_int_equal(move(s, IMAGE_WRITE, 4 * PIECE, out, sizeof(out)), 0);
	assert_int_equal(plain(s, IMAGE_FLUSH, 0, 0), 0);
	close_image(s);
	open_image(s, true);
	assert_int_equal(move(s, IMAGE_READ, 4 * PIECE, in, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_not_equal(move(s, IMAGE_WRITE, 0, out, sizeof(out)), 0);
	assert_int_equal(plain(s, IMAGE_FLUSH, 0, 0), 0);
}

static void test_lock(void **state)
{
	struct subject *s = *state;
	struct problem p = {""};
	struct image *readers[2];

	assert_null(try_open(s, false, &p));
	assert_non_null(strstr(p.text, s->path));
	assert_non_null(strstr(p.text, "in use"));
	assert_null(try_open(s, true, &p));
	close_image(s);
	for (unsigned i = 0; i < 2; i++) {
		readers[i] = try_open(s, true, &p);
		assert_non_null(readers[i]);
	}
	assert_null(try_open(s, false, &p));
	for (unsigned i = 0; i < 2; i++)
		image_close(readers[i]);
	open_image(s, false);
}

/* A page that is being remapped cannot be read for a moment; one that is gone is an error. */
static void test_fault(void **state)
{
	struct subject *s = *state;
	char *pages =
		mmap(NULL, 2 * PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	memset(pages, 1, 2 * PIECE);
	assert_int_equal(mprotect(pages + PIECE, PIECE, PROT_NONE), 0);
	assert_int_equal(move(s, IMAGE_WRITE, 0, pages, 2 * PIECE), -EFAULT);
	assert_int_equal(move(s, IMAGE_READ, 0, pages, 2 * PIECE), -EFAULT);
	assert_int_equal(mprotect(pages + PIECE, PIECE, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(move(s, IMAGE_READ, 0, pages, 2 * PIECE), 0);
	munmap(pages, 2 * PIECE);
}

/* Somebody has cut the file off. */
static void test_shrunk(void **state)
{
	struct subject *s = *state;
	uint8_t bytes[2 * PIECE];

	assert_int_equal(ftruncate(s->file, SIZE - PIECE), 0);
	assert_int_equal(move(s, IMAGE_READ, SIZE - 2 * PIECE, bytes, sizeof(bytes)), -EIO);
	assert_int_equal(s->image->ops->measure(s->image), SIZE - PIECE);
}

/* The disk is full, as far as this process is concerned. */
static void test_no_space(void **state)
{
	struct subject *s = *state;
	const struct rlimit limit = {SIZE / 2, RLIM_INFINITY},
			    none = {RLIM_INFINITY, RLIM_INFINITY};
	uint8_t bytes[PIECE] = {0};

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(move(s, IMAGE_WRITE, SIZE / 2, bytes, sizeof(bytes)), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &none);
	assert_int_equal(move(s, IMAGE_WRITE, SIZE / 2, bytes, sizeof(bytes)), 0);
}

static void test_kick_ends_wait(void **state)
{
	struct subject *s = *state;
	uint64_t one = 1;

	assert_int_equal(write(s->kick, &one, sizeof(one)), sizeof(one));
	s->image->ops->wait(s->queue);
	assert_int_equal(fcntl(s->kick, F_SETFL, O_NONBLOCK), 0);
	assert_true(read(s->kick, &one, sizeof(one)) < 0 && errno == EAGAIN);
}

/* The pid of our only child. */
static pid_t server_of(void)
{
	char text[32] = "";
	FILE *children = fopen("/proc/thread-self/children", "re");

	assert_non_null(children);
	assert_non_null(fgets(text, sizeof(text), children));
	fclose(children);
	return (pid_t)strtol(text, NULL, 10);
}

static void test_server_dies(void **state)
{
	struct subject *s = *state;
	uint8_t bytes[PIECE];
	struct request r = {.iov = {{bytes, PIECE}}};
	pid_t pid = server_of();

	r.common.iovcnt = 1;
	kill(pid, SIGSTOP);
	submit(s, &r, IMAGE_READ, 0, PIECE);
	kill(pid, SIGKILL);
	assert_true(finish(s, &r) < 0);
	assert_int_equal(move(s, IMAGE_READ, 0, bytes, PIECE), -EIO);
	assert_int_equal(s->queue->in_flight, 0);
}

static void test_server_ends_with_image(void **state)
{
	struct subject *s = *state;
	pid_t pid = server_of();

	close_image(s);
	assert_true(kill(pid, 0) < 0 && errno == ESRCH);
}

/* What qemu-nbd says of a file that is no such image is what the user reads. */
static void test_wrong_format(void **state)
{
	struct problem p = {""};
	struct subject s = {.kind = &on_disk};

	(void)state;
	make_file(&s);
	assert_null(image_open_nbd(s.path, "qcow2", true, &p));
	assert_non_null(strstr(p.text, s.path));
	assert_non_null(strstr(p.text, "qcow2"));
	close(s.file);
	unlink(s.path);
}

static void test_no_server(void **state)
{
	struct problem p = {""};
	struct subject s = {.kind = &on_disk};
	const char *before = getenv("PATH");
	char *path = strdup(before ? before : "");

	(void)state;
	make_file(&s);
	setenv("PATH", "/nowhere", 1);
	assert_null(image_open_nbd(s.path, "qcow2", true, &p));
	setenv("PATH", path, 1);
	assert_non_null(strstr(p.text, "apt install qemu-utils"));
	free(path);
	close(s.file);
	unlink(s.path);
}

static void test_not_opened(void **state)
{
	struct problem p = {""};

	(void)state;
	assert_null(image_open_file("/nowhere/disk.img", false, FILE_AUTO, NULL, &p));
	assert_string_equal(p.text, "/nowhere/disk.img: No such file or directory");
	assert_null(image_open_file("/", true, FILE_AUTO, NULL, &p));
	assert_string_equal(p.text, "/: neither a file nor a block device");
	assert_null(image_open_file("/dev/null", false, FILE_AUTO, NULL, &p));
}

static void test_by_configuration(void **state)
{
	char vdev[] = "xvdb", target[] = "/nowhere/disk.vhd";
	struct disk_config config = {.format = DISK_EMPTY, .vdev = vdev, .cdrom = true};
	struct problem p = {""};
	struct image *image = image_open(&config, NULL, &p);

	(void)state;
	assert_non_null(image);
	assert_int_equal(image_size(image), 0);
	assert_true(image->readonly);
	image_close(image);
	config = (struct disk_config){.format = DISK_VHD, .vdev = vdev, .target = target};
	assert_null(image_open(&config, NULL, &p));
	assert_non_null(strstr(p.text, target));
}

static void test_empty(void **state)
{
	struct subject s = {.image = image_open_empty(), .kick = eventfd(1, EFD_CLOEXEC)};
	struct problem p;
	uint8_t bytes[512];

	(void)state;
	s.queue = s.image->ops->open_queue(s.image, s.kick, &p);
	assert_int_equal(move(&s, IMAGE_READ, 0, bytes, 512), -ENOMEDIUM);
	assert_int_equal(plain(&s, IMAGE_FLUSH, 0, 0), 0);
	s.image->ops->wait(s.queue);
	assert_int_equal(s.image->ops->measure(s.image), 0);
	close_image(&s);
	close(s.kick);
}

#define TEST(test, kind)                                                                  \
	{                                                                                 \
#test " [" #kind "]", test, setup, teardown, (void *)(uintptr_t) & (kind) \
	}
#define TEST_FILES(test)                                                                       \
	TEST(test, on_disk), TEST(test, by_ring), TEST(test, by_calls), TEST(test, in_memory), \
		TEST(test, memory_by_ring)
#define TEST_ALL(test) TEST_FILES(test), TEST(test, qcow2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ALL(test_written_is_read),
		TEST_ALL(test_scattered),
		TEST_ALL(test_many_at_once),
		TEST_FILES(test_not_cached),
		TEST_ALL(test_discarded_is_zero),
		TEST(test_large_discard, large),
		TEST_ALL(test_flushed_stays),
		TEST_FILES(test_fault),
		TEST_FILES(test_shrunk),
		TEST_FILES(test_no_space),
		TEST_ALL(test_kick_ends_wait),
		TEST(test_lock, on_disk),
		TEST(test_lock, qcow2),
		TEST(test_server_dies, qcow2),
		TEST(test_server_ends_with_image, qcow2),
		cmocka_unit_test(test_wrong_format),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_not_opened),
		cmocka_unit_test(test_by_configuration),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
