// SPDX-License-Identifier: BSD-2-Clause
/* The PV console on the fake platform: the test is the guest at one end and the user at the other.
 */
#include "host/backend/console.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "shim/fake_events.h"
#include "shim/fake_test.h"

#define RING_AT 0x20000
#define ESCAPE  0x1d

struct subject {
	struct fake *fake;
	struct loop loop;
	struct console console;
	struct xencons_interface *ring;
	int in[2], out[2]; /* pipes; the console has in[0] and out[1] */
	unsigned lefts;
};

static void left(void *opaque)
{
	struct subject *s = opaque;

	s->lefts++;
}

static int setup(void **state)
{
	const struct console_ring ring = {.at = gpa(RING_AT)};
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;

	*state = s;
	if (!s || !(s->fake = fake_create(true)) || loop_init(&s->loop) ||
	    pipe2(s->in, O_CLOEXEC) || pipe2(s->out, O_CLOEXEC))
		return -1;
	fcntl(s->out[0], F_SETFL, O_NONBLOCK);
	s->ring = fake_at(s->fake, RING_AT);
	if (console_open(&s->console, &s->loop, &s->fake->domain, &ring, s->in[0], s->out[1], &p))
		return -1;
	console_set_escape(&s->console, ESCAPE, left, s);
	alarm(20); /* a loop that does not stop is a failure */
	return 0;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	alarm(0);
	console_close(&s->console);
	loop_destroy(&s->loop);
	for (int i = 0; i < 2; i++) {
		close_end(&s->in[i]);
		close_end(&s->out[i]);
	}
	fake_destroy(s->fake);
	free(s);
	return 0;
}

static void stop(void *opaque, uint32_t events)
{
	(void)events;
	loop_stop(opaque);
}

/* Let the loop serve all that is ready now: an idle pipe end is ready, too, and behind the others.
 */
static void serve(struct subject *s)
{
	int idle[2];
	struct watch w = {.ready = stop, .opaque = &s->loop};

	for (int round = 0; round < 4; round++) {
		assert_int_equal(pipe(idle), 0);
		w.fd = idle[1];
		assert_int_equal(loop_watch(&s->loop, &w, EPOLLOUT), 0);
		loop_run(&s->loop);
		s->loop.stopped = false;
		loop_unwatch(&s->loop, &w);
		close(idle[0]);
		close(idle[1]);
	}
}

/* Put bytes into the ring as a guest does that sees room, and tell. */
static void guest_writes(struct subject *s, const char *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		s->ring->out[(s->ring->out_prod + i) % sizeof(s->ring->out)] = bytes[i];
	s->ring->out_prod += n;
	assert_int_equal(fake_send(s->fake, s->console.port), 0);
}

static unsigned guest_reads(struct subject *s, char *bytes)
{
	unsigned n = s->ring->in_prod - s->ring->in_cons;

	assert_true(n <= sizeof(s->ring->in));
	for (unsigned i = 0; i < n; i++)
		bytes[i] = s->ring->in[(s->ring->in_cons + i) % sizeof(s->ring->in)];
	s->ring->in_cons += n;
	assert_int_equal(fake_send(s->fake, s->console.port), 0);
	return n;
}

static void user_types(struct subject *s, const char *bytes, size_t n)
{
	assert_int_equal(write(s->in[1], bytes, n), n);
	serve(s);
}

static void assert_user_sees(struct subject *s, const char *bytes, size_t n)
{
	char seen[8192];
	ssize_t got = read(s->out[0], seen, sizeof(seen));

	assert_int_equal(got, n);
	assert_memory_equal(seen, bytes, n);
}

static bool guest_is_told(struct subject *s)
{
	bool told = fake_pending(s->fake, s->console.port);

	fake_clear_pending(s->fake, s->console.port);
	return told;
}

static void output(void **state)
{
	struct subject *s = *state;

	guest_writes(s, "hello\n", 6);
	serve(s);
	assert_user_sees(s, "hello\n", 6);
	assert_int_equal(s->ring->out_cons, 6);
	assert_true(guest_is_told(s));
}

static void nothing_to_move(void **state)
{
	struct subject *s = *state;

	guest_writes(s, NULL, 0);
	serve(s);
	assert_false(guest_is_told(s));
	assert_int_equal(read(s->out[0], (char[1]){0}, 1), -1);
}

/* Indexes run on through 2^32, the ring's bytes around its end. */
static void output_wraps(void **state)
{
	struct subject *s = *state;

	s->ring->out_cons = s->ring->out_prod = UINT32_MAX - 2;
	guest_writes(s, "abcdefgh", 8);
	serve(s);
	assert_user_sees(s, "abcdefgh", 8);
	assert_int_equal(s->ring->out_cons, 5);
}

