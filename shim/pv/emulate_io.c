// SPDX-License-Identifier: BSD-2-Clause
/* Ports. Two registers behind them are the guest's own: what it writes there it reads again. */
#include "shim/pv/emulate_io.h"

#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/segment.h"
#include "shim/pv/traps.h"

#define PORT_CMOS_INDEX  0x70
#define PORT_PCI_ADDRESS 0xcf8

/* Steps of a repeated instruction, before others have a turn. */
#define MAX_STEPS 512

bool pv_has_iopl(const struct pv_vcpu *v)
{
	uint64_t assist = __atomic_load_n(&v->domain->vm_assist, __ATOMIC_RELAXED);
	unsigned level = 3;

	if (v->kernel_mode)
		level = assist & 1ull << VMASST_TYPE_architectural_iopl ? 0 : 1;
	return level <= v->iopl;
}

/* The bitmap is in the kernel's address space. What of it is not there allows nothing. */
static uint16_t bitmap_at(struct pv_vcpu *v, uint64_t at)
{
	bool user = !v->kernel_mode;
	uint8_t bytes[2];

	if (user) {
		v->kernel_mode = true;
		pv_load_base(v);
	}
	if (pv_copy_from_guest(bytes, at, 2, NULL)) {
		bytes[1] = 0xff;
		if (pv_copy_from_guest(bytes, at, 1, NULL))
			bytes[0] = 0xff;
	}
	if (user) {
		v->kernel_mode = false;
		pv_load_base(v);
	}
	return bytes[0] | bytes[1] << 8;
}

static bool may_use(struct pv_vcpu *v, uint32_t port, unsigned bytes)
{
	if (pv_has_iopl(v))
		return true;
	if (port + bytes > v->iobmp_limit)
		return false;
	return !(bitmap_at(v, v->iobmp + (port >> 3)) & ((1u << bytes) - 1) << (port & 7));
}

/*
 * What is not there reads as all ones, as on Xen. Calibrating its TSC, Linux would wait for the PIT
 * to show something less, 50,000 reads long.
 */
static uint32_t read_ports(const struct pv_vcpu *v, uint32_t port, unsigned bytes)
{
	uint32_t data = ~0u;
	const struct pv_domain *d = v->domain;

	if (port == PORT_PCI_ADDRESS && bytes == 4)
		return d->pci_address;
	if (port == PORT_PIT_COUNTER_2 && bytes == 1)
		return 0;
	if (port <= PORT_CMOS_INDEX && port + bytes > PORT_CMOS_INDEX) {
		unsigned shift = (PORT_CMOS_INDEX - port) % 4 * 8; /* it is 3 at the most */

		data = (data & ~(0xffu << shift)) | (uint32_t)d->cmos_index << shift;
	}
	return pv_low_bytes(data, bytes);
}

static void write_ports(struct pv_vcpu *v, uint32_t port, unsigned bytes, uint32_t data)
{
	struct pv_domain *d = v->domain;

	if (port == PORT_PCI_ADDRESS && bytes == 4)
		d->pci_address = data;
	if (port <= PORT_CMOS_INDEX && port + bytes > PORT_CMOS_INDEX)
		d->cmos_index = data >> (PORT_CMOS_INDEX - port) * 8;
}

/* Breakpoints on ports, which are as wide as their bits in DR7 say: 1, 2, 8 or 4 bytes. */
static uint32_t breakpoints(const struct pv_vcpu *v, uint32_t port, unsigned bytes)
{
	static const uint8_t widths[] = {1, 2, 8, 4};
	uint32_t hit = 0;

	if (!(v->cr4 & CR4_DE))
		return 0;
	for (unsigned n = 0; n < 4; n++) {
		unsigned width = widths[v->debug[7] >> (18 + n * 4) & 3];
		uint64_t start = v->debug[n] & ~(width - 1ull);

		if (v->dr7_ports >> n * 2 & 3 && start < port + bytes && start + width > port)
			hit |= 1u << n;
	}
	return hit;
}

static enum pv_step done(struct pv_vcpu *v, uint32_t hit)
{
	if (!hit)
		return PV_STEP_DONE;
	v->debug[6] |= hit | DR6_RESERVED_ONE;
	return PV_STEP_BREAKPOINT;
}

static enum pv_step in_out(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i,
			   unsigned bytes)
{
	uint32_t port = i->opcode & 8 ? (uint16_t)r->rdx : (uint8_t)i->immediate;

	if (!may_use(v, port, bytes))
		return PV_STEP_REFUSED;
	if (i->opcode & 2)
		write_ports(v, port, bytes, pv_read_operand(r, i, GPR_AX, bytes));
	else
		pv_write_operand(r, i, GPR_AX, bytes, read_ports(v, port, bytes));
	return done(v, breakpoints(v, port, bytes));
}

