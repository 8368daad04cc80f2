/* SPDX-License-Identifier: BSD-2-Clause */
/* The grant table (xen/grant_table.h): operations, and entries of version 1 and 2. */
#ifndef GUEST_TESTS_GRANTS_H
#define GUEST_TESTS_GRANTS_H

#include "guest-tests/lib/hypercall.h"

#include <stdbool.h>

static inline long hypercall_grant_table_op(unsigned int cmd, void *arg, unsigned int count)
{
	return hypercall(__HYPERVISOR_grant_table_op, cmd, (unsigned long)arg, count, 0, 0);
}

/* Domain that a test can be sure does not exist. */
#define NO_DOMAIN 0x1234

/* Our own domid, as CPUID tells it. */
domid_t own_domid(void);

/* Show frame `idx` of the table at that page of ours: XENMEM_add_to_physmap. */
long grants_show(unsigned long idx, const void *page);

/* GNTTABOP_set_version and what it says the version is now. */
long grants_set_version(uint32_t version, uint32_t *now);

/* Write an entry as the header says, flags last. */
void grant_v1(struct grant_entry_v1 *e, uint16_t flags, domid_t domid, const void *page);
void grant_v2(union grant_entry_v2 *e, uint16_t flags, domid_t domid, const void *page);

#endif
