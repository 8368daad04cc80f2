// SPDX-License-Identifier: BSD-2-Clause
/* The registers of VCPUOP_initialise: what Xen takes and what it does not. */
#include "shim/vcpu_context.h"

#include <string.h>

#include "shim/fake_test.h"

#define CODE 0xc9a /* 32-bit, flat, not accessed */
#define DATA 0xc92
#define TSS  0x89

static struct vcpu_hvm_context flat_32(void)
{
	return (struct vcpu_hvm_context){
		.mode = VCPU_HVM_MODE_32B,
		.cpu_regs.x86_32 =
			{
				.eax = 1,
				.ebx = 2,
				.ecx = 3,
				.edx = 4,
				.esi = 5,
				.edi = 6,
				.ebp = 7,
				.esp = 8,
				.eip = 0xfffffff0,
				.eflags = 2,
				.cr0 = 1,
				.cr3 = 0x1000,
				.cs_limit = 0xfffff,
				.ds_limit = 0xfffff,
				.ss_limit = 0xfffff,
				.es_limit = 0xfffff,
				.tr_limit = 0x67,
				.cs_ar = CODE,
				.ds_ar = DATA,
				.ss_ar = DATA,
				.es_ar = DATA,
				.tr_ar = TSS,
				.tr_base = 0x2000,
			},
	};
}

static struct vcpu_hvm_context long_64(void)
{
	return (struct vcpu_hvm_context){
		.mode = VCPU_HVM_MODE_64B,
		.cpu_regs.x86_64 =
			{
				.rax = 1,
				.rip = 0xffff800000001000,
				.cr0 = 1u << 31 | 1,
				.cr3 = 0x1000,
				.cr4 = 1 << 5,
				.efer = 1 << 8,
			},
	};
}

static int check(struct fake *f, const struct vcpu_hvm_context *c)
{
	struct vcpu_context out;

	return vcpu_context_check(&f->domain, c, &out);
}

static void taken_32(void **state)
{
	struct fake *f = *state;
	struct vcpu_hvm_context c = flat_32();
	struct vcpu_context out;

	assert_int_equal(vcpu_context_check(&f->domain, &c, &out), 0);
	assert_int_equal(out.rax, 1);
	assert_int_equal(out.rbx, 2);
	assert_int_equal(out.rcx, 3);
	assert_int_equal(out.rdx, 4);
	assert_int_equal(out.rsi, 5);
	assert_int_equal(out.rdi, 6);
	assert_int_equal(out.rbp, 7);
	assert_int_equal(out.rsp, 8);
	assert_int_equal(out.rip, 0xfffffff0);
	assert_int_equal(out.rflags, 2);
	assert_int_equal(out.cr0, 1);
	assert_int_equal(out.cr3, 0x1000);
	assert_int_equal(out.cs.attr, CODE | 1); /* accessed */
	assert_int_equal(out.ss.attr, DATA | 1);
	assert_int_equal(out.cs.limit, 0xfffff);
	assert_int_equal(out.tr.attr, TSS | 2); /* busy */
	assert_int_equal(out.tr.base, 0x2000);
	assert_int_equal(out.tr.limit, 0x67);
}

static void taken_64(void **state)
{
	struct fake *f = *state;
	struct vcpu_hvm_context c = long_64();
	struct vcpu_context out;

	assert_int_equal(vcpu_context_check(&f->domain, &c, &out), 0);
	assert_int_equal(out.efer, 1 << 8 | 1 << 10); /* LMA, too */
	assert_int_equal(out.cs.attr, 0xa9b);
	assert_int_equal(out.ds.attr, 0xc93);
	assert_int_equal(out.tr.attr, 0x8b);
	assert_int_equal(out.rip, 0xffff800000001000);
}

/* One field of a good context made bad. */
#define REFUSED_32(f, field, value)                           \
	do {                                                  \
		struct vcpu_hvm_context c_ = flat_32();       \
                                                              \
		c_.cpu_regs.x86_32.field = value;             \
		assert_int_equal(check(f, &c_), -XEN_EINVAL); \
	} while (0)

#define TAKEN_32(f, field, value)                       \
	do {                                            \
		struct vcpu_hvm_context c_ = flat_32(); \
                                                        \
		c_.cpu_regs.x86_32.field = value;       \
		assert_int_equal(check(f, &c_), 0);     \
	} while (0)

#define REFUSED_64(f, field, value)                           \
	do {                                                  \
		struct vcpu_hvm_context c_ = long_64();       \
                                                              \
		c_.cpu_regs.x86_64.field = value;             \
		assert_int_equal(check(f, &c_), -XEN_EINVAL); \
	} while (0)

