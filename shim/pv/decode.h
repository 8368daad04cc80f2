/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions, as far as they are emulated: anything else is refused. Freestanding.
 */
#ifndef SHIM_PV_DECODE_H
#define SHIM_PV_DECODE_H

#include "shim/pv/cpu.h"

#define PV_INSN_MAX 15

/* Opcodes of the second map are numbers from here on. */
#define PV_0F 0x100

/* Numbers of general registers, segments (of a prefix). */
enum { GPR_AX, GPR_CX, GPR_DX, GPR_BX, GPR_SP, GPR_BP, GPR_SI, GPR_DI };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_NONE };

struct pv_insn {
	uint8_t code_bytes; /* of the code segment: 2, 4 or 8 */
	uint8_t length;     /* of the instruction */

	uint16_t opcode;
	bool lock, repeat, repeat_not, operand_prefix, rex;
	uint8_t segment; /* SEG_* of a prefix, or SEG_NONE */
	uint8_t operand_bytes, address_bytes;

	uint8_t mod, reg, rm; /* of ModRM; reg and rm with REX's bits */

	/* Memory operand: no base and no index: 0; rip: the instruction after. */
	bool has_base, has_index, on_rip;
	uint8_t base, index, scale;
	int64_t displacement; /* or an address in full (MOV of 0xa2, 0xa3) */

	uint64_t immediate; /* sign-extended */
};

/*
 * The instruction at the start of `bytes`, of which there are `count`, up to PV_INSN_MAX. What it
 * returns: whole; it goes on behind them; not one of ours.
 */
enum pv_decoded { PV_DECODED, PV_DECODE_SHORT, PV_DECODE_REFUSED };
enum pv_decoded pv_decode(struct pv_insn *i, const uint8_t *bytes, unsigned count,
			  unsigned code_bytes);

/*
 * The same from the guest's memory at `at`, of which at most `limit` bytes are the code's. False:
 * it is none of ours, or (*missing set, to an address) that part of it is not there.
 */
bool pv_fetch(struct pv_insn *i, uint64_t at, uint64_t limit, unsigned code_bytes,
	      uint64_t *missing);

/* Register n. */
uint64_t *pv_gpr(struct pv_regs *r, unsigned n);

/* What an operand in a register is, of 1 to 8 bytes; 4 bytes written clear the upper half. */
uint64_t pv_read_operand(struct pv_regs *r, const struct pv_insn *i, unsigned n, unsigned bytes);
void pv_write_operand(struct pv_regs *r, const struct pv_insn *i, unsigned n, unsigned bytes,
		      uint64_t value);

/* A register that holds an address or counts, in the instruction's address size: like those. */
uint64_t pv_read_address(struct pv_regs *r, const struct pv_insn *i, unsigned n);
void pv_add_address(struct pv_regs *r, const struct pv_insn *i, unsigned n, int64_t by);

/* Where a memory operand of 64-bit code is. */
uint64_t pv_effective_address(struct pv_regs *r, const struct pv_insn *i);

/* The base that a segment has in 64-bit code. */
uint64_t pv_segment_base(unsigned segment);

/* The low bytes of a value. */
static inline uint64_t pv_low_bytes(uint64_t value, unsigned bytes)
{
	return bytes >= 8 ? value : value & ((1ull << bytes * 8) - 1);
}

/* *r goes on behind the instruction; a step over it is a #DB. */
void pv_insn_done(struct pv_vcpu *v, struct pv_regs *r, uint64_t rip);

#endif
