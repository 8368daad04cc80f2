// SPDX-License-Identifier: BSD-2-Clause
/*
 * The commands' end of the control socket: which guests there are, with guests that are processes
 * of the test, alive and killed; and requests to one that answers well and badly.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/control/control.h"

static char run_dir[] = "/tmp/xenolith-control-XXXXXX";
static struct problem p;

/*
 * A guest.
 */

static void must(int rc)
{
	if (rc < 0)
		_exit(1);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd);
	must((int)write(fd, text, strlen(text)));
	close(fd);
}

/* A request's line, without what may come after it; and a descriptor, or -1. */
static bool receive(int fd, char *line, size_t size, int *passed)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {line, size - 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &msg, 0);

	*passed = -1;
	if (n <= 0)
		return false;
	line[n] = '\0';
	if (CMSG_FIRSTHDR(&msg))
		memcpy(passed, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return true;
}

static void answer(int fd, const char *text)
{
	must((int)send(fd, text, strlen(text), MSG_NOSIGNAL));
}

static void answer_with_content(int fd, int passed)
{
	char content[64] = "", text[128];

	must((int)read(passed, content, sizeof(content) - 1));
	close(passed);
	snprintf(text, sizeof(text), "{\"ok\": \"%s\"}\n", content);
	answer(fd, text);
}

static void serve(int fd)
{
	static char line[CONTROL_LINE_MAX + 1], much[CONTROL_LINE_MAX];
	int passed;

	while (receive(fd, line, sizeof(line), &passed)) {
		if (strstr(line, "\"ping\""))
			answer(fd, "{\"ok\": \"pong\"}\n");
		else if (strstr(line, "\"slow\"")) {
			answer(fd, "{\"ok\": [1,");
			usleep(20000);
			answer(fd, "2]}\n");
		} else if (strstr(line, "\"fail\""))
			answer(fd, "{\"error\": \"it is full; make room\"}\n");
		else if (strstr(line, "\"file\""))
			answer_with_content(fd, passed);
		else if (strstr(line, "\"noise\""))
			answer(fd, "{\"ok\n");
		else if (strstr(line, "\"neither\""))
			answer(fd, "{}\n");
		else if (strstr(line, "\"much\"")) {
			memset(much, 'x', sizeof(much));
			must((int)send(fd, much, sizeof(much), MSG_NOSIGNAL));
			break;
		} else
			break;
	}
	close(fd);
}

static void listen_and_serve(const char *folder)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/control", folder);
	must(bind(listener, (struct sockaddr *)&addr, sizeof(addr)));
	must(listen(listener, 4));
	write_file("ready", "");
	for (;;)
		serve(accept(listener, NULL, NULL));
}

/* A process that is the guest of that domid, from now on. */
static pid_t start_guest(const char *domid, const char *name)
{
	pid_t pid;

	unlink("ready");
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char path[64];
		int lock_fd;

		must(mkdir(domid, 0700));
		snprintf(path, sizeof(path), "%s/lock", domid);
		lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		must(flock(lock_fd, LOCK_EX | LOCK_NB));
		snprintf(path, sizeof(path), "%s/name", domid);
		write_file(path, name);
		listen_and_serve(domid);
	}
	for (unsigned i = 0; access("ready", F_OK); i++) {
		assert_true(i < 1000);
		usleep(10000);
	}
	return pid;
}

