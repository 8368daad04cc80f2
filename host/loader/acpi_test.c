// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tables as a guest finds them: from the RSDP by the addresses in them, with every checksum.
 * What the fields mean is asked of iasl, the disassembler of the reference implementation.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/loader/acpi.h"
#include "host/loader/acpi_tables.h"

#define GPA 0xfc000000

static const uint32_t ids[] = {0, 2, 254, 255, 300};
static const struct acpi_config config = {
	.cpus = 5,
	.apic_ids = ids,
	.ioapic = 0xfec00000,
	.sleep_control_port = 0xb0,
	.sleep_status_port = 0xb1,
	.reset_port = 0xb2,
	.reset_value = 6,
	.s5_type = 5,
};

static uint8_t buf[8192];

static uint8_t sum(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;
	uint8_t total = 0;

	for (size_t i = 0; i < size; i++)
		total += b[i];
	return total;
}

static const struct acpi_header *table(uint64_t gpa, const char *signature)
{
	const struct acpi_header *h = (const void *)(buf + (gpa - GPA));

	assert_in_range(gpa, GPA, GPA + sizeof(buf) - sizeof(*h));
	assert_int_equal(gpa % 16, 0);
	assert_memory_equal(h->signature, signature, 4);
	assert_in_range(h->length, sizeof(*h), sizeof(buf) - (gpa - GPA));
	assert_int_equal(sum(h, h->length), 0);
	return h;
}

static const struct acpi_rsdp *build(const struct acpi_config *c)
{
	const struct acpi_rsdp *rsdp;
	uint64_t gpa;

	memset(buf, 0xaa, sizeof(buf)); /* nothing may depend on what was there */
	gpa = acpi_build(buf, sizeof(buf), GPA, c);
	assert_in_range(gpa, GPA, GPA + sizeof(buf) - sizeof(*rsdp));
	rsdp = (const void *)(buf + (gpa - GPA));
	assert_memory_equal(rsdp->signature, "RSD PTR ", 8);
	assert_int_equal(rsdp->revision, 2);
	assert_int_equal(rsdp->length, 36);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	return rsdp;
}

static void test_from_the_rsdp(void **state)
{
	const struct acpi_rsdp *rsdp = build(&config);
	const struct acpi_xsdt *xsdt = (const void *)table(rsdp->xsdt, "XSDT");
	const struct acpi_fadt *fadt;

	(void)state;
	assert_int_equal(xsdt->header.length, sizeof(*xsdt));
	fadt = (const void *)table(xsdt->entries[0], "FACP");
	table(xsdt->entries[1], "APIC");
	table(fadt->x_dsdt, "DSDT");
	assert_int_equal(fadt->dsdt, fadt->x_dsdt);
	assert_int_equal(buf[acpi_size(&config)], 0xaa);
}

static void test_room(void **state)
{
	size_t size = acpi_size(&config);

	(void)state;
	memset(buf, 0xaa, sizeof(buf));
	assert_int_equal(acpi_build(buf, size - 1, GPA, &config), 0);
	assert_int_equal(buf[0], 0xaa);
	assert_int_equal(acpi_build(buf, size, GPA, &config), GPA);
	assert_int_equal(buf[size], 0xaa);
}

/* Above 4 GiB the FADT's narrow field cannot say where the DSDT is. */
static void test_high(void **state)
{
	const uint64_t high = UINT64_C(1) << 32;
	const struct acpi_xsdt *xsdt;
	const struct acpi_fadt *fadt;

	(void)state;
	assert_int_equal(acpi_build(buf, sizeof(buf), high, &config), high);
	xsdt = (const void *)(buf + (((const struct acpi_rsdp *)buf)->xsdt - high));
	fadt = (const void *)(buf + (xsdt->entries[0] - high));
	assert_int_equal(fadt->dsdt, 0);
	assert_in_range(fadt->x_dsdt, high, high + sizeof(buf));
}

static void test_many_cpus(void **state)
{
	static uint32_t many[400];
	const struct acpi_config c = {.cpus = 400, .apic_ids = many};
	const struct acpi_xsdt *xsdt;
	const struct acpi_header *madt;
	const uint8_t *entry;

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		many[i] = i;
	xsdt = (const void *)table(build(&c)->xsdt, "XSDT");
	madt = table(xsdt->entries[1], "APIC");
	entry = (const uint8_t *)madt + sizeof(struct acpi_madt);
	for (unsigned i = 0; i < 400; i++) {
		const struct acpi_madt_lapic *lapic = (const void *)entry;
		const struct acpi_madt_x2apic *x2apic = (const void *)entry;

		if (i < 255) {
			assert_int_equal(lapic->type, 0);
			assert_int_equal(lapic->uid, i);
			assert_int_equal(lapic->apic_id, i);
			assert_int_equal(lapic->flags, 1);
		} else {
			assert_int_equal(x2apic->type, 9);
			assert_int_equal(x2apic->uid, i);
			assert_int_equal(x2apic->apic_id, i);
			assert_int_equal(x2apic->flags, 1);
		}
		entry += entry[1];
	}
	assert_ptr_equal(entry, (const uint8_t *)madt + madt->length);
}

/* It is there only when asked for. */
static void test_no_ioapic(void **state)
{
	struct acpi_config c = config;
	const struct acpi_header *madt;
	const struct acpi_xsdt *xsdt;

	(void)state;
	c.ioapic = 0;
	xsdt = (const void *)table(build(&c)->xsdt, "XSDT");
	madt = table(xsdt->entries[1], "APIC");
	assert_int_equal(madt->length, sizeof(struct acpi_madt) + 3 * 8 + 2 * 16);
}

