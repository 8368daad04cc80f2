// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/sandbox_test.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

char folder[] = "/tmp/sandbox-test-XXXXXX";
char inside[64], outside[64], other_folder[64];

pid_t parent;

static void read_all(int fd, char *to, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, to + len, size - 1 - len)) > 0)
		len += n;
	to[len] = '\0';
}

__attribute__((noreturn)) static void be_child(const struct sandbox_config *c, int (*act)(void),
					       int stderr_fd)
{
	struct problem p;

	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
	if (sandbox_arm(c, &p)) {
		dprintf(STDERR_FILENO, "%s\n", p.text);
		_exit(99);
	}
	_exit(act());
}

struct outcome run(const struct sandbox_config *c, int (*act)(void))
{
	struct outcome o;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		be_child(c, act, fds[1]);
	close(fds[1]);
	read_all(fds[0], o.said, sizeof(o.said));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &o.status, 0), pid);
	return o;
}

const struct sandbox_config plain = {.nr_folders = 0};

void works_with(const struct sandbox_config *c, int (*act)(void), const char *what)
{
	struct outcome o = run(c, act);

	if (!WIFEXITED(o.status) || WEXITSTATUS(o.status))
		fail_msg("%s: status %#x (%s) %s", what, o.status,
			 WIFEXITED(o.status) ? strerror(WEXITSTATUS(o.status)) : "killed", o.said);
}

void ends_by(int (*act)(void), const char *name)
{
	struct outcome o = run(&plain, act);
	char *line_end = strchr(o.said, '\n');
	char wanted[64];

	snprintf(wanted, sizeof(wanted), ": %s (", name);
	if (!WIFSIGNALED(o.status) || WTERMSIG(o.status) != SIGSYS)
		fail_msg("%s: status %#x %s", name, o.status, o.said);
	if (!line_end || line_end[1] || !strstr(o.said, wanted))
		fail_msg("%s: says '%s'", name, o.said);
}

int result(long rc)
{
	return rc < 0 ? errno : 0;
}

int refused(long rc, int error)
{
	if (rc >= 0)
		return 255;
	return errno == error ? 0 : errno;
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
}

int make_files(void **state)
{
	(void)state;
	parent = getpid();
	unsetenv("XENOLITH_SANDBOX");
	assert_non_null(mkdtemp(folder));
	snprintf(inside, sizeof(inside), "%s/file", folder);
	snprintf(outside, sizeof(outside), "%s-file", folder);
	snprintf(other_folder, sizeof(other_folder), "%s-other", folder);
	make_file(inside);
	make_file(outside);
	return mkdir(other_folder, 0700);
}

int remove_files(void **state)
{
	(void)state;
	unlink(inside);
	unlink(outside);
	rmdir(other_folder);
	return rmdir(folder);
}
