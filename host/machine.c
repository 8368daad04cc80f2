// SPDX-License-Identifier: BSD-2-Clause
#include "host/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/event.h"
#include "host/kvm/pv.h"
#include "host/loader/acpi.h"
#include "host/loader/hypercall_patch.h"
#include "host/loader/kernel.h"
#include "host/loader/pvh.h"

static void ended(void *opaque)
{
	struct machine *m = opaque;

	if (m->config.ended)
		m->config.ended(m->config.opaque);
	else
		loop_stop(m->loop);
}

/* The guest wants to begin anew, and stands still: the loop does it. On any thread. */
static void soft_reset_wanted(void *opaque)
{
	struct machine *m = opaque;

	if (!event_raise(m->reset.fd))
		vm_end_failed(&m->vm, "cannot begin the soft reset of the guest: %s",
			      strerror(errno));
}

/* Where the console's and the store's rings are. */
static uint64_t special_gfn(const struct machine *m, unsigned page)
{
	if (m->config.pv)
		return page == SPECIAL_PAGE_CONSOLE ? m->pv_start.console_mfn
						    : m->pv_start.store_mfn;
	return (SPECIAL_PAGES_START >> GUEST_PAGE_SHIFT) + page;
}

static struct gpa special_page(const struct machine *m, unsigned page)
{
	return gfn_to_gpa(gfn(special_gfn(m, page)));
}

/* What a guest finds by its parameters, at first and after it has begun anew; a PV guest by its
 * start_info. */
static void offer_rings(struct machine *m)
{
	uint64_t *params = m->vm.domain.hvm_params;

	if (m->config.pv) {
		m->pv_start.info->console.domU.evtchn = m->console.port;
		if (m->store_ring)
			m->pv_start.info->store_evtchn = store_ring_port(m->store_ring);
		return;
	}
	params[HVM_PARAM_CONSOLE_PFN] = special_gfn(m, SPECIAL_PAGE_CONSOLE);
	params[HVM_PARAM_CONSOLE_EVTCHN] = m->console.port;
	if (!m->store_ring)
		return;
	params[HVM_PARAM_STORE_PFN] = special_gfn(m, SPECIAL_PAGE_STORE);
	params[HVM_PARAM_STORE_EVTCHN] = store_ring_port(m->store_ring);
}

static void reset_rings(struct machine *m)
{
	console_reset(&m->console);
	if (m->store_ring)
		store_ring_reset(m->store_ring);
	offer_rings(m);
	if (m->config.reset)
		m->config.reset(m->config.opaque);
}

static void soft_reset(void *opaque, uint32_t events)
{
	struct machine *m = opaque;
	int rc;

	(void)events;
	if (!event_take(m->reset.fd))
		return;
	vm_pause_wait(&m->vm);
	if (m->config.soft_reset_ends) {
		vm_end_shutdown(&m->vm, SHUTDOWN_soft_reset);
		vm_resume(&m->vm);
		return;
	}
	fprintf(stderr, "xenolith: the guest resets itself (kexec)\n");
	rc = vm_soft_reset(&m->vm);
	reset_rings(m);
	if (rc)
		vm_end_failed(&m->vm,
			      "the soft reset of the guest failed (%s): it cannot go on; "
			      "start it again",
			      strerror(-rc));
	vm_resume(&m->vm);
}

static int watch_soft_reset(struct machine *m, struct problem *p)
{
	int rc = loop_event_open(m->loop, &m->reset, soft_reset, m);

	return rc ? problem(p, "cannot create an event: %s", strerror(-rc)) : 0;
}

