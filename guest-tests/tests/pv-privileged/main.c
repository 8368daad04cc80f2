// SPDX-License-Identifier: BSD-2-Clause
/*
 * Instructions that only ring 0 may use, which the hypervisor carries out for kernel mode as far as
 * a guest may (Xen: pv/emul-priv-op.c), and hypercalls that are the same. User mode gets #GP for
 * each.
 */
#include "guest-tests/lib/pv/test.h"

const char test_title[] = "privileged instructions: done, refused, in user mode";

#define NOT_CANONICAL 0x800000000000UL
#define CR0_TS        (1UL << 3)
#define CR4_OSXSAVE   (1UL << 18)
#define CR0_EM        (1UL << 2)
#define MSR_FS_BASE   0xc0000100U
#define MSR_GS_BASE   0xc0000101U
#define MSR_GS_USER   0xc0000102U
#define MSR_NONE      0x00012345U
#define EFER_BITS     0xd01UL /* SCE, LME, LMA, NX */

static struct cpuid forced_cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("ud2; .ascii \"xen\"; cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(0));
	return r;
}

static void cpuid_leaves(void)
{
	struct cpuid r = forced_cpuid(0x40000000), plain = cpuid(0, 0);

	CHECK_EQ(r.ebx, XEN_CPUID_SIGNATURE_EBX);
	CHECK_EQ(r.ecx, XEN_CPUID_SIGNATURE_ECX);
	CHECK_EQ(r.edx, XEN_CPUID_SIGNATURE_EDX);
	CHECK(r.eax >= 0x40000002, "the last leaf is %#x", r.eax);
	r = forced_cpuid(0x40000001);
	CHECK_EQ(r.eax, hypercall_xen_version(XENVER_version, NULL));
	/* One page, and the MSR that fills one. */
	r = forced_cpuid(0x40000002);
	CHECK_EQ(r.eax, 1);
	r = forced_cpuid(0);
	CHECK_EQ(r.ebx, plain.ebx);
	/* What no PV guest has: VMX, SVM, paging features that it could turn on. */
	r = forced_cpuid(1);
	CHECK_EQ(r.ecx >> 5 & 1, 0);
	CHECK_EQ(r.ecx >> 31, 1); /* under a hypervisor */
	CHECK_EQ(r.edx >> 3 & 1, 0);
	CHECK_EQ(forced_cpuid(0x80000001).ecx >> 2 & 1, 0);
	CHECK_EQ(forced_cpuid(0x80000001).edx >> 26 & 1, 0);
}

static unsigned long read_cr(unsigned int n)
{
	unsigned long v;

	switch (n) {
	case 0:
		return read_cr0();
	case 2:
		__asm__ volatile("mov %%cr2, %0" : "=r"(v));
		return v;
	case 4:
		__asm__ volatile("mov %%cr4, %0" : "=r"(v));
		return v;
	default:
		return read_cr3();
	}
}

static void write_cr0(void *v)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(v));
}

static void write_cr2(void *v)
{
	__asm__ volatile("mov %0, %%cr2" : : "r"(v));
}

static void write_cr4(void *v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v));
}

static void control_registers(void)
{
	unsigned long cr0 = read_cr(0), cr4 = read_cr(4);

	CHECK_EQ(cr0 & (CR0_PG | CR0_PE), CR0_PG | CR0_PE);
	CHECK(!catch_fault(write_cr0, (void *)cr0).hit, "cr0 as it was");
	CHECK_EQ(catch_fault(write_cr0, (void *)(cr0 ^ CR0_EM)).vector, VECTOR_GP);
	CHECK_EQ(read_cr(0), cr0);
	write_cr2((void *)0x1234567000);
	CHECK_EQ(read_cr(2), 0x1234567000);
	CHECK_EQ(fault_address(), 0x1234567000);
	CHECK_EQ(cr4 & 0x20, 0x20); /* PAE */
	CHECK(!catch_fault(write_cr4, (void *)cr4).hit, "cr4 as it was");
	/* Bits that are not a guest's are dropped. */
	CHECK(!catch_fault(write_cr4, (void *)(cr4 | 1UL << 13)).hit, "cr4 with VMXE");
	CHECK_EQ(read_cr(4), cr4);
}

