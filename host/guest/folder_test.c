// SPDX-License-Identifier: BSD-2-Clause
/* A guest's folder: domids, names, and what is left of those that died. */
#include "host/guest/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/control/control.h"

static char run_dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(run_dir, sizeof(run_dir), "/tmp/folder-test-XXXXXX");
	if (!mkdtemp(run_dir))
		return -1;
	return setenv("XENOLITH_RUN_DIR", run_dir, 1);
}

static int teardown(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/lock", run_dir);
	unlink(path);
	return rmdir(run_dir); /* nothing else is left */
}

static void claims(struct guest_folder *f, const char *name)
{
	struct problem p = {""};

	if (guest_folder_claim(f, name, &p))
		fail_msg("%s", p.text);
}

static void lowest_domid_first(void **state)
{
	struct guest_folder a, b, c;

	(void)state;
	claims(&a, "a");
	claims(&b, "b");
	assert_int_equal(a.domid, 1);
	assert_int_equal(b.domid, 2);
	guest_folder_release(&a);
	claims(&c, "c");
	assert_int_equal(c.domid, 1);
	guest_folder_release(&b);
	guest_folder_release(&c);
}

static void a_name_belongs_to_one(void **state)
{
	struct guest_folder a, b;
	struct problem p;

	(void)state;
	claims(&a, "web");
	assert_int_equal(guest_folder_claim(&b, "web", &p), -1);
	assert_non_null(strstr(p.text, "'web' runs already (domain 1)"));
	guest_folder_release(&a);
	claims(&b, "web");
	guest_folder_release(&b);
}

static void found_by_name_and_number(void **state)
{
	struct control_guest guest;
	struct guest_folder a;
	struct problem p;

	(void)state;
	claims(&a, "web");
	assert_int_equal(control_find("web", &guest, &p), 0);
	assert_int_equal(guest.domid, 1);
	assert_string_equal(guest.folder, a.path);
	assert_int_equal(control_find("1", &guest, &p), 0);
	assert_string_equal(guest.name, "web");
	guest_folder_release(&a);
	assert_int_equal(control_find("web", &guest, &p), -1);
}

static void renamed(void **state)
{
	struct guest_folder a, b;
	struct control_guest guest;
	struct problem p;

	(void)state;
	claims(&a, "a-rather-long-name");
	claims(&b, "b");
	assert_int_equal(guest_folder_rename(&a, "b", &p), -1);
	assert_int_equal(control_find("a-rather-long-name", &guest, &p), 0);
	assert_int_equal(guest_folder_rename(&a, "short", &p), 0);
	assert_int_equal(control_find("short", &guest, &p), 0);
	assert_int_equal(guest.domid, a.domid);
	/* To its own name is no change. */
	assert_int_equal(guest_folder_rename(&a, "short", &p), 0);
	guest_folder_release(&a);
	guest_folder_release(&b);
}

/* A process that is killed leaves its folder, which keeps nobody from starting. */
static void the_dead_block_nobody(void **state)
{
	struct guest_folder a;
	struct stat st;
	char path[128];
	pid_t pid;
	int status;

	(void)state;
	pid = fork();
	if (!pid) {
		claims(&a, "web");
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	snprintf(path, sizeof(path), "%s/1", run_dir);
	assert_int_equal(stat(path, &st), 0);
	claims(&a, "web");
	assert_int_equal(a.domid, 1);
	guest_folder_release(&a);
}

/* The parent of a guest's process leaves the folder to it. */
static void left_to_a_child(void **state)
{
	struct control_guest guest;
	struct guest_folder a;
	struct problem p;
	int pipe_fds[2], status;
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	claims(&a, "web");
	pid = fork();
	if (!pid) {
		close(pipe_fds[1]);
		/* Until the parent has gone on. */
		if (read(pipe_fds[0], &byte, 1) < 0)
			_exit(1);
		guest_folder_release(&a);
		_exit(0);
	}
	guest_folder_leave(&a);
	assert_int_equal(control_find("web", &guest, &p), 0);
	close(pipe_fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(control_find("web", &guest, &p), -1);
	close(pipe_fds[0]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lowest_domid_first),       TEST(a_name_belongs_to_one),
		TEST(found_by_name_and_number), TEST(renamed),
		TEST(the_dead_block_nobody),    TEST(left_to_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
