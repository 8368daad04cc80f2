// SPDX-License-Identifier: BSD-2-Clause
/*
 * MSRs: what Xen 4.17 answers a PV guest that has neither performance counters, nor frequencies to
 * rule, nor a TSC of its own. Most of what kernels look at is 0, and may be written in vain.
 */
#include "shim/pv/arch.h"
#include "shim/pv/cpu_machine.h"
#include "shim/pv/emulate.h"
#include "shim/pv/hypercall_page.h"
#include "shim/pv/monitor/boot.h"

enum {
	MSR_P5_MC_ADDR = 0x0,
	MSR_P5_MC_TYPE = 0x1,
	MSR_TSC = 0x10,
	MSR_PLATFORM_ID = 0x17,
	MSR_APIC_BASE = 0x1b,
	MSR_FEATURE_CONTROL = 0x3a,
	MSR_SPEC_CTRL = 0x48,
	MSR_PRED_CMD = 0x49,
	MSR_PATCH_LEVEL = 0x8b,
	MSR_P6_PERFCTR = 0xc1,
	MSR_PLATFORM_INFO = 0xce,
	MSR_MPERF = 0xe7,
	MSR_APERF = 0xe8,
	MSR_ARCH_CAPABILITIES = 0x10a,
	MSR_FLUSH_CMD = 0x10b,
	MSR_MISC_FEATURES = 0x140,
	MSR_MCG_CAP = 0x179,
	MSR_MCG_STATUS = 0x17a,
	MSR_MCG_CTL = 0x17b,
	MSR_P6_EVNTSEL = 0x186,
	MSR_PERF_STATUS = 0x198,
	MSR_PERF_CTL = 0x199,
	MSR_THERM_CONTROL = 0x19a,
	MSR_THERM_STATUS = 0x19c,
	MSR_MISC_ENABLE = 0x1a0,
	MSR_ENERGY_PERF_BIAS = 0x1b0,
	MSR_CR_PAT = 0x277,
	MSR_MC0_CTL2 = 0x280,
	MSR_FIXED_CTR0 = 0x309,
	MSR_PERF_CAPABILITIES = 0x345,
	MSR_FIXED_CTR_CTRL = 0x38d,
	MSR_GLOBAL_OVF_CTRL = 0x390,
	MSR_MC0_CTL = 0x400,
	MSR_XSS = 0xda0,
};

#define MSR_XEN             0x40000000u
#define MSR_EFER            0xc0000080u
#define MSR_TSC_AUX         0xc0000103u
#define MSR_K7_EVNTSEL0     0xc0010000u
#define MSR_HWCR            0xc0010015u
#define MSR_NB_CFG          0xc001001fu
#define MSR_FID_VID_CTL     0xc0010041u
#define MSR_FID_VID_STATUS  0xc0010042u
#define MSR_MMIO_CONF_BASE  0xc0010058u
#define MSR_PSTATE_LIMIT    0xc0010061u
#define MSR_PSTATE7         0xc001006bu
#define MSR_VIRT_SPEC_CTRL  0xc001011fu
#define MSR_FAM15H_EVNTSEL0 0xc0010200u
#define MSR_FAM15H_PERFCTR5 0xc001020bu
#define MSR_DR1_MASK        0xc0011019u
#define MSR_DR3_MASK        0xc001101bu
#define MSR_DR0_MASK        0xc0011027u
#define MSR_DE_CFG          0xc0011029u

#define APIC_BASE         0xfee00800ull
#define APIC_BASE_BSP     0x100ull
#define FEATURES_LOCKED   1ull
#define PLATFORM_FAULTING (1ull << 31) /* CPUID can fault */
#define MISC_FAULTING     1ull
#define XEN_PAT           0x050100070406ull
#define LFENCE_SERIALISES 2ull
#define EFER_KNOWN        0x4d01ull /* SCE, LME, LMA, NXE, FFXSR; not SVME */
#define MC_BANKS          2u
#define MCG_CAP_INTEL     (1ull << 10 | 1ull << 11 | 1ull << 24) /* CMCI, TES, SER */

