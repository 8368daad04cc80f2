// SPDX-License-Identifier: BSD-2-Clause
/*
 * Exceptions of a guest with any registers, code, page-table entries and state: each comes to an
 * end, changes nothing but what it may, and either goes on behind the instruction, is run again, or
 * is another exception, for which there is a frame or an end.
 *
 * The input is read front to back; where it ends everything is 0.
 */
#include "shim/fuzz_input.h"
#include "shim/pv/arch.h"
#include "shim/pv/cpu_op.h"
#include "shim/pv/decode.h"
#include "shim/pv/emulate.h"
#include "shim/pv/fake_cpu.h"
#include "shim/pv/traps.h"

#define MAX_STEPS 24

struct fuzz {
	struct fake_cpu f;
	struct input in;
	uint8_t frames[FAKE_CPU_FRAMES][PV_PAGE_SIZE]; /* before a step */
	struct pv_regs regs;
};

/* A number of any kind; mostly an address that leads somewhere. */
static uint64_t number(struct fuzz *z)
{
	static const uint64_t places[] = {FAKE_CODE,  FAKE_DATA,      FAKE_STACK,   FAKE_PTES,
					  1ull << 47, PV_HYPER_START, PV_HYPER_END, 0};
	uint64_t how = take(&z->in, 1);

	switch (how & 3) {
	case 0:
		return take(&z->in, 8);
	case 1:
		return (int8_t)take(&z->in, 1);
	case 2:
		return places[how >> 2 & 7] + take(&z->in, 2) % 0x1010;
	default:
		return places[how >> 2 & 7] + (take(&z->in, 2) & 0xff8);
	}
}

static void registers(struct fuzz *z)
{
	static const uint16_t segments[] = {FLAT_KERNEL_CS, FLAT_KERNEL_CS, FLAT_KERNEL_CS32,
					    0x0b,           0x13,           0x0f};
	struct pv_regs *r = &z->f.r;
	uint64_t which = take(&z->in, 2);

	for (unsigned n = 0; n < 16; n++)
		if (which >> n & 1)
			*pv_gpr(r, n) = number(z);
	if (which & 1) /* what rax is, rbx and rdi lead to */
		r->rbx = r->rdi = FAKE_PTES + (take(&z->in, 2) & 0xfff);
	r->rflags = (take(&z->in, 4) & ~(RFLAGS_IOPL | RFLAGS_VM)) | RFLAGS_IF | 2;
	r->cs = segments[take(&z->in, 1) % 6];
	r->rip = FAKE_CODE + take(&z->in, 2) % PV_PAGE_SIZE;
}

static void state(struct fuzz *z)
{
	struct pv_vcpu *v = &z->f.v;
	uint64_t bits = take(&z->in, 4);

	v->kernel_mode = z->f.kernel_base = !(bits & 1);
	v->cr4 = bits >> 1 & 1 ? PV_CR4_OWN | CR4_OSXSAVE : 0;
	v->iopl = bits >> 2 & 3;
	v->misc_features = bits >> 4 & 1;
	v->info->evtchn_upcall_mask = bits >> 5 & 1;
	v->info->evtchn_upcall_pending = bits >> 6 & 1;
	v->nmi_pending = bits >> 7 & 1;
	v->mce_pending = bits >> 8 & 1;
	v->iobmp = bits >> 9 & 1 ? FAKE_STACK : FAKE_STACK + 0x1000 - 2;
	v->iobmp_limit = bits >> 10 & 1 ? 65536 : 0;
	z->f.refuse_entries = bits >> 11 & 1;
	z->f.changes_left = bits >> 12 & 1;
	z->f.ldt_works = bits >> 13 & 1;
	z->f.domain.vm_assist = bits >> 14 & 0x3f;
	z->f.leaf1[2] = bits >> 20 & 1 ? ~0u : 0;
	z->f.ext1[3] = bits >> 21 & 1 ? ~0u : 0;
	z->f.leaf7[3] = z->f.leafd1[0] = bits >> 19 & 1 ? ~0u : 0;
	v->dr7_ports = bits >> 22 & 0xff;
	v->debug[7] = bits >> 16 & 0xffff0000;
}

