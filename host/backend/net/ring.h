/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The backend's end of a ring of one page (public header io/ring.h), whatever its entries are. The
 * guest may change any byte of the page at any time: indexes and entries are read once, into
 * locals.
 *
 * Every request is answered at its own place, and before the next one is taken: so one index tells
 * both how many requests were taken and how many responses written.
 */
#ifndef HOST_BACKEND_NET_RING_H
#define HOST_BACKEND_NET_RING_H

#include <stdbool.h>
#include <string.h>

#include "xen-abi/netif.h"

#define NET_PAGE 4096u

/* The longest entry of the three rings, in 32-bit words. */
#define NET_ENTRY_WORDS 4u

struct net_ring {
	uint8_t *page;       /* mapped for as long as the ring is in use */
	uint32_t entries;    /* a power of two */
	uint32_t entry_size; /* bytes, a multiple of 4 */
	RING_IDX done;       /* taken and answered */
	RING_IDX published;  /* of these, shown to the guest */
};

/* The head of every ring's page. */
struct net_ring_head {
	RING_IDX req_prod, req_event, rsp_prod, rsp_event;
};

static inline struct net_ring_head *net_ring_head(const struct net_ring *r)
{
	return (struct net_ring_head *)(void *)r->page;
}

/*
 * Requests that wait; more than `entries`: the guest has counted what cannot be. What they say may
 * be read after this.
 */
static inline uint32_t net_ring_waiting(const struct net_ring *r)
{
	return __atomic_load_n(&net_ring_head(r)->req_prod, __ATOMIC_ACQUIRE) - r->done;
}

/*
 * Begin, or go on where another backend has left off. false: the indexes make no sense.
 */
static inline bool net_ring_attach(struct net_ring *r, uint8_t *page, uint32_t entry_size)
{
	uint32_t room = (NET_PAGE - offsetof(struct netif_tx_sring, ring)) / entry_size;

	*r = (struct net_ring){
		.page = page,
		.entries = 1u << (31 - __builtin_clz(room)),
		.entry_size = entry_size,
	};
	r->done = __atomic_load_n(&net_ring_head(r)->rsp_prod, __ATOMIC_RELAXED);
	r->published = r->done;
	return net_ring_waiting(r) <= r->entries;
}

static inline uint32_t *net_ring_entry(const struct net_ring *r, RING_IDX index)
{
	size_t place = (size_t)(index & (r->entries - 1)) * r->entry_size;

	return (uint32_t *)(void *)(r->page + offsetof(struct netif_tx_sring, ring) + place);
}

/* A copy of the request `ahead` of the first that waits; `size` <= entry_size, a multiple of 4. */
static inline void net_ring_peek(const struct net_ring *r, uint32_t ahead, void *to, size_t size)
{
	const uint32_t *from = net_ring_entry(r, r->done + ahead);
	uint32_t words[NET_ENTRY_WORDS];

	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	memcpy(to, words, size);
}

/* Answer the first request that waits; it is taken by this. */
static inline void net_ring_answer(struct net_ring *r, const void *response, size_t size)
{
	uint32_t *to = net_ring_entry(r, r->done++);
	uint32_t words[NET_ENTRY_WORDS];

	memcpy(words, response, size);
	for (size_t i = 0; i < size / sizeof(*words); i++)
		__atomic_store_n(&to[i], words[i], __ATOMIC_RELAXED);
}

/* Show the guest all answers; true: it wants to be told. */
static inline bool net_ring_publish(struct net_ring *r)
{
	struct net_ring_head *head = net_ring_head(r);
	RING_IDX fresh = r->done - r->published;

	if (!fresh)
		return false;
	__atomic_store_n(&head->rsp_prod, r->done, __ATOMIC_RELEASE);
	r->published = r->done;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return r->done - __atomic_load_n(&head->rsp_event, __ATOMIC_RELAXED) < fresh;
}

/* Ask to be told once `wanted` requests wait; true: they do already. */
static inline bool net_ring_await(struct net_ring *r, uint32_t wanted)
{
	__atomic_store_n(&net_ring_head(r)->req_event, r->done + wanted, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return net_ring_waiting(r) >= wanted;
}

#endif
