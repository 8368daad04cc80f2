/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest's memory: what each machine frame is used as, and how often. The guest's own page
 * tables are run by the CPU, so a frame is a page table of a level, or may be written, or is a
 * descriptor page: never two of these at a time (Xen: arch/x86/mm.c; public header xen.h,
 * HYPERVISOR_mmu_update and mmuext_op).
 *
 * The rules know the frames by this table only. They are compiled into the monitor and into unit
 * tests; in the host, where PV memory_op and grants need them.
 *
 * A use of a frame is a reference; a use as something (PV_TYPE_*) is a typed one beside it. Who
 * gets a typed reference to a page table gets it validated: each of its entries has been checked
 * and holds references itself, until the last typed one is put.
 *
 * All functions want mm.lock held, unless they say otherwise, and answer 0 or -XEN_E*.
 * Freestanding.
 */
#ifndef SHIM_PV_MM_H
#define SHIM_PV_MM_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/pv/layout.h"
#include "shim/pv/machine.h"

#define PV_MAX_VCPUS 64

enum pv_type {
	PV_TYPE_NONE,
	PV_TYPE_L1, /* tables: the number is the level */
	PV_TYPE_L2,
	PV_TYPE_L3,
	PV_TYPE_L4,
	PV_TYPE_DESCRIPTORS,
	PV_TYPE_WRITABLE,
};

/*
 * A frame. refs: uses of any kind; type_refs: uses as `type`, which can change when there are none
 * left. The domain's own allocation (PV_FRAME_RAM) is a reference, a pin is one of each.
 */
struct pv_frame {
	uint32_t refs, type_refs;
	uint8_t type;  /* enum pv_type */
	uint8_t flags; /* PV_FRAME_* */
	/* Page tables that map one of their own level (linear page tables): above 0: how many
	 * entries here do; below: how many elsewhere do it with this one. Never both. */
	int16_t linear;
	uint32_t stamp; /* mm.clock when type_refs last became 0 */
};

#define PV_FRAME_RAM       0x01 /* the domain's RAM, until it gives it up: that is a reference */
#define PV_FRAME_SHARED    0x02 /* the hypervisor's, may be mapped and written: shared_info, ... */
#define PV_FRAME_PINNED    0x04
#define PV_FRAME_VALIDATED 0x08 /* its entries have been checked, and hold references */

struct pv_vcpu;

struct pv_mm {
	struct pv_lock lock;
	uint64_t max_mfn;        /* exclusive */
	struct pv_frame *frames; /* max_mfn of them */
	uint64_t *m2p;           /* max_mfn of them; writable */
	uint8_t *direct;         /* frame n is at direct + n * PV_PAGE_SIZE */
	uint64_t l4_slots[PV_L4_LAST - PV_L4_FIRST + 1]; /* entries of every L4 */
	uint32_t nr_vcpus;
	uint16_t domid;
	/*
	 * VMASST_TYPE_m2p_strict: user mode does not see the M2P: a new L4 has slot 256 and loses
	 * it when it becomes a user base pointer; without, it has none until it becomes a kernel's.
	 */
	bool m2p_strict;
	uint64_t
		vcpus_up; /* a bit each: who may have translations cached; also read without lock */

	struct pv_vcpu *vcpus[PV_MAX_VCPUS]; /* NULL: not there (yet) */
	uint32_t idle_roots;                 /* previous roots that vCPUs keep, of all */
	uint32_t linear_entries;             /* of all tables, that map others of their level */

	/*
	 * When translations were forgotten: a clock that ticks at each such moment, and what it was
	 * for each vCPU. A frame whose last typed use ended later than that, or then, may still be
	 * in the vCPU's TLB as what it was.
	 */
	uint32_t clock;
	uint32_t flushed[PV_MAX_VCPUS];
};

static inline uint64_t pv_mm_vcpus_up(const struct pv_mm *mm)
{
	return __atomic_load_n(&mm->vcpus_up, __ATOMIC_ACQUIRE);
}

/* Base pointers of a vCPU: mfns, 0 for none (frame 0 is no base pointer). */
#define PV_ROOTS_PREVIOUS 3
struct pv_roots {
	uint64_t kernel, user;
	uint64_t previous[PV_ROOTS_PREVIOUS]; /* still validated, most recent first */
};

/*
 * A frame that nobody uses becomes the domain's RAM (PV_FRAME_RAM), one of the hypervisor's that
 * the guest may map (PV_FRAME_SHARED: the hypervisor writes to it, so it is never anything else),
 * or nobody's (0). That TLBs may know it as what it was stays known.
 */