/* A string in memory: where its segment begins and ends. */
struct string {
	uint64_t base, limit;
	bool flat; /* of 64-bit code: anywhere, and no limit */
	bool stack;
};

static uint16_t selector(const struct pv_regs *r, unsigned segment)
{
	const uint16_t all[] = {r->es, r->cs, r->ss, r->ds, r->fs, r->gs};

	return all[segment];
}

static enum pv_step fault(struct pv_vcpu *v, const struct string *s)
{
	pv_inject(v, s->stack ? VECTOR_SS : VECTOR_GP, 0);
	return PV_STEP_RAISED;
}

/* DONE: it may be used; `write`: to write there. */
static enum pv_step string_segment(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i,
				   unsigned segment, bool write, struct string *s)
{
	struct pv_segment d;

	*s = (struct string){.stack = segment == SEG_SS};
	if (i->code_bytes == 8) {
		s->flat = true;
		s->base = pv_segment_base(segment);
		return PV_STEP_DONE;
	}
	pv_read_selectors(r);
	if (!pv_read_segment(v, selector(r, segment), &d) || !d.present)
		return PV_STEP_REFUSED;
	if (write ? d.code || !d.writable : d.code && !d.writable)
		return fault(v, s);
	s->base = d.base;
	s->limit = d.limit;
	return PV_STEP_DONE;
}

static bool string_at(const struct string *s, uint64_t offset, unsigned bytes, uint64_t *at)
{
	*at = s->base + offset;
	if (s->flat)
		return pv_address_guests(*at);
	*at = (uint32_t)*at;
	return offset <= s->limit && s->limit - offset >= bytes - 1;
}

static enum pv_step one(struct pv_vcpu *v, uint32_t port, unsigned bytes, bool input,
			const struct string *s, uint64_t offset)
{
	uint64_t at, missing;
	uint32_t data = 0;

	if (!string_at(s, offset, bytes, &at))
		return fault(v, s);
	if (input) {
		data = read_ports(v, port, bytes);
		if (pv_copy_to_guest(at, &data, bytes, &missing)) {
			pv_inject_page_fault(v, PF_WRITE, missing);
			return PV_STEP_RAISED;
		}
		return PV_STEP_DONE;
	}
	if (pv_copy_from_guest(&data, at, bytes, &missing)) {
		pv_inject_page_fault(v, 0, missing);
		return PV_STEP_RAISED;
	}
	write_ports(v, port, bytes, data);
	return PV_STEP_DONE;
}

/* One step, and the registers after it. */
static enum pv_step step(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i,
			 unsigned bytes, const struct string *s)
{
	bool input = !(i->opcode & 2), repeated = i->repeat || i->repeat_not;
	unsigned index = input ? GPR_DI : GPR_SI;
	enum pv_step result =
		one(v, (uint16_t)r->rdx, bytes, input, s, pv_read_address(r, i, index));

	if (result != PV_STEP_DONE)
		return result;
	pv_add_address(r, i, index, r->rflags & RFLAGS_DF ? -(int64_t)bytes : (int64_t)bytes);
	if (!repeated)
		return PV_STEP_DONE;
	pv_add_address(r, i, GPR_CX, -1);
	return pv_read_address(r, i, GPR_CX) ? PV_STEP_AGAIN : PV_STEP_DONE;
}

static enum pv_step ins_outs(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i,
			     unsigned bytes)
{
	uint32_t port = (uint16_t)r->rdx, hit;
	bool input = !(i->opcode & 2);
	unsigned segment = input ? SEG_ES : i->segment == SEG_NONE ? SEG_DS : i->segment;
	enum pv_step result;
	struct string s;

	if (!may_use(v, port, bytes))
		return PV_STEP_REFUSED;
	if ((i->repeat || i->repeat_not) && !pv_read_address(r, i, GPR_CX))
		return PV_STEP_DONE;
	result = string_segment(v, r, i, segment, input, &s);
	if (result != PV_STEP_DONE)
		return result;
	hit = breakpoints(v, port, bytes);
	for (unsigned n = 0; n < MAX_STEPS; n++) {
		result = step(v, r, i, bytes, &s);
		if (result != PV_STEP_AGAIN || hit)
			break;
	}
	if (hit && result == PV_STEP_AGAIN) {
		v->debug[6] |= hit | DR6_RESERVED_ONE;
		pv_inject(v, VECTOR_DB, -1);
		return PV_STEP_RAISED;
	}
	return result == PV_STEP_DONE ? done(v, hit) : result;
}

enum pv_step pv_emulate_ports(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i)
{
	unsigned bytes = i->operand_bytes == 8 ? 4 : i->operand_bytes;

	if (i->opcode < 0x70)
		return ins_outs(v, r, i, bytes);
	return in_out(v, r, i, bytes);
}
