// SPDX-License-Identifier: BSD-2-Clause
/* The words of the report, from made-up facts, and the command itself where there is no KVM. */
#include "host/cli/doctor.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct kvm_facts good_facts(void)
{
	struct kvm_facts facts = {
		.path = "/dev/kvm",
		.device = KVM_DEVICE_OK,
		.api_version = 12,
		.exists = true,
		.mode = S_IFCHR | 0660,
		.cpu_svm = true,
		.speed = {.host = 0.25, .unpaged = 0.25, .ring0 = 0.5, .ring3 = 0.25},
		.max_vcpus = 288,
	};

	for (int i = 0; i < KVM_FACT_COUNT; i++)
		facts.answer[i] = KVM_WORKS;
	return facts;
}

/* A KVM as it is where nothing runs guest kernels in hardware. */
static struct kvm_facts poor_facts(void)
{
	struct kvm_facts facts = good_facts();

	facts.answer[KVM_FACT_RING0_NATIVE] = KVM_EMULATED;
	facts.answer[KVM_FACT_PAGING_32] = KVM_SHUTDOWN;
	facts.answer[KVM_FACT_PAGING_PAE] = KVM_TIMED_OUT;
	facts.answer[KVM_FACT_SYSCALL] = KVM_WRONG;
	facts.answer[KVM_FACT_SYNIC] = KVM_ABSENT;
	facts.speed.ring0 = 500;
	return facts;
}

static char *text_of(void (*print)(FILE *, const struct kvm_facts *), const struct kvm_facts *facts)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print(out, facts);
	assert_int_equal(fclose(out), 0);
	return text;
}

static json_t *json_of(const struct kvm_facts *facts)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *root;

	assert_non_null(out);
	assert_int_equal(doctor_json(out, facts), 0);
	assert_int_equal(fclose(out), 0);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	free(text);
	return root;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" should not be in:\n%s", part, text);
}

/* Is `word` a whole line? */
static bool has_line(const char *text, const char *word)
{
	char line[64];

	snprintf(line, sizeof(line), "\n%s\n", word);
	return strncmp(text, line + 1, strlen(line + 1)) == 0 || strstr(text, line);
}

