/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests: a PV guest made by pv_load, seen as it sees itself: through its page tables. */
#ifndef HOST_LOADER_TEST_GUEST_H
#define HOST_LOADER_TEST_GUEST_H

#include "host/loader/pv.h"
#include "host/loader/test_image.h"
#include "xen-abi/xen.h"

#define BASE     UINT64_C(0xffffffff80000000)
#define P2M      UINT64_C(0x8000000000)
#define RAM_MAX  (20u << 20)
#define HIGH_GPA 0x2000000u
#define MFNS     0x3000
#define FRAME    UINT64_C(0x000ffffffffff000)
#define RAMDISK  "ramdisk"

/* All of them the one guest's, for tests to read; what is below fills them. */
extern struct test_image image;
extern struct kernel kernel;
extern struct ram ram;
extern uint64_t m2p[MFNS], pages;
extern struct pv_start start;
extern struct start_info info;

/* Group fixtures: the RAM, and a folder of its own to be in. */
int guest_setup(void **state);
int guest_teardown(void **state);

/*
 * Zero RAM of `size` bytes (at most RAM_MAX) in two blocks, `low` bytes of it below a hole: the
 * kernel is in the first and the page tables are in the second, or not.
 */
void fresh(uint64_t low, uint64_t size);

/* Add the image's notes (from file offset `notes` on) and parse it. */
void finish_image(uint64_t notes);

/* The file RAMDISK: byte i is 'a' + i % 23. */
void write_ramdisk(size_t size);

/* Load image_pv_kernel() for `base`, and check what is so in any guest. */
void load(const struct pv_args *args, uint64_t base);

/* pv_load, with the guest's m2p. */
int try_load(const struct pv_args *args, struct problem *p);

/* It is refused, with a message that has `why` in it, and nothing has been written. */
void assert_refused(const struct pv_args *args, const char *why);

/*
 * The guest's eyes.
 */

/* The entry that maps an address, 0 if there is none. */
uint64_t walk(uint64_t va);
/* What is at an address that is mapped. */
void *at(uint64_t va);
/* Pages that are mapped in all. */
uint64_t mapped_pages(void);

/* The frame that docs/pv.md says, and its page. */
uint64_t mfn_of(uint64_t pfn);
void *page_of(uint64_t pfn);

#endif