/* In MISC_ENABLE: no performance counters, no MONITOR; no BTS, no PEBS, no xTPR messages. */
#define MISC_ENABLE_CLEAR (1ull << 7 | 1ull << 18)
#define MISC_ENABLE_SET   (1ull << 11 | 1ull << 12 | 1ull << 23)

enum vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_CENTAUR, VENDOR_AMD, VENDOR_HYGON };

static enum vendor vendor(void)
{
	uint32_t leaf[4];

	pv_cpuid(0, 0, leaf);
	switch (leaf[1]) {
	case 0x756e6547:
		return VENDOR_INTEL;
	case 0x746e6543:
		return VENDOR_CENTAUR;
	case 0x68747541:
		return VENDOR_AMD;
	case 0x6f677948:
		return VENDOR_HYGON;
	}
	return VENDOR_OTHER;
}

static bool is_intel(void)
{
	return vendor() == VENDOR_INTEL;
}

static bool is_amd(void)
{
	return vendor() >= VENDOR_AMD;
}

static unsigned family(void)
{
	uint32_t leaf[4], base;

	pv_cpuid(1, 0, leaf);
	base = leaf[0] >> 8 & 0xf;
	return base == 0xf ? base + (leaf[0] >> 20 & 0xff) : base;
}

/* Register n of a leaf has the bit. */
static bool has(uint32_t number, uint32_t sub, unsigned n, unsigned bit)
{
	uint32_t leaf[4];

	pv_cpuid(number, sub, leaf);
	return leaf[n] >> bit & 1;
}

static bool has_spec_ctrl(void)
{
	return has(7, 0, 3, 26) || has(0x80000008, 0, 1, 14);
}

static bool has_ibpb(void)
{
	return has(7, 0, 3, 26) || has(0x80000008, 0, 1, 12);
}

static bool has_tsc_aux(void)
{
	return has(0x80000001, 0, 3, 27) || has(7, 0, 2, 22);
}

static bool can_fault_cpuid(void)
{
	uint64_t value;

	return pv_read_msr(MSR_PLATFORM_INFO, &value) && value & PLATFORM_FAULTING;
}

static uint64_t misc_enable(uint64_t value)
{
	return (value & ~MISC_ENABLE_CLEAR) | MISC_ENABLE_SET;
}

/* What the vCPU has in the CPU, if its CPUID says that it is there. */
static bool is_its_own(uint32_t index)
{
	switch (index) {
	case MSR_SPEC_CTRL:
		return has_spec_ctrl();
	case MSR_ARCH_CAPABILITIES:
		return has(7, 0, 3, 29);
	case MSR_TSC_AUX:
		return has_tsc_aux();
	case MSR_VIRT_SPEC_CTRL:
		return has(0x80000008, 0, 1, 25);
	case MSR_DR1_MASK ... MSR_DR3_MASK:
	case MSR_DR0_MASK:
		return has(0x80000001, 0, 2, 26);
	case MSR_PLATFORM_ID:
		return is_intel();
	case MSR_PATCH_LEVEL:
		return is_intel() || vendor() == VENDOR_AMD;
	}
	return false;
}

static bool read_base(uint32_t index, uint64_t *value)
{
	*value = pv_read_base(index == MSR_FS_BASE   ? PV_BASE_FS
			      : index == MSR_GS_BASE ? PV_BASE_GS
						     : PV_BASE_GS_OTHER);
	return true;
}

/* Two banks without an error. */
static bool read_machine_check(const struct pv_vcpu *v, uint32_t index, uint64_t *value)
{
	*value = 0;
	if (index == MSR_MCG_CAP)
		*value = MC_BANKS | (is_intel() ? MCG_CAP_INTEL : 0);
	else if (index == MSR_MCG_STATUS)
		*value = v->mcg_status;
	else if (index >= MSR_MC0_CTL && index < MSR_MC0_CTL + 4 * MC_BANKS && !(index & 3))
		*value = ~0ull;
	else if (index >= MSR_MC0_CTL2 && index < MSR_MC0_CTL2 + MC_BANKS && is_intel())
		*value = v->mc_ctl2[index - MSR_MC0_CTL2];
	return true;
}

