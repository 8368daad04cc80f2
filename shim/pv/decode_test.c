// SPDX-License-Identifier: BSD-2-Clause
/* The decoder beside Zydis, over bytes of all kinds. */
#include <Zydis/Zydis.h>

#include "shim/pv/decode.h"
#include "shim/pv/fake_cpu_test.h"

static uint64_t seed = 88172645463325252ull;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Prefixes, one of our opcodes or any, and any bytes after them. */
static void any_bytes(uint8_t *bytes)
{
	static const uint8_t prefixes[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x3e, 0x26,
					   0x36, 0x64, 0x65, 0x40, 0x48, 0x44, 0x41, 0x42};
	static const uint8_t second[] = {0x01, 0x06, 0x09, 0x20, 0x22, 0x23, 0x30,
					 0x31, 0x32, 0xa2, 0xab, 0xb3, 0xbb, 0xba,
					 0xb0, 0xb1, 0xc0, 0xc1, 0xc3, 0xc7};
	unsigned n = 0;

	for (unsigned i = 0; i < PV_INSN_MAX; i++)
		bytes[i] = any();
	for (unsigned i = any() % 4; i; i--)
		bytes[n++] = prefixes[any() % sizeof(prefixes)];
	if (any() & 1) {
		bytes[n++] = 0x0f;
		if (any() & 3)
			bytes[n] = second[any() % sizeof(second)];
	}
}

static const ZydisMachineMode modes[] = {
	[2] = ZYDIS_MACHINE_MODE_LEGACY_16,
	[4] = ZYDIS_MACHINE_MODE_LEGACY_32,
	[8] = ZYDIS_MACHINE_MODE_LONG_64,
};

static bool reference(ZydisDecodedInstruction *z, ZydisDecodedOperand *operands,
		      const uint8_t *bytes, unsigned code_bytes)
{
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, modes[code_bytes],
			 code_bytes == 8   ? ZYDIS_STACK_WIDTH_64
			 : code_bytes == 4 ? ZYDIS_STACK_WIDTH_32
					   : ZYDIS_STACK_WIDTH_16);
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, PV_INSN_MAX, z, operands));
}

