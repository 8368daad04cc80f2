// SPDX-License-Identifier: BSD-2-Clause
/*
 * What KVM_SET_USER_MEMORY_REGION2 refuses, with which errno, and which of two reasons comes first:
 * virt/kvm/kvm_main.c, kvm_vm_ioctl() to kvm_set_memslot(). Rules are numbered in that order:
 *
 *  1     the request cannot be read
 *  2     a flag that the old form of the ioctl has no member for: there is one form here, so none
 *  3-11  arguments alone           12-16  arguments and slots      17  nothing to do
 *  18    overlap                   19     memory                   20  private memory
 *
 * and then those of the architecture and ours: 21 frames that cannot have memory, 22 a tracker's
 * veto, 23 the kernel itself. An overlay (OVERLAY below) is asked for between 18 and 19.
 */
#include "shim/memslot/fake_memory_test.h"

#include <errno.h>

#include "shim/memslot/fail_alloc.h"
#include "shim/memslot/gmem.h"
#include "shim/memslot/overlay.h"
#include "shim/memslot/tracker.h"

#define PAGES   16
#define OVERLAY (-18)

/* Requests that would be good, to be spoilt. Slots 0 and 2 exist. */
enum kind {
	NEW,    /* create slot 1 */
	MOVED,  /* slot 0 goes elsewhere */
	FLAGS,  /* slot 0 is to be logged */
	SAME,   /* slot 0 as it is */
	GONE,   /* delete slot 0 */
	ABSENT, /* delete slot 1 */
	KINDS,
};

#define IN(kind) (1u << (kind))
#define CHANGES  (IN(NEW) | IN(MOVED) | IN(FLAGS) | IN(GONE))
#define STAYS    (IN(MOVED) | IN(FLAGS) | IN(SAME))
#define ANY      ((1u << KINDS) - 1)

struct attempt {
	struct fake_memory *m;
	struct tracker vetoer;
	struct memslot_request r;
	unsigned allocation; /* to fail */
};

static void number(struct attempt *a)
{
	a->r.slot = (a->r.slot & ~0xffffu) | MEMSLOTS_MAX;
}

static void flags(struct attempt *a)
{
	a->r.flags |= 1u << 5;
}

static void size(struct attempt *a)
{
	a->r.size += 1;
}

static void unaligned_gpa(struct attempt *a)
{
	a->r.gpa += 1;
}

static void unaligned_hva(struct attempt *a)
{
	a->r.hva += 1;
}

static void gmem_offset(struct attempt *a)
{
	a->r.flags = MEMSLOT_PRIVATE;
	a->r.gmem_offset = 1;
}

static void address_space(struct attempt *a)
{
	a->r.slot |= MEMSLOT_ADDRESS_SPACES << 16;
}

static void wrapping_gpa(struct attempt *a)
{
	a->r.gpa = -(uint64_t)GUEST_PAGE_SIZE;
}

static void too_many_pages(struct attempt *a)
{
	a->r.size = (MEMSLOT_MAX_PAGES + 1) << GUEST_PAGE_SHIFT;
}

static void nothing(struct attempt *a)
{
	(void)a;
}

/* Books that no sequence of calls can make so. */
static void books_too_small(struct attempt *a)
{
	a->m->slots.ids[0].npages = PAGES - 1;
}

static void books_too_large(struct attempt *a)
{
	a->m->slots.ids[0].npages = UINT64_MAX - PAGES + 1;
}

static void becomes_private(struct attempt *a)
{
	a->r.flags = MEMSLOT_PRIVATE;
}

static void other_hva(struct attempt *a)
{
	a->r.hva += GUEST_PAGE_SIZE;
}

static void overlap(struct attempt *a)
{
	a->r.gpa = 0x4f000;
}

static void overlay(struct attempt *a)
{
	assert_int_equal(overlay_show(&a->m->slots, 0, gfn(0x1f)), 0);
}

static void no_memory(struct attempt *a)
{
	a->allocation = 1;
}

static void no_gmem(struct attempt *a)
{
	a->r.flags = MEMSLOT_PRIVATE;
	a->r.gmem = NULL;
}

static void beyond_max_gfn(struct attempt *a)
{
	a->r.gpa = a->m->slots.max_gfn << GUEST_PAGE_SHIFT;
}

static void veto(struct attempt *a)
{
	assert_int_equal(tracker_register(&a->m->slots, &a->vetoer), 0);
}

