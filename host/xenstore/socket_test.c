// SPDX-License-Identifier: BSD-2-Clause
/* The tools' way in: the socket as a file, clients that are fast, slow, many, broken. */
#include "host/xenstore/store_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "host/xenstore/test_loop.h"

struct subject {
	struct loop loop;
	struct store *store;
	struct store_socket *socket;
	char dir[32], path[64];
};

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;

	*state = s;
	if (!s || loop_init(&s->loop))
		return -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/socket_test.XXXXXX");
	if (!mkdtemp(s->dir))
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/store", s->dir);
	s->store = store_create(&s->loop, &p);
	s->socket = store_socket_open(s->store, &s->loop, s->path, &p);
	if (!s->socket)
		return -1;
	store_write(s->store, "/a", "value");
	alarm(20);
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	alarm(0);
	if (s->socket)
		store_socket_close(s->socket);
	store_destroy(s->store);
	loop_destroy(&s->loop);
	unlink(s->path);
	assert_int_equal(rmdir(s->dir), 0);
	free(s);
	return 0;
}

static int try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int join(struct subject *s)
{
	int fd = try_connect(s->path);

	assert_true(fd >= 0);
	test_loop_settle(&s->loop);
	return fd;
}

static size_t request(char *to, uint32_t type, const char *payload, size_t len)
{
	const struct xsd_sockmsg header = {.type = type, .len = len};

	memcpy(to, &header, sizeof(header));
	memcpy(to + sizeof(header), payload, len);
	return sizeof(header) + len;
}

static void ask(int fd, uint32_t type, const char *payload, size_t len)
{
	char bytes[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];

	len = request(bytes, type, payload, len);
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void read_all(struct subject *s, int fd, void *to, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t n;

		test_loop_settle(&s->loop);
		n = read(fd, (char *)to + have, len - have);
		assert_true(n > 0 || (n < 0 && errno == EAGAIN));
		have += n > 0 ? n : 0;
	}
}

static void expect(struct subject *s, int fd, uint32_t type, const char *payload, size_t len)
{
	struct xsd_sockmsg header;
	char got[XENSTORE_PAYLOAD_MAX];

	read_all(s, fd, &header, sizeof(header));
	assert_int_equal(header.type, type);
	assert_int_equal(header.len, len);
	read_all(s, fd, got, len);
	assert_memory_equal(got, payload, len);
}

static void expect_end(struct subject *s, int fd)
{
	char bytes[4096];
	ssize_t n;

	test_loop_settle(&s->loop);
	do
		n = read(fd, bytes, sizeof(bytes));
	while (n > 0);
	assert_true(!n || errno == ECONNRESET);
	close(fd);
}

static void serves(void **state)
{
	struct subject *s = *state;
	int one = join(s), two = join(s);

	ask(one, XS_READ, "/a", 3);
	expect(s, one, XS_READ, "value", 5);
	ask(two, XS_WATCH, "/a\0t", 5);
	expect(s, two, XS_WATCH, "OK", 3);
	expect(s, two, XS_WATCH_EVENT, "/a\0t", 5);
	ask(one, XS_WRITE, "/a\0new", 6);
	expect(s, one, XS_WRITE, "OK", 3);
	expect(s, two, XS_WATCH_EVENT, "/a\0t", 5);
	ask(two, XS_READ, "/a", 3);
	expect(s, two, XS_READ, "new", 3);
	ask(two, XS_CONTROL, "check", 6); /* domain 0 may */
	expect(s, two, XS_CONTROL, "OK", 3);
	close(one);
	close(two);
	test_loop_settle(&s->loop);
}

static void a_file_of_its_own(void **state)
{
	struct subject *s = *state;
	struct stat st;

	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	store_socket_close(s->socket);
	s->socket = NULL;
	assert_int_equal(stat(s->path, &st), -1);
}

static void assert_problem(struct subject *s, const char *path, const char *text)
{
	struct problem p;

	assert_null(store_socket_open(s->store, &s->loop, path, &p));
	if (!strstr(p.text, text) || strncmp(p.text, path, strlen(path)) != 0)
		fail_msg("no '%s' in '%s'", text, p.text);
}

