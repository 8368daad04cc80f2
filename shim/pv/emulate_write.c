// SPDX-License-Identifier: BSD-2-Clause
/*
 * The kernel's writes to its page tables, by whatever instruction: it is decoded, and its write is
 * one of an 8-byte entry, which the rules of memory check. A read and a write are one atomic
 * exchange, with a LOCK prefix or without: the CPU and other vCPUs change entries, too. If one did
 * meanwhile, the instruction is run again.
 */
#include "shim/pv/alu.h"
#include "shim/pv/arch.h"
#include "shim/pv/decode.h"
#include "shim/pv/emulate.h"
#include "shim/pv/monitor/boot.h"
#include "shim/pv/pte.h"
#include "shim/pv/traps.h"

#define ENTRY_BYTES 8u

/* An instruction that writes memory: what and where, and what else it changes. */
struct write {
	const struct pv_insn *i;
	struct pv_regs *r;
	uint64_t at;
	unsigned bytes;
	uint64_t old, value;   /* of the operand */
	uint64_t rflags;       /* after it */
	bool whole_and_blind;  /* what was there does not matter */
	bool sets_register;    /* `reg` becomes `old` */
	bool sets_accumulator; /* rax (CMPXCHG8B: edx:eax) becomes `old` */
	bool string;           /* MOVS, STOS: a step of it */
};

/* The bit that BTS, BTR and BTC mean: a register's may be anywhere around the operand. */
static unsigned bit_of(struct write *w)
{
	unsigned width = w->bytes * 8;
	int64_t bit;

	if (w->i->opcode == (PV_0F | 0xba))
		return w->i->immediate & (width - 1);
	bit = pv_read_operand(w->r, w->i, w->i->reg, w->bytes);
	bit = (int64_t)((uint64_t)bit << (64 - width)) >> (64 - width);
	w->at += (uint64_t)(bit >> (w->bytes == 8 ? 6 : w->bytes == 4 ? 5 : 4)) * w->bytes;
	return bit & (width - 1);
}

enum kind {
	NONE,
	MOVE,
	ARITHMETIC,
	EXCHANGE,
	EXCHANGE_ADD,
	COMPARE_EXCHANGE,
	COMPARE_EXCHANGE_8,
	BIT,
	STRING
};

/* What kind it is; *op: of arithmetic, or of a bit (1: set, 2: reset, 3: complement). */
static enum kind kind_of(const struct pv_insn *i, unsigned *op)
{
	unsigned group = i->reg & 7;

	switch (i->opcode) {
	case 0x00 ... 0x31:
		*op = i->opcode >> 3;
		return ARITHMETIC;
	case 0x80 ... 0x83:
		*op = group;
		return group == PV_ALU_CMP ? NONE : ARITHMETIC;
	case 0x86 ... 0x87:
		return EXCHANGE;
	case 0x88 ... 0x89:
	case 0xa2 ... 0xa3:
	case PV_0F | 0xc3:
		return MOVE;
	case 0xc6 ... 0xc7:
		return group == 0 ? MOVE : NONE;
	case 0xa4 ... 0xa5:
	case 0xaa ... 0xab:
		return STRING;
	case 0xf6 ... 0xf7:
		*op = group == 2 ? PV_ALU_NOT : PV_ALU_NEG;
		return group == 2 || group == 3 ? ARITHMETIC : NONE;
	case 0xfe ... 0xff:
		*op = group == 0 ? PV_ALU_INC : PV_ALU_DEC;
		return group < 2 ? ARITHMETIC : NONE;
	case PV_0F | 0xab:
	case PV_0F | 0xb3:
	case PV_0F | 0xbb:
		*op = (i->opcode >> 3 & 7) - 4;
		return BIT;
	case PV_0F | 0xba:
		*op = group - 4;
		return group > 4 ? BIT : NONE;
	case PV_0F | 0xb0 ... PV_0F | 0xb1:
		return COMPARE_EXCHANGE;
	case PV_0F | 0xc0 ... PV_0F | 0xc1:
		return EXCHANGE_ADD;
	case PV_0F | 0xc7: /* 16 bytes are two entries */
		return group == 1 && i->operand_bytes != 8 ? COMPARE_EXCHANGE_8 : NONE;
	}
	return NONE;
}

