// SPDX-License-Identifier: BSD-2-Clause
/* The registers with which a vCPU begins. */
#include "shim/pv/context.h"
#include "shim/pv/fake_cpu_test.h"

#include <stdlib.h>

#define NOT_CANONICAL 0x800000000000ull
#define BAD           0x63

/* The rules of memory, as far as a context asks them; what they have been asked for. */
static struct {
	int gdt, roots; /* what they answer */
	unsigned entries, gdt_loads, ldt_loads, held;
	uint64_t first_frame, kernel, user;
} mm;

int pv_set_gdt(struct pv_vcpu *v, const uint64_t *frames, unsigned entries)
{
	(void)v;
	mm.first_frame = frames[0];
	mm.entries = entries;
	mm.held += !mm.gdt;
	return mm.gdt;
}

int pv_roots_set(struct pv_vcpu *v, uint64_t kernel, uint64_t user)
{
	(void)v;
	mm.kernel = kernel;
	mm.user = user;
	mm.held += !mm.roots;
	return mm.roots;
}

void pv_mm_release_vcpu(struct pv_vcpu *v)
{
	(void)v;
	mm.held = 0;
}

void pv_load_gdt(struct pv_vcpu *v)
{
	(void)v;
	mm.gdt_loads++;
}

void pv_load_ldt(struct pv_vcpu *v)
{
	(void)v;
	mm.ldt_loads++;
}

void pv_load_segment_bases(struct pv_vcpu *v)
{
	pv_write_base(PV_BASE_FS, v->fs_base);
	pv_write_base(PV_BASE_GS, v->gs_base_kernel);
	pv_write_base(PV_BASE_GS_OTHER, v->gs_base_user);
}

static struct vcpu_guest_context *fresh_context(void)
{
	static struct vcpu_guest_context c;

	memset(&c, 0, sizeof(c));
	memset(&mm, 0, sizeof(mm));
	c.flags = VGCF_in_kernel;
	c.user_regs.rip = FAKE_CODE;
	c.user_regs.rsp = FAKE_STACK + 0x1000;
	c.user_regs.cs = FLAT_KERNEL_CS & ~3;
	c.user_regs.ss = FLAT_KERNEL_SS & ~3;
	c.kernel_ss = FLAT_KERNEL_SS & ~3;
	c.kernel_sp = FAKE_STACK + 0x800;
	c.failsafe_callback_eip = 0xffffffff81000000;
	c.ctrlreg[3] = 0x7000;
	return &c;
}

static void taken(void **state)
{
	struct fake_cpu *f = *state;
	struct vcpu_guest_context *c = fresh_context();

	c->flags |= VGCF_failsafe_disables_events | VGCF_syscall_disables_events;
	c->event_callback_eip = 0x1000;
	c->syscall_callback_eip = 0x3000;
	c->trap_ctxt[14] = (struct trap_info){14, 0xff, 0xe010, 0x4000};
	c->user_regs.rflags = 3 << RFLAGS_IOPL_SHIFT;
	c->gdt_frames[0] = 77;
	c->gdt_ents = 512;
	c->ldt_base = 0x10000;
	c->ldt_ents = 8192;
	c->ctrlreg[0] = ~0ull;
	c->ctrlreg[1] = 0x8000;
	c->fs_base = 1;
	c->gs_base_kernel = 2;
	c->gs_base_user = 3;
	c->vm_assist = ~0ull; /* the first vCPU's matters, which its builder makes */
	assert_int_equal(pv_set_context(&f->v, c), 0);
	assert_int_equal(c->user_regs.cs, FLAT_KERNEL_CS);
	assert_int_equal(c->user_regs.ss, FLAT_KERNEL_SS);
	assert_int_equal(f->v.kernel_ss, FLAT_KERNEL_SS);
	assert_int_equal(f->v.kernel_sp, FAKE_STACK + 0x800);
	assert_true(f->v.event.masks_events && f->v.failsafe.masks_events);
	assert_true(f->v.syscall.masks_events);
	assert_int_equal(f->v.event.address, 0x1000);
	assert_int_equal(f->v.syscall.address, 0x3000);
	assert_int_equal(f->v.traps[14].address, 0x4000);
	assert_int_equal(f->v.traps[14].cs, 0xe013);
	assert_int_equal(f->v.traps[14].flags, PV_TRAP_LEVEL | PV_TRAP_MASKS);
	assert_int_equal(f->v.iopl, 3);
	assert_int_equal(f->v.ldt_entries, 8192);
	assert_int_equal(f->v.cr0_ts, CR0_TS);
	assert_int_equal(mm.entries, 512);
	assert_int_equal(mm.first_frame, 77);
	assert_int_equal(mm.kernel, 7);
	assert_int_equal(mm.user, 8);
	assert_int_equal(f->domain.vm_assist, 0);
	assert_true(f->v.kernel_mode);
}

