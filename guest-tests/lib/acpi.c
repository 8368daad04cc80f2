// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/acpi.h"
#include "guest-tests/lib/start_info.h"
#include "guest-tests/lib/string.h"

#include <stddef.h>

struct rsdp {
	char signature[8];
	uint8_t checksum, oem_id[6], revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
} __attribute__((packed));

struct table {
	char signature[4];
	uint32_t length;
	uint8_t rest[28];
} __attribute__((packed));

#define MADT_ENTRIES 44
#define MADT_LAPIC   0
#define MADT_X2APIC  9

static const void *at(uint64_t paddr)
{
	return (const void *)(unsigned long)paddr;
}

static const struct table *find(const char *signature)
{
	const struct rsdp *rsdp = at(start_info()->rsdp_paddr);
	const struct table *xsdt;

	if (!rsdp || memcmp(rsdp->signature, "RSD PTR ", 8) || rsdp->revision < 2)
		return NULL;
	xsdt = at(rsdp->xsdt);
	for (uint32_t i = sizeof(*xsdt); i + 8 <= xsdt->length; i += 8) {
		const struct table *t;
		uint64_t paddr;

		memcpy(&paddr, (const uint8_t *)xsdt + i, sizeof(paddr));
		t = at(paddr);
		if (!memcmp(t->signature, signature, 4))
			return t;
	}
	return NULL;
}

/* Is this entry a processor? Both kinds have flags, which say whether it is there, and an ID. */
static bool processor(const uint8_t *entry, uint32_t *id)
{
	if (entry[0] == MADT_LAPIC)
		*id = entry[3];
	else if (entry[0] == MADT_X2APIC)
		memcpy(id, entry + 4, 4);
	else
		return false;
	return entry[entry[0] == MADT_LAPIC ? 4 : 8] & 1;
}

bool madt_apic_id(unsigned int index, uint32_t *id)
{
	const struct table *madt = find("APIC");
	const uint8_t *bytes = (const uint8_t *)madt;

	if (!madt)
		return false;
	for (uint32_t i = MADT_ENTRIES; i + 2 <= madt->length && bytes[i + 1]; i += bytes[i + 1])
		if (processor(bytes + i, id) && !index--)
			return true;
	return false;
}
