// SPDX-License-Identifier: BSD-2-Clause
/* What the sandbox forbids is really refused: each thing is tried in a child that has armed it. */
#include "host/guest/sandbox_test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/backend/block/image_rings.h"

#define PAGE 4096u

/*
 * What ends the process.
 */

static int do_execve(void)
{
	char *argv[] = {"/bin/true", NULL};

	return result(execve(argv[0], argv, argv + 1));
}

static int do_execveat(void)
{
	char *argv[] = {"/bin/true", NULL};

	return result(syscall(SYS_execveat, AT_FDCWD, argv[0], argv, argv + 1, 0));
}

static int do_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return result(pid);
}

static int do_vfork(void)
{
	return result(syscall(SYS_vfork));
}

static int do_new_user(void)
{
	return result(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int do_unshare(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int do_socket(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int do_connect(void)
{
	struct sockaddr a = {.sa_family = AF_UNIX};

	return result(connect(0, &a, sizeof(a)));
}

static int do_bind(void)
{
	struct sockaddr a = {.sa_family = AF_UNIX};

	return result(bind(0, &a, sizeof(a)));
}

static int do_sendto(void)
{
	struct sockaddr a = {.sa_family = AF_UNIX};

	return result(sendto(0, "", 0, 0, &a, sizeof(a)));
}

static int do_mmap_exec(void)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? errno : 0;
}

static int do_mprotect_exec(void)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(mprotect(at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static int do_ptrace(void)
{
	return result(ptrace(PTRACE_ATTACH, parent, NULL, NULL));
}

static int do_read_parent(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {folder, 1};

	return result(process_vm_readv(parent, &here, 1, &there, 1, 0));
}

static int do_kill_parent(void)
{
	return result(kill(parent, 0));
}

static int do_dumpable(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1));
}

static int do_personality(void)
{
	return result(syscall(SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */));
}

static int do_tiocsti(void)
{
	return result(ioctl(0, TIOCSTI, "x"));
}

static int do_kvm_device(void)
{
	struct kvm_create_device d = {0};

	return result(ioctl(0, KVM_CREATE_DEVICE, &d));
}

static int do_limits(void)
{
	struct rlimit l = {1, 1};

	return result(prlimit(0, RLIMIT_NOFILE, &l, NULL));
}

static int do_owner(void)
{
	return result(fcntl(0, F_SETOWN, 1));
}

static int do_chmod(void)
{
	return result(chmod(outside, 0777));
}

static int do_rename(void)
{
	return result(rename(outside, inside));
}

static int do_mount(void)
{
	return result(syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL));
}

static int do_make_ring(void)
{
	struct io_uring_params params = {0};

	return result(syscall(SYS_io_uring_setup, 4, &params));
}

static int do_widen_ring(void)
{
	return result(syscall(SYS_io_uring_register, 0, IORING_REGISTER_FILES, NULL, 0));
}

static int do_unknown(void)
{
	return result(syscall(511));
}

static void what_ends_it(void **state)
{
	(void)state;
	ends_by(do_execve, "execve");
	ends_by(do_execveat, "execveat");
	ends_by(do_fork, "clone");
	ends_by(do_vfork, "vfork");
	ends_by(do_new_user, "clone");
	ends_by(do_unshare, "unshare");
	ends_by(do_socket, "socket");
	ends_by(do_connect, "connect");
	ends_by(do_bind, "bind");
	ends_by(do_sendto, "sendto");
	ends_by(do_mmap_exec, "mmap");
	ends_by(do_mprotect_exec, "mprotect");
	ends_by(do_ptrace, "ptrace");
	ends_by(do_kill_parent, "kill");
	ends_by(do_dumpable, "prctl");
	ends_by(do_personality, "personality");
	ends_by(do_tiocsti, "ioctl");
	ends_by(do_kvm_device, "ioctl");
	ends_by(do_limits, "prlimit64");
	ends_by(do_owner, "fcntl");
	ends_by(do_chmod, "chmod");
	ends_by(do_rename, "rename");
	ends_by(do_mount, "mount");
	ends_by(do_read_parent, "process_vm_readv");
	ends_by(do_make_ring, "io_uring_setup");
	ends_by(do_widen_ring, "io_uring_register");
	ends_by(do_unknown, "number");
}

static void *execute(void *opaque)
{
	(void)opaque;
	do_execve();
	return NULL;
}

/* In a thread as well, also in one that was there before. */
static int do_execve_in_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, execute, NULL))
		return 98;
	pthread_join(thread, NULL);
	return 0;
}

static int go[2];

static void *execute_when_told(void *opaque)
{
	char byte;

	if (read(go[0], &byte, 1) == 1)
		execute(opaque);
	return NULL;
}

static int tell_thread(void)
{
	pthread_t thread;
	struct problem p;

	unsetenv("XENOLITH_SANDBOX");
	if (pipe(go) || pthread_create(&thread, NULL, execute_when_told, NULL) ||
	    sandbox_arm(&plain, &p) || write(go[1], "", 1) != 1)
		return 98;
	pthread_join(thread, NULL);
	return 0;
}

static void threads(void **state)
{
	struct outcome o;

	(void)state;
	ends_by(do_execve_in_thread, "execve");
	/* Armed when the thread is there already: be_child's own arming is off. */
	setenv("XENOLITH_SANDBOX", "off", 1);
	o = run(&plain, tell_thread);
	unsetenv("XENOLITH_SANDBOX");
	assert_true(WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGSYS);
}

/* Blocked or ignored, SIGSYS ends it all the same. */
static int do_socket_deaf(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	return do_socket();
}