/* Each address, and what else is refused before anything is held. */
static void refused(void **state)
{
	struct vcpu_guest_context *c = fresh_context();
	uint64_t *const addresses[] = {
		&c->user_regs.rip,
		&c->user_regs.rsp,
		&c->kernel_sp,
		&c->fs_base,
		&c->gs_base_kernel,
		&c->gs_base_user,
		&c->event_callback_eip,
		&c->failsafe_callback_eip,
		&c->syscall_callback_eip,
		&c->trap_ctxt[255].address,
	};
	struct fake_cpu *f = *state;

	for (unsigned n = 0; n < sizeof(addresses) / sizeof(addresses[0]); n++) {
		fresh_context();
		*addresses[n] = NOT_CANONICAL;
		assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	}
	fresh_context()->flags = 0; /* user mode without page tables */
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	c->ctrlreg[1] = 0x8000;
	assert_int_equal(pv_set_context(&f->v, c), 0);
	assert_false(f->v.kernel_mode);
	fresh_context()->gdt_ents = FIRST_RESERVED_GDT_ENTRY + 1;
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	assert_int_equal(mm.held, 0);
}

static void refused_ldt(void **state)
{
	struct vcpu_guest_context *c = fresh_context();
	struct fake_cpu *f = *state;

	c->ldt_base = 0x10008;
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	c->ldt_base = PV_HYPER_START;
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	c->ldt_base = NOT_CANONICAL;
	c->ldt_ents = 1;
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	c->ldt_base = 0;
	c->ldt_ents = 8193;
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	c->ldt_ents = 8192;
	assert_int_equal(pv_set_context(&f->v, c), 0);
}

/* The errno is the frames'; what was held is put, and released when the vCPU is not to begin. */
static void refused_frames(void **state)
{
	struct vcpu_guest_context *c = fresh_context();
	struct fake_cpu *f = *state;

	mm.gdt = -XEN_EINVAL;
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EINVAL);
	assert_int_equal(mm.held, 0);
	assert_int_equal(mm.kernel, 0);
	mm.gdt = 0;
	mm.roots = -XEN_EBUSY;
	assert_int_equal(pv_set_context(&f->v, c), -XEN_EBUSY);
	assert_int_equal(mm.held, 0);
	mm.roots = 0;
	assert_int_equal(pv_set_context(&f->v, c), 0);
	assert_int_equal(mm.held, 2);
	pv_release_context(&f->v);
	assert_int_equal(mm.held, 0);
}

