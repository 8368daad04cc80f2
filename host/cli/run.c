// SPDX-License-Identifier: BSD-2-Clause
/*
 * xenolith run: one guest in the foreground, its console on this terminal.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/cli/commands.h"
#include "host/cli/size.h"
#include "host/cli/terminal.h"
#include "host/guest/sandbox.h"
#include "host/kvm/kvm_counts.h"
#include "host/kvm/pv.h"
#include "host/machine.h"

#define ESCAPE         ('\x1d') /* ^] */
#define MIN_MEMORY     (4ull << 20)
#define MEMORY_LIMIT   (1ull << 40)
#define DEFAULT_MEMORY (512ull << 20)

static const char help[] =
	"usage: xenolith run --kernel FILE [OPTION...]\n\n"
	"Boot FILE as a Xen PVH guest, its console (hvc0 in Linux) on this terminal. ^] leaves.\n\n"
	"  --kernel FILE      ELF with a Xen PVH note, or a Linux bzImage\n"
	"  --pv               a PV guest: the kernel's own entry for Xen, in ring 3\n"
	"  --initrd FILE      initial ramdisk\n"
	"  --cmdline STRING   the kernel's command line, for Linux usually \"console=hvc0 ...\"\n"
	"  --memory SIZE      guest memory, e.g. 512M (default), 2G\n"
	"  --maxmem SIZE      what it may grow to (default: the same); its balloon driver\n"
	"                     gives back what is more than --memory when it starts\n"
	"  --vcpus N          its CPUs, 1 (default) to 128; it may be more than the host has\n"
	"  --ioapic           an I/O APIC, as HVM guests have\n"
	"  --accel HOW        auto (default), stock (plain KVM) or kvm-xen (KVM's Xen support)\n"
	"  --device PATH      KVM's device (default /dev/kvm)\n"
	"  -v, --verbose      at exit, list the hypercalls that the guest made\n"
	"  -h, --help         this\n\n"
	"The exit status tells how the guest ended: 0 powered off, 3 asked for a reboot, 4 crashed,\n"
	"5 suspended, 6 left with ^] or a signal; 1 xenolith or the host failed, 2 wrong usage.\n\n"
	"Try: xenolith run --kernel /boot/vmlinuz --initrd /boot/initrd.img --cmdline console=hvc0\n";

struct options {
	struct machine_config machine;
	bool verbose;
};

/* getopt has met what it cannot take: '?' or ':'. */
static int option_problem(int what, char **argv, struct problem *p)
{
	const char letter[] = {'-', optopt, '\0'};
	/* The letter of a long option that takes no value is there when one was given. */
	bool is_letter = optopt && optopt < 256 && optopt != 'v' && optopt != 'h';

	if (what == ':')
		return problem(p, "%s needs a value; 'xenolith run --help' tells which",
			       argv[optind - 1]);
	return problem(p, "'%s' is not an option; 'xenolith run --help' lists them",
		       is_letter ? letter : argv[optind - 1]);
}

static int parse_memory(const char *option, const char *value, uint64_t *bytes, struct problem *p)
{
	if (parse_size(value, bytes) || *bytes % GUEST_PAGE_SIZE || *bytes < MIN_MEMORY ||
	    *bytes >= MEMORY_LIMIT)
		return problem(p,
			       "%s %s: want a size from 4M to below 1T, in whole "
			       "pages, such as 512M or 2G",
			       option, value);
	return 0;
}

