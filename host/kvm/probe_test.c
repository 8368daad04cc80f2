// SPDX-License-Identifier: BSD-2-Clause
/* The probe on the KVM of this machine: no guest can hang, crash or disturb the process. */
#include "host/kvm/probe_trials.h"
#include "host/kvm/probe_guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int kvm = -1;

static void need_kvm(void)
{
	if (kvm < 0) {
		print_message("skipped: /dev/kvm cannot be opened here\n");
		skip();
	}
}

/* Start a guest whose first instruction is the given one. */
static void load_code(struct probe_vm *vm, const void *code, size_t len)
{
	assert_int_equal(probe_vm_open(vm, kvm, false), 0);
	assert_int_equal(probe_vm_load(vm, probe_guest_start), 0);
	memcpy(vm->ram + PROBE_CODE, code, len);
}

static void hanging_guest(void **state)
{
	static const uint8_t jump_to_self[] = {0xeb, 0xfe};
	struct probe_vm vm;

	(void)state;
	need_kvm();
	load_code(&vm, jump_to_self, sizeof(jump_to_self));
	assert_int_equal(probe_vm_run(&vm), KVM_TIMED_OUT);
	probe_vm_close(&vm);
}

static void crashing_guest(void **state)
{
	static const uint8_t ud2[] = {0x0f, 0x0b};
	struct probe_vm vm;

	(void)state;
	need_kvm();
	load_code(&vm, ud2, sizeof(ud2));
	assert_int_equal(probe_vm_run(&vm), KVM_SHUTDOWN);
	probe_vm_close(&vm);
}

/* A guest that speaks on another port, or another width, has not answered. */
static void babbling_guest(void **state)
{
	static const uint8_t out_al[] = {0xe6, PROBE_PORT};
	struct probe_vm vm;
	uint32_t value;

	(void)state;
	need_kvm();
	load_code(&vm, out_al, sizeof(out_al));
	assert_int_equal(probe_vm_hear(&vm, &value), KVM_WRONG);
	probe_vm_close(&vm);
}

/* A paging guest whose page says something else has not passed. */
static void wrong_translation(void **state)
{
	struct probe_vm vm;
	uint32_t value;

	(void)state;
	need_kvm();
	assert_int_equal(probe_vm_open(&vm, kvm, false), 0);
	assert_int_equal(probe_vm_load(&vm, probe_guest_unpaged), 0);
	memset(vm.ram + PROBE_DATA, 0x5a, 4);
	assert_int_equal(probe_vm_hear(&vm, &value), KVM_WORKS);
	assert_int_equal(value, 0x5a5a5a5a);
	probe_vm_close(&vm);
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* The whole probe leaves files and signals as they were, and every trial has an answer. */
static void whole_probe(void **state)
{
	struct kvm_facts facts;
	sigset_t before, after;
	int files;

	(void)state;
	need_kvm();
	files = open_files();
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	probe_kvm("/dev/kvm", &facts);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(open_files(), files);
	assert_memory_equal(&before, &after, 8);

	assert_int_equal(facts.device, KVM_DEVICE_OK);
	assert_int_equal(facts.api_version, 12);
	for (int i = 0; i < KVM_FACT_COUNT; i++)
		assert_int_not_equal(facts.answer[i], KVM_NOT_TRIED);
	/* Every KVM that there is begins there. */
	assert_int_equal(facts.answer[KVM_FACT_UNPAGED], KVM_WORKS);
	assert_true(facts.speed.host > 0 && facts.speed.host < 1000);
	assert_true(facts.speed.unpaged > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hanging_guest),  cmocka_unit_test(crashing_guest),
		cmocka_unit_test(babbling_guest), cmocka_unit_test(wrong_translation),
		cmocka_unit_test(whole_probe),
	};

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