static void flush_debug_line(struct machine *m)
{
	m->debug_line[m->debug_len] = '\0';
	if (m->config.debug_line)
		m->config.debug_line(m->config.opaque, m->debug_line);
	else
		fprintf(stderr, "(d%u) %s\n", m->vm.domain.id, m->debug_line);
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
		if (m->debug_len == sizeof(m->debug_line) - 1)
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

static int load_kernel(struct machine *m, const struct kernel *kernel, struct problem *p)
{
	const struct pvh_args args = {
		.initrd = m->config.initrd,
		.cmdline = m->config.cmdline,
		.memmap = m->vm.domain.memmap,
		.memmap_entries = m->vm.domain.memmap_entries,
		.rsdp = build_acpi(m),
		.rsdp_bytes = m->vm.acpi,
	};
	struct patch_stats stats = {0};

	if (pvh_load(kernel, &m->vm.ram, &args, &m->start, p))
		return -1;
	if (!m->vm.kvm_xen)
		kernel_patch_hypercalls(kernel, &m->vm.ram, PORT_HYPERCALL, &stats);
	vm_text_loaded(&m->vm, &stats);
	return 0;
}

static int load_pv(struct machine *m, const struct kernel *kernel, struct problem *p)
{
	const struct pv_args args = {
		.ramdisk = m->config.initrd,
		.cmdline = m->config.cmdline,
		.shared_info = PV_SHARED_FRAMES,
		.m2p = m->vm.pv->m2p,
		.m2p_entries = m->vm.pv->max_mfn,
	};

	if (pv_load(kernel, &m->vm.ram, &args, &m->pv_start, p))
		return -1;
	pv_first_context(m->vm.pv, &m->pv_start);
	return 0;
}

static int open_console(struct machine *m, struct problem *p)
{
	const struct console_ring ring = {.at = special_page(m, SPECIAL_PAGE_CONSOLE)};
	const struct machine_config *config = &m->config;

	if (console_open(&m->console, m->loop, &m->vm.domain, &ring, config->in_fd, config->out_fd,
			 p))
		return -1;
	if (config->nobody_reads && console_keep(&m->console, config->log_fd))
		return problem(p, "no memory for the console's output");
	return 0;
}

static int open_store(struct machine *m, struct problem *p)
{
	if (!m->config.store)
		return 0;
	m->store_ring = store_ring_open(m->config.store, m->loop, &m->vm.domain,
					special_page(m, SPECIAL_PAGE_STORE), p);
	return m->store_ring ? 0 : -1;
}

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value ? value : fallback;
}

/* The pages that Xen's toolstack grants to its daemons. */
static int offer_grants(struct machine *m, struct problem *p)
{
	const struct machine_config *c = &m->config;
	struct domain *d = &m->vm.domain;

	if (grants_configure(&d->grants, or_default(c->max_grant_frames, GRANT_FRAMES_DEFAULT),
			     or_default(c->max_maptrack_frames, MAPTRACK_FRAMES_DEFAULT),
			     or_default(c->max_grant_version, 2)))
		return problem(p,
			       "max_grant_frames=%u, max_grant_version=%u: a grant table has up to "
			       "%u frames, and version 1 or 2",
			       c->max_grant_frames, c->max_grant_version, GRANT_FRAMES_MAX);
	if (grants_offer(d, GNTTAB_RESERVED_CONSOLE, gfn(special_gfn(m, SPECIAL_PAGE_CONSOLE))) ||
	    grants_offer(d, GNTTAB_RESERVED_XENSTORE, gfn(special_gfn(m, SPECIAL_PAGE_STORE))))
		return problem(p, "cannot grant the guest's own pages");
	return 0;
}

static int build(struct machine *m, const struct kernel *kernel, struct problem *p)
{
	if ((m->config.pv ? load_pv(m, kernel, p) : load_kernel(m, kernel, p)) ||
	    watch_soft_reset(m, p) || open_console(m, p) || open_store(m, p) || offer_grants(m, p))
		return -1;
	offer_rings(m);
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
		.pv = config->pv,
		.domid = config->domid,
		.ended = ended,
		.soft_reset = soft_reset_wanted,
		.console_write = debug_console_write,
		.opaque = m,
	};
	struct kernel kernel;
	int rc;

	memset(m, 0, sizeof(*m));
	m->config = *config;
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
	if (config->uuid)
		memcpy(m->vm.domain.uuid, config->uuid, sizeof(m->vm.domain.uuid));
	rc = build(m, &kernel, p);
	kernel_close(&kernel);
	if (rc)
		machine_destroy(m);
	return rc;
}

int machine_start(struct machine *m, struct problem *p)
{
	if (m->config.pv)
		return vm_start_pv(&m->vm, p);
	return vm_start(&m->vm, m->start.entry, m->start.start_info, p);
}

int machine_run(struct machine *m, struct problem *p)
{
	loop_run(m->loop);
	return machine_stop(m, p);
}

int machine_stop(struct machine *m, struct problem *p)
{
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
	if (m->store_ring)
		store_ring_close(m->store_ring);
	if (m->console.loop)
		console_close(&m->console);
	if (m->reset.fd >= 0) {
		loop_unwatch(m->loop, &m->reset);
		close(m->reset.fd);
	}
	vm_destroy(&m->vm);
}