static void paths_in_the_way(void **state)
{
	struct subject *s = *state;
	char path[200];
	int fd;

	assert_problem(s, s->path, "another process serves there");
	snprintf(path, sizeof(path), "%s/file", s->dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_problem(s, path, "is no socket");
	assert_int_equal(unlink(path), 0); /* it was left alone */
	snprintf(path, sizeof(path), "%s/none/store", s->dir);
	assert_problem(s, path, "No such file or directory");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_problem(s, path, "too long");
}

/* One that a killed process has left is replaced. */
static void stale(void **state)
{
	struct subject *s = *state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct problem p;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	store_socket_close(s->socket);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
	s->socket = store_socket_open(s->store, &s->loop, s->path, &p);
	assert_non_null(s->socket);
	fd = join(s);
	ask(fd, XS_READ, "/a", 3);
	expect(s, fd, XS_READ, "value", 5);
	close(fd);
}

/* Somebody has put another one in our place: it is his. */
static void replaced(void **state)
{
	struct subject *s = *state;
	struct store_socket *other;
	struct problem p;
	struct stat st;

	assert_int_equal(unlink(s->path), 0);
	other = store_socket_open(s->store, &s->loop, s->path, &p);
	assert_non_null(other);
	store_socket_close(s->socket);
	s->socket = other;
	assert_int_equal(stat(s->path, &st), 0);
}

static void protocol_violation(void **state)
{
	struct subject *s = *state;
	const struct xsd_sockmsg header = {.type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1};
	int fd = join(s), other = join(s);

	assert_int_equal(write(fd, &header, sizeof(header)), sizeof(header));
	expect_end(s, fd);
	ask(other, XS_READ, "/a", 3);
	expect(s, other, XS_READ, "value", 5);
	close(other);
}

/* Hangs up in the middle: of a request, of an answer, with a transaction and watches. */
static void leaves(void **state)
{
	struct subject *s = *state;
	int fd = join(s);

	ask(fd, XS_WATCH, "/a\0t", 5);
	ask(fd, XS_TRANSACTION_START, "", 1);
	assert_int_equal(write(fd, "half", 4), 4);
	test_loop_settle(&s->loop);
	close(fd);
	test_loop_settle(&s->loop);
	assert_int_equal(store_write(s->store, "/a", "x"), 0);
	test_loop_settle(&s->loop);
}

/* Asks and asks and does not listen; when it does, all answers are there. */
static void slow_reader(void **state)
{
	struct subject *s = *state;
	char value[4001], bytes[64];
	int fd = join(s);
	unsigned sent = 0;
	size_t len = request(bytes, XS_READ, "/a", 3);

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(store_write(s->store, "/a", value), 0);
	while (send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len) {
		assert_true(++sent < 100000); /* we are not read on and on */
		if (sent % 64 == 0)
			test_loop_settle(&s->loop);
	}
	assert_int_equal(errno, EAGAIN);
	assert_true(sent > 64);
	for (unsigned i = 0; i < sent; i++)
		expect(s, fd, XS_READ, value, 4000);
	close(fd);
}

/* One that takes no events is better off without a connection. */
static void takes_no_events(void **state)
{
	struct subject *s = *state;
	char path[2100];
	int fd = join(s);

	ask(fd, XS_WATCH, "/\0t", 4);
	test_loop_settle(&s->loop);
	for (int i = 0; i < 10000; i++) {
		int n = snprintf(path, sizeof(path), "/n%05d-", i);

		memset(path + n, 'x', sizeof(path) - n - 1);
		path[sizeof(path) - 1] = '\0';
		assert_int_equal(store_mkdir(s->store, path), 0);
		assert_int_equal(store_rm(s->store, path), 0);
	}
	expect_end(s, fd);
}

static void many_clients(void **state)
{
	struct subject *s = *state;
	int fds[300];

	for (int i = 0; i < 300; i++)
		fds[i] = join(s);
	ask(fds[0], XS_READ, "/a", 3);
	expect(s, fds[0], XS_READ, "value", 5);
	ask(fds[255], XS_READ, "/a", 3);
	expect(s, fds[255], XS_READ, "value", 5);
	expect_end(s, fds[256]);
	expect_end(s, fds[299]);
	for (int i = 0; i < 299; i++)
		if (i != 256)
			close(fds[i]);
	test_loop_settle(&s->loop);
	close(join(s));
}

/* Without descriptors a client is turned away, and the loop does not spin. */
static void no_descriptors(void **state)
{
	struct subject *s = *state;
	struct rlimit old, low;
	int fd, spare = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), n = 0;
	int taken[64] = {0};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->path);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	while ((fd = dup(0)) >= 0)
		taken[n++] = fd;
	assert_true(n > 1);
	close(taken[--n]); /* for the tests' own eventfd */
	assert_int_equal(connect(spare, (struct sockaddr *)&address, sizeof(address)), 0);
	fd = eventfd(1, EFD_CLOEXEC);
	close(fd);
	/* The settling takes the last one, so that there is none for the client. */
	test_loop_settle(&s->loop);
	while (n)
		close(taken[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	expect_end(s, spare);
	close(join(s));
	test_loop_settle(&s->loop);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serves),       TEST(a_file_of_its_own), TEST(paths_in_the_way),
		TEST(stale),        TEST(replaced),          TEST(protocol_violation),
		TEST(leaves),       TEST(slow_reader),       TEST(takes_no_events),
		TEST(many_clients), TEST(no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
