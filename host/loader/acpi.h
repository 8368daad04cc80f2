/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of a PVH guest: RSDP, XSDT, FADT, MADT, DSDT (ACPI 6.0).
 *
 * They say hardware-reduced ACPI: no PM block, no SCI, no legacy device; CPUs by the MADT; power
 * off by the sleep control register and reset by the reset register, both single I/O ports.
 */
#ifndef HOST_LOADER_ACPI_H
#define HOST_LOADER_ACPI_H

#include <stddef.h>
#include <stdint.h>

struct acpi_config {
	unsigned cpus;
	const uint32_t *apic_ids; /* of each CPU; its ACPI processor UID is its index */
	uint32_t ioapic;          /* where it is, for GSIs from 0; 0: there is none */
	/*
	 * To power off, the guest writes ACPI_POWER_OFF(s5_type) to the sleep control port (before
	 * that, 0x80 to the status port, from which it then reads). To reset, it writes reset_value
	 * to the reset port. All are byte accesses.
	 */
	uint16_t sleep_control_port, sleep_status_port, reset_port;
	uint8_t reset_value;
	uint8_t s5_type; /* 0 to 7 */
};

#define ACPI_RSDP_SIZE 36u /* bytes */

/* ACPI 6.0, 4.8.3.7: SLP_TYPx is bits 2-4, SLP_EN bit 5. */
#define ACPI_POWER_OFF(s5_type) ((uint8_t)((s5_type) << 2 | 1 << 5))

/*
 * Write the tables to `buf`, which is at guest-physical `gpa` (a multiple of 16). Returns the
 * RSDP's guest-physical address, or 0, with nothing written, if `size` bytes are too few.
 */
uint64_t acpi_build(void *buf, size_t size, uint64_t gpa, const struct acpi_config *config);

/* How many bytes that takes. */
size_t acpi_size(const struct acpi_config *config);

#endif