/* An opcode with a register operand, or one with an immediate. */
static uint64_t source(const struct write *w)
{
	const struct pv_insn *i = w->i;

	if (i->opcode == 0xc6 || i->opcode == 0xc7 || (i->opcode >= 0x80 && i->opcode <= 0x83))
		return pv_low_bytes(i->immediate, w->bytes);
	if (i->opcode == 0xa2 || i->opcode == 0xa3)
		return pv_read_operand(w->r, i, GPR_AX, w->bytes);
	return pv_read_operand(w->r, i, i->reg, w->bytes);
}

static uint64_t new_bit(struct write *w, unsigned op, unsigned bit)
{
	uint64_t mask = 1ull << bit;

	w->rflags &= ~RFLAGS_CF;
	if (w->old & mask)
		w->rflags |= RFLAGS_CF;
	return op == 1 ? w->old | mask : op == 2 ? w->old & ~mask : w->old ^ mask;
}

static void compare_exchange(struct write *w)
{
	uint64_t wanted = pv_read_operand(w->r, w->i, GPR_AX, w->bytes);

	pv_alu(PV_ALU_CMP, wanted, w->old, w->bytes, &w->rflags);
	w->sets_accumulator = wanted != w->old;
	w->value = wanted == w->old ? source(w) : w->old;
}

static void compare_exchange_8(struct write *w)
{
	uint64_t wanted = (uint32_t)w->r->rax | w->r->rdx << 32;

	w->rflags &= ~RFLAGS_ZF;
	if (wanted == w->old)
		w->rflags |= RFLAGS_ZF;
	w->sets_accumulator = wanted != w->old;
	w->value = wanted == w->old ? (uint32_t)w->r->rbx | w->r->rcx << 32 : w->old;
}

static void compute(struct write *w, enum kind kind, unsigned op, unsigned bit)
{
	w->rflags = w->r->rflags;
	switch (kind) {
	case MOVE:
		w->value = source(w);
		break;
	case ARITHMETIC:
		w->value =
			pv_alu(op, w->old, op < PV_ALU_INC ? source(w) : 0, w->bytes, &w->rflags);
		break;
	case EXCHANGE:
		w->value = source(w);
		w->sets_register = true;
		break;
	case EXCHANGE_ADD:
		w->value = pv_alu(PV_ALU_ADD, w->old, source(w), w->bytes, &w->rflags);
		w->sets_register = true;
		break;
	case COMPARE_EXCHANGE:
		compare_exchange(w);
		break;
	case COMPARE_EXCHANGE_8:
		compare_exchange_8(w);
		break;
	case BIT:
		w->value = new_bit(w, op, bit);
		break;
	case STRING:
	case NONE:
		break;
	}
}

/* The registers after it. */
static void finish(struct pv_vcpu *v, struct write *w)
{
	const struct pv_insn *i = w->i;
	struct pv_regs *r = w->r;
	int64_t by = r->rflags & RFLAGS_DF ? -(int64_t)w->bytes : (int64_t)w->bytes;

	if (w->sets_register)
		pv_write_operand(r, i, i->reg, w->bytes, w->old);
	if (w->sets_accumulator && i->opcode == (PV_0F | 0xc7)) {
		r->rax = (uint32_t)w->old;
		r->rdx = w->old >> 32;
	} else if (w->sets_accumulator) {
		pv_write_operand(r, i, GPR_AX, w->bytes, w->old);
	}
	r->rflags = w->rflags;
	if (w->string) {
		pv_add_address(r, i, GPR_DI, by);
		if ((i->opcode & ~1) == 0xa4)
			pv_add_address(r, i, GPR_SI, by);
		if (i->repeat || i->repeat_not) {
			pv_add_address(r, i, GPR_CX, -1);
			if (pv_read_address(r, i, GPR_CX))
				return; /* the next step is a fault of its own */
		}
	}
	pv_insn_done(v, r, r->rip + i->length);
}

/* The page at an address, if it is there and may be read only. */
static bool find_read_only(struct pv_vcpu *v, uint64_t va, uint64_t *mfn)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t table, entry = 0;
	unsigned index;

	pv_lock(&mm->lock);
	if (pv_find_entry(v, va, &table, &index))
		entry = pv_pte_read((uint64_t *)pv_frame_at(mm, table) + index);
	pv_unlock(&mm->lock);
	*mfn = pv_pte_mfn(entry);
	return (entry & (PV_PTE_PRESENT | PV_PTE_RW)) == PV_PTE_PRESENT;
}

