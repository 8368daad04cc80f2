// SPDX-License-Identifier: BSD-2-Clause
#include "shim/guest_access.h"

#include <string.h>

#include "shim/domain.h"
#include "shim/x86.h"

#define PTE_P     (1ull << 0)
#define PTE_W     (1ull << 1)
#define PTE_A     (1ull << 5)
#define PTE_D     (1ull << 6)
#define PTE_PS    (1ull << 7)
#define PTE_FRAME 0x000ffffffffff000ull

/* The shape of a page-table tree (Intel SDM 4.3-4.5): entry size and index bits per level. */
struct walk {
	const struct memslot_set *set;
	struct memslot_hint *hint;
	unsigned levels;
	unsigned index_bits;
	unsigned entry_size;
	bool pse; /* 32-bit paging: 4 MiB pages allowed */
	bool write;
	bool check_write;
};

static bool canonical(uint64_t addr, unsigned bits)
{
	int64_t top = (int64_t)addr >> (bits - 1);

	return top == 0 || top == -1;
}

/* Which kind of paging is on. False: the address cannot be translated in it. */
static bool choose_paging(struct walk *w, const struct paging *p, uint64_t addr)
{
	if (p->efer & EFER_LMA) {
		w->levels = p->cr4 & CR4_LA57 ? 5 : 4;
		w->index_bits = 9;
		w->entry_size = 8;
		return canonical(addr, GUEST_PAGE_SHIFT + w->levels * w->index_bits);
	}
	if (addr >> 32)
		return false;
	if (p->cr4 & CR4_PAE) {
		w->levels = 3;
		w->index_bits = 9;
		w->entry_size = 8;
	} else {
		w->levels = 2;
		w->index_bits = 10;
		w->entry_size = 4;
		w->pse = p->cr4 & CR4_PSE;
	}
	return true;
}

/*
 * Set accessed and dirty bits as the processor would have, if the entry is still what was read:
 * another vCPU may have swapped the page out meanwhile. False: it is not.
 */