static void use_fpu(void *arg)
{
	(void)arg;
	__asm__ volatile("fninit");
}

static void clts(void *arg)
{
	(void)arg;
	__asm__ volatile("clts");
}

static long taskswitch(unsigned long set)
{
	return hypercall(__HYPERVISOR_fpu_taskswitch, set, 0, 0, 0, 0);
}

/* TS, by hypercall and by instruction. A #NM takes it away: what follows its handler finds the FPU.
 */
static void fpu(void)
{
	unsigned long cr0 = read_cr(0) & ~CR0_TS;

	for (unsigned int way = 0; way < 2; way++) {
		if (way)
			write_cr0((void *)(cr0 | CR0_TS));
		else
			CHECK_EQ(taskswitch(1), 0);
		CHECK_EQ(read_cr(0), cr0 | CR0_TS);
		CHECK_EQ(catch_fault(use_fpu, NULL).vector, 7);
		CHECK_EQ(read_cr(0), cr0);
		CHECK(!catch_fault(use_fpu, NULL).hit, "TS is there after #NM");
	}
	CHECK_EQ(taskswitch(1), 0);
	CHECK_EQ(taskswitch(0), 0);
	CHECK(!catch_fault(use_fpu, NULL).hit, "TS is there after fpu_taskswitch(0)");
	CHECK_EQ(taskswitch(1), 0);
	clts(NULL);
	CHECK_EQ(read_cr(0), cr0);
	CHECK(!catch_fault(use_fpu, NULL).hit, "TS is there after clts");
}

static void msrs(void)
{
	static uint64_t word = 0x77;
	uint64_t v = 0, efer = rdmsr(MSR_EFER);

	CHECK_EQ(efer & EFER_BITS, EFER_BITS);
	CHECK_EQ(efer >> 12 & 1, 0); /* SVME */
	CHECK(!wrmsr_safe(MSR_EFER, efer), "EFER as it was");
	CHECK(wrmsr_safe(MSR_EFER, efer ^ 1), "EFER changed");
	CHECK_EQ(rdmsr(MSR_EFER), efer);
	for (uint32_t msr = MSR_FS_BASE; msr <= MSR_GS_USER; msr++) {
		CHECK(!wrmsr_safe(msr, (unsigned long)&word), "MSR %#x", msr);
		CHECK_EQ(rdmsr(msr), (unsigned long)&word);
		CHECK(wrmsr_safe(msr, NOT_CANONICAL), "MSR %#x, not canonical", msr);
		CHECK_EQ(rdmsr(msr), (unsigned long)&word);
	}
	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	CHECK_EQ(v, 0x77);
	CHECK(rdmsr_safe(MSR_NONE, &v), "an MSR that there is not");
	CHECK(wrmsr_safe(MSR_NONE, 0), "an MSR that there is not");
	CHECK(!rdmsr_safe(MSR_APIC_BASE, &v), "APIC base");
	CHECK(!rdmsr_safe(0x277, &v), "PAT");
	CHECK_EQ(v, 0x50100070406); /* the hypervisor's */
	CHECK(rdtsc() < rdtsc(), "the TSC stands still");
	CHECK(!rdmsr_safe(0x10, &v) && v, "TSC");
}

static long set_debugreg(unsigned long n, unsigned long v)
{
	return hypercall(__HYPERVISOR_set_debugreg, n, v, 0, 0, 0);
}

static long get_debugreg(unsigned long n)
{
	return hypercall(__HYPERVISOR_get_debugreg, n, 0, 0, 0, 0);
}

static void write_word(void *p)
{
	*(volatile uint32_t *)p = 1;
}

static void write_dr0(void *v)
{
	__asm__ volatile("mov %0, %%dr0" : : "r"(v));
}