/* Its operand within the entry that it is in, and the entry's exchange. */
static enum pv_emulated write_entry(struct pv_vcpu *v, struct write *w, uint64_t entry)
{
	unsigned shift = (w->at & (ENTRY_BYTES - 1)) * 8;
	uint64_t mask = pv_low_bytes(~0ull, w->bytes) << shift;
	uint64_t value = (entry & ~mask) | w->value << shift, mfn;
	int result;

	if (!find_read_only(v, w->at, &mfn))
		return PV_NOT_EMULATED;
	result = pv_write_entry(v, mfn, (w->at & (PV_PAGE_SIZE - 1)) / ENTRY_BYTES,
				w->whole_and_blind ? NULL : &entry, value);
	if (result && result != -XEN_EAGAIN)
		return PV_NOT_EMULATED;
	if (!result)
		finish(v, w);
	return PV_EMULATED;
}

/* What MOVS and STOS write; false: it cannot be read, which is a fault by itself. */
static bool string_value(struct pv_vcpu *v, struct write *w)
{
	uint64_t missing;

	w->string = true;
	w->rflags = w->r->rflags;
	w->value = 0;
	if ((w->i->opcode & ~1) == 0xaa) {
		w->value = pv_read_operand(w->r, w->i, GPR_AX, w->bytes);
		return true;
	}
	if (!pv_copy_from_guest(
		    &w->value, pv_segment_base(w->i->segment) + pv_read_address(w->r, w->i, GPR_SI),
		    w->bytes, &missing))
		return true;
	pv_inject_page_fault(v, 0, missing);
	return false;
}

static uint64_t operand_at(struct write *w, enum kind kind)
{
	if (kind == STRING)
		return pv_read_address(w->r, w->i, GPR_DI);
	return pv_effective_address(w->r, w->i);
}

/* The whole of it has to be in the page that the fault was in. */
static bool fits(const struct write *w, uint64_t cr2)
{
	return !((w->at ^ cr2) >> PV_PAGE_SHIFT) && !(w->at & (w->bytes - 1));
}

static enum pv_emulated emulate(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i,
				uint64_t cr2)
{
	struct write w = {.i = i, .r = r, .bytes = i->operand_bytes};
	unsigned op = 0, bit = 0;
	enum kind kind = i->mod == 3 ? NONE : kind_of(i, &op);
	uint64_t entry, missing;

	if (kind == NONE)
		return PV_NOT_EMULATED;
	if (kind == COMPARE_EXCHANGE_8)
		w.bytes = ENTRY_BYTES;
	if (kind == STRING && (i->repeat || i->repeat_not) && !pv_read_address(r, i, GPR_CX))
		return PV_NOT_EMULATED; /* it would not have faulted */
	w.at = operand_at(&w, kind);
	if (kind == BIT)
		bit = bit_of(&w);
	if (!fits(&w, cr2))
		return PV_NOT_EMULATED;
	if (pv_copy_from_guest(&entry, w.at & ~(uint64_t)(ENTRY_BYTES - 1), ENTRY_BYTES,
			       &missing)) {
		pv_inject_page_fault(v, 0, missing);
		return PV_EMULATED;
	}
	w.old = pv_low_bytes(entry >> (w.at & (ENTRY_BYTES - 1)) * 8, w.bytes);
	if (kind == STRING && !string_value(v, &w))
		return PV_EMULATED;
	w.whole_and_blind = (kind == MOVE || kind == STRING) && w.bytes == ENTRY_BYTES;
	compute(&w, kind, op, bit);
	return write_entry(v, &w, entry);
}

enum pv_emulated pv_emulate_write(struct pv_vcpu *v, struct pv_regs *r, uint64_t cr2)
{
	struct pv_insn i;
	uint64_t missing;

	if (pv_fetch(&i, r->rip, PV_INSN_MAX, 8, &missing))
		return emulate(v, r, &i, cr2);
	if (!missing)
		return PV_NOT_EMULATED;
	pv_inject_page_fault(v, PF_FETCH, missing);
	return PV_EMULATED;
}
