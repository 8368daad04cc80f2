// SPDX-License-Identifier: BSD-2-Clause
/* Operands of instructions: registers and addresses. */
#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/decode.h"
#include "shim/pv/traps.h"

uint64_t *pv_gpr(struct pv_regs *r, unsigned n)
{
	uint64_t *const all[16] = {
		&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
		&r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15,
	};

	return all[n & 15];
}

/* ah, ch, dh, bh: bytes in the middle, where no REX prefix says otherwise. */
static bool is_high_byte(const struct pv_insn *i, unsigned n, unsigned bytes)
{
	return bytes == 1 && !i->rex && n >= 4 && n < 8;
}

uint64_t pv_read_operand(struct pv_regs *r, const struct pv_insn *i, unsigned n, unsigned bytes)
{
	if (is_high_byte(i, n, bytes))
		return *pv_gpr(r, n - 4) >> 8 & 0xff;
	return pv_low_bytes(*pv_gpr(r, n), bytes);
}

void pv_write_operand(struct pv_regs *r, const struct pv_insn *i, unsigned n, unsigned bytes,
		      uint64_t value)
{
	unsigned shift = is_high_byte(i, n, bytes) ? 8 : 0;
	uint64_t *to = pv_gpr(r, shift ? n - 4 : n), mask;

	value = pv_low_bytes(value, bytes);
	if (bytes >= 4) {
		*to = value;
		return;
	}
	mask = pv_low_bytes(~0ull, bytes) << shift;
	*to = (*to & ~mask) | value << shift;
}

uint64_t pv_read_address(struct pv_regs *r, const struct pv_insn *i, unsigned n)
{
	return pv_low_bytes(*pv_gpr(r, n), i->address_bytes);
}

void pv_add_address(struct pv_regs *r, const struct pv_insn *i, unsigned n, int64_t by)
{
	pv_write_operand(r, i, n, i->address_bytes, *pv_gpr(r, n) + by);
}

uint64_t pv_segment_base(unsigned segment)
{
	if (segment == SEG_FS)
		return pv_read_base(PV_BASE_FS);
	return segment == SEG_GS ? pv_read_base(PV_BASE_GS) : 0;
}

uint64_t pv_effective_address(struct pv_regs *r, const struct pv_insn *i)
{
	uint64_t address = i->displacement;

	if (i->on_rip)
		address += r->rip + i->length;
	if (i->has_base)
		address += *pv_gpr(r, i->base);
	if (i->has_index)
		address += *pv_gpr(r, i->index) << i->scale;
	return pv_segment_base(i->segment) + pv_low_bytes(address, i->address_bytes);
}

void pv_insn_done(struct pv_vcpu *v, struct pv_regs *r, uint64_t rip)
{
	r->rip = rip;
	r->rflags &= ~RFLAGS_RF;
	if (!(r->rflags & RFLAGS_TF))
		return;
	v->debug[6] |= DR6_STEP | DR6_RESERVED_ONE;
	pv_inject(v, VECTOR_DB, -1);
}
