/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest on the fake platform does with its grant table, for tests. */
#ifndef SHIM_FAKE_GRANTS_H
#define SHIM_FAKE_GRANTS_H

#include "shim/fake_platform.h"
#include "shim/grant_entry.h"

/* One operation on one argument, which is put at FAKE_ARG and read back. */
long fake_grant_op(struct fake *f, uint64_t cmd, void *arg, size_t len);

/* XENMEM_add_to_physmap of a frame of the table (or of its statuses). */
long fake_show_grants(struct fake *f, uint64_t idx, uint64_t gfn);

/* GNTTABOP_set_version must succeed. */
void fake_grant_version(struct fake *f, uint32_t version);

/* Write an entry as a guest does: flags last. Of whichever version the table is. */
void fake_grant(struct fake *f, grant_ref_t ref, uint16_t flags, domid_t domid, uint64_t frame);
/* Version 2: part of a page. */
void fake_grant_part(struct fake *f, grant_ref_t ref, uint16_t flags, uint64_t frame,
		     uint16_t start, uint16_t length);

/* GTF_reading and GTF_writing of the entry, wherever they are. */
uint16_t fake_grant_status(struct fake *f, grant_ref_t ref);

#endif
