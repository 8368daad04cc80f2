// SPDX-License-Identifier: BSD-2-Clause
/* A guest's last words on a pty: readers get them all, and nobody is waited for in vain. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "host/guest/tty_drain.h"

#define WORDS 20000

struct pty {
	int master, slave;
	char path[64];
};

static struct pty open_pty(void)
{
	struct pty t = {.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
	struct termios raw;

	assert_true(t.master >= 0);
	assert_int_equal(grantpt(t.master) | unlockpt(t.master), 0);
	assert_int_equal(ptsname_r(t.master, t.path, sizeof(t.path)), 0);
	t.slave = open(t.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t.slave >= 0);
	tcgetattr(t.slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(t.slave, TCSANOW, &raw);
	return t;
}

/* A process that reads `chunk` bytes every millisecond; its status tells whether `all` came. */
static pid_t start_reader(struct pty *t, size_t chunk, size_t all)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		int fd = open(t->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		char bytes[4096];
		size_t sum = 0;
		ssize_t n = 0;

		close(t->master);
		close(t->slave);
		if (write(ready[1], "", 1) != 1)
			_exit(2);
		if (!chunk)
			sleep(20);
		while ((n = read(fd, bytes, chunk)) > 0) {
			sum += n;
			usleep(1000);
		}
		_exit(sum != all);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static size_t say(const struct pty *t, size_t words)
{
	static const char text[WORDS] = {0};
	size_t said = 0;

	while (said < words) {
		ssize_t n = write(t->master, text, words - said);

		if (n < 0)
			usleep(1000);
		else
			said += n;
	}
	return said;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_slow_reader_gets_all(void **state)
{
	struct pty t = open_pty();
	pid_t pid = start_reader(&t, 100, WORDS);
	int status;

	(void)state;
	say(&t, WORDS);
	tty_drain(t.master, t.slave);
	close(t.master);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void nobody_is_there(void **state)
{
	struct pty t = open_pty();
	double start = seconds();

	(void)state;
	say(&t, 1000);
	tty_drain(t.master, t.slave);
	assert_true(seconds() - start < 0.5);
	close(t.master);
}

static void a_reader_that_does_not_read(void **state)
{
	struct pty t = open_pty();
	pid_t pid = start_reader(&t, 0, 0);
	double start = seconds();

	(void)state;
	say(&t, 1000);
	tty_drain(t.master, t.slave);
	assert_true(seconds() - start > 0.5 && seconds() - start < 5);
	close(t.master);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_reader_gets_all),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(a_reader_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
