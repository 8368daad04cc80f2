/* SPDX-License-Identifier: BSD-2-Clause */
/* What arithmetic instructions compute, and their flags. Freestanding. */
#ifndef SHIM_PV_ALU_H
#define SHIM_PV_ALU_H

#include <stdint.h>

/* The first eight as they are numbered in opcodes. */
enum pv_alu_op {
	PV_ALU_ADD,
	PV_ALU_OR,
	PV_ALU_ADC,
	PV_ALU_SBB,
	PV_ALU_AND,
	PV_ALU_SUB,
	PV_ALU_XOR,
	PV_ALU_CMP, /* as SUB */
	PV_ALU_INC,
	PV_ALU_DEC,
	PV_ALU_NOT,
	PV_ALU_NEG,
};

/*
 * `a` op `b` (of INC, DEC, NOT, NEG: `a` alone), of 1, 2, 4 or 8 bytes, with nothing above them;
 * *rflags: before and after. What the manuals leave undefined is 0.
 */
uint64_t pv_alu(enum pv_alu_op op, uint64_t a, uint64_t b, unsigned bytes, uint64_t *rflags);

#endif
