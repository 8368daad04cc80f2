// SPDX-License-Identifier: BSD-2-Clause
/* What a frontend has written of its rings (public header io/blkif.h, "Request Transport
 * Parameters" and "Multiple hardware queues/rings"). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/backend/block/device.h"

/* A node that may be missing: then *value stays what it is. */
static int read_optional(struct block_device *b, const char *name, uint64_t max, uint64_t *value,
			 struct problem *p)
{
	int rc = xenbus_read_front(&b->bus, name, max, value);

	if (!rc || rc == -ENOENT)
		return 0;
	return problem(p, "its \"%s\" is no number up to %llu", name, (unsigned long long)max);
}

static int read_required(struct block_device *b, const char *name, uint64_t max, uint64_t *value,
			 struct problem *p)
{
	if (!xenbus_read_front(&b->bus, name, max, value))
		return 0;
	return problem(p, "its \"%s\" is missing, or no number up to %llu", name,
		       (unsigned long long)max);
}

/* What the frontend has said of all its queues. */
struct terms {
	enum block_abi abi;
	uint64_t queues;
	unsigned pages; /* of each ring */
	bool single;    /* a ring's reference is in "ring-ref", without a number */
};

/* A frontend that does not say speaks its own word size. */
static int read_abi(struct block_device *b, enum block_abi *abi, struct problem *p)
{
	char *protocol = xenbus_read_front_string(&b->bus, "protocol");
	int rc = 0;

	if (!protocol)
		*abi = domain_long_mode(b->disk.domain) ? BLOCK_ABI_64 : BLOCK_ABI_32;
	else if (!strcmp(protocol, XEN_IO_PROTO_ABI_X86_64))
		*abi = BLOCK_ABI_64;
	else if (!strcmp(protocol, XEN_IO_PROTO_ABI_X86_32))
		*abi = BLOCK_ABI_32;
	else
		rc = problem(p, "its protocol \"%.32s\" is not spoken here", protocol);
	free(protocol);
	return rc;
}

static int read_ring_pages(struct block_device *b, struct terms *t, struct problem *p)
{
	uint64_t order = UINT64_MAX, n = UINT64_MAX;

	if (read_optional(b, "ring-page-order", BLOCK_RING_MAX_ORDER, &order, p) ||
	    read_optional(b, "num-ring-pages", BLOCK_RING_MAX_PAGES, &n, p))
		return -1;
	t->single = order == UINT64_MAX && n == UINT64_MAX;
	if (order != UINT64_MAX)
		n = 1u << order;
	else if (t->single)
		n = 1;
	if (!n || n & (n - 1))
		return problem(p, "its \"num-ring-pages\" is no power of 2");
	t->pages = (unsigned)n;
	return 0;
}

static int read_refs(struct block_device *b, const struct terms *t, const char *folder,
		     grant_ref_t *refs, struct problem *p)
{
	char name[64];
	uint64_t ref;

	for (unsigned i = 0; i < t->pages; i++) {
		snprintf(name, sizeof(name), "%sring-ref%u", folder, i);
		/* A ring of one page may be told of either way. */
		if (t->single ||
		    (t->pages == 1 && xenbus_read_front(&b->bus, name, UINT32_MAX, &ref)))
			snprintf(name, sizeof(name), "%sring-ref", folder);
		if (read_required(b, name, UINT32_MAX, &ref, p))
			return -1;
		refs[i] = (grant_ref_t)ref;
	}
	return 0;
}

static int open_queue(struct block_device *b, const struct terms *t, const grant_ref_t *refs,
		      evtchn_port_t port, struct problem *p)
{
	struct block_queue *q = malloc(sizeof(*q));

	if (!q)
		return problem(p, "no memory for its queue");
	if (block_queue_open(q, &b->disk, t->abi, refs, t->pages, port, p)) {
		free(q);
		return -1;
	}
	b->queues[b->nr_queues++] = q;
	return 0;
}

/* One queue has its nodes beside the others, several have a folder each. */
static int open_nth_queue(struct block_device *b, const struct terms *t, unsigned n,
			  struct problem *p)
{
	grant_ref_t refs[BLOCK_RING_MAX_PAGES];
	char folder[32] = "", name[64];
	uint64_t port;

	if (t->queues > 1)
		snprintf(folder, sizeof(folder), "queue-%u/", n);
	snprintf(name, sizeof(name), "%sevent-channel", folder);
	if (read_refs(b, t, folder, refs, p) ||
	    read_required(b, name, EVTCHN_FIFO_NR_CHANNELS - 1, &port, p))
		return -1;
	return open_queue(b, t, refs, (evtchn_port_t)port, p);
}

static int read_terms(struct block_device *b, struct terms *t, struct problem *p)
{
	uint64_t persistent = 0;

	*t = (struct terms){.queues = 1};
	if (read_abi(b, &t->abi, p) ||
	    read_optional(b, "multi-queue-num-queues", block_device_max_queues(b), &t->queues, p) ||
	    read_optional(b, "feature-persistent", 1, &persistent, p))
		return -1;
	if (!t->queues)
		return problem(p, "its \"multi-queue-num-queues\" is 0");
	b->disk.keep_grants = b->image->keep_grants && persistent;
	return read_ring_pages(b, t, p);
}

int block_device_open_queues(struct block_device *b, struct problem *p)
{
	struct terms t;

	if (read_terms(b, &t, p))
		return -1;
	for (unsigned i = 0; i < t.queues; i++) {
		if (open_nth_queue(b, &t, i, p)) {
			block_device_close_queues(b);
			return -1;
		}
	}
	return 0;
}

static void add_stats(struct block_stats *to, const struct block_stats *from)
{
	const uint64_t *f = (const uint64_t *)from;
	uint64_t *t = (uint64_t *)to;

	for (unsigned i = 0; i < sizeof(*to) / sizeof(*t); i++)
		t[i] += __atomic_load_n(&f[i], __ATOMIC_RELAXED);
}
_Static_assert(sizeof(struct block_stats) % sizeof(uint64_t) == 0, "counters and nothing else");

void block_device_close_queues(struct block_device *b)
{
	for (unsigned i = 0; i < b->nr_queues; i++) {
		block_queue_close(b->queues[i]);
		add_stats(&b->past, &b->queues[i]->stats);
		free(b->queues[i]);
	}
	b->nr_queues = 0;
}

void block_device_stats(struct block_device *b, struct block_stats *stats)
{
	*stats = b->past;
	for (unsigned i = 0; i < b->nr_queues; i++)
		add_stats(stats, &b->queues[i]->stats);
}