static inline void pv_frame_become(struct pv_frame *f, uint8_t flags)
{
	bool shared = flags & PV_FRAME_SHARED;

	f->refs = flags != 0;
	f->type_refs = shared;
	f->type = shared ? PV_TYPE_WRITABLE : PV_TYPE_NONE;
	f->flags = flags;
	f->linear = 0;
}

static inline void *pv_frame_at(const struct pv_mm *mm, uint64_t mfn)
{
	return mm->direct + mfn * PV_PAGE_SIZE;
}

/*
 * frames.c
 */

/*
 * The host has set domid, nr_vcpus, max_mfn, frames (zero, or what pv_frame_become() made of it),
 * m2p, direct, l4_slots: the domain has all of these frames.
 */
void pv_mm_init(struct pv_mm *mm);

/*
 * A reference to a frame of the domain's: false: it is not (any more), or has too many. Put frees a
 * frame that the domain has given up.
 */
bool pv_get_ref(struct pv_mm *mm, uint64_t mfn);
void pv_put_ref(struct pv_mm *mm, uint64_t mfn);

/*
 * A typed reference to a frame that the caller has a reference to. -XEN_EINVAL: it is used as
 * another type, or too often, or is a page of descriptors with a bad one; any errno of
 * pv_get_entry(): an entry is not what may be in such a table.
 */
int pv_get_type(struct pv_mm *mm, uint64_t mfn, enum pv_type type);
void pv_put_type(struct pv_mm *mm, uint64_t mfn);
/* As put by an entry of a table: one of the same level has counted it. */
void pv_put_type_in(struct pv_mm *mm, uint64_t mfn, uint64_t table);

/* Both. -XEN_EINVAL also: not the domain's. */
int pv_get_ref_and_type(struct pv_mm *mm, uint64_t mfn, enum pv_type type);
void pv_put_ref_and_type(struct pv_mm *mm, uint64_t mfn);

/*
 * flush.c: vCPUs (a bit each) forget all translations; with the lock held, or not held. Who waits
 * for the lock must do what the others want of it (machine.h).
 */
void pv_mm_forget(struct pv_mm *mm, uint64_t vcpus);
void pv_mm_note_forgotten(struct pv_mm *mm, uint64_t vcpus); /* they have, or do it at once */
void pv_mm_flush_all(struct pv_mm *mm, uint64_t vcpus);
/* A frame becomes another type: who may know it as what it was forgets. */
void pv_mm_flush_for(struct pv_mm *mm, const struct pv_frame *f);

/*
 * validate.c: the references of entries of page tables. Errno of pv_get_entry() for an entry of a
 * table of level 2 to 4: -XEN_EINVAL: flags; not a frame of the domain's, or used as another type
 * and not a linear page table either; that of an entry in it.
 */
int pv_get_entry(struct pv_mm *mm, uint64_t table, unsigned level, uint64_t entry);

/*
 * Of a table of level 1. `io`: the caller says that the frame is not the domain's (DOMID_IO).
 * -XEN_EINVAL: flags, or the frame PV_PTE_MFN_NONE; -XEN_EPERM: a frame that is no memory,
 * nor PV_IO_PAGE; -XEN_EBUSY: the frame cannot be mapped so: it is used as a page table or for
 * descriptors and the entry would be writable, or it is not the domain's.
 */
int pv_get_page_entry(struct pv_mm *mm, uint64_t entry, bool io);

/* Of any level; one that is not present holds nothing. */
void pv_put_entry(struct pv_mm *mm, uint64_t table, unsigned level, uint64_t entry);

/* As the entry is to stand in the table: with what the hypervisor adds. */
uint64_t pv_adjust_entry(unsigned level, uint64_t entry);

/* Is a slot of an L4 the hypervisor's? */
static inline bool pv_hyper_slot(unsigned index)
{
	return index >= PV_L4_FIRST && index <= PV_L4_LAST;
}

/* A whole table of `level`, or page of descriptors: all or nothing. */
int pv_validate_table(struct pv_mm *mm, uint64_t mfn, unsigned level);
void pv_devalidate_table(struct pv_mm *mm, uint64_t mfn, unsigned level);
/* The hypervisor's slots of an L4 as a new one has them. */
void pv_fill_hyper_slots(const struct pv_mm *mm, uint64_t mfn);
int pv_validate_descriptors(const struct pv_mm *mm, uint64_t mfn); /* descriptor.c */