static void kill_guest(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/*
 * Tests.
 */

static void the_folder(void **state)
{
	char path[128], tight[16];

	(void)state;
	assert_int_equal(control_run_dir(path, sizeof(path), &p), 0);
	assert_string_equal(path, run_dir);
	assert_int_equal(control_run_dir(tight, sizeof(tight), &p), -1);
	assert_non_null(strstr(p.text, "too long"));

	setenv("XENOLITH_RUN_DIR", "sub", 1);
	assert_int_equal(control_run_dir(path, sizeof(path), &p), 0);
	assert_int_equal(chmod("sub", 0770), 0);
	assert_int_equal(control_run_dir(path, sizeof(path), &p), -1);
	assert_non_null(strstr(p.text, "others can write in the runtime folder sub"));
	assert_int_equal(rmdir("sub"), 0);
	write_file("sub", "");
	assert_int_equal(control_run_dir(path, sizeof(path), &p), -1);
	assert_non_null(strstr(p.text, "is no folder"));
	unlink("sub");
	setenv("XENOLITH_RUN_DIR", "none/sub", 1);
	assert_int_equal(control_run_dir(path, sizeof(path), &p), -1);
	assert_non_null(strstr(p.text, "none/sub: No such file"));
	setenv("XENOLITH_RUN_DIR",
	       "/tmp/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaa",
	       1);
	assert_int_equal(control_run_dir(path, sizeof(path), &p), -1);
	assert_non_null(strstr(p.text, "too long"));
	setenv("XENOLITH_RUN_DIR", run_dir, 1);
}

static void living_and_dead(void **state)
{
	pid_t ten = start_guest("10", "ten\n"), two = start_guest("2", "two\n");
	struct control_guest *guests;
	unsigned count;

	(void)state;
	write_file("7", "no folder");
	mkdir("12345678", 0700);
	mkdir("x1", 0700);
	assert_int_equal(control_guests(&guests, &count, &p), 0);
	assert_int_equal(count, 2);
	assert_int_equal(guests[0].domid, 2);
	assert_string_equal(guests[0].name, "two");
	assert_int_equal(guests[1].domid, 10);
	assert_string_equal(strrchr(guests[1].folder, '/'), "/10");
	free(guests);

	kill_guest(ten);
	assert_int_equal(access("10/control", F_OK), 0);
	assert_int_equal(control_guests(&guests, &count, &p), 0);
	assert_int_equal(count, 1);
	assert_int_equal(guests[0].domid, 2);
	free(guests);
	assert_int_equal(access("10", F_OK), -1);

	/* What is none of ours stays. */
	assert_int_equal(access("7", F_OK), 0);
	assert_int_equal(rmdir("12345678") | rmdir("x1") | unlink("7"), 0);
	kill_guest(two);
	assert_int_equal(control_guests(&guests, &count, &p), 0);
	assert_int_equal(count, 0);
	free(guests);
}

/* A folder that its process has not finished stays while one may be at it. */
static void unfinished_ones(void **state)
{
	struct control_guest *guests;
	unsigned count;
	int lock_fd;

	(void)state;
	mkdir("new-77", 0700);
	write_file("new-77/lock", "");
	lock_fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(lock_fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(control_guests(&guests, &count, &p), 0);
	assert_int_equal(access("new-77", F_OK), 0);
	close(lock_fd);
	assert_int_equal(control_guests(&guests, &count, &p), 0);
	assert_int_equal(access("new-77", F_OK), -1);
}

/* As guest_folder_claim() does it: true if the domid was free. *lock_fd holds the folder's lock. */
static bool take_domid(const char *domid, int *lock_fd)
{
	int run_fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool taken;

	assert_int_equal(flock(run_fd, LOCK_EX), 0);
	assert_int_equal(mkdir("new-1", 0700), 0);
	write_file("new-1/lock", "");
	write_file("new-1/name", "new\n");
	*lock_fd = open("new-1/lock", O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(*lock_fd, LOCK_EX | LOCK_NB), 0);
	taken = !rename("new-1", domid);
	if (!taken) {
		assert_true(errno == ENOTEMPTY || errno == EEXIST);
		assert_int_equal(unlink("new-1/lock") | unlink("new-1/name"), 0);
		assert_int_equal(rmdir("new-1"), 0);
	}
	close(run_fd);
	return taken;
}

/*
 * One who has looked into a dead guest's folder and is slow to remove it: a new guest takes the
 * domid meanwhile. What is removed must be the dead one's, and not the new one's.
 */
static void a_domid_taken_again(void **state)
{
	pid_t pid = start_guest("3", "old\n");
	struct control_guest guest;
	unsigned taken = 0;

	(void)state;
	kill_guest(pid);
	for (unsigned i = 0; i < 100; i++) {
		pid_t cleaner = fork();
		int lock_fd;

		if (!cleaner) {
			struct control_guest *guests;
			unsigned count;

			must(control_guests(&guests, &count, &p));
			_exit(0);
		}
		if (take_domid("3", &lock_fd)) {
			taken++;
			waitpid(cleaner, NULL, 0);
			assert_int_equal(control_find("3", &guest, &p), 0);
			assert_string_equal(guest.name, "new");
		}
		waitpid(cleaner, NULL, 0);
		close(lock_fd); /* it dies */
	}
	assert_true(taken > 0);
	assert_int_equal(control_find("3", &guest, &p), -1);
}

static void by_name_and_number(void **state)
{
	pid_t pid = start_guest("4", "web\n");
	struct control_guest guest;

	(void)state;
	assert_int_equal(control_find("web", &guest, &p), 0);
	assert_int_equal(guest.domid, 4);
	assert_int_equal(control_find("4", &guest, &p), 0);
	assert_string_equal(guest.name, "web");
	assert_int_equal(control_find("04", &guest, &p), 0);
	assert_int_equal(control_find("we", &guest, &p), -1);
	assert_string_equal(p.text, "there is no guest 'we'; 'xenolith list' shows those that run");
	assert_int_equal(control_find("0", &guest, &p), -1);
	assert_int_equal(control_find("", &guest, &p), -1);
	assert_int_equal(control_find("65540", &guest, &p), -1);
	kill_guest(pid);
}

static json_t *ask(const struct control_guest *guest, const char *command)
{
	return control_request(guest, json_pack("{s:s}", "command", command), NULL, 0, &p);
}

static void asked_and_refused(const struct control_guest *guest, const char *command,
			      const char *reason)
{
	assert_null(ask(guest, command));
	if (!strstr(p.text, reason))
		fail_msg("%s: %s", command, p.text);
}

static void requests(void **state)
{
	pid_t pid = start_guest("5", "g\n");
	char content[] = "passed-XXXXXX", *big;
	struct control_guest guest;
	int fd = mkstemp(content);
	json_t *ok;

	(void)state;
	assert_int_equal(control_find("g", &guest, &p), 0);
	ok = ask(&guest, "ping");
	assert_string_equal(json_string_value(ok), "pong");
	json_decref(ok);
	ok = ask(&guest, "slow");
	assert_int_equal(json_array_size(ok), 2);
	json_decref(ok);

	write_file(content, "through a descriptor");
	ok = control_request(&guest, json_pack("{s:s}", "command", "file"), &fd, 1, &p);
	assert_string_equal(json_string_value(ok), "through a descriptor");
	json_decref(ok);
	close(fd);
	unlink(content);

	asked_and_refused(&guest, "fail", "it is full; make room");
	asked_and_refused(&guest, "noise", "an answer that is none");
	asked_and_refused(&guest, "neither", "an answer that is none");
	asked_and_refused(&guest, "much", "more than 65536 bytes");
	asked_and_refused(&guest, "leave", "has ended before it answered");

	big = calloc(1, CONTROL_LINE_MAX);
	memset(big, 'a', CONTROL_LINE_MAX - 1);
	asked_and_refused(&guest, big, "too long");
	free(big);
	assert_null(control_request(&guest, NULL, NULL, 0, &p));

	kill_guest(pid);
	asked_and_refused(&guest, "ping", "it has ended, or only begins");
}

/* A request that is answered late, while others are made. */
static void several_under_way(void **state)
{
	pid_t pid = start_guest("6", "g\n");
	struct control_guest guest;
	bool gone;
	int fd;

	(void)state;
	assert_int_equal(control_find("g", &guest, &p), 0);
	fd = control_connect(&guest, &p);
	assert_true(fd >= 0);
	assert_int_equal(control_send(fd, json_pack("{s:s}", "command", "ping"), NULL, 0, &p), 0);
	json_t *ok = control_receive(fd, &gone, &p);

	assert_string_equal(json_string_value(ok), "pong");
	assert_false(gone);
	json_decref(ok);
	kill_guest(pid);
	assert_null(control_receive(fd, &gone, &p));
	assert_true(gone);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(run_dir) || chdir(run_dir))
		return -1;
	return setenv("XENOLITH_RUN_DIR", run_dir, 1);
}

static int teardown(void **state)
{
	struct control_guest *guests;
	unsigned count;

	(void)state;
	if (control_guests(&guests, &count, &p))
		return -1;
	free(guests);
	unlink("lock");
	unlink("ready");
	return rmdir(run_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_folder),         cmocka_unit_test(living_and_dead),
		cmocka_unit_test(unfinished_ones),    cmocka_unit_test(a_domid_taken_again),
		cmocka_unit_test(by_name_and_number), cmocka_unit_test(requests),
		cmocka_unit_test(several_under_way),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
