// SPDX-License-Identifier: BSD-2-Clause
/* Instructions that the rules of a guest's CPU want: shim/pv/cpu_machine.h. */
#include "shim/pv/cpu_machine.h"

#include <string.h>

#include "shim/pv/arch.h"
#include "shim/pv/emulate.h"
#include "shim/pv/monitor/percpu.h"

static const uint32_t base_msrs[] = {
	[PV_BASE_FS] = MSR_FS_BASE,
	[PV_BASE_GS] = MSR_GS_BASE,
	[PV_BASE_GS_OTHER] = MSR_KERNEL_GS_BASE,
};

/* The instruction at 1: what it answers is false if it faults. */
#define FALSE_IF_IT_FAULTS              \
	"mov $1, %[ok]\n"               \
	"jmp 3f\n"                      \
	"2: xor %[ok], %[ok]\n"         \
	"3:\n"                          \
	".pushsection .fixups, \"a\"\n" \
	".quad 1b, 2b\n"                \
	".popsection\n"

bool pv_read_msr(uint32_t index, uint64_t *value)
{
	uint32_t low = 0, high = 0, ok;

	__asm__ volatile("1: rdmsr\n" FALSE_IF_IT_FAULTS
			 : "+a"(low), "+d"(high), [ok] "=&r"(ok)
			 : "c"(index));
	*value = (uint64_t)high << 32 | low;
	return ok;
}

bool pv_write_msr(uint32_t index, uint64_t value)
{
	uint32_t ok;

	__asm__ volatile("1: wrmsr\n" FALSE_IF_IT_FAULTS
			 : [ok] "=&r"(ok)
			 : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return ok;
}

bool pv_set_xcr0(uint64_t value)
{
	uint32_t ok;

	__asm__ volatile("1: xsetbv\n" FALSE_IF_IT_FAULTS
			 : [ok] "=&r"(ok)
			 : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
	return ok;
}

uint64_t pv_read_base(enum pv_base which)
{
	uint64_t value;

	pv_read_msr(base_msrs[which], &value);
	return value;
}

void pv_write_base(enum pv_base which, uint64_t canonical)
{
	write_msr(base_msrs[which], canonical);
}

/* Between two exchanges, so that the GS in use keeps its base. */
void pv_load_gs_other(uint16_t selector)
{
	__asm__ volatile("swapgs\n"
			 "1: mov %w[s], %%gs\n"
			 "jmp 3f\n"
			 "2: mov %w[null], %%gs\n"
			 "3: swapgs\n"
			 ".pushsection .fixups, \"a\"\n"
			 ".quad 1b, 2b\n"
			 ".popsection\n" ::[s] "r"(selector),
			 [null] "r"(0)
			 : "memory");
}

void pv_read_selectors(struct pv_regs *r)
{
	__asm__ volatile("mov %%ds, %0" : "=m"(r->ds));
	__asm__ volatile("mov %%es, %0" : "=m"(r->es));
	__asm__ volatile("mov %%fs, %0" : "=m"(r->fs));
	__asm__ volatile("mov %%gs, %0" : "=m"(r->gs));
}

#define LOAD_SELECTOR(segment)                                    \
	static bool load_##segment(uint16_t selector)             \
	{                                                         \
		uint32_t ok = 1;                                  \
                                                                  \
		__asm__ volatile("1: mov %w[s], %%" #segment "\n" \
				 "jmp 3f\n"                       \
				 "2: xor %[ok], %[ok]\n"          \
				 "mov %w[ok], %%" #segment "\n"   \
				 "3:\n"                           \
				 ".pushsection .fixups, \"a\"\n"  \
				 ".quad 1b, 2b\n"                 \
				 ".popsection\n"                  \
				 : [ok] "+r"(ok)                  \
				 : [s] "r"(selector)              \
				 : "memory");                     \
		return ok;                                        \
	}
LOAD_SELECTOR(ds)
LOAD_SELECTOR(es)
LOAD_SELECTOR(fs)
LOAD_SELECTOR(gs)

bool pv_load_selectors(const struct pv_regs *r)
{
	return load_ds(r->ds) & load_es(r->es) & load_fs(r->fs) & load_gs(r->gs);
}

void pv_load_fpu(const void *saved)
{
	uint8_t aligned[512] __attribute__((aligned(16)));

	memcpy(aligned, saved, sizeof(aligned));
	__asm__ volatile("1: fxrstor %0\n"
			 "2:\n"
			 ".pushsection .fixups, \"a\"\n"
			 ".quad 1b, 2b\n"
			 ".popsection\n" ::"m"(aligned));
}

/* What the guest does not choose stays as the host has set it. */
void pv_load_cr4(struct pv_vcpu *v)
{
	uint64_t is = read_cr4(), wanted = (is & ~PV_CR4_OWN) | (v->cr4 & PV_CR4_OWN);

	if (is != wanted)
		write_cr4(wanted);
}

uint64_t pv_take_dr6(void)
{
	uint64_t value;

	__asm__ volatile("mov %%db6, %0" : "=r"(value));
	__asm__ volatile("mov %0, %%db6" ::"r"(DR6_RESERVED_ONE));
	return value;
}

void pv_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(subleaf));
}

uint64_t pv_read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}