/* A producer further ahead than the ring is long: one ring of bytes, and all is well again. */
static void hostile_producer(void **state)
{
	struct subject *s = *state;
	char bytes[sizeof(s->ring->out)];

	memset(s->ring->out, 'x', sizeof(s->ring->out));
	memset(bytes, 'x', sizeof(bytes));
	s->ring->out_cons = 10;
	s->ring->out_prod = 5;
	assert_int_equal(fake_send(s->fake, s->console.port), 0);
	serve(s);
	assert_user_sees(s, bytes, sizeof(bytes));
	assert_int_equal(s->ring->out_cons, 5);
	guest_writes(s, "ok", 2);
	serve(s);
	assert_user_sees(s, "ok", 2);
}

/* The user's end takes nothing: what is in the ring waits there, and comes whole and in order. */
static void output_blocks(void **state)
{
	struct subject *s = *state;
	char full[4096], first[sizeof(s->ring->out)], second[sizeof(s->ring->out)];
	unsigned filled = 0;
	ssize_t n;

	memset(full, 'f', sizeof(full));
	memset(first, '1', sizeof(first));
	memset(second, '2', sizeof(second));
	assert_int_equal(fcntl(s->out[1], F_SETPIPE_SZ, 4096), 4096);
	assert_int_equal(write(s->out[1], full, sizeof(full)), sizeof(full));

	guest_writes(s, first, sizeof(first));
	serve(s);
	assert_true(guest_is_told(s));
	assert_int_equal(s->ring->out_cons, sizeof(first)); /* taken aside */
	guest_writes(s, second, sizeof(second));
	serve(s);
	assert_int_equal(s->ring->out_cons, sizeof(first)); /* no further without room */
	assert_false(guest_is_told(s));

	assert_user_sees(s, full, sizeof(full));
	for (int i = 0; i < 8; i++) {
		char part[8192];

		serve(s);
		while ((n = read(s->out[0], part, sizeof(part))) > 0)
			for (ssize_t j = 0; j < n; j++, filled++)
				assert_int_equal(part[j], filled < sizeof(first) ? '1' : '2');
	}
	assert_int_equal(filled, s->ring->out_prod);
	assert_int_equal(s->ring->out_cons, s->ring->out_prod);
	assert_true(guest_is_told(s));
}

/* Nobody reads any more: output is lost, and the loop does not spin on the broken pipe. */
static void output_breaks(void **state)
{
	struct subject *s = *state;

	close_end(&s->out[0]);
	guest_writes(s, "lost", 4);
	serve(s);
	assert_int_equal(s->ring->out_cons, 4);
	assert_false(s->console.out_watched);
	serve(s);
}

struct sender {
	struct xencons_interface *ring;
	bool done; /* atomic */
};

