/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PV kernel has in the place of an IDT: handlers that it tells the hypervisor. ../traps.h is
 * about both kinds of kernel (catch_fault(), irq_set_handler(), run_user()); this is what only
 * these have. Assembly takes the numbers.
 */
#ifndef GUEST_TESTS_PV_TRAPS_H
#define GUEST_TESTS_PV_TRAPS_H

/* The callbacks' places behind the exceptions, for irq_set_handler() and struct fault; below
 * NR_VECTORS. */
#define VECTOR_EVENT        257
#define VECTOR_FAILSAFE     258
#define VECTOR_SYSCALL      259
#define VECTOR_SYSCALL32    260
#define VECTOR_SYSENTER     261
#define VECTOR_NMI_CALLBACK 262

#ifndef __ASSEMBLER__

#include "guest-tests/lib/traps.h"

#include "xen-abi/xen.h"

/* A test that defines this as true has the tick of 10 ms with which each vCPU of a PV guest begins.
 */
extern bool test_keeps_tick;

/* One more handler, as set_trap_table's flags want it: privilege level, TI. Its frame is that of
 * `vector`. */
long trap_table_set(uint8_t vector, uint8_t flags);

/* The entries of the callbacks, for those that register them in other ways. */
void pv_event_entry(void);
void pv_failsafe_entry(void);
void pv_syscall_entry(void);
void pv_syscall32_entry(void);
void pv_sysenter_entry(void);
void pv_nmi_entry(void);
/* The entry of a vector. */
unsigned long trap_entry_of(unsigned int vector);

long callback_register(uint16_t type, uint16_t flags, void (*entry)(void));

/* ds, es, fs, gs as the last failsafe callback found them. */
extern uint64_t pv_failsafe_selectors[4];

/* cr2 of the last page fault on this vCPU. */
unsigned long fault_address(void);

/* The iret hypercall, with flags of struct iret_context (VGCF_in_syscall). */
void pv_iret(const struct trap_frame *frame, unsigned long flags) __attribute__((noreturn));

/*
 * The same as run_user() of ../traps.h, with all registers of the caller's choice; the page tables
 * of user mode are the kernel's, unless others have been set.
 */
struct fault run_frame(const struct trap_frame *frame, unsigned long flags);
/* A frame that begins fn(arg) in user mode as run_user() does. */
struct trap_frame user_frame(void (*fn)(unsigned long), unsigned long arg);

/* The mask of this vCPU's events. */
bool events_masked(void);
void events_mask(void);
/* Off, and what was held up comes at once. */
void events_unmask(void);

#endif
#endif
