// SPDX-License-Identifier: BSD-2-Clause
/*
 * The runner of the in-guest test memory-churn: takes the options of `xenolith run` that tests are
 * given, and ends as it does. What went wrong on this side is printed as a guest test prints it.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest-tests/churn/churn.h"

#define MEMORY (64ull << 20)

void churn_fail(struct churn *c, const char *fmt, ...)
{
	va_list ap;

	c->failures++;
	printf("FAILURE: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

bool churn_check(struct churn *c, int rc, int expected, const char *what)
{
	if (rc != expected)
		churn_fail(c, "%s: %s, expected %s", what, strerror(-rc), strerror(-expected));
	return rc == expected;
}

unsigned churn_random(struct churn *c, unsigned below)
{
	return (unsigned)rand_r(&c->seed) % below;
}

uint8_t *churn_memory(unsigned pages)
{
	void *p = mmap(NULL, (size_t)pages * GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The argument of HVMOP_get_param, where hypercalls will look for it. */
static void put_param(uint8_t *page)
{
	const struct xen_hvm_param param = {.domid = DOMID_SELF, .index = HVM_PARAM_CONSOLE_PFN};

	memcpy(page + CHURN_PARAM_AT, &param, sizeof(param));
}

static void put_tags(uint8_t *page, uint32_t tag)
{
	const uint32_t word = tag << 16;

	put_param(page);
	for (unsigned i = 0; i < CHURN_COVERED_PAGES; i++)
		memcpy(page + CHURN_WORD(i), &word, sizeof(word));
}

static bool prepare_overlays(struct churn *c)
{
	const size_t size = (size_t)CHURN_OVERLAYS * GUEST_PAGE_SIZE;
	int fd = c->machine.vm.overlay_fd;

	if (ftruncate(fd, size))
		return false;
	c->overlays = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c->overlays == MAP_FAILED)
		return false;
	for (unsigned i = 1; i < CHURN_OVERLAYS; i++)
		put_tags(c->overlays + i * GUEST_PAGE_SIZE, CHURN_TAG_OVERLAY | i);
	return true;
}

static bool prepare(struct churn *c)
{
	const struct ram *ram = &c->machine.vm.ram; /* MEMORY bytes, so the addresses are there */
	bool ok = prepare_overlays(c);

	c->slots = &c->machine.vm.domain.memslots;
	c->box = ram_at(ram, CHURN_MAILBOX, GUEST_PAGE_SIZE);
	for (unsigned i = 0; i < CHURN_COVERED_PAGES; i++)
		put_tags(ram_at(ram, CHURN_COVERED + i * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE),
			 CHURN_TAG_RAM);
	c->window.memory = churn_memory(CHURN_WINDOW_PAGES);
	ok = ok && c->box && c->window.memory;
	if (ok)
		put_param(c->window.memory + CHURN_PARAM_PAGE * GUEST_PAGE_SIZE);
	for (unsigned i = 0; i < CHURN_OTHER_SLOTS; i++) {
		c->others[i].memory = churn_memory(16);
		ok = ok && c->others[i].memory;
	}
	return ok;
}

static void change_memory(struct churn *c)
{
	/* The guest is there when it has found its first command; then the counting begins. */
	if (!guest_do(c, CHURN_FILL, 0, 0, 0))
		return;
	guest_account_begin(c);
	window_epochs(c, 60);
	loop_counting(c, 300);
	loop_covered(c, 600);
	window_manual_log(c);
	window_epochs(c, 60);
	areas_come_and_go(c);
	others_end(c);
}

static void *changer(void *opaque)
{
	struct churn *c = opaque;

	change_memory(c);
	if (c->failures)
		vm_end_shutdown(&c->machine.vm, SHUTDOWN_poweroff);
	else
		guest_do(c, CHURN_END, 0, 0, 0);
	return NULL;
}

static int run(struct churn *c, struct problem *p)
{
	const struct vm *vm = &c->machine.vm;
	const struct vm_vcpu *vv = &vm->vcpus[0];
	pthread_t thread;

	if (!prepare(c) || pthread_create(&thread, NULL, changer, c))
		return problem(p, "no memory for the test");
	/* As machine_run(), but who kicks vCPUs has to end before they do. */
	loop_run(c->machine.loop);
	pthread_join(thread, NULL);
	vm_stop(&c->machine.vm);
	printf("churn: %llu exits, %llu of them accesses of which %llu found no memory; %llu "
	       "faults, %llu of them in emulated instructions; %u hypercalls\n",
	       (unsigned long long)vv->exits, (unsigned long long)vv->mmio_exits,
	       (unsigned long long)vv->mmio_nowhere, (unsigned long long)vv->faults,
	       (unsigned long long)vv->not_emulated, c->box->calls);
	if (vm->end == VM_FAILED) {
		*p = vm->failure;
		return -1;
	}
	if (c->failures)
		printf("Test result: FAILURE\n");
	return 0;
}

static int parse_options(int argc, char **argv, struct machine_config *config)
{
	enum { KERNEL = 256, CMDLINE, MEMORY_SIZE, VCPUS, ACCEL };
	static const struct option options[] = {
		{"kernel", required_argument, NULL, KERNEL},
		{"cmdline", required_argument, NULL, CMDLINE},
		{"memory", required_argument, NULL, MEMORY_SIZE},
		{"vcpus", required_argument, NULL, VCPUS},
		{"accel", required_argument, NULL, ACCEL},
		{0},
	};
	int what;

	while ((what = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (what == KERNEL)
			config->kernel = optarg;
		else if (what == '?' || (what == ACCEL && accel_parse(optarg, &config->accel)))
			return -1;
	}
	return config->kernel && optind == argc ? 0 : -1;
}

int main(int argc, char **argv)
{
	static struct churn c = {.seed = 1};
	struct machine_config config = {
		.device = "/dev/kvm",
		.cmdline = "churn=on",
		.memory = MEMORY,
		.vcpus = 1,
		.in_fd = -1,
		.out_fd = STDOUT_FILENO,
	};
	struct problem p;
	struct loop loop;
	int rc;

	if (parse_options(argc, argv, &config)) {
		fprintf(stderr, "usage: %s --kernel FILE [--accel=HOW] (others are ignored)\n",
			argv[0]);
		return 2;
	}
	if (loop_init(&loop)) {
		fprintf(stderr, "churn: no event loop\n");
		return 1;
	}
	rc = machine_create(&c.machine, &config, &loop, &p);
	if (!rc) {
		rc = machine_start(&c.machine, &p);
		if (!rc)
			rc = run(&c, &p);
		machine_destroy(&c.machine);
	}
	if (rc)
		fprintf(stderr, "churn: %s\n", p.text);
	return rc || c.failures;
}