static void *send_on_and_on(void *opaque)
{
	struct sender *sender = opaque;

	while (!__atomic_load_n(&sender->done, __ATOMIC_RELAXED))
		__atomic_add_fetch(&sender->ring->out_prod, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* A guest that never stops sending, to a user who takes it all: the loop still serves others. */
static void output_without_end(void **state)
{
	struct subject *s = *state;
	struct sender sender = {.ring = s->ring};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pthread_t thread;

	assert_int_equal(dup2(null, s->out[1]), s->out[1]);
	close(null);
	assert_int_equal(pthread_create(&thread, NULL, send_on_and_on, &sender), 0);
	while (!__atomic_load_n(&s->ring->out_prod, __ATOMIC_RELAXED))
		;
	assert_int_equal(fake_send(s->fake, s->console.port), 0);
	user_types(s, "\x1d", 1);
	assert_int_equal(s->lefts, 1);
	__atomic_store_n(&sender.done, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	/* As a guest tells of its last bytes: they may have come when the ring was just empty. */
	assert_int_equal(fake_send(s->fake, s->console.port), 0);
	serve(s);
	assert_int_equal(s->ring->out_cons, s->ring->out_prod);
}

static void flush(void **state)
{
	struct subject *s = *state;

	guest_writes(s, "last words", 10);
	console_flush(&s->console);
	assert_user_sees(s, "last words", 10);
}

/* A reader that is slow to begin: reads all there is, and tells how many bytes were the guest's. */
static void *read_late(void *opaque)
{
	struct subject *s = opaque;
	uintptr_t guests = 0;
	char part[512];
	ssize_t n;

	usleep(100000);
	fcntl(s->out[0], F_SETFL, 0);
	while ((n = read(s->out[0], part, sizeof(part))) > 0)
		for (ssize_t j = 0; j < n; j++)
			guests += part[j] == 'g';
	return (void *)guests;
}

/* The guest has ended while nobody read: its last words are not lost. */
static void flush_waits(void **state)
{
	struct subject *s = *state;
	char full[4096], words[sizeof(s->ring->out)];
	pthread_t reader;
	void *guests;

	memset(full, 'f', sizeof(full));
	memset(words, 'g', sizeof(words));
	assert_int_equal(fcntl(s->out[1], F_SETPIPE_SZ, 4096), 4096);
	assert_int_equal(write(s->out[1], full, sizeof(full)), sizeof(full));
	guest_writes(s, words, sizeof(words));
	assert_int_equal(pthread_create(&reader, NULL, read_late, s), 0);
	console_flush(&s->console);
	close_end(&s->out[1]);
	pthread_join(reader, &guests);
	assert_int_equal((uintptr_t)guests, sizeof(words));
}

static void input(void **state)
{
	struct subject *s = *state;
	char bytes[sizeof(s->ring->in)];

	user_types(s, "ls\r\0x", 5);
	assert_true(guest_is_told(s));
	assert_int_equal(guest_reads(s, bytes), 5);
	assert_memory_equal(bytes, "ls\r\0x", 5);
}

static void input_wraps(void **state)
{
	struct subject *s = *state;
	char bytes[sizeof(s->ring->in)];

	s->ring->in_cons = s->ring->in_prod = UINT32_MAX - 1;
	user_types(s, "abcd", 4);
	assert_int_equal(s->ring->in_prod, 2);
	assert_int_equal(guest_reads(s, bytes), 4);
	assert_memory_equal(bytes, "abcd", 4);
}

/* What comes before the escape byte is the guest's; the byte and what follows are not. */
static void escape(void **state)
{
	struct subject *s = *state;
	char bytes[sizeof(s->ring->in)];

	user_types(s,
		   "ab\x1d"
		   "cd",
		   5);
	assert_int_equal(s->lefts, 1);
	assert_int_equal(guest_reads(s, bytes), 2);
	assert_memory_equal(bytes, "ab", 2);
}

static void escape_alone(void **state)
{
	struct subject *s = *state;

	user_types(s, "\x1d", 1);
	assert_int_equal(s->lefts, 1);
	assert_int_equal(s->ring->in_prod, 0);
	assert_false(guest_is_told(s));
}

/*
 * More input than the ring holds, and its writer goes: nothing is lost, and none of it is read
 * before the guest has made room.
 */
static void input_full(void **state)
{
	struct subject *s = *state;
	char typed[2500], bytes[sizeof(s->ring->in)];
	unsigned total = 0;

	for (unsigned i = 0; i < sizeof(typed); i++)
		typed[i] = 'a' + i % 23;
	user_types(s, typed, sizeof(typed));
	close_end(&s->in[1]);
	serve(s);
	assert_int_equal(s->ring->in_prod, sizeof(s->ring->in));
	while (total < sizeof(typed)) {
		unsigned n = guest_reads(s, bytes);

		assert_true(n > 0 && n <= sizeof(typed) - total);
		assert_memory_equal(bytes, typed + total, n);
		total += n;
		serve(s);
	}
	assert_true(s->console.in_ended);
	assert_int_equal(guest_reads(s, bytes), 0);
}

/* A consumer beyond the producer leaves no room; we wait for sense. */
static void hostile_consumer(void **state)
{
	struct subject *s = *state;

	s->ring->in_cons = 7;
	user_types(s, "abc", 3);
	assert_int_equal(s->ring->in_prod, 0);
	s->ring->in_cons = 0;
	assert_int_equal(fake_send(s->fake, s->console.port), 0);
	serve(s);
	assert_int_equal(s->ring->in_prod, 3);
}

/* Input ends; output goes on. */
static void input_ends(void **state)
{
	struct subject *s = *state;

	close_end(&s->in[1]);
	serve(s);
	assert_true(s->console.in_ended);
	guest_writes(s, "on", 2);
	serve(s);
	assert_user_sees(s, "on", 2);
}

/* A console that perhaps nobody reads: the guest goes on, the log has all of it. */
static void nobody_reads(void **state)
{
	struct subject *s = *state;
	char line[1000], log_path[] = "/tmp/console-test-XXXXXX";
	int log_fd = mkstemp(log_path);
	const unsigned lines = 2 * CONSOLE_BACKLOG / sizeof(line);
	char *seen = malloc(4 * CONSOLE_BACKLOG);
	size_t len = 0;
	ssize_t n;

	unlink(log_path);
	assert_int_equal(console_keep(&s->console, log_fd), 0);
	for (unsigned i = 0; i < lines; i++) {
		memset(line, 'a' + i % 26, sizeof(line));
		guest_writes(s, line, sizeof(line));
		serve(s);
		assert_int_equal(s->ring->out_cons, s->ring->out_prod); /* it never waits */
	}
	assert_int_equal(lseek(log_fd, 0, SEEK_END), lines * sizeof(line));
	/* Who comes now reads what the pipe took at first, and the last of the rest. */
	while ((n = read(s->out[0], seen + len, 4 * CONSOLE_BACKLOG - len)) > 0) {
		len += n;
		serve(s);
	}
	assert_true(len > CONSOLE_BACKLOG && len < lines * sizeof(line));
	assert_memory_equal(seen + len - sizeof(line), line, sizeof(line));
	free(seen);
	close(log_fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output),
		TEST(nothing_to_move),
		TEST(output_wraps),
		TEST(hostile_producer),
		TEST(output_blocks),
		TEST(output_breaks),
		TEST(output_without_end),
		TEST(flush),
		TEST(flush_waits),
		TEST(input),
		TEST(input_wraps),
		TEST(escape),
		TEST(escape_alone),
		TEST(input_full),
		TEST(hostile_consumer),
		TEST(input_ends),
		TEST(nobody_reads),
	};

	signal(SIGPIPE, SIG_IGN); /* as xenolith run has it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
