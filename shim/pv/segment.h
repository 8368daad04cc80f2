/* SPDX-License-Identifier: BSD-2-Clause */
/* A PV guest's segments, as its descriptors say. Freestanding. */
#ifndef SHIM_PV_SEGMENT_H
#define SHIM_PV_SEGMENT_H

#include "shim/pv/cpu.h"

struct pv_segment {
	uint32_t base, limit;         /* bytes; the limit is the last one's offset */
	bool present, code, writable; /* `writable`: of code: readable */
	uint8_t code_bytes;           /* 2, 4 or 8 */
};

/*
 * What a selector names; false: it cannot be found out, or is a system's. A null selector, and one
 * behind the end of the LDT, is a segment that is not present.
 */
bool pv_read_segment(const struct pv_vcpu *v, uint16_t selector, struct pv_segment *s);

#endif