/* What is emulated; memory operands are (rbx). */
static const uint8_t likely[80][6] = {
	{0x0f, 0x32},
	{0x0f, 0x30},
	{0x0f, 0x20, 0xe0},
	{0x0f, 0x22, 0xe0},
	{0x0f, 0x20, 0xc0},
	{0x0f, 0x22, 0xc0},
	{0x0f, 0x22, 0xd8},
	{0x0f, 0x22, 0xd0},
	{0x0f, 0x21, 0xf8},
	{0x0f, 0x23, 0xf8},
	{0x0f, 0x06},
	{0x0f, 0x09},
	{0x0f, 0x31},
	{0x0f, 0x01, 0xf9},
	{0x0f, 0x01, 0xd1},
	{0x0f, 0xa2},
	{0xe4, 0x70},
	{0xe7, 0x6e},
	{0xec},
	{0xef},
	{0xf3, 0x6c},
	{0x6d},
	{0xf3, 0x6f},
	{0x6e},
	{0xfa},
	{0xfb},
	{0x66, 0xed},
	{0x65, 0x6f},
	{0x48, 0x89, 0x0b},
	{0x89, 0x4b, 0x04},
	{0x88, 0x0b},
	{0x66, 0x89, 0x0b},
	{0x48, 0x87, 0x0b},
	{0x87, 0x4b, 0x04},
	{0x86, 0x2b},
	{0x48, 0x01, 0x0b},
	{0x09, 0x0b},
	{0x10, 0x0b},
	{0x19, 0x0b},
	{0x20, 0x0b},
	{0x48, 0x29, 0x0b},
	{0x31, 0x0b},
	{0x80, 0x23, 0xfd},
	{0x83, 0x0b, 0x02},
	{0xf6, 0x13},
	{0x48, 0xf7, 0x1b},
	{0xfe, 0x03},
	{0x48, 0xff, 0x0b},
	{0x48, 0xab},
	{0xaa},
	{0xf3, 0x48, 0xab},
	{0x48, 0xa5},
	{0xf3, 0x48, 0xa5},
	{0xa4},
	{0xf2, 0xab},
	{0x67, 0x48, 0xab},
	{0x0f, 0xab, 0x0b},
	{0x48, 0x0f, 0xb3, 0x0b},
	{0x0f, 0xbb, 0x0b},
	{0x0f, 0xba, 0x33, 0x01},
	{0x0f, 0xb1, 0x0b},
	{0xf0, 0x48, 0x0f, 0xb1, 0x0b},
	{0x0f, 0xb0, 0x0b},
	{0x0f, 0xc7, 0x0b},
	{0xf0, 0x0f, 0xc7, 0x0b},
	{0x48, 0x0f, 0xc1, 0x0b},
	{0x0f, 0xc0, 0x0b},
	{0x48, 0x0f, 0xc3, 0x0b},
	{0xc6, 0x03, 0x5a},
	{0xc7, 0x03, 1, 2, 3, 4},
	{0x65, 0x48, 0x89, 0x0b},
	{0x48, 0x89, 0x0c, 0x13},
	{0x48, 0x8f, 0x03},
	{0x48, 0x39, 0x0b},
	{0xf0, 0x48, 0x89, 0x0b},
	{0x48, 0x0f, 0xc7, 0x0b},
	{0x67, 0x48, 0x89, 0x0b},
	{0x88, 0x6b, 0x01},
	{0xf0, 0x31, 0x0b},
	{0x48, 0x11, 0x0b},
};