static void kernel_refuses(struct attempt *a)
{
	fake_memory_fail(a->m, FAKE_OP_SET_SLOT, 1, ENXIO);
}

/* What a rule's violation sets, and what must be as it is for it: parts of a request, or the books.
 * Two violations that meet in what one of them sets cannot be had at once. */
enum {
	NUMBER = 1,
	AS = 2,
	GPA = 4,
	SIZE = 8,
	BOOKS = 16,
};
#define OLD (NUMBER | AS) /* the slot that there is */

static const struct rule {
	int number;
	void (*violate)(struct attempt *a);
	unsigned kinds, sets, needs;
	int result;
} rules[] = {
	{3, number, ANY, NUMBER, 0, -EINVAL},
	{4, flags, ANY, 0, 0, -EINVAL},
	{5, size, IN(NEW) | STAYS, 0, 0, -EINVAL},
	{6, unaligned_gpa, ANY, 0, 0, -EINVAL},
	{7, unaligned_hva, ANY, 0, 0, -EINVAL},
	{8, gmem_offset, ANY, 0, 0, -EINVAL},
	{9, address_space, ANY, AS, 0, -EINVAL},
	{10, wrapping_gpa, IN(NEW) | IN(MOVED), GPA, 0, -EINVAL},
	{11, too_many_pages, IN(NEW), SIZE, 0, -EINVAL},
	{12, nothing, IN(ABSENT), 0, 0, -EINVAL},
	{13, books_too_small, IN(GONE), BOOKS, OLD, -EIO},
	{14, books_too_large, IN(NEW), BOOKS, AS, -EINVAL},
	{15, becomes_private, STAYS, 0, OLD, -EINVAL},
	{16, other_hva, STAYS, 0, OLD, -EINVAL},
	{17, nothing, IN(SAME), 0, OLD, 0},
	{18, overlap, IN(NEW) | IN(MOVED), GPA, AS, -EEXIST},
	{OVERLAY, overlay, IN(MOVED) | IN(GONE), 0, OLD, -EBUSY},
	{19, no_memory, CHANGES | IN(SAME), 0, 0, -ENOMEM},
	{20, no_gmem, IN(NEW), 0, 0, -EBADF},
	{21, beyond_max_gfn, IN(NEW) | IN(MOVED), GPA, 0, -EINVAL},
	{22, veto, CHANGES | IN(SAME), 0, 0, -EPERM},
	{23, kernel_refuses, CHANGES | IN(SAME), 0, 0, -ENXIO},
};

static const struct rule *rule_of(int nr)
{
	const struct rule *r = rules;

	while (r->number != nr)
		r++;
	return r;
}

static int refuse(struct tracker *t, enum memslot_change change, const struct memslot *old,
		  const struct memslot *new)
{
	(void)t;
	(void)change;
	(void)old;
	(void)new;
	return -EPERM;
}

static struct attempt attempt(enum kind kind)
{
	struct attempt a = {.m = fake_memory_create(MEMSLOTS_CAN_PRIVATE)};
	const uint64_t ram = (uintptr_t)a.m->ram, length = PAGES * GUEST_PAGE_SIZE;

	a.vetoer.veto = refuse;
	assert_int_equal(fake_memory_set(a.m, 0, 0, gfn(0x10), PAGES, a.m->ram), 0);
	assert_int_equal(fake_memory_set(a.m, 2, 0, gfn(0x40), PAGES, a.m->ram + length), 0);
	switch (kind) {
	case NEW:
		a.r = (struct memslot_request){1, 0, 0x80000, length, ram + 2 * length, NULL, 0};
		break;
	case MOVED:
		a.r = (struct memslot_request){0, 0, 0x80000, length, ram, NULL, 0};
		break;
	case FLAGS:
		a.r = (struct memslot_request){0, MEMSLOT_LOG_DIRTY, 0x10000, length, ram, NULL, 0};
		break;
	case SAME:
		a.r = (struct memslot_request){0, 0, 0x10000, length, ram, NULL, 0};
		break;
	default:
		a.r = (struct memslot_request){.slot = kind == ABSENT};
	}
	return a;
}

static int set_slot(struct attempt *a)
{
	int rc;

	fail_alloc(a->allocation);
	rc = memslots_set_slot(&a->m->slots, &a->r);
	fail_alloc(0);
	return rc;
}

