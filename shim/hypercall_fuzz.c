// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest that does anything: sequences of hypercalls with arguments, memory, page tables, word
 * size and timing of the fuzzer's choice, on the fake platform. After each step the results are of
 * the ABI and the tables of ports agree with one another.
 *
 * The input is read front to back; where it ends everything is 0, so any bytes are a sequence.
 */
#include <string.h>

#include "shim/callback.h"
#include "shim/event_port.h"
#include "shim/fake_paging.h"
#include "shim/fake_reservation.h"
#include "shim/fuzz_input.h"
#include "shim/shared_info.h"
#include "shim/soft_reset.h"

#define MAX_STEPS 200
/* Each step binds a port at most. */
#define MAX_VALID (MAX_STEPS + 64)

/* Where the fuzzer's bytes go, and where its pointers mostly point. */
#define PLAYGROUND      0x10000ull
#define PLAYGROUND_SIZE 0x4000u

/* At its beginning: places for argument structures, whose words are likely ones. */
#define SLOTS      8
#define SLOT_WORDS 6
#define SLOT_SIZE  (SLOT_WORDS * 4)

struct fuzz {
	struct fake *f;
	struct fake_tables tables;
	bool paged;
	struct input in;
	int backend_port;
	struct paging likely;
};

/* A backend has nothing to do here. */
static void notify(void *opaque)
{
	(void)opaque;
}

static const struct port_backend backend = {.notify = notify};

static const unsigned numbers[] = {
	__HYPERVISOR_memory_op,        __HYPERVISOR_set_timer_op, __HYPERVISOR_xen_version,
	__HYPERVISOR_console_io,       __HYPERVISOR_vcpu_op,      __HYPERVISOR_sched_op,
	__HYPERVISOR_event_channel_op, __HYPERVISOR_hvm_op,       __HYPERVISOR_vm_assist,
	__HYPERVISOR_multicall,
};

/* Mostly a pointer to what the fuzzer has written, with all that makes one a bad one. */
static uint64_t argument(struct fuzz *z)
{
	switch (take(&z->in, 1) % 8) {
	case 0:
		return take(&z->in, 8);
	case 1:
		return take(&z->in, 1);
	case 2:
		return take(&z->in, 4);
	case 3: /* around the end of a page */
		return PLAYGROUND + 0x1000 - take(&z->in, 1);
	case 4:
		return FAKE_RAM_SIZE - take(&z->in, 1);
	case 5:
		return PLAYGROUND + take(&z->in, 2) % PLAYGROUND_SIZE;
	default:
		return PLAYGROUND + take(&z->in, 1) % SLOTS * SLOT_SIZE;
	}
}

/* Fill in an argument structure: small numbers, the guest's own domid, frames, and anything. */
static void step_structure(struct fuzz *z)
{
	uint8_t *slot = z->f->ram + PLAYGROUND + take(&z->in, 1) % SLOTS * SLOT_SIZE;

	for (unsigned i = 0; i < SLOT_WORDS; i++) {
		uint32_t word = take(&z->in, 1);

		if (word >= 0xf8)
			word = take(&z->in, 4);
		else if (word >= 0xf0)
			word = DOMID_SELF;
		else if (word >= 0xe0)
			word = DOMID_SELF | (word & 0xf) << 16;
		else if (word >= 0xd0)
			word = PLAYGROUND + (word & 0xf) * 0x180;
		memcpy(slot + 4 * i, &word, sizeof(word));
	}
}

/* Frames of a list: of RAM, mostly, near one another. */
#define FRAMES_AT   (PLAYGROUND + 0x800)
#define LIST_FRAMES 8