static char *read_file(const char *name)
{
	static char text[64 << 10];
	FILE *f = fopen(name, "r");
	size_t got;

	if (!f)
		fail_msg("%s is not there", name);
	got = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[got] = '\0';
	return text;
}

static void run(const char *command)
{
	if (system(command) != 0) /* NOLINT(cert-env33-c): made of constants */
		fail_msg("%s: failed (is acpica-tools installed?)", command);
}

static void disassemble(const struct acpi_header *h, const char *name)
{
	char command[128];
	char file[32];
	FILE *f;

	snprintf(file, sizeof(file), "%s.dat", name);
	f = fopen(file, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(h, h->length, 1, f), 1);
	assert_int_equal(fclose(f), 0);
	snprintf(command, sizeof(command), "iasl -d %s >%s.log 2>&1", file, name);
	run(command);
	snprintf(file, sizeof(file), "%s.log", name);
	assert_null(strstr(read_file(file), "rror"));
	assert_null(strstr(read_file(file), "arning"));
}

static void assert_says(const char *name, const char *const *lines)
{
	char file[32];
	const char *text;

	snprintf(file, sizeof(file), "%s.dsl", name);
	text = read_file(file);
	assert_null(strstr(text, "rror"));
	assert_null(strstr(text, "arning"));
	for (; text && *lines; lines++) {
		text = strstr(text, *lines); /* in this order */
		if (!text)
			fail_msg("%s: iasl does not read \"%s\" there", name, *lines);
	}
}

static void test_iasl(void **state)
{
	static const char *const fadt_lines[] = {
		"Legacy Devices Supported (V2) : 0",
		"8042 Present on ports 60/64 (V2) : 0",
		"VGA Not Present (V4) : 1",
		"CMOS RTC Not Present (V5) : 1",
		"Control Method Power Button (V1) : 1",
		"Control Method Sleep Button (V1) : 1",
		"Reset Register Supported (V2) : 1",
		"Hardware Reduced (V5) : 1",
		"Reset Register : [Generic Address Structure]",
		"Space ID : 01 [SystemIO]",
		"Encoded Access Width : 01 [Byte Access:8]",
		"Address : 00000000000000B2",
		"Value to cause reset : 06",
		"Sleep Control Register : [Generic Address Structure]",
		"Space ID : 01 [SystemIO]",
		"Address : 00000000000000B0",
		"Sleep Status Register : [Generic Address Structure]",
		"Space ID : 01 [SystemIO]",
		"Address : 00000000000000B1",
		NULL,
	};
	static const char *const madt_lines[] = {
		"Local Apic Address : FEE00000",
		"PC-AT Compatibility : 0",
		"[I/O APIC]",
		"I/O Apic ID : 00",
		"Address : FEC00000",
		"Interrupt : 00000000",
		"[Processor Local APIC]",
		"Processor ID : 00",
		"Local Apic ID : 00",
		"Processor Enabled : 1",
		"[Processor Local APIC]",
		"Processor ID : 01",
		"Local Apic ID : 02",
		"[Processor Local APIC]",
		"Local Apic ID : FE",
		"[Processor Local x2APIC]",
		"Processor x2Apic ID : 000000FF",
		"Processor Enabled : 1",
		"Processor UID : 00000003",
		"[Processor Local x2APIC]",
		"Processor x2Apic ID : 0000012C",
		"Processor UID : 00000004",
		NULL,
	};
	static const char *const dsdt_lines[] = {
		"DefinitionBlock (\"\", \"DSDT\", 2,",
		"Name (\\_S5, Package (0x04)",
		"0x05,",
		"0x05,",
		"Zero,",
		"Zero",
		NULL,
	};
	static const char *const xsdt_lines[] = {"ACPI Table Address   0 : 00000000FC0000",
						 "ACPI Table Address   1 : 00000000FC000", NULL};
	char folder[] = "/tmp/xenolith-acpi-test-XXXXXX";
	const struct acpi_xsdt *xsdt = (const void *)table(build(&config)->xsdt, "XSDT");
	const struct acpi_fadt *fadt = (const void *)table(xsdt->entries[0], "FACP");

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	disassemble(&xsdt->header, "xsdt");
	disassemble(&fadt->header, "fadt");
	disassemble(table(xsdt->entries[1], "APIC"), "madt");
	disassemble(table(fadt->x_dsdt, "DSDT"), "dsdt");
	assert_says("xsdt", xsdt_lines);
	assert_says("fadt", fadt_lines);
	assert_says("madt", madt_lines);
	assert_says("dsdt", dsdt_lines);
	/* And what was read is right as a source, too. */
	run("iasl -p again dsdt.dsl >again.log 2>&1");
	assert_non_null(strstr(read_file("again.log"), "0 Errors, 0 Warnings"));
	run("rm *.dat *.dsl *.log again.aml");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void test_power_off_value(void **state)
{
	(void)state;
	assert_int_equal(ACPI_POWER_OFF(5), 0x34);
	assert_int_equal(ACPI_POWER_OFF(0), 0x20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_the_rsdp),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_high),
		cmocka_unit_test(test_many_cpus),
		cmocka_unit_test(test_no_ioapic),
		cmocka_unit_test(test_iasl),
		cmocka_unit_test(test_power_off_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