/*
 * entry.c: one entry of a validated table that the caller has a reference to becomes `value`.
 * Errnos as for getting that entry; -XEN_EINVAL: a slot of the hypervisor's.
 */
enum { PV_ENTRY_KEEP_AD = 1 /* accessed and dirty bits stay set */, PV_ENTRY_IO = 2 };
int pv_modify_entry(struct pv_mm *mm, uint64_t table, unsigned index, uint64_t value, unsigned how);

/*
 * The guest's kernel writes to a page table that it has mapped read-only. Wants the lock not held.
 * expected: NULL for a plain write; else a compare and exchange of 8 bytes. 0: done;
 * -XEN_EAGAIN: what is there is not *expected, and is *expected now; anything else: no write of an
 * L1 table's entry that Xen would have let through, so the fault is the guest's.
 */
int pv_write_entry(struct pv_vcpu *v, uint64_t table, unsigned index, uint64_t *expected,
		   uint64_t value);

/* Is the frame a validated L1 table? Of any number. */
bool pv_is_l1(const struct pv_mm *mm, uint64_t mfn);

/*
 * The entry of an L1 table that translates `va` for the vCPU's kernel: in which table, at which
 * index; false: none, or a part of the address space that is not the guest's. A frame whose tables
 * map tables (linear page tables) may be found that is not of type L1.
 */
bool pv_find_entry(struct pv_vcpu *v, uint64_t va, uint64_t *table, unsigned *index);

/*
 * roots.c: a vCPU's base pointers. It keeps some that it has had and that nothing else keeps
 * validated, so that it comes back to them at no cost; nobody can tell, as they are forgotten
 * before anything is done that could make a difference (pv_roots_forget()).
 */
/* This vCPU's: MMUEXT_NEW_BASEPTR and MMUEXT_NEW_USER_BASEPTR (0: none). See pv_get_type(). */
int pv_new_base(struct pv_vcpu *v, uint64_t mfn);
int pv_new_user_base(struct pv_vcpu *v, uint64_t mfn);
/* Those of a vCPU that does not run and has none. user: 0 for none. */
int pv_roots_set(struct pv_vcpu *v, uint64_t kernel, uint64_t user);
/* All of a vCPU that does not run. */
void pv_roots_put(struct pv_vcpu *v);
/*
 * Previous roots of all vCPUs are put: before anybody else (the host) looks at references or
 * changes them, so that they are what Xen would count.
 */
void pv_roots_forget(struct pv_mm *mm);

/*
 * pin.c: -XEN_EINVAL: not the domain's, or (not) pinned already; see pv_get_type().
 */
int pv_pin(struct pv_mm *mm, uint64_t mfn, enum pv_type type);
int pv_unpin(struct pv_mm *mm, uint64_t mfn);

/* page.c: MMUEXT_CLEAR_PAGE and _COPY_PAGE. -XEN_EINVAL: not the domain's, or not writable now. */
int pv_clear_page(struct pv_mm *mm, uint64_t mfn);
int pv_copy_page(struct pv_mm *mm, uint64_t to, uint64_t from);

/*
 * vcpu.c: a vCPU is known, once, with `id` and `domain` set and without any references, before it
 * has roots; runs (its TLB is empty then) or does not; gives up all of its references: roots, GDT,
 * LDT.
 */
void pv_mm_add_vcpu(struct pv_mm *mm, struct pv_vcpu *v);
void pv_mm_vcpu_up(struct pv_mm *mm, uint32_t id);
void pv_mm_vcpu_down(struct pv_mm *mm, uint32_t id);
void pv_mm_release_vcpu(struct pv_vcpu *v);

/*
 * descriptor.c, descriptor_table.c
 */

/* A descriptor as a guest may have it, *d being made so; false: it may not. */
bool pv_check_descriptor(uint64_t *d);
/* The frames of a GDT; the caller loads it. -XEN_EINVAL: too many entries, or pv_get_type(). */
int pv_set_gdt(struct pv_vcpu *v, const uint64_t *frames, unsigned entries);
/* Put the references of the LDT's mapped pages; true: there were some. The caller loads it. */
bool pv_forget_ldt(struct pv_vcpu *v);
/*
 * A fault of the LDT: the page with the byte at `offset` from its start shall be mapped. True: it
 * is, go on; false: the fault is the guest's. Wants the lock not held.
 */
bool pv_map_ldt_page(struct pv_vcpu *v, uint32_t offset);

#endif
