// SPDX-License-Identifier: BSD-2-Clause
#include "shim/guest_access.h"

#include <string.h>

#include "shim/domain.h"

#define CR0_WP   (1ull << 16)
#define CR0_PG   (1ull << 31)
#define CR4_PSE  (1ull << 4)
#define CR4_PAE  (1ull << 5)
#define CR4_LA57 (1ull << 12)
#define EFER_LMA (1ull << 10)

#define PTE_P     (1ull << 0)
#define PTE_W     (1ull << 1)
#define PTE_A     (1ull << 5)
#define PTE_D     (1ull << 6)
#define PTE_PS    (1ull << 7)
#define PTE_FRAME 0x000ffffffffff000ull

/* The shape of a page-table tree (Intel SDM 4.3-4.5): entry size and index bits per level. */
struct walk {
	struct memslots *slots;
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

	if ((entry & bits) == bits)
		return true;
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

/*
 * Take an entry into use: read, checked, marked. A guest that changes it all the time, so that none
 * of many attempts finds it unchanged, is answered as if it were not present.
 */
static int use_entry(const struct walk *w, unsigned level, void *hva, uint64_t *out)
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
		if (pdpte || mark_entry(hva, w->entry_size, entry, marks)) {
			*out = entry;
			return 0;
		}
	}
	return -XEN_EFAULT;
}

