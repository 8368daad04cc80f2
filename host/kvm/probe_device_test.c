// SPDX-License-Identifier: BSD-2-Clause
/* The ways in which the device can fail, with ioctl() replaced: /dev/null plays /dev/kvm. */
#include "host/kvm/probe.h"

#include <errno.h>
#include <linux/kvm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_SIZE 64

static struct {
	int api_version;
	int create_vm_errno;
} fake;

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	switch (request) {
	case KVM_GET_API_VERSION:
		return fake.api_version;
	case KVM_CHECK_EXTENSION:
		return 0x25; /* an odd bit pattern, the same for all */
	case KVM_CREATE_VM:
		errno = fake.create_vm_errno;
		return -1;
	default:
		fail_msg("unexpected ioctl %#lx", request);
		return -1;
	}
}

static void wrong_version(void **state)
{
	struct kvm_facts facts;

	(void)state;
	fake.api_version = 11;
	probe_kvm("/dev/null", &facts);
	assert_int_equal(facts.device, KVM_DEVICE_VERSION);
	assert_int_equal(facts.api_version, 11);
	assert_int_equal(facts.answer[KVM_FACT_SYNC_REGS], KVM_NOT_TRIED);
}

static void no_machine(int error, enum kvm_device device)
{
	struct kvm_facts facts;

	fake.api_version = KVM_API_VERSION;
	fake.create_vm_errno = error;
	probe_kvm("/dev/null", &facts);
	assert_int_equal(facts.device, device);
	assert_int_equal(facts.error, error);
	/* What could be asked has been, what needs a machine has not been tried. */
	assert_int_equal(facts.answer[KVM_FACT_IMMEDIATE_EXIT], KVM_WORKS);
	assert_int_equal(facts.answer[KVM_FACT_XEN_INTERCEPT], KVM_ABSENT);
	assert_int_equal(facts.answer[KVM_FACT_LONG_MODE], KVM_NOT_TRIED);
	assert_int_equal(facts.xen_features, 0x25);
}

static void busy(void **state)
{
	(void)state;
	no_machine(EBUSY, KVM_DEVICE_BUSY);
}

static void no_memory(void **state)
{
	(void)state;
	no_machine(ENOMEM, KVM_DEVICE_NO_VM);
}

static void missing(void **state)
{
	struct kvm_facts facts;

	(void)state;
	probe_kvm("/nonexistent/kvm", &facts);
	assert_int_equal(facts.device, KVM_DEVICE_MISSING);
	assert_int_equal(facts.error, ENOENT);
	assert_false(facts.exists);
}

/* A file that the test may make and unmake as it likes. */
static void make_file(char path[PATH_SIZE], mode_t mode)
{
	int fd;

	snprintf(path, PATH_SIZE, "/tmp/xenolith-probe-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Even one that would answer like KVM. */
static void no_device_file(void **state)
{
	struct kvm_facts facts;
	char path[PATH_SIZE];

	(void)state;
	fake.api_version = KVM_API_VERSION;
	make_file(path, 0600);
	probe_kvm(path, &facts);
	unlink(path);
	assert_int_equal(facts.device, KVM_DEVICE_NOT_KVM);
	assert_true(facts.exists);
	assert_true(S_ISREG(facts.mode));
}

/* root may open everything, so a child goes without. */
static void not_permitted(void **state)
{
	struct kvm_facts facts;
	char path[PATH_SIZE];
	int status;
	pid_t pid;

	(void)state;
	make_file(path, 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && seteuid(65534) < 0)
			_exit(99);
		probe_kvm(path, &facts);
		_exit(facts.device == KVM_DEVICE_DENIED && facts.error == EACCES && facts.exists &&
				      (facts.mode & 0777) == 0
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(path);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_version),  cmocka_unit_test(busy),
		cmocka_unit_test(no_memory),      cmocka_unit_test(missing),
		cmocka_unit_test(no_device_file), cmocka_unit_test(not_permitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