/* A list of frames, the argument in slot 0 that names it, and the call: all but an accident. */
static void step_reservation(struct fuzz *z)
{
	static const unsigned cmds[] = {XENMEM_decrease_reservation, XENMEM_populate_physmap,
					XENMEM_increase_reservation, XENMEM_decrease_reservation};
	uint8_t *slot = z->f->ram + PLAYGROUND;
	uint64_t base = take(&z->in, 1) & 1 ? FAKE_HIGH / GUEST_PAGE_SIZE : take(&z->in, 2) % 0x210;
	const struct call c = {
		.nr = take(&z->in, 1) % (LIST_FRAMES + 2),
		.order = take(&z->in, 1) % 11,
		.domid = DOMID_SELF,
		.list = FRAMES_AT,
	};
	struct xen_memory_reservation native = native_of(&c);
	struct xen_memory_reservation_x86_32 compat = compat_of(&c);

	if (z->f->long_mode)
		memcpy(slot, &native, sizeof(native));
	else
		memcpy(slot, &compat, sizeof(compat));
	for (unsigned i = 0; i < LIST_FRAMES; i++)
		write_frame(z->f, FRAMES_AT, i, base + (int8_t)take(&z->in, 1));
	fake_call(z->f, __HYPERVISOR_memory_op, cmds[take(&z->in, 1) % ARRAY_SIZE(cmds)],
		  PLAYGROUND, 0);
}

static struct port_binding binding(const struct domain *d, evtchn_port_t i)
{
	return port_binding(port_lookup(&d->events, i));
}

static void check_port(const struct domain *d, evtchn_port_t i)
{
	const struct port_binding p = binding(d, i);

	if ((p.state == PORT_RESERVED) != (i == 0) || p.state == PORT_CLOSING)
		fail("port %u has state %u\n", i, p.state);
	if (p.vcpu >= d->nr_vcpus)
		fail("port %u is bound to vCPU %u\n", i, p.vcpu);
	if (p.state == PORT_INTERDOMAIN &&
	    (p.value >= d->events.valid || binding(d, p.value).state != PORT_INTERDOMAIN ||
	     binding(d, p.value).value != i))
		fail("port %u has no other end at %u\n", i, p.value);
	if (p.state == PORT_VIRQ && d->vcpus[0]->virq_port[p.value] != i &&
	    d->vcpus[p.vcpu]->virq_port[p.value] != i)
		fail("port %u is not that of virq %u\n", i, p.value);
	if (p.state == PORT_PIRQ && d->events.pirq_port[p.value] != i)
		fail("port %u is not that of pirq %u\n", i, p.value);
	if (p.state == PORT_BACKEND && d->events.far_ends[p.value].port != i)
		fail("port %u is not that of far end %u\n", i, p.value);
}

static void check_ports(const struct domain *d)
{
	for (evtchn_port_t i = 0; i < d->events.valid; i++)
		check_port(d, i);
	for (unsigned v = 0; v < d->nr_vcpus; v++) {
		for (unsigned virq = 0; virq < NR_VIRQS; virq++) {
			evtchn_port_t port = d->vcpus[v]->virq_port[virq];

			if (port &&
			    (binding(d, port).state != PORT_VIRQ || binding(d, port).value != virq))
				fail("virq %u of vCPU %u is bound to port %u\n", virq, v, port);
		}
	}
}

/* No line is up but the callback's, and only that of a callback that is one. */
static void check_lines(const struct fake *f)
{
	const struct domain *d = &f->domain;
	unsigned up = 0;

	for (unsigned i = 0; i < FAKE_GSIS; i++)
		up += f->gsi[i];
	if (up != (d->callback.up && callback_is_line(d)))
		fail("%u lines are up, the callback of type %u is %d\n", up, d->callback.type,
		     d->callback.up);
	if (!d->nr_gsis && (callback_is_line(d) || f->gsi_rises))
		fail("a line without an I/O APIC\n");
}

/* Every page that is there is counted, and no more than the domain may have. */
static void check_reservation(struct domain *d)
{
	uint64_t there = domain_count_populated(d, gfn(0), FAKE_RAM_SIZE / GUEST_PAGE_SIZE);
	struct domain_memory m;

	there += domain_count_populated(d, gfn(FAKE_HIGH / GUEST_PAGE_SIZE),
					FAKE_HIGH_SIZE / GUEST_PAGE_SIZE);
	domain_memory(d, &m);
	if (there > m.pages || m.pages > m.max || m.max != FAKE_PAGES + RESERVATION_SLACK)
		fail("%llu pages are there, %llu are counted\n", (unsigned long long)there,
		     (unsigned long long)m.pages);
}