/* Walk the tables. The caller holds the memslots' read lock. */
static int walk_tables(const struct walk *w, const struct paging *p, uint64_t addr, uint64_t *out)
{
	/* A PAE root is 32 bytes and 32-byte aligned; the others are pages. */
	bool pae = w->levels == 3;
	uint64_t table = p->cr3 & (pae ? 0xffffffe0ull : PTE_FRAME);

	for (unsigned level = w->levels; level; level--) {
		unsigned shift = GUEST_PAGE_SHIFT + (level - 1) * w->index_bits;
		uint64_t index = addr >> shift & ((1u << w->index_bits) - 1);
		uint64_t entry;
		void *hva;

		if (pae && level == 3)
			index &= 3;
		hva = memslots_hva(w->slots, gpa(table + index * w->entry_size), w->entry_size);
		if (!hva || use_entry(w, level, hva, &entry))
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
 * Inline, so that `levels` and `write` are constants in it.
 */
static inline __attribute__((always_inline)) bool walk_levels(const struct memslots *slots,
							      uint64_t cr3, uint64_t addr,
							      unsigned levels, bool write,
							      uint64_t *out)
{
	const unsigned bits = GUEST_PAGE_SHIFT + levels * 9;
	const uint64_t needed = PTE_P | PTE_A | (write ? PTE_W : 0);
	const struct memslot *s = memslots_find(slots, gpa(cr3 & PTE_FRAME));
	uint64_t indexes = addr << (64 - bits); /* the next one on top */
	uint64_t entry = cr3, page_mask;
	unsigned level = levels;

	if (!s || !canonical(addr, bits))
		return false;
	do {
		uint64_t at = (entry & PTE_FRAME) + (indexes >> 55) * 8 - s->start.v;

		if (at >= s->size) /* entries are aligned, as the slot is */
			return false;
		entry = read_entry(s->hva + at, 8);
		if ((entry & needed) != needed)
			return false;
		indexes <<= 9;
	} while (--level && !(entry & PTE_PS));

	/* PS means something else in a small page's entry: the last level ends the walk anyway. */
	if (level > 2 || (write && !(entry & PTE_D)))
		return false;
	page_mask = (1ull << (GUEST_PAGE_SHIFT + level * 9)) - 1;
	*out = (entry & PTE_FRAME & ~page_mask) | (addr & page_mask);
	return true;
}

static inline __attribute__((always_inline)) bool walk_quickly(const struct memslots *slots,
							       const struct paging *p,
							       uint64_t addr, bool write,
							       uint64_t *out)
{
	if (!(p->cr0 & CR0_PG) || !(p->efer & EFER_LMA))
		return false;
	return p->cr4 & CR4_LA57 ? walk_levels(slots, p->cr3, addr, 5, write, out)
				 : walk_levels(slots, p->cr3, addr, 4, write, out);
}

static int translate_in(struct vcpu *v, const struct paging *p, uint64_t addr, bool write,
			uint64_t *out)
{
	struct walk w = {.slots = &v->domain->memslots, .write = write};

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

static __attribute__((noinline)) int translate_slowly(struct vcpu *v, uint64_t addr, bool write,
						      uint64_t *out)
{
	const struct platform_ops *ops = v->domain->ops;
	struct paging likely = *ops->paging(v, false); /* the next call may use the same place */
	const struct paging *exact;

	if (!translate_in(v, &likely, addr, write, out))
		return 0;
	exact = ops->paging(v, true);
	return same_paging(&likely, exact) ? -XEN_EFAULT : translate_in(v, exact, addr, write, out);
}

static inline __attribute__((always_inline)) int translate(struct vcpu *v, uint64_t addr,
							   bool write, uint64_t *out)
{
	const struct paging *p = v->domain->ops->paging(v, false);

	if (walk_quickly(&v->domain->memslots, p, addr, write, out))
		return 0;
	return translate_slowly(v, addr, write, out);
}

int guest_translate(struct vcpu *v, struct gva addr, bool write, struct gpa *out)
{
	int rc;

	memslots_read_lock(&v->domain->memslots);
	rc = translate(v, addr.v, write, &out->v);
	memslots_read_unlock(&v->domain->memslots);
	return rc;
}

/* The next run of bytes of [addr, addr+len) that is contiguous here; NULL when there is none. */
static uint8_t *next_run(struct vcpu *v, uint64_t addr, size_t len, bool write, size_t *run)
{
	uint64_t phys;

	*run = GUEST_PAGE_SIZE - (addr & (GUEST_PAGE_SIZE - 1));
	if (*run > len)
		*run = len;
	if (translate(v, addr, write, &phys))
		return NULL;
	return memslots_hva(&v->domain->memslots, gpa(phys), *run);
}

enum direction { FROM_GUEST, TO_GUEST };

static inline void copy_run(void *guest, void *ours, size_t len, enum direction dir)
{
	if (dir == FROM_GUEST)
		memcpy(ours, guest, len);
	else
		memcpy(guest, ours, len);
}

/* Two pages at a time: both are found before either is touched. */
static __attribute__((noinline)) int copy_pages(struct vcpu *v, uint8_t *ours, uint64_t addr,
						size_t len, enum direction dir, bool write)
{
	int rc = 0;

	memslots_read_lock(&v->domain->memslots);
	while (len) {
		size_t run1, run2 = 0;
		uint8_t *guest1 = next_run(v, addr, len, write, &run1), *guest2 = NULL;

		if (guest1 && len > run1)
			guest2 = next_run(v, addr + run1, len - run1, write, &run2);
		if (!guest1 || (run2 && !guest2) || (len > run1 && !guest2)) {
			rc = -XEN_EFAULT;
			break;
		}
		copy_run(guest1, ours, run1, dir);
		if (guest2)
			copy_run(guest2, ours + run1, run2, dir);
		ours += run1 + run2;
		addr += run1 + run2;
		len -= run1 + run2;
	}
	memslots_read_unlock(&v->domain->memslots);
	return rc;
}

/* Nearly all arguments lie within a page. Inline: each caller has its own `dir` and `write`. */
static inline __attribute__((always_inline)) int copy(struct vcpu *v, void *ours, uint64_t addr,
						      size_t len, enum direction dir, bool write)
{
	void *guest = NULL;
	uint64_t phys;

	if (!len || len > GUEST_PAGE_SIZE - (addr & (GUEST_PAGE_SIZE - 1)))
		return copy_pages(v, ours, addr, len, dir, write);
	memslots_read_lock(&v->domain->memslots);
	if (!translate(v, addr, write, &phys))
		guest = memslots_hva(&v->domain->memslots, gpa(phys), len);
	if (guest)
		copy_run(guest, ours, len, dir);
	memslots_read_unlock(&v->domain->memslots);
	return guest ? 0 : -XEN_EFAULT;
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
	void *hva;

	memslots_read_lock(&d->memslots);
	hva = memslots_hva(&d->memslots, to, len);
	if (hva)
		memcpy(hva, from, len);
	memslots_read_unlock(&d->memslots);
	return hva ? 0 : -XEN_EFAULT;
}
