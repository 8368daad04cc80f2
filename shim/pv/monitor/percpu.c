// SPDX-License-Identifier: BSD-2-Clause
/* What assembly knows by number (asm.h, monitor.lds), held against the structures. */
#include "shim/pv/monitor/asm.h"
#include "shim/pv/monitor/percpu.h"

#define OFFSET_IS(member, value) \
	_Static_assert(__builtin_offsetof(struct pv_regs, member) == (value), #member)

OFFSET_IS(error, REGS_ERROR);
OFFSET_IS(vector, REGS_VECTOR);
OFFSET_IS(rip, REGS_RIP);
OFFSET_IS(cs, REGS_CS);
OFFSET_IS(rflags, REGS_RFLAGS);
OFFSET_IS(rsp, REGS_RSP);
OFFSET_IS(ss, REGS_SS);
_Static_assert(sizeof(struct pv_regs) == REGS_SIZE, "struct pv_regs");
_Static_assert(ENTRY_SYSCALL == PV_ENTRY_SYSCALL, "vectors of entries");
_Static_assert(__builtin_offsetof(struct pv_window, scratch) == 0, "window_scratch");
_Static_assert(PV_WINDOW_VCPU == 0x1000, "window_scratch");
_Static_assert(PV_WINDOW_STACK + PV_WINDOW_STACK_SIZE == 0x14000, "window_stack_end");
_Static_assert(PV_WINDOW_VCPU + sizeof(struct pv_window) <= PV_WINDOW_STACK, "room for the vCPU");
_Static_assert(PV_PORT_HYPERCALL == 0xac, "exit_hypercall");