static void unused_fields(void **state)
{
	struct fake *f = *state;
	struct vcpu_hvm_context c = flat_32();

	c.pad = 1;
	assert_int_equal(check(f, &c), -XEN_EINVAL);
	c = flat_32();
	c.mode = 2;
	assert_int_equal(check(f, &c), -XEN_EINVAL);
	REFUSED_32(f, pad1, 1);
	REFUSED_32(f, pad2[0], 1);
	REFUSED_32(f, pad2[1], 1);
	REFUSED_32(f, pad2[2], 1);
}

static void segments(void **state)
{
	struct fake *f = *state;

	REFUSED_32(f, cs_ar, CODE | 0x1000);
	REFUSED_32(f, cs_ar, 0);
	REFUSED_32(f, cs_ar, DATA);
	REFUSED_32(f, cs_ar, CODE & ~0x10); /* of the system's */
	REFUSED_32(f, cs_ar, CODE & ~0x80); /* not present */
	REFUSED_32(f, ss_ar, 0);
	REFUSED_32(f, ss_ar, CODE);
	REFUSED_32(f, ss_ar, DATA & ~2); /* read-only */
	REFUSED_32(f, ds_ar, CODE & ~2); /* code that cannot be read */
	REFUSED_32(f, es_ar, CODE & ~2);
	REFUSED_32(f, ds_ar, DATA & ~0x80);
	REFUSED_32(f, es_ar, TSS);
	REFUSED_32(f, tr_ar, 0);
	REFUSED_32(f, tr_ar, DATA);
	REFUSED_32(f, tr_ar, 0x81); /* of 16 bits */
	REFUSED_32(f, tr_ar, 0x82); /* an LDT */
	REFUSED_32(f, tr_ar, 0x09); /* not present */
	TAKEN_32(f, ds_ar, 0);
	TAKEN_32(f, es_ar, 0);
	TAKEN_32(f, ds_ar, CODE);
	TAKEN_32(f, es_ar, DATA & ~2);
	TAKEN_32(f, tr_ar, 0x8b);
}

static void privileges(void **state)
{
	struct fake *f = *state;
	struct vcpu_hvm_context c = flat_32();
	struct vcpu_hvm_x86_32 *r = &c.cpu_regs.x86_32;

	REFUSED_32(f, ss_ar, DATA | 0x60);
	REFUSED_32(f, cs_ar, CODE | 0x60);
	REFUSED_32(f, ds_ar, DATA | 0x20);
	REFUSED_32(f, es_ar, DATA | 0x20);
	r->cs_ar = CODE | 0x60;
	r->ss_ar = DATA | 0x60;
	assert_int_equal(check(f, &c), 0);
	r->ds_ar = DATA | 0x60;
	assert_int_equal(check(f, &c), 0);
}

static void entry_beyond_the_code(void **state)
{
	struct fake *f = *state;
	struct vcpu_hvm_context c = flat_32();
	struct vcpu_hvm_x86_32 *r = &c.cpu_regs.x86_32;

	r->eip = 0x2fff;
	r->cs_limit = 2; /* pages, less one */
	assert_int_equal(check(f, &c), 0);
	r->eip = 0x3000;
	assert_int_equal(check(f, &c), -XEN_EINVAL);
	r->cs_ar = CODE & ~0x800; /* bytes */
	r->cs_limit = 0x3000;
	assert_int_equal(check(f, &c), 0);
	r->cs_limit = 0x2fff;
	assert_int_equal(check(f, &c), -XEN_EINVAL);
}

static void long_mode_in_part(void **state)
{
	struct fake *f = *state;

	REFUSED_32(f, efer, 1 << 10);
	REFUSED_64(f, rip, 0x800000000000);
	REFUSED_64(f, rip, 0xffff000000000000);
	REFUSED_64(f, cr0, 1);
	REFUSED_64(f, cr4, 0);
	REFUSED_64(f, efer, 0);
}

static void bits_that_are_not_there(void **state)
{
	struct fake *f = *state;

	REFUSED_32(f, cr4, 1 << 13); /* VMXE */
	REFUSED_32(f, cr4, 1u << 31);
	REFUSED_64(f, cr4, 1ull << 5 | 1ull << 40);
	REFUSED_32(f, efer, 1 << 12); /* SVME */
	REFUSED_64(f, efer, 1ull << 8 | 1ull << 1);
	TAKEN_32(f, cr4, 1 << 4);
	TAKEN_32(f, efer, 1 << 11); /* NXE */
	f->domain.cr4_valid = 1 << 5;
	REFUSED_32(f, cr4, 1 << 4);
	f->domain.efer_valid = 0;
	REFUSED_32(f, efer, 1 << 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_64(taken_32),          TEST_64(taken_64),
		TEST_64(unused_fields),     TEST_64(segments),
		TEST_64(privileges),        TEST_64(entry_beyond_the_code),
		TEST_64(long_mode_in_part), TEST_64(bits_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