static bool mark_entry(void *hva, unsigned entry_size, uint64_t entry, uint64_t bits)
{
	uint32_t narrow = entry;

	if (entry_size == 8)
		return __atomic_compare_exchange_n((uint64_t *)hva, &entry, entry | bits, false,
						   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return __atomic_compare_exchange_n((uint32_t *)hva, &narrow, narrow | (uint32_t)bits, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static uint64_t read_entry(const void *hva, unsigned entry_size)
{
	if (entry_size == 8)
		return __atomic_load_n((const uint64_t *)hva, __ATOMIC_RELAXED);
	return __atomic_load_n((const uint32_t *)hva, __ATOMIC_RELAXED);
}

static bool is_leaf(const struct walk *w, unsigned level, uint64_t entry)
{
	if (level == 1)
		return true;
	if (!(entry & PTE_PS))
		return false;
	if (w->entry_size == 4)
		return w->pse;
	return level == 2 || (level == 3 && w->levels > 3);
}

/* PS is reserved where no page is so large: above 1 GiB, and in PAE's level of four entries. */
static bool has_reserved_bits(const struct walk *w, unsigned level, uint64_t entry)
{
	return w->entry_size == 8 && level > 2 && entry & PTE_PS && !is_leaf(w, level, entry);
}

/* The frame of a leaf; 4 MiB pages keep address bits 39:32 in entry bits 20:13 (PSE-36). */
static uint64_t leaf_frame(const struct walk *w, uint64_t entry, uint64_t page_mask)
{
	uint64_t frame = entry & PTE_FRAME & ~page_mask;

	if (w->entry_size == 4) {
		frame = entry & 0xffffffffull & ~page_mask & ~0xfffull;
		if (page_mask > 0xfff)
			frame |= (entry >> 13 & 0xff) << 32;
	}
	return frame;
}

/* Mark the entry at `at`, and tell that its page has been written. ROM stays as it is. */
static bool mark(const struct walk *w, struct gpa at, void *hva, uint64_t entry, uint64_t bits)
{
	if ((entry & bits) == bits || w->hint->slot->flags & MEMSLOT_READONLY)
		return true;
	if (!mark_entry(hva, w->entry_size, entry, bits))
		return false;
	memslots_written(w->set, at, w->entry_size);
	return true;
}

/*
 * Take an entry into use: read, checked, marked. A guest that changes it all the time, so that none
 * of many attempts finds it unchanged, is answered as if it were not present.
 */
static int use_entry(const struct walk *w, unsigned level, struct gpa at, void *hva, uint64_t *out)
{
	bool pdpte = w->levels == 3 && level == 3; /* has no W, A, PS */

	for (unsigned attempt = 0; attempt < 100; attempt++) {
		uint64_t entry = read_entry(hva, w->entry_size), marks = PTE_A;

		if (!(entry & PTE_P) || has_reserved_bits(w, level, entry))
			break;
		if (!pdpte && w->check_write && !(entry & PTE_W))
			break;
		if (w->write && is_leaf(w, level, entry))
			marks |= PTE_D;
		if (pdpte || mark(w, at, hva, entry, marks)) {
			*out = entry;
			return 0;
		}
	}
	return -XEN_EFAULT;
}

/* Walk the tables, in a read section. */
static int walk_tables(const struct walk *w, const struct paging *p, uint64_t addr, uint64_t *out)
{
	/* A PAE root is 32 bytes and 32-byte aligned; the others are pages. */
	bool pae = w->levels == 3;
	uint64_t table = p->cr3 & (pae ? 0xffffffe0ull : PTE_FRAME);

	for (unsigned level = w->levels; level; level--) {
		unsigned shift = GUEST_PAGE_SHIFT + (level - 1) * w->index_bits;
		uint64_t index = addr >> shift & ((1u << w->index_bits) - 1);
		struct gpa at;
		uint64_t entry;
		void *hva;

		if (pae && level == 3)
			index &= 3;
		at = gpa(table + index * w->entry_size);
		hva = memslots_hva(w->set, w->hint, at, w->entry_size, false);
		if (!hva || use_entry(w, level, at, hva, &entry))
			return -XEN_EFAULT;
		if (is_leaf(w, level, entry)) {
			uint64_t page_mask = (1ull << shift) - 1;

			*out = leaf_frame(w, entry, page_mask) | (addr & page_mask);
			return 0;
		}
		table = w->entry_size == 8 ? entry & PTE_FRAME : entry & 0xfffff000ull;
	}
	return -XEN_EFAULT;
}

/*
 * The ordinary case, on the way of nearly every hypercall: 64-bit paging, all tables in one slot,
 * all entries present, permitted and marked. False: nothing is decided, walk_tables looks closely.
 * Always inline, so that levels and `write` are constants and each level is a few instructions.
 */
#define ALWAYS_INLINE inline __attribute__((always_inline))

struct quick_walk {
	uint64_t start, size; /* of the slot with the tables */
	const uint8_t *hva;
	uint64_t addr;
	uint64_t needed; /* bits of every entry */
	uint64_t entry;
};

/* From the entry of a table to that of the level below. */
static ALWAYS_INLINE bool step(struct quick_walk *q, unsigned level)
{
	unsigned shift = GUEST_PAGE_SHIFT + (level - 1) * 9 - 3; /* entries are 8 bytes */
	uint64_t table = (q->entry & PTE_FRAME) - q->start;

	if (table >= q->size) /* tables are pages, and slots are made of pages */
		return false;
	q->entry = read_entry(q->hva + table + (q->addr >> shift & 0xff8), 8);
	return (q->entry & q->needed) == q->needed;
}

static ALWAYS_INLINE bool finish(const struct quick_walk *q, unsigned level, bool write,
				 uint64_t *out)
{
	const uint64_t page_mask = (1ull << (GUEST_PAGE_SHIFT + (level - 1) * 9)) - 1;

	*out = (q->entry & PTE_FRAME & ~page_mask) | (q->addr & page_mask);
	return !write || q->entry & PTE_D;
}

static ALWAYS_INLINE bool walk_levels(struct vcpu *v, const struct memslot_set *set, uint64_t cr3,
				      uint64_t addr, unsigned levels, bool write, uint64_t *out)
{
	const struct memslot_hint *s = memslots_find(set, &v->table_hint, gpa(cr3 & PTE_FRAME));
	struct quick_walk q = {.addr = addr, .entry = cr3};

	if (!s || !canonical(addr, GUEST_PAGE_SHIFT + levels * 9))
		return false;
	q.needed = PTE_P | PTE_A | (write ? PTE_W : 0);
	q.start = s->start;
	q.size = s->size;
	q.hva = s->hva;
	/* There are large pages on levels 3 and 2 only. */
	if (levels == 5 && (!step(&q, 5) || q.entry & PTE_PS))
		return false;
	if (!step(&q, 4) || q.entry & PTE_PS || !step(&q, 3))
		return false;
	if (q.entry & PTE_PS)
		return finish(&q, 3, write, out);
	if (!step(&q, 2))
		return false;
	if (q.entry & PTE_PS)
		return finish(&q, 2, write, out);
	return step(&q, 1) && finish(&q, 1, write, out);
}

static ALWAYS_INLINE bool walk_quickly(struct vcpu *v, const struct memslot_set *set,
				       const struct paging *p, uint64_t addr, bool write,
				       uint64_t *out)
{
	if (!(p->cr0 & CR0_PG) || !(p->efer & EFER_LMA))
		return false;
	return p->cr4 & CR4_LA57 ? walk_levels(v, set, p->cr3, addr, 5, write, out)
				 : walk_levels(v, set, p->cr3, addr, 4, write, out);
}

static int translate_in(struct vcpu *v, const struct memslot_set *set, const struct paging *p,
			uint64_t addr, bool write, uint64_t *out)
{
	struct walk w = {.set = set, .hint = &v->table_hint, .write = write};

	if (!(p->cr0 & CR0_PG)) {
		*out = addr & 0xffffffff;
		return addr >> 32 ? -XEN_EFAULT : 0;
	}
	/* The caller is in ring 0: read-only pages stop it only while CR0.WP is set. */
	w.check_write = write && p->cr0 & CR0_WP;
	if (!choose_paging(&w, p, addr))
		return -XEN_EFAULT;
	return walk_tables(&w, p, addr, out);
}

static bool same_paging(const struct paging *a, const struct paging *b)
{
	return a->cr0 == b->cr0 && a->cr3 == b->cr3 && a->cr4 == b->cr4 && a->efer == b->efer;
}

static __attribute__((noinline)) int translate_slowly(struct vcpu *v, const struct memslot_set *set,
						      uint64_t addr, bool write, uint64_t *out)
{
	const struct platform_ops *ops = v->domain->ops;
	struct paging likely = *ops->paging(v, false); /* the next call may use the same place */
	const struct paging *exact;

	if (!translate_in(v, set, &likely, addr, write, out))
		return 0;
	exact = ops->paging(v, true);
	return same_paging(&likely, exact) ? -XEN_EFAULT
					   : translate_in(v, set, exact, addr, write, out);
}

/*
 * Of a PV guest's address space a part is the hypervisor's, and its page tables say so, but with
 * the rights of the monitor we could reach it.
 */
static inline bool is_hypervisors(const struct domain *d, uint64_t addr)
{
	return d->type == DOMAIN_PV && addr - PV_HYPER_START < PV_HYPER_END - PV_HYPER_START;
}

static ALWAYS_INLINE int translate(struct vcpu *v, const struct memslot_set *set, uint64_t addr,
				   bool write, uint64_t *out)
{
	const struct paging *p = v->domain->ops->paging(v, false);

	if (__builtin_expect(is_hypervisors(v->domain, addr), 0))
		return -XEN_EFAULT;
	if (walk_quickly(v, set, p, addr, write, out))
		return 0;
	return translate_slowly(v, set, addr, write, out);
}

int guest_translate(struct vcpu *v, struct gva addr, bool write, struct gpa *out)
{
	struct memslots *slots = &v->domain->memslots;
	uint64_t generation;
	int rc;

	do {
		const struct memslot_set *set = memslots_enter(slots);

		generation = set->generation;
		rc = translate(v, set, addr.v, write, &out->v);
		memslots_leave();
	} while (rc && memslots_retry(slots, generation));
	return rc;
}

enum direction { FROM_GUEST, TO_GUEST };

/* A run of guest memory that is contiguous here. */
struct run {
	uint8_t *hva; /* NULL: there is none */
	struct gpa at;
	size_t len;
};

/* The first run of [addr, addr+len). */
static struct run find_run(struct vcpu *v, const struct memslot_set *set, uint64_t addr, size_t len,
			   bool write)
{
	size_t room = GUEST_PAGE_SIZE - (addr & (GUEST_PAGE_SIZE - 1));
	struct run r = {.len = len < room ? len : room};

	if (!translate(v, set, addr, write, &r.at.v))
		r.hva = memslots_hva(set, &v->data_hint, r.at, r.len, write);
	return r;
}

/* A port, or another number: not worth the call. */
static ALWAYS_INLINE void copy_bytes(void *to, const void *from, size_t len)
{
	if (len == sizeof(uint32_t))
		memcpy(to, from, sizeof(uint32_t));
	else
		memcpy(to, from, len);
}

static inline void copy_run(const struct memslot_set *set, const struct run *r, void *ours,
			    enum direction dir)
{
	if (dir == FROM_GUEST) {
		copy_bytes(ours, r->hva, r->len);
	} else {
		memcpy(r->hva, ours, r->len);
		memslots_written(set, r->at, r->len);
	}
}

/* Two pages at a time: both are found before either is touched. */
static int copy_in_set(struct vcpu *v, const struct memslot_set *set, uint8_t *ours, uint64_t addr,
		       size_t len, enum direction dir, bool write)
{
	while (len) {
		struct run first = find_run(v, set, addr, len, write), second = {.len = 0};

		if (first.hva && len > first.len)
			second = find_run(v, set, addr + first.len, len - first.len, write);
		if (!first.hva || (len > first.len && !second.hva))
			return -XEN_EFAULT;
		copy_run(set, &first, ours, dir);
		if (second.hva)
			copy_run(set, &second, ours + first.len, dir);
		ours += first.len + second.len;
		addr += first.len + second.len;
		len -= first.len + second.len;
	}
	return 0;
}

static __attribute__((noinline)) int copy_pages(struct vcpu *v, uint8_t *ours, uint64_t addr,
						size_t len, enum direction dir, bool write)
{
	struct memslots *slots = &v->domain->memslots;
	uint64_t generation;
	int rc;

	do {
		const struct memslot_set *set = memslots_enter(slots);

		generation = set->generation;
		rc = copy_in_set(v, set, ours, addr, len, dir, write);
		memslots_leave();
	} while (rc && memslots_retry(slots, generation));
	return rc;
}

/* Nearly all arguments lie within a page. Inline: each caller has its own `dir` and `write`. */
static ALWAYS_INLINE int copy(struct vcpu *v, void *ours, uint64_t addr, size_t len,
			      enum direction dir, bool write)
{
	const struct memslot_set *set;
	struct gpa at;
	uint8_t *hva;

	if (len - 1 >= GUEST_PAGE_SIZE - (addr & (GUEST_PAGE_SIZE - 1))) /* or len is 0 */
		return copy_pages(v, ours, addr, len, dir, write);
	set = memslots_enter(&v->domain->memslots);
	if (!translate(v, set, addr, write, &at.v) &&
	    (hva = memslots_hva(set, &v->data_hint, at, len, write))) {
		const struct run r = {hva, at, len};

		copy_run(set, &r, ours, dir);
		memslots_leave();
		return 0;
	}
	memslots_leave();
	/* Not found: perhaps because the slots are changing. */
	return copy_pages(v, ours, addr, len, dir, write);
}

int guest_read(struct vcpu *v, void *to, struct gva from, size_t len)
{
	return copy(v, to, from.v, len, FROM_GUEST, false);
}

int guest_read_inout(struct vcpu *v, void *to, struct gva from, size_t len)
{
	return copy(v, to, from.v, len, FROM_GUEST, true);
}

int guest_write(struct vcpu *v, struct gva to, const void *from, size_t len)
{
	union { /* copy() serves both directions; this one only reads `ours` */
		const void *in;
		void *out;
	} ours = {.in = from};

	return copy(v, ours.out, to.v, len, TO_GUEST, true);
}

int guest_write_physical(struct domain *d, struct gpa to, const void *from, size_t len)
{
	uint64_t generation;
	void *hva;

	do {
		const struct memslot_set *set = memslots_enter(&d->memslots);
		struct memslot_hint hint = {0};

		generation = set->generation;
		hva = memslots_hva(set, &hint, to, len, true);
		if (hva) {
			memcpy(hva, from, len);
			memslots_written(set, to, len);
		}
		memslots_leave();
	} while (!hva && memslots_retry(&d->memslots, generation));
	return hva ? 0 : -XEN_EFAULT;
}

static bool is_there(struct domain *d, struct gpa addr, size_t len, bool write)
{
	uint64_t generation;
	bool has;

	do {
		const struct memslot_set *set = memslots_enter(&d->memslots);
		struct memslot_hint hint = {0};

		generation = set->generation;
		has = memslots_hva(set, &hint, addr, len, write);
		memslots_leave();
	} while (!has && memslots_retry(&d->memslots, generation));
	return has;
}

bool guest_has_memory(struct domain *d, struct gpa addr, size_t len)
{
	return is_there(d, addr, len, true);
}

bool guest_may_read(struct domain *d, struct gpa addr, size_t len)
{
	return is_there(d, addr, len, false);
}