static void debug_registers(void)
{
	static uint32_t watched __attribute__((aligned(8)));
	unsigned long v;
	struct fault f;

	CHECK_EQ(set_debugreg(0, (unsigned long)&watched), 0);
	CHECK_EQ(get_debugreg(0), (long)(unsigned long)&watched);
	__asm__ volatile("mov %%dr0, %0" : "=r"(v));
	CHECK_EQ(v, (unsigned long)&watched);
	CHECK_EQ(set_debugreg(0, HYPERVISOR_VIRT_START), -XEN_EPERM);
	CHECK_EQ(catch_fault(write_dr0, (void *)HYPERVISOR_VIRT_START).vector, VECTOR_GP);
	CHECK_EQ(set_debugreg(7, 1UL << 13), -XEN_EPERM); /* GD */
	CHECK_EQ(set_debugreg(7, 1UL << 32), -XEN_EINVAL);
	CHECK_EQ(set_debugreg(6, 1UL << 32), -XEN_EINVAL);
	CHECK_EQ(set_debugreg(8, 0), -XEN_ENODEV);
	CHECK_EQ(get_debugreg(8), -XEN_ENODEV);
	CHECK_EQ(get_debugreg(0), (long)(unsigned long)&watched);
	/* A write of 4 bytes there. */
	CHECK_EQ(set_debugreg(6, 0), 0);
	CHECK_EQ(set_debugreg(7, 1 | 0xdUL << 16), 0);
	f = catch_fault(write_word, &watched);
	CHECK(f.hit && f.vector == 1, "hit %u vector %u", f.hit, f.vector);
	CHECK_EQ(get_debugreg(6) & 0xf, 1);
	CHECK_EQ(watched, 1);
	CHECK_EQ(set_debugreg(7, 0), 0);
	CHECK(!catch_fault(write_word, &watched).hit, "a breakpoint that is off");
	CHECK_EQ(set_debugreg(0, 0), 0);
}

static void in_80(void *arg)
{
	uint8_t v = 0;

	__asm__ volatile("inb $0x80, %0" : "=a"(v));
	if (arg)
		*(uint8_t *)arg = v;
}

static void out_80(void *arg)
{
	(void)arg;
	__asm__ volatile("outl %0, %1" : : "a"(0), "d"((uint16_t)0x80));
}

static void cli_sti(void *arg)
{
	(void)arg;
	__asm__ volatile("cli; sti");
}

static long set_iopl(uint32_t level)
{
	struct physdev_set_iopl arg = {.iopl = level};

	return hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, (unsigned long)&arg, 0, 0, 0);
}

static struct fault in_user(void (*fn)(void *))
{
	return run_user((void (*)(unsigned long))(void (*)(void))fn, 0);
}

static void exit_after_in(unsigned long arg)
{
	uint8_t v = 0;

	(void)arg;
	in_80(&v);
	user_exit(v);
}

/* With the privilege level for it, ports that are nobody's read as ones. Kernel mode's level is 1.
 */
static void ports(void)
{
	static uint8_t bitmap[8192];
	struct physdev_set_iobitmap map = {.nr_ports = 65536};
	uint8_t v = 0;

	CHECK_EQ(catch_fault(in_80, &v).vector, VECTOR_GP);
	CHECK_EQ(catch_fault(out_80, NULL).vector, VECTOR_GP);
	CHECK_EQ(catch_fault(cli_sti, NULL).vector, VECTOR_GP);
	CHECK_EQ(set_iopl(4), -XEN_EINVAL);
	CHECK_EQ(set_iopl(1), 0);
	CHECK(!catch_fault(in_80, &v).hit, "in with level 1");
	CHECK_EQ(v, 0xff);
	CHECK(!catch_fault(out_80, NULL).hit, "out with level 1");
	CHECK(!catch_fault(cli_sti, NULL).hit, "cli with level 1");
	CHECK_EQ(events_masked(), true); /* it does nothing */
	CHECK_EQ(in_user(in_80).vector, VECTOR_GP);
	CHECK_EQ(set_iopl(3), 0);
	CHECK_EQ(run_user(exit_after_in, 0).ax, 0xff);
	CHECK_EQ(set_iopl(0), 0);
	/* Or by the bitmap, whose bits refuse. */
	memset(bitmap, 0xff, sizeof(bitmap));
	bitmap[0x80 / 8] = 0xfe;
	set_xen_guest_handle(map.bitmap, bitmap);
	CHECK_EQ(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, (unsigned long)&map, 0,
			   0, 0),
		 0);
	CHECK_EQ(run_user(exit_after_in, 0).ax, 0xff);
	CHECK(!catch_fault(in_80, &v).hit, "in with the bitmap");
	CHECK_EQ(catch_fault(out_80, NULL).vector, VECTOR_GP); /* 4 ports */
	map.nr_ports = 65537;
	CHECK_EQ(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, (unsigned long)&map, 0,
			   0, 0),
		 -XEN_EINVAL);
	map.nr_ports = 0;
	CHECK_EQ(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, (unsigned long)&map, 0,
			   0, 0),
		 0);
	CHECK_EQ(catch_fault(in_80, &v).vector, VECTOR_GP);
}

