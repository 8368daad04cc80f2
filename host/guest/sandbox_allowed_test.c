// SPDX-License-Identifier: BSD-2-Clause
/* What the process of a guest needs works in the sandbox, and the switch does what it says. */
#include "host/guest/sandbox_test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE 4096u

static int read_a_file(void)
{
	int fd = open(outside, O_RDONLY | O_CLOEXEC);
	char bytes[8];

	if (fd < 0 || read(fd, bytes, sizeof(bytes)) != 5)
		return errno ? errno : EIO;
	return result(close(fd));
}

static void *count(void *opaque)
{
	uint64_t *n = opaque;

	prctl(PR_SET_NAME, "counts");
	__atomic_fetch_add(n, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int make_threads(void)
{
	pthread_t thread[4];
	uint64_t n = 0;

	for (unsigned i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, count, &n))
			return EAGAIN;
	for (unsigned i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	return n == 4 ? 0 : EIO;
}

static volatile sig_atomic_t kicked;

static void on_kick(int sig)
{
	(void)sig;
	kicked = 1;
}

static int kick_oneself(void)
{
	struct sigaction sa = {.sa_handler = on_kick};

	if (sigaction(SIGRTMIN, &sa, NULL) || pthread_kill(pthread_self(), SIGRTMIN))
		return EIO;
	return kicked ? 0 : EIO;
}

static int wait_for_events(void)
{
	int loop = epoll_create1(EPOLL_CLOEXEC), event = eventfd(1, EFD_CLOEXEC);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec soon = {.it_value.tv_nsec = 1000};
	struct epoll_event e = {.events = EPOLLIN};
	uint64_t n;

	if (loop < 0 || event < 0 || timer < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, event, &e) ||
	    epoll_wait(loop, &e, 1, 1000) != 1)
		return errno;
	if (timerfd_settime(timer, 0, &soon, NULL) || read(timer, &n, sizeof(n)) != sizeof(n))
		return errno;
	return 0;
}

static int use_memory(void)
{
	size_t size = 64u << 20;
	uint8_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	void *moved, *heap;

	if (at == MAP_FAILED)
		return errno;
	heap = malloc(size);
	if (!heap)
		return ENOMEM;
	free(heap);
	at[5] = 5;
	if (madvise(at, size, MADV_DONTNEED) || at[5] || mprotect(at, PAGE, PROT_NONE) ||
	    mprotect(at, PAGE, PROT_READ | PROT_WRITE))
		return EIO;
	moved = mremap(at, size, 2 * size, MREMAP_MAYMOVE);
	return moved == MAP_FAILED ? errno : result(munmap(moved, 2 * size));
}

static int in_fd = -1, peer = -1;

static int take_a_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(peer, &m, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&m))
		return errno ? errno : EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	/* It was opened to write by who gave it. */
	return pwrite(fd, "HELLO", 5, 0) == 5 ? result(fdatasync(fd)) : errno;
}

static void give_descriptor(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {"x", 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(4)};
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	assert_int_equal(sendmsg(to, &m, 0), 1);
}

static void what_works(void **state)
{
	int fds[2];

	(void)state;
	WORKS(read_a_file);
	WORKS(make_threads);
	WORKS(kick_oneself);
	WORKS(wait_for_events);
	WORKS(use_memory);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	in_fd = open(outside, O_RDWR);
	peer = fds[1];
	give_descriptor(fds[0], in_fd);
	WORKS(take_a_descriptor);
	close(in_fd);
	close(fds[0]);
	close(fds[1]);
}

/* KVM, if there is one: the whole way of a restart with the device opened to be read. */
static int make_a_vm(void)
{
	int kvm = open("/dev/kvm", O_RDONLY | O_CLOEXEC), vm, vcpu;

	if (kvm < 0)
		return errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
	return vcpu < 0 ? errno : 0;
}

static void kvm_works(void **state)
{
	(void)state;
	if (access("/dev/kvm", R_OK | W_OK)) {
		print_message("skipped: /dev/kvm: %s\n", strerror(errno));
		skip();
	}
	WORKS(make_a_vm);
}

/*
 * Programs and files of its own.
 */

/* Started before it arms. */
static int start_and_end(void)
{
	pid_t child = fork();
	struct problem p;
	int status;

	if (!child) {
		pause();
		_exit(0);
	}
	unsetenv("XENOLITH_SANDBOX");
	if (sandbox_arm(&plain, &p) || kill(child, SIGKILL) || waitpid(child, &status, 0) != child)
		return errno ? errno : EIO;
	return WIFSIGNALED(status) ? 0 : EIO;
}