/* Rule `nr` alone: in every kind of request in which it can be broken, and nothing has happened. */
static void breaking(int nr)
{
	const struct rule *r = rule_of(nr);

	for (enum kind kind = 0; kind < KINDS; kind++) {
		struct attempt a = attempt(kind);
		unsigned calls = a.m->calls[FAKE_OP_SET_SLOT];

		if (r->kinds & IN(kind) && !(kind == SAME && nr > 17)) {
			char *before;

			r->violate(&a);
			before = fake_memory_tell(a.m);
			assert_int_equal(set_slot(&a), r->result);
			assert_int_equal(a.m->calls[FAKE_OP_SET_SLOT], calls + (nr == 23));
			assert_untouched(a.m, before, "a refused request");
		}
		fake_memory_destroy(a.m);
	}
}

static void row_1_no_request(void **state)
{
	assert_without_trace(
		*state, memslots_set_slot(&((struct fake_memory *)*state)->slots, NULL), -EFAULT);
}

#define ROW(nr, what)                               \
	static void row_##nr##_##what(void **state) \
	{                                           \
		(void)state;                        \
		breaking(nr);                       \
	}

ROW(3, slot_number)
ROW(4, unknown_flag)
ROW(5, size_not_in_pages)
ROW(6, unaligned_gpa)
ROW(7, unaligned_hva)
ROW(8, unaligned_gmem_offset)
ROW(9, address_space)
ROW(10, gpa_wraps)
ROW(11, too_many_pages)
ROW(12, deleting_what_is_not_there)
ROW(13, books_too_small_for_delete)
ROW(14, books_would_wrap)
ROW(15, slot_becomes_private)
ROW(16, other_hva)
ROW(17, nothing_to_do)
ROW(18, overlap)
ROW(19, no_memory)
ROW(20, no_gmem)
ROW(21, beyond_max_gfn)
ROW(22, veto)
ROW(23, kernel_refuses)

static void row_18_and_overlay(void **state)
{
	(void)state;
	breaking(OVERLAY);
}

static bool can_hold_at_once(const struct rule *r, const struct rule *s, enum kind kind)
{
	return r->kinds & s->kinds & IN(kind) && !(r->sets & (s->sets | s->needs)) &&
	       !(s->sets & (r->sets | r->needs));
}

static void breaking_both(const struct rule *first, const struct rule *second, enum kind kind)
{
	/* An identical request is not looked at any more. */
	int result = kind == SAME && first > rule_of(17) ? 0 : first->result;
	struct attempt a = attempt(kind);
	int rc;

	second->violate(&a);
	first->violate(&a);
	rc = set_slot(&a);
	if (rc != result)
		fail_msg("rules %d and %d, kind %d: %d, not %d", first->number, second->number,
			 kind, rc, result);
	fake_memory_destroy(a.m);
}

/* A request that breaks two rules gets the errno of the first: every two that can hold at once. */
static void earlier_rule_wins(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (const struct rule *first = rules; first < rules + ARRAY_SIZE(rules); first++)
		for (const struct rule *second = first + 1; second < rules + ARRAY_SIZE(rules);
		     second++)
			for (enum kind kind = 0; kind < KINDS; kind++)
				if (can_hold_at_once(first, second, kind)) {
					breaking_both(first, second, kind);
					tried++;
				}
	assert_true(tried > 300);
}

#define TEST_ALONE(test) cmocka_unit_test(test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(row_1_no_request),
		TEST_ALONE(row_3_slot_number),
		TEST_ALONE(row_4_unknown_flag),
		TEST_ALONE(row_5_size_not_in_pages),
		TEST_ALONE(row_6_unaligned_gpa),
		TEST_ALONE(row_7_unaligned_hva),
		TEST_ALONE(row_8_unaligned_gmem_offset),
		TEST_ALONE(row_9_address_space),
		TEST_ALONE(row_10_gpa_wraps),
		TEST_ALONE(row_11_too_many_pages),
		TEST_ALONE(row_12_deleting_what_is_not_there),
		TEST_ALONE(row_13_books_too_small_for_delete),
		TEST_ALONE(row_14_books_would_wrap),
		TEST_ALONE(row_15_slot_becomes_private),
		TEST_ALONE(row_16_other_hva),
		TEST_ALONE(row_17_nothing_to_do),
		TEST_ALONE(row_18_overlap),
		TEST_ALONE(row_18_and_overlay),
		TEST_ALONE(row_19_no_memory),
		TEST_ALONE(row_20_no_gmem),
		TEST_ALONE(row_21_beyond_max_gfn),
		TEST_ALONE(row_22_veto),
		TEST_ALONE(row_23_kernel_refuses),
		TEST_ALONE(earlier_rule_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