static void step_hypercall(struct fuzz *z)
{
	struct fake *f = z->f;
	uint8_t which = take(&z->in, 1);
	uint64_t nr = which < 240 ? numbers[which % ARRAY_SIZE(numbers)] : argument(z);
	uint64_t cmd = take(&z->in, 1), arg1, arg2;
	evtchn_port_t valid = f->domain.events.valid;
	uint64_t before[MAX_VALID];
	long rc;

	if (cmd >= 128)
		cmd = argument(z);
	arg1 = argument(z);
	if (nr == __HYPERVISOR_vcpu_op && arg1 >= PLAYGROUND)
		arg1 %= FAKE_VCPUS + 1;
	if (nr == __HYPERVISOR_console_io)
		arg1 &= 0xffff; /* longer ones are right, and slow */
	arg2 = argument(z);
	if (!f->long_mode) {
		cmd = (uint32_t)cmd;
		arg1 = (uint32_t)arg1;
		arg2 = (uint32_t)arg2;
	}
	for (evtchn_port_t i = 0; i < valid; i++)
		before[i] = port_lookup(&f->domain.events, i)->binding;
	rc = fake_call(f, nr, cmd, arg1, arg2);
	if (rc < 0 && rc < -XEN_EISCONN)
		fail("hypercall %llu gives %ld\n", (unsigned long long)nr, rc);
	if (f->cpl && rc != -XEN_EPERM)
		fail("ring %u got %ld\n", f->cpl, rc);
	/* A multicall stops where it fails. */
	for (evtchn_port_t i = 0; rc < 0 && nr != __HYPERVISOR_multicall && i < valid; i++)
		if (before[i] != port_lookup(&f->domain.events, i)->binding)
			fail("hypercall %llu/%llu gives %ld and has changed port %u\n",
			     (unsigned long long)nr, (unsigned long long)cmd, rc, i);
}

/* The guest writes to its memory, shared_info and vcpu_info among it. */
static void step_memory(struct fuzz *z)
{
	uint64_t where = take(&z->in, 2);
	size_t len = take(&z->in, 1);
	uint8_t *to = where & 1 ? z->f->shared_info : z->f->ram + PLAYGROUND;
	size_t size = where & 1 ? GUEST_PAGE_SIZE : PLAYGROUND_SIZE;

	where = (where >> 1) % size;
	if (len > size - where)
		len = size - where;
	if (len > z->in.left)
		len = z->in.left;
	memcpy(to + where, z->in.next, len);
	z->in.next += len;
	z->in.left -= len;
}

/* The guest changes how it is translated: an entry, or the registers. */
static void step_paging(struct fuzz *z)
{
	static const uint64_t flags[] = {PTE_RW, PTE_P, 0, PTE_RW | PTE_PS};
	struct paging *p = &z->f->vcpu[z->f->current].paging;
	uint8_t what = take(&z->in, 1);
	uint64_t page = PLAYGROUND + take(&z->in, 1) % 8 * GUEST_PAGE_SIZE;

	if (what & 0x20) {
		z->likely = *p;
		z->f->vcpu[z->f->current].likely_paging = what & 1 ? &z->likely : NULL;
	} else if (what & 0x80)
		p->cr0 ^= CR0_WP;
	else if (what & 0x40)
		*p = (struct paging){take(&z->in, 4), take(&z->in, 4), take(&z->in, 2),
				     take(&z->in, 2)};
	else if (z->paged)
		fake_map(&z->tables, page, argument(z) & GUEST_PAGE_MASK & 0xffffffffffffull,
			 flags[what % ARRAY_SIZE(flags)]);
}

static void step_event(struct fuzz *z)
{
	struct domain *d = &z->f->domain;
	struct vcpu *v = d->vcpus[take(&z->in, 1) % FAKE_VCPUS];

	switch (take(&z->in, 1) % 5) {
	case 0:
		vcpu_timer_expired(v);
		break;
	case 1:
		event_channel_raise_virq(v, take(&z->in, 1) % NR_VIRQS);
		break;
	case 2:
		event_channel_notify_guest(d, z->backend_port, &backend);
		break;
	case 3:
		event_channels_recheck_upcall(v);
		break;
	default:
		vcpu_time_area_update(v);
	}
}