static void xsetbv(void *v)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)(unsigned long)v), "d"(0));
}

/* The guest has to turn it on in its own CR4, although the hypervisor has it on for itself. */
static void extended_state(void)
{
	uint32_t lo, hi;

	if (!(cpuid(1, 0).ecx >> 26 & 1))
		return;
	/* By this kernels know that they may use it. */
	CHECK_EQ(forced_cpuid(1).ecx >> 27 & 1, 1);
	CHECK_EQ(read_cr(4) & CR4_OSXSAVE, 0);
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	CHECK_EQ(lo, 3);
	CHECK_EQ(catch_fault(xsetbv, (void *)(unsigned long)lo).vector, VECTOR_UD);
	write_cr4((void *)(read_cr(4) | CR4_OSXSAVE));
	CHECK_EQ(read_cr(4) & CR4_OSXSAVE, CR4_OSXSAVE);
	CHECK(!catch_fault(xsetbv, (void *)(unsigned long)lo).hit, "XCR0 as it was");
	CHECK_EQ(catch_fault(xsetbv, NULL).vector, VECTOR_GP);
	CHECK(!catch_fault(xsetbv, (void *)3).hit, "XCR0 with x87 and SSE");
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	CHECK_EQ(lo, 3);
	CHECK_EQ(in_user(xsetbv).vector, VECTOR_GP);
}

static void wbinvd(void *arg)
{
	(void)arg;
	__asm__ volatile("wbinvd" ::: "memory");
}

static void invd(void *arg)
{
	(void)arg;
	__asm__ volatile("invd" ::: "memory");
}

static void lgdt(void *arg)
{
	__asm__ volatile("lgdt (%0)" : : "r"(arg) : "memory");
}

static void do_invlpg(void *arg)
{
	invlpg(arg);
}

static void do_read_cr0(void *arg)
{
	(void)arg;
	read_cr0();
}

static void read_efer(void *arg)
{
	(void)arg;
	rdmsr(MSR_EFER);
}

static void the_rest(void)
{
	static uint8_t pointer[16];

	CHECK(!catch_fault(wbinvd, NULL).hit, "wbinvd");
	CHECK_EQ(catch_fault(invd, NULL).vector, VECTOR_GP);
	CHECK_EQ(catch_fault(lgdt, pointer).vector, VECTOR_GP);
	CHECK_EQ(catch_fault(do_invlpg, pointer).vector, VECTOR_GP);
}

static void user_mode(void)
{
	static void (*const all[])(void *) = {wbinvd,      invd,      clts,      write_cr0,
					      write_cr2,   write_cr4, write_dr0, read_efer,
					      do_read_cr0, in_80,     cli_sti};

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++) {
		struct fault f = in_user(all[i]);

		CHECK(f.hit && f.vector == VECTOR_GP && f.error == 0,
		      "instruction %u: vector %u error %#lx", i, f.vector, f.error);
		CHECK_EQ((uint16_t)fault_frame()->cs, FLAT_USER_CS);
	}
}

void test_main(void)
{
	cpuid_leaves();
	control_registers();
	fpu();
	msrs();
	debug_registers();
	ports();
	extended_state();
	the_rest();
	user_mode();
	test_success();
}