static const ZydisDecodedOperand *memory_operand(const ZydisDecodedInstruction *z,
						 const ZydisDecodedOperand *operands)
{
	for (unsigned n = 0; n < z->operand_count; n++)
		if (operands[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    operands[n].visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			return &operands[n];
	return NULL;
}

static unsigned number_of(ZydisRegister r)
{
	return ZydisRegisterGetId(r);
}

/* Its parts, of a memory operand of 64-bit code. */
static void same_address(const struct pv_insn *i, const ZydisDecodedOperandMem *m)
{
	bool rip = m->base == ZYDIS_REGISTER_RIP || m->base == ZYDIS_REGISTER_EIP;

	assert_int_equal(i->on_rip, rip);
	assert_int_equal(i->has_base, !rip && m->base != ZYDIS_REGISTER_NONE);
	assert_int_equal(i->has_index, m->index != ZYDIS_REGISTER_NONE);
	if (i->has_base)
		assert_int_equal(i->base, number_of(m->base));
	if (i->has_index) {
		assert_int_equal(i->index, number_of(m->index));
		assert_int_equal(1u << i->scale, m->scale);
	}
	if (m->disp.has_displacement)
		assert_int_equal(i->displacement, m->disp.value);
	assert_int_equal(i->segment == SEG_FS, m->segment == ZYDIS_REGISTER_FS);
	assert_int_equal(i->segment == SEG_GS, m->segment == ZYDIS_REGISTER_GS);
}

/* What is there, its sign in all bits above it. */
static void same_immediate(const struct pv_insn *i,
			   const struct ZydisDecodedInstructionRawImm_ *raw)
{
	int64_t value = raw->is_signed ? raw->value.s : (int64_t)raw->value.u;

	assert_int_equal((int64_t)i->immediate,
			 (int64_t)((uint64_t)value << (64 - raw->size)) >> (64 - raw->size));
}

static bool same(const uint8_t *bytes, unsigned code_bytes)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	const ZydisDecodedOperand *m;
	struct pv_insn i;

	if (pv_decode(&i, bytes, PV_INSN_MAX, code_bytes) != PV_DECODED ||
	    !reference(&z, operands, bytes, code_bytes))
		return false;
	assert_int_equal(i.length, z.length);
	assert_int_equal(i.opcode, (z.opcode_map == ZYDIS_OPCODE_MAP_0F ? PV_0F : 0) | z.opcode);
	if (i.opcode != (PV_0F | 0x01)) /* SGX's have sizes of their own */
		assert_int_equal(i.address_bytes * 8, z.address_width);
	m = memory_operand(&z, operands);
	if (m && i.mod != 3 && i.opcode != (PV_0F | 0x01) && i.opcode != (PV_0F | 0xc7) &&
	    i.opcode != 0xff && (i.opcode & ~3) != 0x6c)
		assert_int_equal(i.operand_bytes * 8, z.operand_width);
	if (z.raw.imm[0].size)
		same_immediate(&i, &z.raw.imm[0]);
	if (m && code_bytes == 8 && i.opcode != 0xa2 && i.opcode != 0xa3 && i.mod != 3)
		same_address(&i, &m->mem);
	return true;
}

static void as_zydis_does(void **state)
{
	static const unsigned sizes[] = {2, 4, 8, 8};
	uint8_t bytes[PV_INSN_MAX];
	unsigned decoded = 0;

	(void)state;
	for (unsigned n = 0; n < 300000; n++) {
		any_bytes(bytes);
		decoded += same(bytes, sizes[n & 3]);
	}
	assert_true(decoded > 30000);
}

/* What ends too early is short, at each of its bytes, and whole with the last. */
static void shortened(void **state)
{
	uint8_t bytes[PV_INSN_MAX];
	struct pv_insn i, whole;

	(void)state;
	for (unsigned n = 0; n < 100000; n++) {
		any_bytes(bytes);
		if (pv_decode(&whole, bytes, PV_INSN_MAX, 8) != PV_DECODED)
			continue;
		for (unsigned count = 0; count < whole.length; count++)
			assert_int_equal(pv_decode(&i, bytes, count, 8), PV_DECODE_SHORT);
		assert_int_equal(pv_decode(&i, bytes, whole.length, 8), PV_DECODED);
		assert_memory_equal(&i, &whole, sizeof(i));
	}
}

static bool is_ours(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_OR:
	case ZYDIS_MNEMONIC_ADC:
	case ZYDIS_MNEMONIC_SBB:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_XCHG:
	case ZYDIS_MNEMONIC_NOT:
	case ZYDIS_MNEMONIC_NEG:
	case ZYDIS_MNEMONIC_INC:
	case ZYDIS_MNEMONIC_DEC:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTC:
	case ZYDIS_MNEMONIC_CMPXCHG:
	case ZYDIS_MNEMONIC_CMPXCHG8B:
	case ZYDIS_MNEMONIC_XADD:
	case ZYDIS_MNEMONIC_STOSB:
	case ZYDIS_MNEMONIC_STOSW:
	case ZYDIS_MNEMONIC_STOSD:
	case ZYDIS_MNEMONIC_STOSQ:
	case ZYDIS_MNEMONIC_MOVSQ:
	case ZYDIS_MNEMONIC_MOVNTI:
		return true;
	default:
		return false;
	}
}

/* Of those, each that writes memory. */
static void none_is_missing(void **state)
{
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	uint8_t bytes[PV_INSN_MAX];
	struct pv_insn i;
	unsigned found = 0;

	(void)state;
	for (unsigned n = 0; n < 300000; n++) {
		any_bytes(bytes);
		if (!reference(&z, operands, bytes, 8) || !is_ours(z.mnemonic) ||
		    operands[0].type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		assert_int_equal(pv_decode(&i, bytes, PV_INSN_MAX, 8), PV_DECODED);
		found++;
	}
	assert_true(found > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_zydis_does),
		cmocka_unit_test(shortened),
		cmocka_unit_test(none_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