/* As set_debugreg does; what that refuses is left out. */
static void debug_registers(void **state)
{
	struct vcpu_guest_context *c = fresh_context();
	struct fake_cpu *f = *state;

	c->debugreg[0] = 0x1234;
	c->debugreg[1] = PV_HYPER_START;
	c->debugreg[3] = 0x5678;
	c->debugreg[4] = c->debugreg[5] = ~0ull; /* nobody's */
	c->debugreg[6] = 0xf;
	c->debugreg[7] = 0x3;
	assert_int_equal(pv_set_context(&f->v, c), 0);
	assert_int_equal(f->v.debug[0], 0x1234);
	assert_int_equal(f->v.debug[1], 0);
	assert_int_equal(f->v.debug[3], 0x5678);
	assert_int_equal(f->v.debug[6], DR6_RESERVED_ONE | 0xf);
	assert_int_equal(f->v.debug[7], DR7_RESERVED_ONE | 0x3);
	c->debugreg[6] = c->debugreg[7] = 1ull << 32;
	assert_int_equal(pv_set_context(&f->v, c), 0);
	assert_int_equal(f->v.debug[6], DR6_RESERVED_ONE);
	assert_int_equal(f->v.debug[7], DR7_RESERVED_ONE);
}

static void begins(void **state)
{
	struct vcpu_guest_context *c = fresh_context();
	struct fake_cpu *f = *state;

	c->user_regs.rax = 1;
	c->user_regs.r15 = 2;
	c->user_regs.rflags = 3 << RFLAGS_IOPL_SHIFT;
	c->user_regs.ds = 0x2b;
	c->user_regs.gs = 0x33;
	c->fs_base = 0x1111;
	c->gs_base_kernel = 0x2222;
	assert_int_equal(pv_set_context(&f->v, c), 0);
	pv_start_context(&f->v, &f->r, c);
	assert_int_equal(f->r.rax, 1);
	assert_int_equal(f->r.r15, 2);
	assert_int_equal(f->r.rip, FAKE_CODE);
	assert_int_equal(f->r.rflags, RFLAGS_IF);
	assert_int_equal(f->selectors[0], 0x2b);
	assert_int_equal(f->selectors[3], 0x33);
	assert_int_equal(f->bases[PV_BASE_FS], 0x1111);
	assert_int_equal(f->bases[PV_BASE_GS], 0x2222);
	assert_int_equal(mm.gdt_loads + mm.ldt_loads, 2);
	assert_int_equal(f->base_loads, 1);
}

/* Only if the context has it. */
static void fpu(void **state)
{
	struct fake_cpu *f = *state;
	struct vcpu_guest_context *c = fresh_context();

	memset(c->fpu_ctxt.x, 0x5a, sizeof(c->fpu_ctxt.x));
	pv_start_context(&f->v, &f->r, c);
	assert_int_equal(f->fpu[0], 0);
	c->flags |= VGCF_i387_valid;
	pv_start_context(&f->v, &f->r, c);
	assert_memory_equal(f->fpu, c->fpu_ctxt.x, sizeof(f->fpu));
}

/* Any of the four sends it to the failsafe callback, which finds all of them. */
static void bad_selectors(void **state)
{
	struct vcpu_guest_context *c = fresh_context();
	struct fake_cpu *f = *state;

	f->bad_selector = BAD;
	for (unsigned n = 0; n < 4; n++) {
		uint16_t *const all[] = {&c->user_regs.ds, &c->user_regs.es, &c->user_regs.fs,
					 &c->user_regs.gs};

		fresh_context();
		c->user_regs.rcx = 5;
		for (unsigned i = 0; i < 4; i++)
			*all[i] = i == n ? BAD : 0x2b;
		assert_int_equal(pv_set_context(&f->v, c), 0);
		pv_start_context(&f->v, &f->r, c);
		assert_int_equal(f->r.rip, c->failsafe_callback_eip);
		assert_int_equal(f->r.rsp, FAKE_STACK + 0x1000 - 11 * 8);
		assert_int_equal(word_at(f, f->r.rsp), 5);
		for (unsigned i = 0; i < 4; i++) {
			assert_int_equal(word_at(f, f->r.rsp + 16 + i * 8), i == n ? BAD : 0x2b);
			assert_int_equal(f->selectors[i], i == n ? 0 : 0x2b);
		}
		assert_int_equal(word_at(f, f->r.rsp + 48), FAKE_CODE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(taken),           TEST(refused), TEST(refused_ldt),   TEST(refused_frames),
		TEST(debug_registers), TEST(begins),  TEST(bad_selectors), TEST(fpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
