/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest on the fake platform that uses the FIFO ABI: its memory, and how it takes events. */
#ifndef SHIM_FAKE_FIFO_H
#define SHIM_FAKE_FIFO_H

#include "shim/fake_events.h"

#define FAKE_FIFO_CONTROL 0x70000ull /* vCPU i's control block is i pages further */
#define FAKE_FIFO_ARRAY   0x80000ull /* where fake_fifo_expand() puts pages, one after the other */
#define FAKE_FIFO_PAGES   128u

/* 0 or -XEN_E*. */
long fake_init_control(struct fake *f, uint32_t vcpu, uint64_t gfn, uint32_t offset);
long fake_expand_array(struct fake *f, uint64_t gfn);

/* All vCPUs' control blocks, and `pages` pages of the array. */
void fake_fifo_start(struct fake *f, unsigned pages);

uint32_t *fake_fifo_word(struct fake *f, evtchn_port_t port);
struct evtchn_fifo_control_block *fake_fifo_control(struct fake *f, unsigned vcpu);

/* A vCPU's own memory of where it is in its queues. */
struct fake_fifo_cpu {
	struct fake *f;
	unsigned vcpu;
	uint32_t ready;
	evtchn_port_t head[EVTCHN_FIFO_MAX_QUEUES];
};

/*
 * The next event, as kernels do it: highest priority first, and new ready bits are looked at after
 * each. Its word is unlinked; 0: there is no more. The event may be masked or no longer pending:
 * then *due is false, else PENDING has been cleared. Any thread, one for each vCPU.
 */
evtchn_port_t fake_fifo_next(struct fake_fifo_cpu *c, bool *due);

#endif
