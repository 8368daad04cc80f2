/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Xen offers: one entry for each row that docs/abi-coverage.md must have. It knows nothing of
 * our own state, which only that page and the dispatch tables tell; coverage_test.c compares.
 */
#ifndef DOCS_COVERAGE_ROWS_H
#define DOCS_COVERAGE_ROWS_H

#include <stddef.h>

/* To which guest types Xen offers an operation, privileged ones among them. */
enum coverage_offer { NONE = 0, PV = 1, HVM = 2, BOTH = PV | HVM };

/* Instead of a sub-operation number: the hypercall has none, or none in its first argument. */
#define COVERAGE_WHOLE -1

struct coverage_row {
	unsigned int nr;
	const char *hypercall;
	int op;           /* sub-operation number or COVERAGE_WHOLE */
	const char *name; /* of the operation */
	const char *part; /* NULL, or which case of it: "name: part" on the page */
	enum coverage_offer offer;
};

extern const struct coverage_row coverage_rows[];
extern const size_t coverage_rows_count;

#endif
