/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table layouts of the ACPI specification, version 6.0; the section of each stands above it. No
 * public header of a packaged library has them.
 */
#ifndef HOST_LOADER_ACPI_TABLES_H
#define HOST_LOADER_ACPI_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* 5.2.5.3 */
struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* over the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum; /* over all */
	uint8_t reserved[3];
} __attribute__((packed));

#define ACPI_RSDP_V1_SIZE 20

/* 5.2.6 */
struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

/* 5.2.8: as many entries as the length says */
struct acpi_xsdt {
	struct acpi_header header;
	uint64_t entries[2];
} __attribute__((packed));

/* 5.2.3.2, Generic Address Structure */
struct acpi_address {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} __attribute__((packed));

#define ACPI_SPACE_IO    1
#define ACPI_ACCESS_BYTE 1

/* 5.2.9 */
struct acpi_fadt {
	struct acpi_header header;
	uint32_t firmware_ctrl;
	uint32_t dsdt;
	uint8_t fixed_hardware[52];      /* SCI, PM1, PM timer and GPE blocks: zero when reduced */
	uint16_t c2_latency, c3_latency; /* microseconds */
	uint8_t cpu_hardware[6];         /* cache flushing by reads, throttling */
	uint8_t rtc_alarm[3];
	uint16_t boot_arch;
	uint8_t reserved;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_firmware_ctrl;
	uint64_t x_dsdt;
	struct acpi_address x_fixed_hardware[8]; /* the blocks again, wide */
	struct acpi_address sleep_control;
	struct acpi_address sleep_status;
	uint64_t hypervisor;
} __attribute__((packed));

/* 5.2.9: a longer one means that there is no such state. */
#define ACPI_C2_LATENCY_MAX 100
#define ACPI_C3_LATENCY_MAX 1000

/* 5.2.9, table 5-35: fixed feature flags */
#define ACPI_FADT_WBINVD     (1u << 0)
#define ACPI_FADT_PWR_BUTTON (1u << 4) /* none in fixed hardware */
#define ACPI_FADT_SLP_BUTTON (1u << 5) /* none in fixed hardware */
#define ACPI_FADT_RESET_REG  (1u << 10)
#define ACPI_FADT_HW_REDUCED (1u << 20)

/* 5.2.9.3: what is absent. Bits 0 and 1, legacy devices and 8042, say what is present. */
#define ACPI_BOOT_NO_VGA       (1u << 2)
#define ACPI_BOOT_NO_PCIE_ASPM (1u << 4)
#define ACPI_BOOT_NO_CMOS_RTC  (1u << 5)

/* 5.2.12 */
struct acpi_madt {
	struct acpi_header header;
	uint32_t local_apic;
	uint32_t flags;
} __attribute__((packed));

/* 5.2.12.2 */
struct acpi_madt_lapic {
	uint8_t type, length;
	uint8_t uid, apic_id;
	uint32_t flags;
} __attribute__((packed));

/* 5.2.12.3 */
struct acpi_madt_ioapic {
	uint8_t type, length;
	uint8_t id, reserved;
	uint32_t address;
	uint32_t first_gsi;
} __attribute__((packed));

/* 5.2.12.12 */
struct acpi_madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id;
	uint32_t flags;
	uint32_t uid;
} __attribute__((packed));

#define ACPI_MADT_LAPIC   0
#define ACPI_MADT_IOAPIC  1
#define ACPI_MADT_X2APIC  9
#define ACPI_MADT_ENABLED (1u << 0)

_Static_assert(sizeof(struct acpi_rsdp) == 36, "RSDP");
_Static_assert(sizeof(struct acpi_header) == 36, "table header");
_Static_assert(sizeof(struct acpi_address) == 12, "GAS");
_Static_assert(sizeof(struct acpi_fadt) == 276, "FADT");
_Static_assert(offsetof(struct acpi_fadt, boot_arch) == 109, "FADT: IAPC_BOOT_ARCH");
_Static_assert(offsetof(struct acpi_fadt, flags) == 112, "FADT: Flags");
_Static_assert(offsetof(struct acpi_fadt, reset) == 116, "FADT: RESET_REG");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "FADT: X_DSDT");
_Static_assert(offsetof(struct acpi_fadt, sleep_control) == 244, "FADT: SLEEP_CONTROL_REG");
_Static_assert(sizeof(struct acpi_madt) == 44, "MADT");
_Static_assert(sizeof(struct acpi_madt_lapic) == 8, "MADT: Local APIC");
_Static_assert(sizeof(struct acpi_madt_ioapic) == 12, "MADT: I/O APIC");
_Static_assert(sizeof(struct acpi_madt_x2apic) == 16, "MADT: Local x2APIC");

#endif
