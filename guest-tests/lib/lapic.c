// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/lapic.h"
#include "guest-tests/lib/cpu.h"

#define APIC_BASE          0xfee00000UL
#define APIC_BASE_X2APIC   (1U << 10)
#define APIC_BASE_ENABLE   (1U << 11)
#define SVR_ENABLE         (1U << 8)
#define LVT_TIMER_PERIODIC (1U << 17)
#define TIMER_DIVIDE_BY_1  0xbU

static bool x2apic;

uint32_t lapic_read(unsigned int reg)
{
	if (x2apic)
		return (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile uint32_t *)(APIC_BASE + reg);
}

void lapic_write(unsigned int reg, uint32_t value)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile uint32_t *)(APIC_BASE + reg) = value;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

uint32_t lapic_id(void)
{
	uint32_t id = lapic_read(LAPIC_ID);

	return x2apic ? id : id >> 24;
}

void lapic_send(uint32_t apic_id, uint32_t icr)
{
	if (x2apic) {
		wrmsr(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)apic_id << 32 | icr);
	} else {
		lapic_write(LAPIC_ICR + 16, apic_id << 24);
		lapic_write(LAPIC_ICR, icr);
	}
}

void lapic_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	x2apic = cpuid(1, 0).ecx & 1U << 21;
	if (x2apic)
		base |= APIC_BASE_X2APIC;
	wrmsr(MSR_APIC_BASE, base);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_SVR, SVR_ENABLE | 0xff);
}

void lapic_timer(unsigned int vector, uint32_t ns)
{
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	lapic_write(LAPIC_LVT_TIMER, LVT_TIMER_PERIODIC | vector);
	lapic_write(LAPIC_TIMER_INITIAL, ns);
}
