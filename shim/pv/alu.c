// SPDX-License-Identifier: BSD-2-Clause
#include "shim/pv/alu.h"

#include "shim/pv/arch.h"
#include "shim/pv/decode.h"

static uint64_t sign_bit(unsigned bytes)
{
	return 1ull << (bytes * 8 - 1);
}

/* Of the result alone. */
static uint64_t result_flags(uint64_t result, unsigned bytes)
{
	uint64_t flags = 0;

	if (!__builtin_parity(result & 0xff))
		flags |= RFLAGS_PF;
	if (!result)
		flags |= RFLAGS_ZF;
	if (result & sign_bit(bytes))
		flags |= RFLAGS_SF;
	return flags;
}

/* `carries`: a bit that is set where one went out of that place. */
static uint64_t carry_flags(uint64_t carries, bool overflow, unsigned bytes)
{
	uint64_t flags = carries & sign_bit(bytes) ? RFLAGS_CF : 0;

	if (carries & 8)
		flags |= RFLAGS_AF;
	if (overflow)
		flags |= RFLAGS_OF;
	return flags;
}

static uint64_t add(uint64_t a, uint64_t b, unsigned carry, unsigned bytes, uint64_t *flags)
{
	uint64_t result = pv_low_bytes(a + b + carry, bytes);
	uint64_t carries = (a & b) | ((a | b) & ~result);
	bool overflow = (a ^ result) & (b ^ result) & sign_bit(bytes);

	*flags = carry_flags(carries, overflow, bytes) | result_flags(result, bytes);
	return result;
}

static uint64_t subtract(uint64_t a, uint64_t b, unsigned borrow, unsigned bytes, uint64_t *flags)
{
	uint64_t result = pv_low_bytes(a - b - borrow, bytes);
	uint64_t borrows = (~a & b) | ((~a | b) & result);
	bool overflow = (a ^ b) & (a ^ result) & sign_bit(bytes);

	*flags = carry_flags(borrows, overflow, bytes) | result_flags(result, bytes);
	return result;
}

static uint64_t logic(uint64_t result, unsigned bytes, uint64_t *flags)
{
	*flags = result_flags(result, bytes);
	return result;
}

uint64_t pv_alu(enum pv_alu_op op, uint64_t a, uint64_t b, unsigned bytes, uint64_t *rflags)
{
	uint64_t changed = RFLAGS_ARITHMETIC, flags = 0, result = 0;
	unsigned carry = *rflags & RFLAGS_CF;

	switch (op) {
	case PV_ALU_ADD:
		result = add(a, b, 0, bytes, &flags);
		break;
	case PV_ALU_ADC:
		result = add(a, b, carry, bytes, &flags);
		break;
	case PV_ALU_SBB:
		result = subtract(a, b, carry, bytes, &flags);
		break;
	case PV_ALU_SUB:
	case PV_ALU_CMP:
		result = subtract(a, b, 0, bytes, &flags);
		break;
	case PV_ALU_OR:
		result = logic(a | b, bytes, &flags);
		break;
	case PV_ALU_AND:
		result = logic(a & b, bytes, &flags);
		break;
	case PV_ALU_XOR:
		result = logic(a ^ b, bytes, &flags);
		break;
	case PV_ALU_INC:
		changed &= ~RFLAGS_CF;
		result = add(a, 1, 0, bytes, &flags);
		break;
	case PV_ALU_DEC:
		changed &= ~RFLAGS_CF;
		result = subtract(a, 1, 0, bytes, &flags);
		break;
	case PV_ALU_NEG:
		result = subtract(0, a, 0, bytes, &flags);
		break;
	case PV_ALU_NOT:
		return pv_low_bytes(~a, bytes);
	}
	*rflags = (*rflags & ~changed) | (flags & changed);
	return result;
}