static bool is_counter(uint32_t index)
{
	switch (index) {
	case MSR_P6_PERFCTR ... MSR_P6_PERFCTR + 7:
	case MSR_P6_EVNTSEL ... MSR_P6_EVNTSEL + 3:
	case MSR_FIXED_CTR0 ... MSR_FIXED_CTR0 + 2:
	case MSR_FIXED_CTR_CTRL ... MSR_GLOBAL_OVF_CTRL:
		return is_intel();
	case MSR_K7_EVNTSEL0 ... MSR_K7_EVNTSEL0 + 7:
	case MSR_FAM15H_EVNTSEL0 ... MSR_FAM15H_PERFCTR5:
		return is_amd();
	}
	return false;
}

/* Those that read as 0 on the vendor's CPUs. */
static bool reads_zero(uint32_t index)
{
	switch (index) {
	case MSR_PERF_STATUS:
	case MSR_PERF_CTL:
		return is_intel() || vendor() == VENDOR_CENTAUR;
	case MSR_THERM_STATUS:
		return is_intel();
	case MSR_XSS:
		return has(0xd, 1, 0, 3);
	case MSR_HWCR:
		return is_amd();
	case MSR_FID_VID_CTL:
	case MSR_FID_VID_STATUS:
	case MSR_PSTATE_LIMIT ... MSR_PSTATE7:
		return vendor() == VENDOR_AMD;
	case MSR_MMIO_CONF_BASE:
		return vendor() == VENDOR_AMD && family() >= 0x10 && family() < 0x17;
	case MSR_NB_CFG:
	case MSR_PERF_CAPABILITIES:
	case MSR_XEN:
		return true;
	}
	return is_counter(index);
}

static bool read_one(struct pv_vcpu *v, uint32_t index, uint64_t *value)
{
	*value = 0;
	switch (index) {
	case MSR_APIC_BASE:
		*value = APIC_BASE | (v->id == 0 ? APIC_BASE_BSP : 0);
		return true;
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		return read_base(index, value);
	case MSR_TSC:
		*value = pv_read_tsc();
		return true;
	case MSR_EFER:
		if (!pv_read_msr(index, value))
			return false;
		*value &= EFER_KNOWN;
		return true;
	case MSR_CR_PAT:
		*value = XEN_PAT;
		return true;
	case MSR_PLATFORM_INFO:
		*value = can_fault_cpuid() ? PLATFORM_FAULTING : 0;
		return true;
	case MSR_MISC_FEATURES:
		*value = v->misc_features;
		return true;
	case MSR_FEATURE_CONTROL:
		*value = FEATURES_LOCKED;
		return is_intel() || vendor() == VENDOR_CENTAUR;
	case MSR_MISC_ENABLE:
		if (!pv_read_msr(index, value))
			return false;
		*value = misc_enable(*value);
		return true;
	case MSR_DE_CFG:
		*value = LFENCE_SERIALISES;
		return is_amd();
	case MSR_P5_MC_ADDR:
	case MSR_P5_MC_TYPE:
	case MSR_MCG_CAP ... MSR_MCG_CTL:
	case MSR_MC0_CTL2 ... MSR_MC0_CTL2 + 31:
	case MSR_MC0_CTL ... MSR_MC0_CTL + 4 * 32 - 1:
		return read_machine_check(v, index, value);
	}
	if (is_its_own(index))
		return pv_read_msr(index, value);
	return reads_zero(index);
}

bool pv_guest_read_msr(struct pv_vcpu *v, uint32_t index, uint64_t *value)
{
	if (read_one(v, index, value))
		return true;
	/* Without a handler a #GP is the guest's end: Xen spares it that, if there is such an MSR.
	 */
	if (v->traps[VECTOR_GP].address || index >> 16 == MSR_XEN >> 16 ||
	    !pv_read_msr(index, value))
		return false;
	*value = 0;
	return true;
}

static bool write_base(uint32_t index, uint64_t value)
{
	if (!pv_address_canonical(value))
		return false;
	pv_write_base(index == MSR_FS_BASE   ? PV_BASE_FS
		      : index == MSR_GS_BASE ? PV_BASE_GS
					     : PV_BASE_GS_OTHER,
		      value);
	return true;
}