static void every_fact_once(void **state)
{
	bool seen[KVM_FACT_COUNT] = {false};

	(void)state;
	for (int i = 0; i < KVM_FACT_COUNT; i++) {
		assert_false(seen[doctor_facts[i].fact]);
		seen[doctor_facts[i].fact] = true;
		assert_true(strlen(doctor_facts[i].word) > 0);
		assert_true(strlen(doctor_facts[i].title) <= 26);
		assert_true(strlen(doctor_facts[i].remedy) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(doctor_facts[i].word, doctor_facts[j].word);
	}
}

/* The manual page has an entry for each word that --features may print. */
static void words_in_manual(void **state)
{
	static const char *const others[] = {"kvm", "ring0-emulated", "run-pvh", "pv"};
	char *page = NULL, entry[64];
	FILE *file = fopen("docs/xenolith.1", "r");
	size_t size = 0;

	(void)state;
	assert_non_null(file);
	assert_true(getdelim(&page, &size, '\0', file) > 0);
	fclose(file);
	for (int i = 0; i < KVM_FACT_COUNT; i++) {
		snprintf(entry, sizeof(entry), "\n.It Cm %s\n", doctor_facts[i].word);
		assert_has(page, entry);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(entry, sizeof(entry), "\n.It Cm %s\n", others[i]);
		assert_has(page, entry);
	}
	free(page);
}

static void all_well(void **state)
{
	struct kvm_facts facts = good_facts();
	char *text = text_of(doctor_text, &facts);

	(void)state;
	assert_true(doctor_runs(&facts, DOCTOR_PVH));
	assert_true(doctor_runs(&facts, DOCTOR_PV));
	assert_has(text, "  /dev/kvm                   usable, KVM API version 12\n");
	assert_has(text, "  CPU                        AMD-V\n");
	assert_has(text, "  ring 0, long mode          0.50 ns, 2.0 times the CPU's own 0.25 ns\n");
	assert_has(text, "  64-bit long mode           yes\n");
	assert_has(text, "  PVH                        will run\n");
	assert_has(text, "  HVM                        will not run: not yet in this release\n");
	assert_has(text, "  PV                         will run\n");
	assert_lacks(text, "      Use");
	free(text);
}

/* The reason, the remedy once for neighbours that share it, and the verdict. */
static void poor_kvm(void **state)
{
	struct kvm_facts facts = poor_facts();
	char *text = text_of(doctor_text, &facts), *remedy;

	(void)state;
	assert_false(doctor_runs(&facts, DOCTOR_PVH));
	assert_false(doctor_runs(&facts, DOCTOR_PV));
	assert_has(text, "  32-bit paging              no: the vCPU shut down\n"
			 "  32-bit PAE paging          no: the test guest hung\n"
			 "  ring 0 on the CPU          no: emulated\n"
			 "  SYSCALL into ring 0        no: the test guest saw a wrong result\n"
			 "      This KVM runs guest kernels in software.");
	assert_has(text, "500.00 ns, 2000 times the CPU's own 0.25 ns\n");
	assert_has(text, "  PVH                        will not run: lacks ring0-native, synic\n");
	assert_has(
		text,
		"  PV                         will not run: lacks ring0-native, syscall, synic\n");
	remedy = strstr(text, "in software");
	assert_null(strstr(remedy + 1, "in software"));
	free(text);
}

static void feature_words(void **state)
{
	struct kvm_facts good = good_facts(), poor = poor_facts();
	char *text = text_of(doctor_features, &good);

	(void)state;
	assert_true(has_line(text, "kvm"));
	for (int i = 0; i < KVM_FACT_COUNT; i++)
		assert_true(has_line(text, doctor_facts[i].word));
	assert_true(has_line(text, "run-pvh"));
	assert_true(has_line(text, "pv"));
	assert_false(has_line(text, "ring0-emulated"));
	assert_false(has_line(text, "run-hvm"));
	assert_false(has_line(text, "run-pv"));
	free(text);

	text = text_of(doctor_features, &poor);
	assert_true(has_line(text, "ring0-emulated"));
	assert_false(has_line(text, "ring0-native"));
	assert_false(has_line(text, "paging-32"));
	assert_false(has_line(text, "synic"));
	assert_false(has_line(text, "run-pvh"));
	assert_false(has_line(text, "pv"));
	free(text);
}

/* What JSON says of a kind of guest: nothing is lacking but `word`, which may be NULL. */
static void assert_guest(const struct kvm_facts *facts, const char *kind, bool runs,
			 const char *word)
{
	json_t *root = json_of(facts);
	json_t *guest = json_object_get(json_object_get(root, "guests"), kind);
	json_t *lacks = json_object_get(guest, "lacks");

	assert_int_equal(json_is_true(json_object_get(guest, "runs")), runs);
	assert_int_equal(json_array_size(lacks), word != NULL);
	if (word)
		assert_string_equal(json_string_value(json_array_get(lacks, 0)), word);
	json_decref(root);
}

/* Each need by itself is enough to stop PVH or PV, and nothing else is. */
static void each_need(void **state)
{
	(void)state;
	for (int i = 0; i < KVM_FACT_COUNT; i++) {
		struct kvm_facts facts = good_facts();
		bool pvh = doctor_facts[i].need & DOCTOR_PVH, pv = doctor_facts[i].need & DOCTOR_PV;

		facts.answer[doctor_facts[i].fact] = KVM_ABSENT;
		assert_int_equal(doctor_runs(&facts, DOCTOR_PVH), !pvh);
		assert_int_equal(doctor_runs(&facts, DOCTOR_PV), !pv);
		assert_guest(&facts, "pvh", !pvh, pvh ? doctor_facts[i].word : NULL);
		assert_guest(&facts, "pv", !pv, pv ? doctor_facts[i].word : NULL);
	}
}

/* The monitor's: long mode, ring 0 in earnest, system calls into it; but not the way in of PVH. */
static void needs_of_pv(void **state)
{
	static const struct {
		enum kvm_fact fact;
		bool pvh, pv;
	} needs[] = {
		{KVM_FACT_UNPAGED, true, false},       {KVM_FACT_LONG_MODE, true, true},
		{KVM_FACT_RING0_NATIVE, true, true},   {KVM_FACT_SYSCALL, false, true},
		{KVM_FACT_AUTO_EOI, true, true},       {KVM_FACT_PAGING_PAE, false, false},
		{KVM_FACT_TSC_DEADLINE, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		struct kvm_facts facts = good_facts();

		facts.answer[needs[i].fact] = KVM_WRONG;
		assert_int_equal(doctor_runs(&facts, DOCTOR_PVH), !needs[i].pvh);
		assert_int_equal(doctor_runs(&facts, DOCTOR_PV), !needs[i].pv);
	}
}

static void json_facts(void **state)
{
	struct kvm_facts facts = poor_facts();
	json_t *root, *all, *fact;

	(void)state;
	facts.xen_features = 0x80000021;
	root = json_of(&facts);
	all = json_object_get(root, "facts");
	assert_int_equal(json_object_size(all), KVM_FACT_COUNT);
	fact = json_object_get(all, "paging-32");
	assert_true(json_is_false(json_object_get(fact, "has")));
	assert_string_equal(json_string_value(json_object_get(fact, "answer")), "shutdown");
	assert_true(json_is_string(json_object_get(fact, "remedy")));
	fact = json_object_get(all, "long-mode");
	assert_true(json_is_true(json_object_get(fact, "has")));
	assert_null(json_object_get(fact, "remedy"));

	all = json_object_get(root, "kvm-xen-features");
	assert_int_equal(json_array_size(all), 3);
	assert_string_equal(json_string_value(json_array_get(all, 0)), "hypercall-msr");
	assert_string_equal(json_string_value(json_array_get(all, 1)), "evtchn-send");
	assert_string_equal(json_string_value(json_array_get(all, 2)), "bit-31");
	json_decref(root);
}

/* The device part for a failure, and never a promise with it. */
static void assert_device(struct kvm_facts *facts, const char *state, const char *remedy)
{
	struct doctor_device device;
	char *text;

	doctor_device(facts, &device);
	assert_has(device.state, state);
	assert_has(device.remedy, remedy);
	text = text_of(doctor_features, facts);
	assert_string_equal(text, "");
	free(text);
	text = text_of(doctor_text, facts);
	assert_has(text, "  PVH                        will not run: no KVM\n");
	assert_has(text, "  PV                         will not run: no KVM\n");
	assert_lacks(text, "MSR");
	free(text);
}

static struct kvm_facts failed(enum kvm_device device, int error)
{
	return (struct kvm_facts){.path = "/dev/kvm", .device = device, .error = error};
}

static void device_missing(void **state)
{
	struct kvm_facts facts = failed(KVM_DEVICE_MISSING, ENOENT);

	(void)state;
	assert_device(&facts, "missing: No such file", "in the\nfirmware setup");
	facts.cpu_virtual = true;
	assert_device(&facts, "missing: No such file", "nested virtualisation");
	facts.cpu_svm = true;
	assert_device(&facts, "missing: No such file", "sudo modprobe kvm-amd\n");
	facts.cpu_svm = false;
	facts.cpu_vmx = true;
	assert_device(&facts, "missing: No such file", "sudo modprobe kvm-intel\n");
}

static void device_denied(void **state)
{
	struct kvm_facts facts = failed(KVM_DEVICE_DENIED, EACCES);
	struct doctor_device device;

	(void)state;
	assert_device(&facts, "not permitted", "A directory on the way to /dev/kvm");

	facts.exists = true;
	facts.mode = S_IFCHR | 0600;
	assert_device(&facts, "not permitted",
		      "sudo chown root:kvm /dev/kvm && sudo chmod 0660 /dev/kvm");
	doctor_device(&facts, &device);
	assert_string_equal(device.mode, "crw------- root:root");

	/* Open to root's own group is no way in for others. */
	facts.mode = S_IFCHR | 0660;
	assert_device(&facts, "not permitted", "sudo chown root:kvm /dev/kvm");

	/* A group that nobody is in and that has no name. */
	facts.gid = 3999999999u;
	assert_device(&facts, "not permitted", "sudo usermod -aG 3999999999 ");
	facts.mode = S_IFCHR | 0640;
	assert_device(&facts, "not permitted", "Group 3999999999 has no way in");
	facts.mode = S_IFCHR | 0660;

	/* In the group, and yet not let in (root's own group aside, which is never taken as one).
	 */
	facts.gid = getegid();
	if (facts.gid != 0)
		assert_device(&facts, "not permitted", "something else forbids it");
}

static void device_other(void **state)
{
	struct kvm_facts facts = failed(KVM_DEVICE_BUSY, EBUSY);

	(void)state;
	assert_device(&facts, "busy", "VirtualBox");
	facts = failed(KVM_DEVICE_VERSION, 0);
	facts.api_version = 10;
	assert_device(&facts, "KVM API version 10, where 12 is needed", "newer");
	facts = failed(KVM_DEVICE_NOT_KVM, 0);
	assert_device(&facts, "not a KVM device", "no character device");
	facts.mode = S_IFCHR;
	assert_device(&facts, "not a KVM device", "normally /dev/kvm");
	facts = failed(KVM_DEVICE_NO_VM, ENOMEM);
	assert_device(&facts, "cannot make a virtual machine", "memory");
	facts = failed(KVM_DEVICE_NO_VM, EINVAL);
	assert_device(&facts, "cannot make a virtual machine", "dmesg");
	facts = failed(KVM_DEVICE_ERROR, EIO);
	assert_device(&facts, "cannot be opened: ", "dmesg");
}

/* The command in a child, with its standard output (or error) caught. */
static int run_doctor(char **argv, int catch_fd, char *out, size_t size)
{
	int argc = 0, pipe_fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	while (argv[argc])
		argc++;
	assert_int_equal(pipe(pipe_fds), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(pipe_fds[1], catch_fd);
		status = doctor_main(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	close(pipe_fds[1]);
	while (len < size - 1 && (n = read(pipe_fds[0], out + len, size - 1 - len)) > 0)
		len += n;
	out[len] = '\0';
	close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define RUN(fd, ...) run_doctor((char *[]){"doctor", __VA_ARGS__, NULL}, fd, out, sizeof(out))

static void command(void **state)
{
	char out[8192];
	json_t *root;

	(void)state;
	assert_int_equal(RUN(1, "--help"), 0);
	assert_has(out, "usage: xenolith doctor");
	assert_int_equal(RUN(1, "--device", "/dev/null"), 1);
	assert_has(out, "not a KVM device");
	assert_int_equal(RUN(1, "--device=/nonexistent", "--features"), 1);
	assert_string_equal(out, "");
	assert_int_equal(RUN(1, "--json", "--device", "/nonexistent"), 1);
	root = json_loads(out, 0, NULL);
	assert_non_null(root);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(root, "device"), "state")),
		"missing");
	json_decref(root);
}

static void wrong_usage(void **state)
{
	char out[8192];

	(void)state;
	assert_int_equal(RUN(2, "--nonsense"), 2);
	assert_has(out, "'--nonsense': no such option");
	assert_int_equal(RUN(2, "--device"), 2);
	assert_has(out, "'--device': needs a value");
	assert_int_equal(RUN(2, "please"), 2);
	assert_has(out, "'please': takes no arguments");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fact_once), cmocka_unit_test(words_in_manual),
		cmocka_unit_test(all_well),        cmocka_unit_test(poor_kvm),
		cmocka_unit_test(feature_words),   cmocka_unit_test(each_need),
		cmocka_unit_test(needs_of_pv),     cmocka_unit_test(json_facts),
		cmocka_unit_test(device_missing),  cmocka_unit_test(device_denied),
		cmocka_unit_test(device_other),    cmocka_unit_test(command),
		cmocka_unit_test(wrong_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