static void programs_of_its_own(void **state)
{
	(void)state;
	if (access("/proc/thread-self/children", R_OK)) {
		print_message("skipped: this kernel does not name children: %s\n", strerror(errno));
		skip();
	}
	setenv("XENOLITH_SANDBOX", "off", 1);
	WORKS(start_and_end);
	unsetenv("XENOLITH_SANDBOX");
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static int unnamed = -1;

static int name_unnamed_inside(void)
{
	char from[32], to[80];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", unnamed);
	snprintf(to, sizeof(to), "%s/core", other_folder);
	return result(linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
}

static int remove_inside(void)
{
	if (unlink(inside) || refused(unlink(outside), EACCES))
		return errno;
	/* Through a folder's descriptor neither. */
	return refused(unlinkat(AT_FDCWD, outside, 0), EACCES);
}

static void files_of_its_own(void **state)
{
	const char *folders[] = {folder, other_folder};
	struct sandbox_config c = {.folders = folders, .nr_folders = 2};
	char core[80];

	(void)state;
	if (!has_landlock()) {
		print_message("skipped: this kernel has no Landlock: %s\n", strerror(errno));
		skip();
	}
	works_with(&c, remove_inside, "unlink");
	assert_int_equal(access(inside, F_OK), -1);
	assert_int_equal(access(outside, F_OK), 0);
	unnamed = open(other_folder, O_TMPFILE | O_RDWR, 0600);
	if (unnamed < 0) {
		print_message("skipped: no unnamed files in %s: %s\n", other_folder,
			      strerror(errno));
		skip();
	}
	works_with(&c, name_unnamed_inside, "linkat");
	snprintf(core, sizeof(core), "%s/core", other_folder);
	assert_int_equal(unlink(core), 0);
	close(unnamed);
}

static int nothing(void)
{
	return 0;
}

static void folder_that_is_not_there(void **state)
{
	const char *folders[] = {"/tmp/sandbox-test-nowhere"};
	struct sandbox_config c = {.folders = folders, .nr_folders = 1};
	struct outcome o;

	(void)state;
	if (!has_landlock())
		skip();
	o = run(&c, nothing);
	assert_int_equal(WEXITSTATUS(o.status), 99);
	assert_non_null(strstr(o.said, "/tmp/sandbox-test-nowhere: No such file"));
	assert_non_null(strstr(o.said, "XENOLITH_SANDBOX=off"));
}

/*
 * The switch.
 */

static int no_new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}

static int open_and_close(void)
{
	return result(close(socket(AF_UNIX, SOCK_STREAM, 0)));
}

static void switches(void **state)
{
	struct outcome o;

	(void)state;
	setenv("XENOLITH_SANDBOX", "off", 1);
	WORKS(open_and_close);
	o = run(&plain, no_new_privileges);
	assert_int_equal(WEXITSTATUS(o.status), 1);
	setenv("XENOLITH_SANDBOX", "log", 1);
	WORKS(open_and_close);
	setenv("XENOLITH_SANDBOX", "maybe", 1);
	o = run(&plain, nothing);
	assert_int_equal(WEXITSTATUS(o.status), 99);
	assert_non_null(strstr(o.said, "$XENOLITH_SANDBOX is 'maybe': want on, log or off"));
	setenv("XENOLITH_SANDBOX", "on", 1);
	ends_by(open_and_close, "socket");
	setenv("XENOLITH_SANDBOX", "", 1);
	ends_by(open_and_close, "socket");
	unsetenv("XENOLITH_SANDBOX");
	ends_by(open_and_close, "socket");
}

static void not_here(void **state)
{
	(void)state;
	print_message("skipped: no sandbox in a program with a sanitizer\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_works),
		cmocka_unit_test(kvm_works),
		cmocka_unit_test(programs_of_its_own),
		cmocka_unit_test(files_of_its_own),
		cmocka_unit_test(folder_that_is_not_there),
		cmocka_unit_test(switches),
	};
	const struct CMUnitTest sanitized[] = {cmocka_unit_test(not_here)};

	return sandbox_possible() ? cmocka_run_group_tests(tests, make_files, remove_files)
				  : cmocka_run_group_tests(sanitized, NULL, NULL);
}
