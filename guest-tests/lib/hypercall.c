// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/hypercall.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/start_info.h"
#include "guest-tests/lib/string.h"
#include "guest-tests/lib/traps.h"

uint8_t hypercall_page[4096] PAGE_ALIGNED;
enum transport hypercall_default;

/* Without it vmcall may be an invalid instruction, and the console must still say so. */
static bool found;

__attribute__((weak)) bool test_without_page;

/*
 * The registers of the ABI (xen/arch-x86/xen-x86_32.h, xen-x86_64.h). Arguments may be changed by
 * the hypervisor; nothing else may.
 */
#ifdef __x86_64__
#define HYPERCALL(insn, extra)                                                         \
	register unsigned long r10 __asm__("r10") = a4;                                \
	register unsigned long r8 __asm__("r8") = a5;                                  \
	__asm__ volatile(insn                                                          \
			 : "+a"(ax), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8) \
			 : extra                                                       \
			 : "memory")
#define CALL_STUB HYPERCALL("call *%%rax", )
#else
#define HYPERCALL(insn, extra)                                                        \
	__asm__ volatile(insn                                                         \
			 : "+a"(ax), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5) \
			 : extra                                                      \
			 : "memory")
#define CALL_STUB HYPERCALL("call *%%eax", )
#endif

static long by_page(unsigned long ax, unsigned long a1, unsigned long a2, unsigned long a3,
		    unsigned long a4, unsigned long a5)
{
	ax = (unsigned long)hypercall_page + ax * 32;
	CALL_STUB;
	return (long)ax;
}

static long by_vmcall(unsigned long ax, unsigned long a1, unsigned long a2, unsigned long a3,
		      unsigned long a4, unsigned long a5)
{
	HYPERCALL("vmcall", );
	return (long)ax;
}

static long by_vmmcall(unsigned long ax, unsigned long a1, unsigned long a2, unsigned long a3,
		       unsigned long a4, unsigned long a5)
{
	HYPERCALL("vmmcall", );
	return (long)ax;
}

long hypercall_by(enum transport t, unsigned int nr, unsigned long a1, unsigned long a2,
		  unsigned long a3, unsigned long a4, unsigned long a5)
{
	switch (t) {
	case BY_VMCALL:
		return by_vmcall(nr, a1, a2, a3, a4, a5);
	case BY_VMMCALL:
		return by_vmmcall(nr, a1, a2, a3, a4, a5);
	default:
		return by_page(nr, a1, a2, a3, a4, a5);
	}
}

long hypercall(unsigned int nr, unsigned long a1, unsigned long a2, unsigned long a3,
	       unsigned long a4, unsigned long a5)
{
	return found ? hypercall_by(hypercall_default, nr, a1, a2, a3, a4, a5) : -XEN_ENOSYS;
}

/* AMD and its licensee have vmmcall, everybody else vmcall. */
enum transport hypercall_native(void)
{
	uint32_t ebx = cpuid(0, 0).ebx;

	return ebx == 0x68747541 /* Auth */ || ebx == 0x6f677948 /* Hygo */ ? BY_VMMCALL
									    : BY_VMCALL;
}

const char *transport_name(enum transport t)
{
	static const char *const names[] = {"page", "vmcall", "vmmcall"};

	return names[t];
}

uint32_t xen_cpuid_base(void)
{
	for (uint32_t leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
		struct cpuid r = cpuid(leaf, 0);

		if (r.ebx == XEN_CPUID_SIGNATURE_EBX && r.ecx == XEN_CPUID_SIGNATURE_ECX &&
		    r.edx == XEN_CPUID_SIGNATURE_EDX)
			return leaf;
	}
	return 0;
}

uint32_t hypercall_msr(void)
{
	return cpuid(xen_cpuid_base() + 2, 0).ebx;
}

static enum transport wanted_transport(void)
{
	const char *line = start_info_cmdline();

	if (strstr(line, "hypercall=vmcall"))
		return BY_VMCALL;
	if (strstr(line, "hypercall=vmmcall"))
		return BY_VMMCALL;
	if (strstr(line, "hypercall=direct"))
		return hypercall_native();
	return BY_PAGE;
}

bool hypercall_init(void)
{
	hypercall_default = hypercall_native();
	found = xen_cpuid_base();
	if (!found)
		return false;
	if (test_without_page)
		return true;
	if (wrmsr_safe(hypercall_msr(), (unsigned long)hypercall_page))
		return false;
	hypercall_default = wanted_transport();
	return true;
}

void triple_fault(void)
{
	static const struct {
		uint16_t limit;
		unsigned long base;
	} __attribute__((packed)) none;

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
	for (;;)
		__asm__ volatile("hlt");
}

void shutdown(unsigned int reason)
{
	struct sched_shutdown arg = {.reason = reason};

	hypercall_sched_op(SCHEDOP_shutdown, &arg);
	triple_fault();
}
