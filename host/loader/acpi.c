// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/acpi.h"

#include <stdbool.h>
#include <string.h>

#include "host/loader/acpi_tables.h"

#define FADT_REVISION 6
#define MADT_REVISION 4
#define DSDT_REVISION 2 /* integers are 64 bits */

/* Where a CPU's local APIC is, by the architecture. */
#define LOCAL_APIC 0xfee00000

/* 255 is the broadcast ID of an xAPIC and "all processors" of a MADT: no CPU is called that. */
#define XAPIC_IDS 255

/* Name (\_S5, Package (4) {s5_type, s5_type, 0, 0}); see ACPI 6.0, 20.2 for the encoding. */
#define S5_TYPE_A 10
#define S5_TYPE_B 12
static const uint8_t s5_aml[] = {
	0x08, '\\', '_',  'S',  '5', '_', /* NameOp, NameString */
	0x12, 0x08, 0x04,                 /* PackageOp, PkgLength, NumElements */
	0x0a, 0x00, 0x0a, 0x00,           /* BytePrefix and value, twice */
	0x00, 0x00,                       /* ZeroOp, twice */
};

/* Offsets of the tables from the start, each a multiple of 16. */
struct layout {
	size_t xsdt, fadt, dsdt, madt, end;
	size_t madt_size;
};

static size_t align16(size_t size)
{
	return (size + 15) & ~(size_t)15;
}

static bool needs_x2apic(const struct acpi_config *c, unsigned cpu)
{
	return c->apic_ids[cpu] >= XAPIC_IDS || cpu >= XAPIC_IDS;
}

static struct layout lay_out(const struct acpi_config *c)
{
	struct layout l = {.madt_size = sizeof(struct acpi_madt)};

	if (c->ioapic)
		l.madt_size += sizeof(struct acpi_madt_ioapic);
	for (unsigned i = 0; i < c->cpus; i++)
		l.madt_size += needs_x2apic(c, i) ? sizeof(struct acpi_madt_x2apic)
						  : sizeof(struct acpi_madt_lapic);
	l.xsdt = align16(sizeof(struct acpi_rsdp));
	l.fadt = l.xsdt + align16(sizeof(struct acpi_xsdt));
	l.dsdt = l.fadt + align16(sizeof(struct acpi_fadt));
	l.madt = l.dsdt + align16(sizeof(struct acpi_header) + sizeof(s5_aml));
	l.end = l.madt + align16(l.madt_size);
	return l;
}

size_t acpi_size(const struct acpi_config *config)
{
	return lay_out(config).end;
}

/* All bytes of a table, the checksum with them, add up to zero. */
static uint8_t checksum(const void *table, size_t size)
{
	const uint8_t *bytes = table;
	uint8_t sum = 0;

	while (size--)
		sum += *bytes++;
	return -sum;
}

/* The identity is that of the tables Xen gives its guests. */
static struct acpi_header header(const char *signature, size_t size, uint8_t revision)
{
	struct acpi_header h = {
		.length = size,
		.revision = revision,
		.oem_id = "Xen",
		.oem_table_id = "HVM",
		.creator_id = {'H', 'V', 'M', 'L'},
	};

	memcpy(h.signature, signature, sizeof(h.signature));
	return h;
}

/* The header is in the table already, with a checksum of 0. */
static void seal(uint8_t *table, size_t size)
{
	table[offsetof(struct acpi_header, checksum)] = checksum(table, size);
}

static void build_rsdp(uint8_t *to, uint64_t gpa, const struct layout *l)
{
	struct acpi_rsdp rsdp = {
		.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
		.oem_id = "Xen",
		.revision = 2,
		.length = sizeof(rsdp),
		.xsdt = gpa + l->xsdt,
	};

	rsdp.checksum = checksum(&rsdp, ACPI_RSDP_V1_SIZE);
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	memcpy(to, &rsdp, sizeof(rsdp));
}

static void build_xsdt(uint8_t *to, uint64_t gpa, const struct layout *l)
{
	struct acpi_xsdt xsdt = {
		.header = header("XSDT", sizeof(xsdt), 1),
		.entries = {gpa + l->fadt, gpa + l->madt},
	};

	memcpy(to, &xsdt, sizeof(xsdt));
	seal(to, sizeof(xsdt));
}