static int parse_options(int argc, char **argv, struct options *o, struct problem *p)
{
	enum { KERNEL = 256, PV, INITRD, CMDLINE, MEMORY, MAXMEM, VCPUS, IOAPIC, ACCEL, DEVICE };
	static const struct option options[] = {
		{"kernel", required_argument, NULL, KERNEL},
		{"pv", no_argument, NULL, PV},
		{"initrd", required_argument, NULL, INITRD},
		{"cmdline", required_argument, NULL, CMDLINE},
		{"memory", required_argument, NULL, MEMORY},
		{"maxmem", required_argument, NULL, MAXMEM},
		{"vcpus", required_argument, NULL, VCPUS},
		{"ioapic", no_argument, NULL, IOAPIC},
		{"accel", required_argument, NULL, ACCEL},
		{"device", required_argument, NULL, DEVICE},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	opterr = 0; /* one line is enough, and it is ours */
	while ((c = getopt_long(argc, argv, ":vh", options, NULL)) != -1) {
		switch (c) {
		case KERNEL:
			o->machine.kernel = optarg;
			break;
		case PV:
			o->machine.pv = true;
			break;
		case INITRD:
			o->machine.initrd = optarg;
			break;
		case CMDLINE:
			o->machine.cmdline = optarg;
			break;
		case DEVICE:
			o->machine.device = optarg;
			break;
		case MEMORY:
			if (parse_memory("--memory", optarg, &o->machine.memory, p))
				return -1;
			break;
		case MAXMEM:
			if (parse_memory("--maxmem", optarg, &o->machine.max_memory, p))
				return -1;
			break;
		case VCPUS:
			if (parse_count(optarg, DOMAIN_MAX_VCPUS, &o->machine.vcpus))
				return problem(p, "--vcpus %s: want a number from 1 to %d", optarg,
					       DOMAIN_MAX_VCPUS);
			break;
		case IOAPIC:
			o->machine.ioapic = true;
			break;
		case ACCEL:
			if (accel_parse(optarg, &o->machine.accel))
				return problem(p, "--accel %s: want auto, stock or kvm-xen",
					       optarg);
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		default:
			return option_problem(c, argv, p);
		}
	}
	if (optind < argc)
		return problem(p, "'%s' is not an option; 'xenolith run --help' lists them",
			       argv[optind]);
	if (o->machine.max_memory && o->machine.max_memory < o->machine.memory)
		return problem(p, "--maxmem is less than the %lluM of --memory: make it as much",
			       (unsigned long long)o->machine.memory >> 20);
	if (!o->machine.kernel)
		return problem(p,
			       "--kernel FILE is needed; 'xenolith run --help' shows an example");
	return 0;
}

/* The user has had enough: ^] or a signal. */
struct leaving {
	struct loop *loop;
	bool left;
};

static void leave(void *opaque)
{
	struct leaving *l = opaque;

	l->left = true;
	loop_stop(l->loop);
}

static void signal_ready(void *opaque, uint32_t events)
{
	(void)events;
	leave(opaque);
}

static void print_count(void *opaque, const char *name, uint32_t calls, bool implemented)
{
	(void)opaque;
	fprintf(stderr, "%10u  %s%s\n", calls, name, implemented ? "" : "  (not implemented)");
}

static void print_kvm_count(void *opaque, const char *name, uint64_t count)
{
	(void)opaque;
	fprintf(stderr, "%10llu  %s\n", (unsigned long long)count, name);
}

static void print_statistics(const struct machine *m)
{
	const struct vm *vm = &m->vm;

	fprintf(stderr, "xenolith: hypercalls by %s, %u instruction(s) patched in the kernel\n",
		vm->kvm_xen ? "kvm-xen" : "stock", vm->calls_patched);
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		fprintf(stderr, "xenolith: vCPU %u: %llu exits; hypercalls:\n", i,
			(unsigned long long)vm->vcpus[i].exits);
		hypercall_counts_visit(vm->vcpus[i].vcpu, print_count, NULL);
		fprintf(stderr, "xenolith: vCPU %u: counted by KVM:\n", i);
		kvm_counts_visit(&vm->vcpus[i], print_kvm_count, NULL);
	}
}

static int exit_status(const struct vm *vm)
{
	switch (vm->shutdown_reason) {
	case SHUTDOWN_poweroff:
		return EXIT_POWEROFF;
	case SHUTDOWN_reboot:
		fprintf(stderr, "xenolith: the guest asked for a reboot\n");
		return EXIT_REBOOT;
	case SHUTDOWN_suspend:
		fprintf(stderr, "xenolith: the guest suspended itself\n");
		return EXIT_SUSPEND;
	case SHUTDOWN_watchdog:
		fprintf(stderr, "xenolith: the guest has crashed: its watchdog has expired\n");
		return EXIT_CRASH;
	default:
		fprintf(stderr, "xenolith: the guest crashed\n");
		return EXIT_CRASH;
	}
}

static int run_guest(const struct options *o, struct loop *loop, struct leaving *l,
		     struct problem *p)
{
	const struct sandbox_config sandbox = {.nr_folders = 0};
	static struct machine m;
	int status = EXIT_FAILED;

	if (o->machine.pv && pv_check(o->machine.device, o->machine.vcpus, p))
		return -1;
	if (machine_create(&m, &o->machine, loop, p))
		return -1;
	if (sandbox_arm(&sandbox, p)) {
		machine_destroy(&m);
		return -1;
	}
	if (terminal_raw(STDIN_FILENO))
		console_set_escape(&m.console, ESCAPE, leave, l);
	if (machine_start(&m, p)) {
		machine_destroy(&m);
		return -1;
	}
	if (machine_run(&m, p)) {
		/* KVM could not go on with what the guest did: for the user, its crash. */
		terminal_restore();
		fprintf(stderr, "xenolith: %s\n", p->text);
		status = EXIT_CRASH;
	} else {
		console_flush(&m.console);
		terminal_restore();
		status = m.vm.end == VM_SHUTDOWN ? exit_status(&m.vm) : EXIT_LEFT;
	}
	if (o->verbose)
		print_statistics(&m);
	machine_destroy(&m);
	return status;
}

int run_main(int argc, char **argv)
{
	struct options o = {.machine = {.device = "/dev/kvm",
					.memory = DEFAULT_MEMORY,
					.vcpus = 1,
					.in_fd = STDIN_FILENO,
					.out_fd = STDOUT_FILENO}};
	struct leaving leaving = {0};
	struct watch signals;
	struct problem p;
	struct loop loop;
	int status;

	status = parse_options(argc, argv, &o, &p);
	if (status > 0)
		return 0;
	if (status < 0) {
		fprintf(stderr, "xenolith: %s\n", p.text);
		return EXIT_USAGE;
	}
	if (loop_init(&loop)) {
		fprintf(stderr, "xenolith: cannot create an event loop: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	leaving.loop = &loop;
	status = loop_signals_open(&loop, &signals, signal_ready, &leaving);
	if (status)
		status = problem(&p, "cannot watch signals: %s", strerror(-status));
	else
		status = run_guest(&o, &loop, &leaving, &p);
	if (status < 0)
		fprintf(stderr, "xenolith: %s\n", p.text);
	return status < 0 ? EXIT_FAILED : status;
}