/* A page of the guest's own becomes a hypercall page. */
static bool write_hypercall_page(struct pv_vcpu *v, uint64_t value)
{
	struct pv_mm *mm = &v->domain->mm;
	uint64_t mfn = value >> PV_PAGE_SHIFT;
	bool may;

	if (value & (PV_PAGE_SIZE - 1))
		return false;
	pv_lock(&mm->lock);
	pv_roots_forget(mm);
	may = !pv_get_ref_and_type(mm, mfn, PV_TYPE_WRITABLE);
	if (may) {
		pv_hypercall_page_fill(pv_frame_at(mm, mfn));
		pv_put_ref_and_type(mm, mfn);
	}
	pv_unlock(&mm->lock);
	return may;
}

static bool write_misc_features(struct pv_vcpu *v, uint64_t value)
{
	if (value & ~(can_fault_cpuid() ? MISC_FAULTING : 0))
		return false;
	if (value != v->misc_features && !pv_write_msr(MSR_MISC_FEATURES, value))
		return false;
	v->misc_features = value;
	return true;
}

static bool write_machine_check(struct pv_vcpu *v, uint32_t index, uint64_t value)
{
	if (index == MSR_MCG_STATUS)
		v->mcg_status = value;
	else if (index >= MSR_MC0_CTL2 && index < MSR_MC0_CTL2 + MC_BANKS && is_intel())
		v->mc_ctl2[index - MSR_MC0_CTL2] = value;
	else if (index >= MSR_MC0_CTL && index < MSR_MC0_CTL + 4 * MC_BANKS && index & 3)
		return !value; /* status, address and the rest: they can be cleared */
	return true;
}

/* Those whose bits the CPU itself would check, but for what it would do with them. */
static bool write_its_own(uint32_t index, uint64_t value)
{
	switch (index) {
	case MSR_ARCH_CAPABILITIES:
	case MSR_PLATFORM_ID:
		return false;
	case MSR_PATCH_LEVEL: /* before it is read, as Intel wants it */
		return is_intel() && !value;
	case MSR_TSC_AUX:
	case MSR_DR1_MASK ... MSR_DR3_MASK:
	case MSR_DR0_MASK:
		return !(value >> 32) && pv_write_msr(index, value);
	}
	return pv_write_msr(index, value);
}

static bool write_ignored(uint32_t index)
{
	switch (index) {
	case MSR_PERF_CTL:
		return is_intel() || vendor() == VENDOR_CENTAUR;
	case MSR_MPERF:
	case MSR_APERF:
		return is_intel() || is_amd();
	case MSR_THERM_CONTROL:
	case MSR_ENERGY_PERF_BIAS:
		return is_intel();
	case MSR_HWCR:
	case MSR_DE_CFG:
	case MSR_FID_VID_CTL:
	case MSR_FID_VID_STATUS:
	case MSR_PSTATE_LIMIT ... MSR_PSTATE7:
		return is_amd();
	case MSR_MMIO_CONF_BASE:
		return vendor() == VENDOR_AMD && family() >= 0x10 && family() < 0x17;
	case MSR_NB_CFG:
		return true;
	}
	return is_counter(index);
}

bool pv_guest_write_msr(struct pv_vcpu *v, uint32_t index, uint64_t value)
{
	uint64_t now;

	switch (index) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		return write_base(index, value);
	case MSR_EFER: /* Linux writes what it has read */
		return read_one(v, index, &now) && value == now;
	case MSR_MISC_FEATURES:
		return write_misc_features(v, value);
	case MSR_XEN:
		return write_hypercall_page(v, value);
	case MSR_PRED_CMD:
		return has_ibpb() && !(value & ~1ull) && pv_write_msr(index, value);
	case MSR_FLUSH_CMD:
		return has(7, 0, 3, 28) && !(value & ~1ull) && pv_write_msr(index, value);
	case MSR_XSS:
		return has(0xd, 1, 0, 3) && !value;
	case MSR_MISC_ENABLE: /* in vain, whatever it is */
		return read_one(v, index, &now);
	case MSR_MCG_CAP ... MSR_MCG_CTL:
	case MSR_MC0_CTL2 ... MSR_MC0_CTL2 + 31:
	case MSR_MC0_CTL ... MSR_MC0_CTL + 4 * 32 - 1:
		return write_machine_check(v, index, value);
	}
	if (is_its_own(index))
		return write_its_own(index, value);
	return write_ignored(index);
}
