/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What memslots, trackers, overlays and caches should say: plain arrays, searched from end to end.
 * memslot_fuzz.c does everything to both and compares.
 */
#ifndef SHIM_MEMSLOT_FUZZ_MODEL_H
#define SHIM_MEMSLOT_FUZZ_MODEL_H

#include "shim/gpc/gpc.h"
#include "shim/memslot/tracker.h"

#define MODEL_PAGES    96 /* of host memory; no slot has more */
#define MODEL_OWN      12 /* and as many mappings for overlays without RAM */
#define MODEL_SHOWN    4  /* pages of the hypervisor's */
#define MODEL_NUMBERS  24 /* of slots; the last one stands for the greatest there is */
#define MODEL_OVERLAYS 12 /* at once */
#define MODEL_EVENTS   4  /* that one change may cause */
#define MODEL_PARTS    3  /* of a cache's area */
#define MODEL_PIECES   (MODEL_PARTS * (MODEL_PAGES + 2))
#define MODEL_MAX_GFN  (1ull << 40)

struct model_slot {
	bool there;
	uint32_t flags;
	uint64_t base, npages; /* frames */
	uint8_t *hva;
	bool dirty[MODEL_PAGES];  /* we have written */
	bool kernel[MODEL_PAGES]; /* the guest has */
	uint16_t watched[MODEL_PAGES];
};

struct model_overlay {
	bool there;
	uint64_t at; /* frame */
	unsigned page;
	int own; /* number of its own slot; -1: over RAM */
};

/* What trackers are told. */
struct model_event {
	enum { REMOVED, MOVED, FLUSHED } kind;
	uint64_t base, to, npages;
};

struct model_cache {
	bool active;
	uint8_t *fixed;
	unsigned nr_parts;
	struct gpc_part part[MODEL_PARTS];
};

struct model {
	uint32_t features;
	struct model_slot slot[MEMSLOT_ADDRESS_SPACES][MODEL_NUMBERS];
	struct model_overlay overlay[MODEL_OVERLAYS];
	bool tracked, tracking;   /* a tracker is registered; has ever been */
	uint8_t *gone, *gone_end; /* host addresses that are being remapped */
	struct model_event event[MODEL_EVENTS];
	unsigned nr_events;
	uint64_t written; /* sum of model_written_event() */
};

uint32_t model_id(unsigned as, unsigned number);

/* NULL: a slot that the model has no place for, or (in find) that is not to be found now. */
struct model_slot *model_by_id(struct model *m, uint32_t id);
struct model_slot *model_find(struct model *m, unsigned as, uint64_t frame);
bool model_is_hidden(const struct model *m, const struct model_slot *s);
/* Does this visible slot show the host address? */
bool model_shows(const struct model *m, const struct model_slot *s, const uint8_t *hva);

struct model_overlay *model_overlay_at(struct model *m, uint64_t frame);

/* 0, MODEL_SAME (nothing to do), or -errno: without what trackers and machinery say. */
#define MODEL_SAME 1
int model_check(struct model *m, const struct memslot_request *r, enum memslot_change *kind);
/* It has happened. */
void model_change(struct model *m, const struct memslot_request *r, enum memslot_change kind);

void model_tell(struct model *m, struct model_event event);

/* A number for a write that a tracker is told of; they are added up. */
uint64_t model_written_event(struct gpa addr, uint64_t len);
/* We have written, to guest-physical addresses of address space 0, or to host addresses. */
void model_write(struct model *m, struct gpa addr, uint64_t len);
void model_write_hva(struct model *m, const uint8_t *hva, uint64_t len);

/* The pieces of a cache's area; 0: it has no memory. */
unsigned model_pieces(struct model *m, const struct model_cache *c,
		      struct gpc_piece pieces[MODEL_PIECES]);

#endif