static void code(struct fuzz *z)
{
	static const uint8_t forced[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
	uint64_t at = z->f.r.rip;
	unsigned how = take(&z->in, 1), count = how & 15;

	if (count >= 10 && count < 15) {
		const uint8_t *insn = likely[(count - 10) * 16 + (how >> 4)];

		for (unsigned n = 0; n < 6 && fake_cpu_at(&z->f, at + n); n++)
			*fake_cpu_at(&z->f, at + n) = insn[n];
		return;
	}
	if (count == 15) {
		for (unsigned n = 0; n < sizeof(forced) && fake_cpu_at(&z->f, at + n); n++)
			*fake_cpu_at(&z->f, at + n) = forced[n];
		return;
	}
	for (unsigned n = 0; n <= count && fake_cpu_at(&z->f, at + n); n++)
		*fake_cpu_at(&z->f, at + n) = take(&z->in, 1);
}

static void remember(struct fuzz *z)
{
	memcpy(z->frames, z->f.ram, sizeof(z->frames));
	z->regs = z->f.r;
	z->f.entry_writes = 0;
}

/* Frames that an instruction may change are those that the guest may write. */
static void check_frames(const struct fuzz *z)
{
	const struct fake_cpu *f = &z->f;

	for (unsigned n = 0; n < FAKE_CPU_FRAMES; n++) {
		bool same = !memcmp(z->frames[n], f->ram[n], PV_PAGE_SIZE);

		if (same || n == FAKE_SHARED_INFO || n == FAKE_MAP)
			continue;
		if (n == FAKE_TABLE ? !f->entry_writes && f->refuse_entries : n < FAKE_FREE)
			fail("frame %u has changed\n", n);
	}
	if (f->locked)
		fail("the lock is held\n");
}

static void check_not_emulated(const struct fuzz *z)
{
	if (memcmp(&z->regs, &z->f.r, sizeof(z->regs)) != 0)
		fail("registers of what was not emulated\n");
	if (z->f.v.bounce.wanted)
		fail("an exception of what was not emulated\n");
	if (memcmp(z->frames[FAKE_TABLE], z->f.ram[FAKE_TABLE], PV_PAGE_SIZE) != 0 &&
	    z->f.entry_writes)
		fail("an entry of what was not emulated\n");
}

static void check_emulated(const struct fuzz *z)
{
	const struct pv_regs *r = &z->f.r, *was = &z->regs;
	uint64_t by = r->rip - was->rip;

	if (by > PV_INSN_MAX && r->rip != (uint32_t)r->rip)
		fail("rip went by 0x%lx\n", (unsigned long)by);
	if (r->cs != was->cs || r->ss != was->ss)
		fail("segments have changed\n");
	if ((r->rflags ^ was->rflags) & ~(RFLAGS_ARITHMETIC | RFLAGS_RF))
		fail("flags: 0x%lx\n", (unsigned long)(r->rflags ^ was->rflags));
	if (z->f.entry_writes > 1)
		fail("%u entries\n", z->f.entry_writes);
	/* One that stays has a reason. */
	if (!by && !z->f.v.bounce.wanted && memcmp(was, r, sizeof(*r)) == 0 &&
	    memcmp(z->frames, z->f.ram, sizeof(z->frames)) == 0)
		fail("nothing has become of it\n");
}

static void step_emulate(struct fuzz *z)
{
	struct fake_cpu *f = &z->f;
	uint64_t which = take(&z->in, 1) % 3, cr2 = FAKE_PTES + take(&z->in, 2) % PV_PAGE_SIZE;
	enum pv_emulated result;

	f->v.bounce = (struct pv_bounce){0};
	remember(z);
	if (which == 0)
		result = pv_emulate_privileged(&f->v, &f->r);
	else if (which == 1)
		result = pv_emulate_write(&f->v, &f->r, cr2);
	else
		result = pv_emulate_forced(&f->v, &f->r);
	/* Segments are read into their places by the way. */
	z->regs.ds = f->r.ds;
	z->regs.es = f->r.es;
	z->regs.fs = f->r.fs;
	z->regs.gs = f->r.gs;
	check_frames(z);
	if (result == PV_EMULATED)
		check_emulated(z);
	else
		check_not_emulated(z);
}

/* In every case before the guest goes on. */
static bool go_back(struct fuzz *z)
{
	struct pv_vcpu *v = &z->f.v;
	const struct pv_regs *r = &z->f.r;

	if (pv_before_return(v, &z->f.r)) {
		if (!v->dying)
			fail("it ends without a reason\n");
		return false;
	}
	if (v->bounce.wanted || (r->cs & 3) != 3 || (r->ss & 3) != 3)
		fail("cs %x ss %x at a return\n", r->cs, r->ss);
	if (v->info->evtchn_upcall_pending && !v->info->evtchn_upcall_mask)
		fail("an upcall is left\n");
	return true;
}

/* SYSCALL, SYSENTER, a segment that cannot be loaded. */
static bool step_enter(struct fuzz *z)
{
	struct fake_cpu *f = &z->f;
	unsigned how = take(&z->in, 1);

	f->v.bounce = (struct pv_bounce){0};
	if ((how & 3) == 3) {
		pv_failsafe(&f->v, &f->r);
	} else {
		f->r.vector = PV_ENTRY_SYSCALL + (how & 3);
		pv_guest_syscall(&f->v, &f->r);
	}
	return go_back(z);
}

/* A hypercall: its arguments are anything, and so is the structure that one may point to. */
static void step_hypercall(struct fuzz *z)
{
	static long (*const all[])(struct pv_vcpu *, const uint64_t *) = {
		pv_op_set_trap_table, pv_op_set_callbacks,
		pv_op_callback,       pv_op_nmi,
		pv_op_stack_switch,   pv_op_set_segment_base,
		pv_op_fpu_taskswitch, pv_op_set_debugreg,
		pv_op_get_debugreg,   pv_op_vm_assist,
		pv_op_physdev,
	};
	unsigned which = take(&z->in, 1) % 11;
	const uint64_t args[6] = {which ? take(&z->in, 1) & 15 : number(z), number(z), number(z)};

	for (unsigned n = 0; n < 24; n++)
		*fake_cpu_at(&z->f, FAKE_DATA + n) = take(&z->in, 1);
	remember(z);
	all[which](&z->f.v, args);
	check_frames(z);
}

/* The beginnings of what has MSRs. */
static const uint32_t msrs[] = {0,          0x10,       0x40,       0x80,       0xc0,
				0x100,      0x140,      0x170,      0x190,      0x270,
				0x400,      0xda0,      0x40000000, 0xc0000080, 0xc0000100,
				0xc0010000, 0xc0010040, 0xc0011018};

static void step_msr(struct fuzz *z)
{
	uint32_t index = msrs[take(&z->in, 1) % 18] + take(&z->in, 1) % 64;
	uint64_t value = number(z);

	remember(z);
	pv_guest_write_msr(&z->f.v, index, value);
	pv_guest_read_msr(&z->f.v, index, &value);
	check_frames(z);
}

/* To the return, and perhaps back again. False: the guest's end. */
static bool step_exception(struct fuzz *z)
{
	struct fake_cpu *f = &z->f;
	struct pv_regs *r = &f->r;

	r->vector = take(&z->in, 1);
	r->error =
		r->vector == VECTOR_PF ? take(&z->in, 1) : take(&z->in, 2) * (take(&z->in, 1) & 1);
	remember(z);
	pv_exception(&f->v, r, number(z));
	if (!go_back(z))
		return false;
	check_frames(z);
	if (take(&z->in, 1) & 1 && f->v.kernel_mode)
		r->rax = pv_op_iret(&f->v, r);
	return !f->v.dying;
}

static bool step(struct fuzz *z)
{
	uint64_t what = take(&z->in, 1);

	if (what & 1)
		registers(z);
	if (what & 2)
		state(z);
	code(z);
	switch (what >> 2 & 7) {
	case 0:
		return step_enter(z);
	case 1:
		step_hypercall(z);
		return true;
	case 2:
	case 3:
		return step_exception(z);
	case 4:
		step_msr(z);
		return true;
	default:
		step_emulate(z);
		return true;
	}
}

static void begin(struct fuzz *z)
{
	struct fake_cpu *f = &z->f;
	uint64_t *gdt = (void *)f->ram[FAKE_GDT], *ldt = (void *)f->ram[FAKE_LDT];

	fake_cpu_init(f);
	for (unsigned n = 0; n < 256; n++)
		f->v.traps[n] = (struct pv_trap){.flags = n, .address = 0xffffffff81000000 + n};
	f->v.event.address = f->v.failsafe.address = 0xffffffff82000000;
	f->v.gdt_frames[0] = FAKE_GDT;
	f->v.gdt_entries = 4;
	f->v.ldt_frames[0] = FAKE_LDT;
	f->v.ldt_mapped = 1;
	f->v.ldt_entries = 4;
	for (unsigned n = 0; n < 4; n++) {
		gdt[n] = take(&z->in, 8);
		ldt[n] = take(&z->in, 8);
	}
	for (unsigned n = 0; n < 4; n++)
		f->selectors[n] = take(&z->in, 2);
	f->tsc = take(&z->in, 8);
	f->good_base = 9;
	memcpy(f->vendor, take(&z->in, 1) & 1 ? "AuthcAMDenti" : "GenuntelineI", 12);
	fake_cpu_msr(f, 0xc0000103, 1);
	fake_cpu_msr(f, take(&z->in, 4), 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz z;

	z.in = (struct input){data, size};
	begin(&z);
	for (unsigned n = 0; n < MAX_STEPS && z.in.left; n++)
		if (!step(&z))
			break;
	return 0;
}
