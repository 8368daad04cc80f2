// SPDX-License-Identifier: BSD-2-Clause
/* Bytes to instructions. */
#include "shim/pv/decode.h"

struct reader {
	const uint8_t *bytes;
	unsigned at, count;
	bool over; /* something was wanted behind the end */
};

static uint8_t next(struct reader *in)
{
	if (in->at >= in->count) {
		in->over = true;
		return 0;
	}
	return in->bytes[in->at++];
}

static int64_t next_signed(struct reader *in, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned n = 0; n < bytes; n++)
		value |= (uint64_t)next(in) << n * 8;
	return (int64_t)(value << (64 - bytes * 8)) >> (64 - bytes * 8);
}

/* What follows an opcode. */
enum {
	KNOWN = 0x01,
	MODRM = 0x02,
	BYTE_OP = 0x04, /* operands of one byte */
	IMM8 = 0x08,
	IMM = 0x10,      /* of the operand size, at most 4 bytes */
	OFFSET = 0x20,   /* an address in full */
	LOCKABLE = 0x40, /* with a memory operand */
	NO_MEMORY = 0x80 /* ModRM names registers, whatever mod is */
};

static uint8_t properties_0f(uint8_t opcode)
{
	switch (opcode) {
	case 0x01:
		return KNOWN | MODRM;
	case 0x06: /* CLTS, WBINVD, WRMSR, RDTSC, RDMSR, CPUID */
	case 0x09:
	case 0x30 ... 0x32:
	case 0xa2:
		return KNOWN;
	case 0x20 ... 0x23: /* MOV to and from control and debug registers */
		return KNOWN | MODRM | NO_MEMORY;
	case 0xab: /* BTS, BTR, BTC */
	case 0xb3:
	case 0xbb:
	case 0xb1: /* CMPXCHG */
	case 0xc1: /* XADD */
	case 0xc7: /* CMPXCHG8B */
		return KNOWN | MODRM | LOCKABLE;
	case 0xba: /* BTS, BTR, BTC with an immediate */
		return KNOWN | MODRM | IMM8 | LOCKABLE;
	case 0xb0:
	case 0xc0:
		return KNOWN | MODRM | BYTE_OP | LOCKABLE;
	case 0xc3: /* MOVNTI */
		return KNOWN | MODRM;
	}
	return 0;
}

static uint8_t properties(uint8_t opcode)
{
	uint8_t width = opcode & 1 ? 0 : BYTE_OP;

	switch (opcode) {
	case 0x00 ... 0x01: /* ADD, OR, ADC, SBB, AND, SUB, XOR to memory */
	case 0x08 ... 0x09:
	case 0x10 ... 0x11:
	case 0x18 ... 0x19:
	case 0x20 ... 0x21:
	case 0x28 ... 0x29:
	case 0x30 ... 0x31:
	case 0x86 ... 0x87: /* XCHG */
	case 0xf6 ... 0xf7: /* NOT, NEG (those with an immediate are not ours) */
	case 0xfe ... 0xff: /* INC, DEC */
		return KNOWN | MODRM | LOCKABLE | width;
	case 0x80:
	case 0x81:
		return KNOWN | MODRM | LOCKABLE | width | (width ? IMM8 : IMM);
	case 0x83:
		return KNOWN | MODRM | LOCKABLE | IMM8;
	case 0x88 ... 0x89: /* MOV */
		return KNOWN | MODRM | width;
	case 0xc6 ... 0xc7:
		return KNOWN | MODRM | width | (width ? IMM8 : IMM);
	case 0xa2 ... 0xa3:
		return KNOWN | OFFSET | width;
	case 0x6c ... 0x6f: /* INS, OUTS, MOVS, STOS, IN and OUT by dx */
	case 0xa4 ... 0xa5:
	case 0xaa ... 0xab:
	case 0xec ... 0xef:
		return KNOWN | width;
	case 0xe4 ... 0xe7: /* IN, OUT */
		return KNOWN | IMM8 | width;
	case 0xfa ... 0xfb: /* CLI, STI */
		return KNOWN;
	}
	return 0;
}

static bool prefix(struct pv_insn *i, uint8_t byte, bool *address_prefix)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e: /* ES, CS, SS and DS have no meaning in 64-bit code, not even as the last one */
		if (i->code_bytes != 8)
			i->segment = byte >> 3 & 3;
		return true;
	case 0x64:
	case 0x65:
		i->segment = byte == 0x64 ? SEG_FS : SEG_GS;
		return true;
	case 0x66:
		i->operand_prefix = true;
		return true;
	case 0x67:
		*address_prefix = true;
		return true;
	case 0xf0:
		i->lock = true;
		return true;
	case 0xf2:
	case 0xf3: /* the last one counts */
		i->repeat = byte == 0xf3;
		i->repeat_not = byte == 0xf2;
		return true;
	}
	return false;
}