static int do_socket_ignoring(void)
{
	signal(SIGSYS, SIG_IGN);
	return do_socket();
}

static void not_to_be_ignored(void **state)
{
	int (*acts[])(void) = {do_socket_deaf, do_socket_ignoring};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct outcome o = run(&plain, acts[i]);

		assert_true(WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGSYS);
	}
}

/*
 * What is refused with an errno.
 */

static int open_to_write(void)
{
	return refused(open(outside, O_WRONLY), EACCES);
}

static int open_to_change(void)
{
	return refused(open("/dev/null", O_RDWR), EACCES);
}

static int open_to_make(void)
{
	return refused(open("/tmp/sandbox-test-new", O_RDONLY | O_CREAT, 0600), EACCES);
}

static int open_to_empty(void)
{
	return refused(open(outside, O_RDONLY | O_TRUNC), EACCES);
}

static int open_unnamed(void)
{
	return refused(open(folder, O_TMPFILE | O_RDWR, 0600), EACCES);
}

static int call_clone3(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};

	return refused(syscall(SYS_clone3, &args, sizeof(args)), ENOSYS);
}

static int remove_outside(void)
{
	return refused(unlink(outside), EACCES);
}

static void what_is_refused(void **state)
{
	struct stat s;

	(void)state;
	WORKS(open_to_write);
	WORKS(open_to_change);
	WORKS(open_to_make);
	WORKS(open_to_empty);
	WORKS(open_unnamed);
	WORKS(call_clone3);
	WORKS(remove_outside);
	assert_int_equal(stat(outside, &s), 0);
	assert_int_equal(s.st_size, 5);
}

/*
 * Rings of io_uring, whose operations the filter does not see.
 */

static struct image_rings rings;
static struct image_ring *ring;
static char byte;
static struct iovec one_byte = {&byte, 1};

/* What the ring says to the operation at hand. */
static int done_by_ring(void)
{
	struct io_uring_cqe *cqe;
	int rc = io_uring_submit_and_wait(&ring->uring, 1);

	if (rc < 0)
		return rc;
	io_uring_peek_cqe(&ring->uring, &cqe);
	rc = cqe->res;
	io_uring_cqe_seen(&ring->uring, cqe);
	return rc;
}

static int use_ring(void)
{
	int kick = eventfd(0, EFD_CLOEXEC), fd = open(inside, O_RDONLY);
	uint64_t told = 0;

	ring = image_rings_take(&rings, kick);
	if (!ring)
		return 98;
	io_uring_prep_readv(io_uring_get_sqe(&ring->uring), fd, &one_byte, 1, 0);
	if (done_by_ring() != 1 || read(kick, &told, sizeof(told)) < 0 || told != 1)
		return 97;
	io_uring_prep_fsync(io_uring_get_sqe(&ring->uring), fd, IORING_FSYNC_DATASYNC);
	if (done_by_ring())
		return 96;
	return result(io_uring_unregister_eventfd(&ring->uring));
}

static int take_ring(void)
{
	ring = image_rings_take(&rings, eventfd(0, EFD_CLOEXEC));
	return ring ? 0 : 98;
}

/* One of the number of this operation, whose arguments do not matter. */
static int ask_ring_for(int operation)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	io_uring_prep_nop(sqe);
	sqe->opcode = operation;
	return done_by_ring();
}

static int open_by_ring(void)
{
	if (take_ring())
		return 98;
	io_uring_prep_openat(io_uring_get_sqe(&ring->uring), AT_FDCWD, inside, O_RDONLY, 0);
	return done_by_ring() == -EACCES ? 0 : 97;
}

static int all_else_by_ring(void)
{
	if (take_ring())
		return 98;
	for (int op = 0; op < 64; op++) {
		bool of_disks = op == IORING_OP_READV || op == IORING_OP_WRITEV ||
				op == IORING_OP_FSYNC || op == IORING_OP_FALLOCATE;
		int rc = of_disks ? -EACCES : ask_ring_for(op);

		/* EINVAL: the kernel does not know it. */
		if (rc != -EACCES && rc != -EINVAL)
			return 97;
	}
	return ask_ring_for(IORING_OP_OPENAT) == -EACCES &&
			       ask_ring_for(IORING_OP_CONNECT) == -EACCES
		       ? 0
		       : 96;
}

/* Each with a ring of its own, whose books the child keeps. */
static void what_rings_do(void **state)
{
	int (*const acts[])(void) = {use_ring, open_by_ring, all_else_by_ring};

	(void)state;
	for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		image_rings_open(&rings, 1);
		if (!rings.unused) {
			print_message("skipped: this host refuses io_uring: %s\n", strerror(errno));
			skip();
		}
		WORKS(acts[i]);
		image_rings_close(&rings);
	}
}

static int open_and_close(void)
{
	return result(close(socket(AF_UNIX, SOCK_STREAM, 0)));
}

static void not_here(void **state)
{
	struct problem p;

	(void)state;
	assert_int_equal(sandbox_arm(&plain, &p), 0);
	assert_int_equal(open_and_close(), 0);
	print_message("skipped: no sandbox in a program with a sanitizer\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_ends_it),      cmocka_unit_test(threads),
		cmocka_unit_test(not_to_be_ignored), cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_rings_do),
	};
	const struct CMUnitTest sanitized[] = {cmocka_unit_test(not_here)};

	return sandbox_possible() ? cmocka_run_group_tests(tests, make_files, remove_files)
				  : cmocka_run_group_tests(sanitized, make_files, remove_files);
}