static struct acpi_address byte_port(uint16_t port)
{
	return (struct acpi_address){
		.space = ACPI_SPACE_IO,
		.bit_width = 8,
		.access_size = ACPI_ACCESS_BYTE,
		.address = port,
	};
}

static void build_fadt(uint8_t *to, uint64_t dsdt, const struct acpi_config *c)
{
	struct acpi_fadt fadt = {
		.header = header("FACP", sizeof(fadt), FADT_REVISION),
		/* 5.2.9: the narrow field is for those who do not know the wide one. */
		.dsdt = dsdt <= UINT32_MAX ? dsdt : 0,
		.x_dsdt = dsdt,
		.c2_latency = ACPI_C2_LATENCY_MAX + 1,
		.c3_latency = ACPI_C3_LATENCY_MAX + 1,
		/* What Linux finds absent here, it does not probe ports for. */
		.boot_arch = ACPI_BOOT_NO_VGA | ACPI_BOOT_NO_PCIE_ASPM | ACPI_BOOT_NO_CMOS_RTC,
		.flags = ACPI_FADT_WBINVD | ACPI_FADT_PWR_BUTTON | ACPI_FADT_SLP_BUTTON |
			 ACPI_FADT_RESET_REG | ACPI_FADT_HW_REDUCED,
		.reset = byte_port(c->reset_port),
		.reset_value = c->reset_value,
		.sleep_control = byte_port(c->sleep_control_port),
		.sleep_status = byte_port(c->sleep_status_port),
	};

	memcpy(to, &fadt, sizeof(fadt));
	seal(to, sizeof(fadt));
}

static void build_dsdt(uint8_t *to, const struct acpi_config *c)
{
	size_t size = sizeof(struct acpi_header) + sizeof(s5_aml);
	struct acpi_header h = header("DSDT", size, DSDT_REVISION);
	uint8_t *aml = to + sizeof(h);

	memcpy(to, &h, sizeof(h));
	memcpy(aml, s5_aml, sizeof(s5_aml));
	aml[S5_TYPE_A] = c->s5_type;
	aml[S5_TYPE_B] = c->s5_type;
	seal(to, size);
}

static void build_madt(uint8_t *to, size_t size, const struct acpi_config *c)
{
	struct acpi_madt madt = {
		.header = header("APIC", size, MADT_REVISION),
		.local_apic = LOCAL_APIC,
	};
	struct acpi_madt_ioapic ioapic = {
		.type = ACPI_MADT_IOAPIC,
		.length = sizeof(ioapic),
		.address = c->ioapic,
	};
	uint8_t *entry = to + sizeof(madt);

	memcpy(to, &madt, sizeof(madt));
	if (c->ioapic) {
		memcpy(entry, &ioapic, sizeof(ioapic));
		entry += sizeof(ioapic);
	}
	for (unsigned i = 0; i < c->cpus; i++) {
		struct acpi_madt_lapic lapic = {
			.type = ACPI_MADT_LAPIC,
			.length = sizeof(lapic),
			.uid = i,
			.apic_id = c->apic_ids[i],
			.flags = ACPI_MADT_ENABLED,
		};
		struct acpi_madt_x2apic x2apic = {
			.type = ACPI_MADT_X2APIC,
			.length = sizeof(x2apic),
			.apic_id = c->apic_ids[i],
			.flags = ACPI_MADT_ENABLED,
			.uid = i,
		};

		if (needs_x2apic(c, i)) {
			memcpy(entry, &x2apic, sizeof(x2apic));
			entry += sizeof(x2apic);
		} else {
			memcpy(entry, &lapic, sizeof(lapic));
			entry += sizeof(lapic);
		}
	}
	seal(to, size);
}

uint64_t acpi_build(void *buf, size_t size, uint64_t gpa, const struct acpi_config *config)
{
	struct layout l = lay_out(config);
	uint8_t *to = buf;

	if (size < l.end)
		return 0;
	memset(to, 0, l.end);
	build_rsdp(to, gpa, &l);
	build_xsdt(to + l.xsdt, gpa, &l);
	build_fadt(to + l.fadt, gpa + l.dsdt, config);
	build_dsdt(to + l.dsdt, config);
	build_madt(to + l.madt, l.madt_size, config);
	return gpa;
}
