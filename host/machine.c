// SPDX-License-Identifier: BSD-2-Clause
#include "host/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "host/loader/acpi.h"
#include "host/loader/hypercall_patch.h"
#include "host/loader/kernel.h"
#include "host/loader/pvh.h"

static void ended(void *opaque)
{
	struct machine *m = opaque;

	loop_stop(m->loop);
}

/* The guest wants to begin anew, and stands still: the loop does it. On any thread. */
static void soft_reset_wanted(void *opaque)
{
	struct machine *m = opaque;
	uint64_t one = 1;

	if (write(m->reset.fd, &one, sizeof(one)) < 0)
		vm_end_failed(&m->vm, "cannot begin the soft reset of the guest: %s",
			      strerror(errno));
}

static void offer_console(struct machine *m)
{
	console_reset(&m->console);
	m->vm.domain.hvm_params[HVM_PARAM_CONSOLE_EVTCHN] = m->console.port;
}

static void soft_reset(void *opaque, uint32_t events)
{
	struct machine *m = opaque;
	uint64_t count;
	int rc;

	(void)events;
	if (read(m->reset.fd, &count, sizeof(count)) < 0)
		return;
	vm_pause_wait(&m->vm);
	fprintf(stderr, "xenolith: the guest resets itself (kexec)\n");
	rc = vm_soft_reset(&m->vm);
	offer_console(m);
	if (rc)
		vm_end_failed(&m->vm,
			      "the soft reset of the guest failed (%s): it cannot go on; "
			      "start it again",
			      strerror(-rc));
	vm_resume(&m->vm);
}

static int watch_soft_reset(struct machine *m, struct problem *p)
{
	int rc;

	m->reset = (struct watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), soft_reset, m};
	rc = m->reset.fd < 0 ? -errno : loop_watch(m->loop, &m->reset, EPOLLIN);
	return rc ? problem(p, "cannot create an event: %s", strerror(-rc)) : 0;
}

static void flush_debug_line(struct machine *m)
{
	fprintf(stderr, "(d%u) %.*s\n", m->vm.domain.id, (int)m->debug_len, m->debug_line);
	m->debug_len = 0;
}

/* The hypervisor's console, line by line and marked as Xen marks it, beside the guest's own. */
static void debug_console_write(void *opaque, const char *bytes, size_t len)
{
	struct machine *m = opaque;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			flush_debug_line(m);
			continue;
		}
		if (bytes[i] != '\r')
			m->debug_line[m->debug_len++] = bytes[i];
		if (m->debug_len == sizeof(m->debug_line))
			flush_debug_line(m);
	}
}

static uint64_t build_acpi(struct machine *m)
{
	uint32_t apic_ids[DOMAIN_MAX_VCPUS];
	const struct acpi_config config = {
		.cpus = m->vm.nr_vcpus,
		.ioapic = m->vm.config.ioapic ? IOAPIC_BASE : 0,
		.apic_ids = apic_ids,
		.sleep_control_port = PORT_ACPI_SLEEP,
		.sleep_status_port = PORT_ACPI_STATUS,
		.s5_type = ACPI_SLEEP_TYPE_S5,
		.reset_port = PORT_ACPI_RESET,
		.reset_value = ACPI_RESET_VALUE,
	};

	for (unsigned i = 0; i < m->vm.nr_vcpus; i++)
		apic_ids[i] = i;
	return acpi_build(m->vm.acpi, ACPI_SIZE, ACPI_START, &config);
}

static int load_kernel(struct machine *m, const struct machine_config *config,
		       const struct kernel *kernel, struct pvh_start *start, struct problem *p)
{
	const struct pvh_args args = {
		.initrd = config->initrd,
		.cmdline = config->cmdline,
		.memmap = m->vm.domain.memmap,
		.memmap_entries = m->vm.domain.memmap_entries,
		.rsdp = build_acpi(m),
		.rsdp_bytes = m->vm.acpi,
	};
	struct patch_stats stats = {0};

	if (pvh_load(kernel, &m->vm.ram, &args, start, p))
		return -1;
	if (!m->vm.kvm_xen)
		kernel_patch_hypercalls(kernel, &m->vm.ram, PORT_HYPERCALL, &stats);
	vm_text_loaded(&m->vm, &stats);
	return 0;
}

static uint64_t special_gfn(unsigned page)
{
	return (SPECIAL_PAGES_START >> GUEST_PAGE_SHIFT) + page;
}

static int open_console(struct machine *m, const struct machine_config *config, struct problem *p)
{
	struct domain *d = &m->vm.domain;
	struct gpa ring = gfn_to_gpa(gfn(special_gfn(SPECIAL_PAGE_CONSOLE)));

	if (console_open(&m->console, m->loop, d, ring, config->in_fd, config->out_fd, p))
		return -1;
	d->hvm_params[HVM_PARAM_CONSOLE_PFN] = special_gfn(SPECIAL_PAGE_CONSOLE);
	d->hvm_params[HVM_PARAM_CONSOLE_EVTCHN] = m->console.port;
	return 0;
}

int machine_create(struct machine *m, const struct machine_config *config, struct loop *loop,
		   struct problem *p)
{
	const struct vm_config vm_config = {
		.device = config->device,
		.accel = config->accel,
		.memory = config->memory,
		.max_memory = config->max_memory,
		.vcpus = config->vcpus,
		.ioapic = config->ioapic,
		.ended = ended,
		.soft_reset = soft_reset_wanted,
		.console_write = debug_console_write,
		.opaque = m,
	};
	struct pvh_start start;
	struct kernel kernel;
	int rc;

	memset(m, 0, sizeof(*m));
	m->loop = loop;
	m->reset.fd = -1;
	/* The kernel first: what is wrong with a file is said even where there is no KVM. */
	if (kernel_open(&kernel, config->kernel, p))
		return -1;
	rc = vm_create(&m->vm, &vm_config, loop, p);
	if (rc) {
		kernel_close(&kernel);
		return -1;
	}
	rc = load_kernel(m, config, &kernel, &start, p);
	kernel_close(&kernel);
	if (!rc)
		rc = watch_soft_reset(m, p);
	if (!rc)
		rc = open_console(m, config, p);
	if (!rc)
		rc = vm_start(&m->vm, start.entry, start.start_info, p);
	if (rc)
		machine_destroy(m);
	return rc;
}

int machine_run(struct machine *m, struct problem *p)
{
	loop_run(m->loop);
	vm_stop(&m->vm);
	if (m->debug_len)
		flush_debug_line(m);
	if (m->vm.end == VM_FAILED) {
		*p = m->vm.failure;
		return -1;
	}
	return 0;
}

void machine_destroy(struct machine *m)
{
	vm_stop(&m->vm);
	if (m->console.loop)
		console_close(&m->console);
	if (m->reset.fd >= 0)
		close(m->reset.fd);
	vm_destroy(&m->vm);
}