static void check_runstate(struct vcpu *v)
{
	const struct vcpu_runstate_info *r = &v->runstate;
	uint64_t sum = r->time[0] + r->time[1] + r->time[2] + r->time[3];

	if (sum != r->state_entry_time)
		fail("vCPU %u: the times make %llu, the entry was at %llu\n", v->id,
		     (unsigned long long)sum, (unsigned long long)r->state_entry_time);
}

/* A vCPU's own thread goes round, perhaps late. */
static void step_run(struct fuzz *z)
{
	unsigned which = take(&z->in, 1) % FAKE_VCPUS;
	struct vcpu *v = z->f->domain.vcpus[which];
	uint8_t how = take(&z->in, 1);

	z->f->vcpu[which].run_delay += take(&z->in, 3);
	z->f->vcpu[which].interrupts = how & 1;
	if (how & 2)
		vcpu_started(v);
	else if (how & 4)
		runstate_update(v);
	else if (how & 8)
		vcpu_unblock(v);
	else if (how & 16)
		callback_raise(&z->f->domain);
	callback_after_exit(&z->f->domain);
	vcpu_may_run(v);
	check_runstate(v);
}

/* If the guest has asked for it. */
static void step_soft_reset(struct fake *f)
{
	if (!f->domain.shut_down || f->shutdown_reason != SHUTDOWN_soft_reset)
		return;
	if (domain_soft_reset(&f->domain) || f->domain.shut_down)
		fail("no soft reset\n");
}

static void step(struct fuzz *z)
{
	struct fake *f = z->f;

	switch (take(&z->in, 1) % 16) {
	case 0:
		f->now += take(&z->in, 5);
		break;
	case 1:
		f->current = take(&z->in, 1) % FAKE_VCPUS;
		break;
	case 2:
		f->long_mode = take(&z->in, 1) & 1;
		break;
	case 3:
		f->cpl = take(&z->in, 1) & 3;
		break;
	case 4:
		domain_latch_word_size(&f->domain, f->long_mode);
		break;
	case 5:
		step_run(z);
		break;
	case 6:
		step_paging(z);
		break;
	case 7:
	case 8:
		step_event(z);
		break;
	case 9:
		step_memory(z);
		break;
	case 10:
		step_structure(z);
		break;
	case 11:
		step_reservation(z);
		break;
	default:
		step_hypercall(z);
	}
	step_soft_reset(f);
	check_ports(&f->domain);
	check_lines(f);
	check_reservation(&f->domain);
}

/* Any kind of paging with the playground in its place, or none. */
static void start_paging(struct fuzz *z, unsigned kind)
{
	z->paged = kind <= FAKE_PAGING_5;
	if (!z->paged)
		return;
	z->tables = fake_paging_start(z->f, kind);
	for (unsigned i = 0; i < PLAYGROUND_SIZE; i += GUEST_PAGE_SIZE)
		fake_map(&z->tables, PLAYGROUND + i, PLAYGROUND + i, PTE_RW);
	for (unsigned i = 1; i < FAKE_VCPUS; i++)
		z->f->vcpu[i].paging = z->f->vcpu[0].paging;
}

static void check_name(void *opaque, const char *name, uint32_t calls, bool implemented)
{
	(void)opaque;
	(void)implemented;
	if (!name[0] || !calls)
		fail("hypercall \"%s\" was counted %u times\n", name, calls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hvm_memmap_table_entry memmap[] = {{.addr = 0, .size = FAKE_RAM_SIZE},
							       {.addr = FAKE_HIGH}};
	struct fuzz z = {.in = {data, size}};
	uint8_t modes = take(&z.in, 1);

	z.f = fake_create(modes & 1);
	if (!z.f)
		fail("no memory for a fake\n");
	z.f->domain.long_mode = modes >> 1 & 1;
	z.f->domain.nr_gsis = modes & 0x40 ? FAKE_GSIS : 0;
	z.f->domain.memmap = memmap;
	z.f->domain.memmap_entries = modes & 4 ? ARRAY_SIZE(memmap) : 0;
	z.backend_port = event_channel_bind_backend(&z.f->domain, &backend);
	start_paging(&z, modes >> 3 & 7);
	for (unsigned i = 0; i < MAX_STEPS && z.in.left; i++)
		step(&z);
	hypercall_counts_visit(z.f->domain.vcpus[0], check_name, NULL);
	fake_destroy(z.f);
	return 0;
}