/* Prefixes, and the opcode after them; of REX's, only one right before the opcode. */
static uint8_t opcode(struct pv_insn *i, struct reader *in)
{
	bool address_prefix = false;
	uint8_t rex = 0, byte;

	for (;;) {
		byte = next(in);
		if (in->over)
			return 0;
		if (i->code_bytes == 8 && (byte & 0xf0) == 0x40)
			rex = byte;
		else if (prefix(i, byte, &address_prefix))
			rex = 0;
		else
			break;
	}
	i->opcode = byte;
	if (byte == 0x0f)
		i->opcode = PV_0F | next(in);
	i->rex = rex;
	i->address_bytes = i->code_bytes == 8                       ? (address_prefix ? 4 : 8)
			   : (i->code_bytes == 4) != address_prefix ? 4
								    : 2;
	i->operand_bytes =
		i->code_bytes == 2 ? (i->operand_prefix ? 4 : 2) : (i->operand_prefix ? 2 : 4);
	if (rex & 8)
		i->operand_bytes = 8;
	return rex;
}

static void sib(struct pv_insn *i, struct reader *in, uint8_t rex)
{
	uint8_t byte = next(in);

	i->scale = byte >> 6;
	i->index = (byte >> 3 & 7) | (rex & 2) << 2;
	i->has_index = i->index != GPR_SP;
	i->base = (byte & 7) | (rex & 1) << 3;
	i->has_base = (byte & 7) != GPR_BP || i->mod != 0;
	if (!i->has_base)
		i->displacement = next_signed(in, 4);
}

static void memory_operand(struct pv_insn *i, struct reader *in, uint8_t rex)
{
	unsigned rm = i->rm & 7;

	if (rm == GPR_SP) {
		sib(i, in, rex);
	} else if (rm == GPR_BP && i->mod == 0) {
		i->on_rip = true;
		i->displacement = next_signed(in, 4);
	} else {
		i->has_base = true;
		i->base = i->rm;
	}
	if (i->mod == 1)
		i->displacement = next_signed(in, 1);
	else if (i->mod == 2)
		i->displacement = next_signed(in, 4);
}

/* Memory operands are of 64-bit code only: nothing that has one is emulated in other code. */
static bool modrm(struct pv_insn *i, struct reader *in, uint8_t rex, uint8_t has)
{
	uint8_t byte = next(in);

	i->mod = has & NO_MEMORY ? 3 : byte >> 6;
	i->reg = (byte >> 3 & 7) | (rex & 4) << 1;
	i->rm = (byte & 7) | (rex & 1) << 3;
	if (i->mod == 3)
		return true;
	if (i->code_bytes != 8)
		return false;
	memory_operand(i, in, rex);
	return true;
}

enum pv_decoded pv_decode(struct pv_insn *i, const uint8_t *bytes, unsigned count,
			  unsigned code_bytes)
{
	struct reader in = {.bytes = bytes, .count = count};
	uint8_t rex, has;

	*i = (struct pv_insn){.code_bytes = code_bytes, .segment = SEG_NONE};
	rex = opcode(i, &in);
	if (in.over)
		return PV_DECODE_SHORT;
	has = i->opcode & PV_0F ? properties_0f(i->opcode) : properties(i->opcode);
	if (!(has & KNOWN))
		return PV_DECODE_REFUSED;
	if (has & BYTE_OP)
		i->operand_bytes = 1;
	if (has & MODRM && !modrm(i, &in, rex, has))
		return in.over ? PV_DECODE_SHORT : PV_DECODE_REFUSED;
	if (in.over)
		return PV_DECODE_SHORT;
	/* TEST is among NOT and NEG, and has an immediate. */
	if ((i->opcode & ~1) == 0xf6 && (i->reg & 7) < 2)
		return PV_DECODE_REFUSED;
	if (i->lock && !(has & LOCKABLE && i->mod != 3))
		return PV_DECODE_REFUSED;
	if (has & OFFSET)
		i->displacement = next_signed(&in, i->address_bytes);
	if (has & IMM8)
		i->immediate = next_signed(&in, 1);
	if (has & IMM)
		i->immediate = next_signed(&in, i->operand_bytes == 2 ? 2 : 4);
	i->length = in.at;
	return in.over ? PV_DECODE_SHORT : PV_DECODED;
}

bool pv_fetch(struct pv_insn *i, uint64_t at, uint64_t limit, unsigned code_bytes,
	      uint64_t *missing)
{
	uint8_t bytes[PV_INSN_MAX];
	unsigned wanted = limit < sizeof(bytes) ? limit : sizeof(bytes), count = wanted;
	uint64_t end;

	*missing = 0;
	if (pv_copy_from_guest(bytes, at, count, &end)) {
		count = end - at < count ? end - at : 0;
		if (count && pv_copy_from_guest(bytes, at, count, NULL))
			return false;
	}
	switch (pv_decode(i, bytes, count, code_bytes)) {
	case PV_DECODED:
		return true;
	case PV_DECODE_SHORT:
		if (count < wanted)
			*missing = at + count;
		return false;
	case PV_DECODE_REFUSED:
		break;
	}
	return false;
}
