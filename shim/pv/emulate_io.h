/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN, OUT, INS, OUTS of a guest that has no ports: what may use them reads ones. Freestanding.
 */
#ifndef SHIM_PV_EMULATE_IO_H
#define SHIM_PV_EMULATE_IO_H

#include "shim/pv/decode.h"

/* What an instruction came to. */
enum pv_step {
	PV_STEP_DONE,       /* *r goes on behind it */
	PV_STEP_BREAKPOINT, /* so, too, and with #DB: DR6 says why */
	PV_STEP_AGAIN,      /* *r is part of the way, and the instruction is run again */
	PV_STEP_RAISED,     /* it raised something else */
	PV_STEP_REFUSED,    /* it is not allowed, nor emulated */
};

/* The guest's IOPL lets the mode that it is in use ports (and CLI, STI): its kernel is in ring 1,
 * or 0 with VMASST_TYPE_architectural_iopl. */
bool pv_has_iopl(const struct pv_vcpu *v);

enum pv_step pv_emulate_ports(struct pv_vcpu *v, struct pv_regs *r, const struct pv_insn *i);

#endif
