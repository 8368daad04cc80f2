/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels of the FIFO kind (xen/event_channel.h), used as Linux's driver does: a control
 * block for each vCPU, pages of words for all; events are linked into queues by priority, and the
 * vCPU takes them from the head it remembers or, when a queue was empty, from the head in the
 * control block.
 */
#ifndef GUEST_TESTS_FIFO_H
#define GUEST_TESTS_FIFO_H

#include "xen-abi/xen.h"

#include <stdbool.h>

#define FIFO_PENDING (1U << EVTCHN_FIFO_PENDING)
#define FIFO_MASKED  (1U << EVTCHN_FIFO_MASKED)
#define FIFO_LINKED  (1U << EVTCHN_FIFO_LINKED)

#define FIFO_PAGE_WORDS 1024U

/* Two pages of words; fifo_start() hands the first to the hypervisor. */
extern event_word_t fifo_word[2 * FIFO_PAGE_WORDS];

long fifo_init_control(uint32_t vcpu, const void *page, uint32_t offset);
long fifo_expand_array(const void *page);
long fifo_set_priority(evtchn_port_t port, uint32_t priority);

/* Switch to this kind: control blocks of that many vCPUs, the first page of words, all masked. */
void fifo_start(unsigned int cpus);
struct evtchn_fifo_control_block *fifo_control(unsigned int cpu);

/* The next event that is due on this vCPU, no longer pending; 0: none. */
evtchn_port_t fifo_next(void);
/* Take what is due: evtchn_drain() of this kind. */
unsigned int fifo_drain(void (*fn)(evtchn_port_t port));

/* Mask it; true if it was not. */
bool fifo_mask(evtchn_port_t port);
/* These bits of the word are taken away; what was there before. */
event_word_t fifo_take(evtchn_port_t port, event_word_t bits);

#endif
