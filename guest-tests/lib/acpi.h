/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ACPI tables say (ACPI 6.0, 5.2), found by the RSDP of start_info. */
#ifndef GUEST_TESTS_ACPI_H
#define GUEST_TESTS_ACPI_H

#include <stdbool.h>
#include <stdint.h>

/* The APIC ID of the `index`th processor of the MADT; false if it has none. */
bool madt_apic_id(unsigned int index, uint32_t *id);

#endif
