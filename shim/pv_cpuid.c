// SPDX-License-Identifier: BSD-2-Clause
#include "shim/pv_cpuid.h"

#include "xen-abi/xen.h"

#define BIT(name) (1u << (XEN_X86_FEATURE_##name % 32))

#define VISIBLE_1D                                                                               \
	(BIT(FPU) | BIT(DE) | BIT(TSC) | BIT(MSR) | BIT(PAE) | BIT(MCE) | BIT(CX8) | BIT(APIC) | \
	 BIT(SEP) | BIT(MCA) | BIT(CMOV) | BIT(PAT) | BIT(CLFLUSH) | BIT(ACPI) | BIT(MMX) |      \
	 BIT(FXSR) | BIT(SSE) | BIT(SSE2) | BIT(SS) | BIT(HTT))

#define VISIBLE_1C                                                                        \
	(BIT(SSE3) | BIT(PCLMULQDQ) | BIT(SSSE3) | BIT(FMA) | BIT(CX16) | BIT(SSE4_1) |   \
	 BIT(SSE4_2) | BIT(X2APIC) | BIT(MOVBE) | BIT(POPCNT) | BIT(AESNI) | BIT(XSAVE) | \
	 BIT(OSXSAVE) | BIT(AVX) | BIT(F16C) | BIT(RDRAND) | BIT(HYPERVISOR))

/* AMD's leaf repeats most of 1.edx: CPUID_COMMON_1D_FEATURES of Xen. */
#define COMMON_1D 0x0183f3ffu

#define VISIBLE_E1D                                                                  \
	(BIT(SYSCALL) | BIT(NX) | BIT(MMXEXT) | BIT(FFXSR) | BIT(RDTSCP) | BIT(LM) | \
	 BIT(3DNOWEXT) | BIT(3DNOW) | (COMMON_1D & VISIBLE_1D))

#define VISIBLE_E1C                                                                  \
	(BIT(LAHF_LM) | BIT(CMP_LEGACY) | BIT(ABM) | BIT(SSE4A) | BIT(MISALIGNSSE) | \
	 BIT(3DNOWPREFETCH) | BIT(XOP) | BIT(FMA4) | BIT(TBM) | BIT(DBEXT))

#define VISIBLE_DA1 (BIT(XSAVEOPT) | BIT(XSAVEC) | BIT(XGETBV1))

#define VISIBLE_7B0                                                                           \
	(BIT(FSGSBASE) | BIT(BMI1) | BIT(AVX2) | BIT(FDP_EXCP_ONLY) | BIT(BMI2) | BIT(ERMS) | \
	 BIT(RTM) | BIT(NO_FPU_SEL) | BIT(AVX512F) | BIT(AVX512DQ) | BIT(RDSEED) | BIT(ADX) | \
	 BIT(AVX512_IFMA) | BIT(CLFLUSHOPT) | BIT(CLWB) | BIT(AVX512PF) | BIT(AVX512ER) |     \
	 BIT(AVX512CD) | BIT(SHA) | BIT(AVX512BW) | BIT(AVX512VL))

#define VISIBLE_7C0                                                                         \
	(BIT(PREFETCHWT1) | BIT(AVX512_VBMI) | BIT(OSPKE) | BIT(AVX512_VBMI2) | BIT(GFNI) | \
	 BIT(VAES) | BIT(VPCLMULQDQ) | BIT(AVX512_VNNI) | BIT(AVX512_BITALG) |              \
	 BIT(AVX512_VPOPCNTDQ) | BIT(RDPID) | BIT(CLDEMOTE))

#define VISIBLE_7D0 \
	(BIT(AVX512_4VNNIW) | BIT(AVX512_4FMAPS) | BIT(FSRM) | BIT(MD_CLEAR) | BIT(SERIALIZE))

#define VISIBLE_7A1 (BIT(AVX_VNNI) | BIT(AVX512_BF16) | BIT(FZRM) | BIT(FSRS) | BIT(FSRCS))

#define VISIBLE_7D2 BIT(MCDT_NO)

#define VISIBLE_E8B (BIT(CLZERO) | BIT(RSTR_FP_ERR_PTRS) | BIT(SSB_NO) | BIT(BTC_NO))

#define VISIBLE_E21A \
	(BIT(LFENCE_DISPATCH) | BIT(VERW_CLEAR) | BIT(NSCB) | BIT(SRSO_NO) | BIT(SRSO_US_NO))

/* Sub-leaves of leaf 7 that there are. */
#define FEATURE_SUBLEAVES 2u

/* Components of the extended state that there are for a PV guest: x87, SSE, AVX, AVX-512. */
#define XSTATE (1u << 0 | 1u << 1 | 1u << 2 | 1u << 5 | 1u << 6 | 1u << 7)

static void clear(struct cpuid_leaf *l)
{
	l->eax = l->ebx = l->ecx = l->edx = 0;
}

static void adjust_features(struct cpuid_leaf *l)
{
	const struct cpuid_leaf all = *l;

	clear(l);
	switch (all.subleaf) {
	case 0:
		l->eax = all.eax < FEATURE_SUBLEAVES ? all.eax : FEATURE_SUBLEAVES;
		l->ebx = all.ebx & VISIBLE_7B0;
		l->ecx = all.ecx & VISIBLE_7C0;
		l->edx = all.edx & VISIBLE_7D0;
		break;
	case 1:
		l->eax = all.eax & VISIBLE_7A1;
		break;
	case 2:
		l->edx = all.edx & VISIBLE_7D2;
		break;
	}
}

static void adjust_xstate(struct cpuid_leaf *l)
{
	switch (l->subleaf) {
	case 0:
		l->eax &= XSTATE;
		l->edx = 0;
		break;
	case 1: /* no state of supervisors: XSAVES is none of its instructions */
		l->eax &= VISIBLE_DA1;
		l->ecx = l->edx = 0;
		break;
	default:
		if (l->subleaf >= 32 || !(XSTATE >> l->subleaf & 1))
			clear(l);
	}
}

void pv_cpuid_adjust(struct cpuid_leaf *l)
{
	switch (l->leaf) {
	case 1:
		l->ecx &= VISIBLE_1C;
		l->edx &= VISIBLE_1D;
		break;
	case 3:          /* serial number */
	case 5:          /* MONITOR */
	case 6:          /* heat and power */
	case 9:          /* DCA */
	case 0xa:        /* performance counters */
	case 0x8000000a: /* SVM */
	case 0x80000019: /* TLB of pages of 1 GiB */
	case 0x8000001b: /* IBS */
	case 0x8000001c: /* LWP */
	case 0x8000001f: /* SEV */
	case 0x80000020: /* QoS */
		clear(l);
		break;
	case 7:
		adjust_features(l);
		break;
	case 0xd:
		adjust_xstate(l);
		break;
	case 0x80000001:
		l->ecx &= VISIBLE_E1C;
		l->edx &= VISIBLE_E1D;
		break;
	case 0x80000007: /* ITSC is for who asks for it */
		clear(l);
		break;
	case 0x80000008:
		l->eax &= 0xffff;
		l->ebx &= VISIBLE_E8B;
		l->edx = 0;
		break;
	case 0x80000021:
		l->eax &= VISIBLE_E21A;
		l->ebx = l->edx = 0;
		break;
	}
}
