// SPDX-License-Identifier: BSD-2-Clause
/* Writes to page tables: what kernels do, what fails, races, and what is left alone. */
#include "shim/pv/emulate.h"
#include "shim/pv/fake_cpu_test.h"

static enum pv_emulated run(struct fake_cpu *f, const uint8_t *bytes, unsigned count, uint64_t cr2)
{
	f->v.bounce = (struct pv_bounce){0};
	f->r.rip = FAKE_CODE;
	fake_cpu_code(f, bytes, count);
	return pv_emulate_write(&f->v, &f->r, cr2);
}

#define RUN(f, cr2, ...) \
	run((f), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), (cr2))

static void put_word(struct fake_cpu *f, uint64_t at, uint64_t value)
{
	memcpy(fake_cpu_at(f, at), &value, 8);
}

/* What assemblers make of what kernels do to entries. */
static void by_hand(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t at = FAKE_PTES + 0x40;

	f->r.rbx = at;
	put_word(f, at, 0x1234067);
	f->r.rcx = 0;
	assert_int_equal(RUN(f, at, 0x48, 0x87, 0x0b), PV_EMULATED); /* xchg %rcx, (%rbx) */
	assert_int_equal(f->r.rcx, 0x1234067);
	assert_int_equal(word_at(f, at), 0);
	assert_false(f->last_was_blind);

	f->r.rcx = 0x5067;
	assert_int_equal(RUN(f, at, 0x48, 0x89, 0x0b), PV_EMULATED); /* mov %rcx, (%rbx) */
	assert_int_equal(word_at(f, at), 0x5067);
	assert_true(f->last_was_blind);

	/* lock andb $0xfd, (%rbx); btrq $1 is the same */
	assert_int_equal(RUN(f, at, 0xf0, 0x80, 0x23, 0xfd), PV_EMULATED);
	assert_int_equal(word_at(f, at), 0x5065);

	/* movl $0x80000000, 4(%rbx) */
	assert_int_equal(RUN(f, at, 0xc7, 0x43, 0x04, 0, 0, 0, 0x80), PV_EMULATED);
	assert_int_equal(word_at(f, at), 0x8000000000005065);
	assert_false(f->last_was_blind);

	/* mov %ch, 1(%rbx): a high byte */
	assert_int_equal(RUN(f, at, 0x88, 0x6b, 0x01), PV_EMULATED);
	f->r.rcx = 0x7700;
	assert_int_equal(RUN(f, at, 0x88, 0x6b, 0x01), PV_EMULATED);
	assert_int_equal(word_at(f, at), 0x8000000000007765);
	/* xchg %ah, (%rbx) */
	f->r.rax = 0x1122;
	assert_int_equal(RUN(f, at, 0x86, 0x23), PV_EMULATED);
	assert_int_equal(f->r.rax, 0x6522);
	assert_int_equal(word_at(f, at), 0x8000000000007711);

	/* movabs %rax, at */
	assert_int_equal(RUN(f, at, 0x48, 0xa3, 0x40, 0, 2, 0, 0x80, 0x88, 0xff, 0xff),
			 PV_EMULATED);
	assert_int_equal(word_at(f, at), 0x6522);
	/* movnti %rcx, (%rbx) */
	assert_int_equal(RUN(f, at, 0x48, 0x0f, 0xc3, 0x0b), PV_EMULATED);
	assert_int_equal(word_at(f, at), 0x7700);
}

static void with_segments_and_short_addresses(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t at = FAKE_PTES + 0x40;

	f->bases[PV_BASE_GS] = FAKE_PTES;
	f->r.rcx = 0x1111;
	f->r.rbx = 0x40;
	assert_int_equal(RUN(f, at, 0x65, 0x48, 0x89, 0x0b), PV_EMULATED);
	assert_int_equal(word_at(f, at), 0x1111);
	f->r.rbx = 0xff00000000 | 0x48;
	assert_int_equal(RUN(f, at, 0x65, 0x67, 0x48, 0x89, 0x0b), PV_EMULATED);
	assert_int_equal(word_at(f, at + 8), 0x1111);
	/* ds says nothing */
	f->r.rbx = at + 16;
	assert_int_equal(RUN(f, at, 0x3e, 0x48, 0x89, 0x0b), PV_EMULATED);
	assert_int_equal(word_at(f, at + 16), 0x1111);
}

/* An entry that changes meanwhile: nothing else does, and the instruction is run again. */
static void races(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t at = FAKE_PTES;
	const uint8_t xchg[] = {0x48, 0x87, 0x0b};

	put_word(f, at, 0x5067);
	f->r.rbx = at;
	f->r.rcx = 0;
	f->changes_left = 1;
	assert_int_equal(run(f, xchg, 3, at), PV_EMULATED);
	assert_int_equal(f->r.rip, FAKE_CODE);
	assert_int_equal(f->r.rcx, 0);
	assert_int_equal(run(f, xchg, 3, at), PV_EMULATED);
	assert_int_equal(f->r.rip, FAKE_CODE + 3);
	assert_int_equal(f->r.rcx, 0x5067 ^ 0x60);
	assert_int_equal(word_at(f, at), 0);
}

/* A failed compare is a write of the old value: to what is no page table it is a fault. */
static void failed_compare(void **state)
{
	struct fake_cpu *f = *state;
	const uint8_t cmpxchg[] = {0xf0, 0x48, 0x0f, 0xb1, 0x0b};
	const uint64_t at = FAKE_PTES;

	put_word(f, at, 0x5067);
	f->r.rbx = at;
	f->r.rax = 1;
	f->refuse_entries = true;
	assert_int_equal(run(f, cmpxchg, 5, at), PV_NOT_EMULATED);
	assert_int_equal(f->r.rax, 1);
	f->refuse_entries = false;
	f->r.rflags |= RFLAGS_ZF;
	assert_int_equal(run(f, cmpxchg, 5, at), PV_EMULATED);
	assert_int_equal(f->r.rax, 0x5067);
	assert_int_equal(f->r.rflags & RFLAGS_ZF, 0);
	assert_int_equal(word_at(f, at), 0x5067);
}

static void repeated(void **state)
{
	struct fake_cpu *f = *state;
	const uint8_t rep_stosq[] = {0xf3, 0x48, 0xab};

	f->r.rax = 0x5067;
	f->r.rdi = FAKE_PTES;
	f->r.rcx = 3;
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(run(f, rep_stosq, 3, f->r.rdi), PV_EMULATED);
		assert_int_equal(f->r.rip, FAKE_CODE + (n == 2 ? 3 : 0));
	}
	assert_int_equal(f->r.rdi, FAKE_PTES + 24);
	assert_int_equal(word_at(f, FAKE_PTES + 16), 0x5067);
	assert_int_equal(word_at(f, FAKE_PTES + 24), 0);
	assert_int_equal(run(f, rep_stosq, 3, f->r.rdi), PV_NOT_EMULATED); /* 0 times */
}

static void move_from_nowhere(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->r.rdi = FAKE_PTES;
	f->r.rsi = FAKE_DATA + 0x1000 - 4;
	assert_int_equal(RUN(f, FAKE_PTES, 0x48, 0xa5), PV_EMULATED);
	assert_raised(f, VECTOR_PF, 0);
	assert_int_equal(f->v.cr2, FAKE_DATA + 0x1000);
	assert_int_equal(f->r.rdi, FAKE_PTES);
	assert_int_equal(f->entry_writes, 0);
}

static void not_ours(void **state)
{
	struct fake_cpu *f = *state;
	const uint64_t at = FAKE_PTES + 0x40;

	f->r.rbx = at;
	assert_int_equal(RUN(f, at, 0x48, 0x8b, 0x0b), PV_NOT_EMULATED);    /* mov (%rbx), %rcx */
	assert_int_equal(RUN(f, at, 0x48, 0x39, 0x0b), PV_NOT_EMULATED);    /* cmp */
	assert_int_equal(RUN(f, at, 0x48, 0x83, 0x3b, 0), PV_NOT_EMULATED); /* cmp */
	assert_int_equal(RUN(f, at, 0x48, 0xf7, 0x23), PV_NOT_EMULATED);    /* mul */
	assert_int_equal(RUN(f, at, 0x48, 0xf7, 0x03, 0, 0, 0, 0), PV_NOT_EMULATED); /* test */
	assert_int_equal(RUN(f, at, 0xff, 0x13), PV_NOT_EMULATED);                   /* call */
	assert_int_equal(RUN(f, at, 0x0f, 0xba, 0x23, 0), PV_NOT_EMULATED);          /* bt */
	assert_int_equal(RUN(f, at, 0x48, 0x0f, 0xc7, 0x0b), PV_NOT_EMULATED); /* cmpxchg16b */
	assert_int_equal(RUN(f, at, 0x0f, 0xc7, 0x33), PV_NOT_EMULATED);       /* vmptrld */
	assert_int_equal(RUN(f, at, 0xc7, 0x0b, 0, 0, 0, 0), PV_NOT_EMULATED);
	assert_int_equal(RUN(f, at, 0x48, 0x89, 0xcb), PV_NOT_EMULATED);       /* to a register */
	assert_int_equal(RUN(f, at, 0xf0, 0x48, 0x89, 0x0b), PV_NOT_EMULATED); /* LOCK MOV */
	assert_int_equal(RUN(f, at, 0x0f, 0x06), PV_NOT_EMULATED);             /* CLTS */
	assert_int_equal(RUN(f, at, 0xed), PV_NOT_EMULATED);                   /* IN */
	assert_int_equal(f->entry_writes, 0);
	assert_int_equal(f->r.rip, FAKE_CODE);
}

/* Within an entry, and in the page that the fault was in; there, and read-only. */
static void elsewhere(void **state)
{
	struct fake_cpu *f = *state;
	const uint8_t mov[] = {0x48, 0x89, 0x0b};

	set_handlers(f);
	f->r.rbx = FAKE_PTES + 4;
	assert_int_equal(run(f, mov, 3, FAKE_PTES + 4), PV_NOT_EMULATED);
	f->r.rbx = FAKE_PTES;
	assert_int_equal(run(f, mov, 3, FAKE_PTES + 0x1000), PV_NOT_EMULATED);
	f->r.rbx = FAKE_DATA;
	assert_int_equal(run(f, mov, 3, FAKE_DATA), PV_NOT_EMULATED); /* it may be written */
	f->r.rbx = 0x600000;
	assert_int_equal(run(f, mov, 3, 0x600000), PV_EMULATED);
	assert_raised(f, VECTOR_PF, 0);
	f->r.rbx = PV_HYPER_START;
	assert_int_equal(run(f, mov, 3, PV_HYPER_START), PV_EMULATED);
	assert_raised(f, VECTOR_PF, 0);
	fake_cpu_map(f, 0x700000, FAKE_FREE + 3, false);
	f->r.rbx = 0x700000;
	assert_int_equal(run(f, mov, 3, 0x700000), PV_NOT_EMULATED); /* no page table */
	fake_cpu_map(f, 0x800000, FAKE_TABLE, true);
	f->r.rbx = 0x800000;
	assert_int_equal(run(f, mov, 3, 0x800000), PV_NOT_EMULATED); /* no need to */
	assert_int_equal(f->entry_writes, 0);
}

static void code_not_there(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->r.rip = FAKE_CODE + 0x1000 - 2;
	fake_cpu_code(f, "\x48\x89", 2);
	assert_int_equal(pv_emulate_write(&f->v, &f->r, FAKE_PTES), PV_EMULATED);
	assert_raised(f, VECTOR_PF, PF_FETCH);
	assert_int_equal(f->v.cr2, FAKE_CODE + 0x1000);
}

static void step(void **state)
{
	struct fake_cpu *f = *state;

	set_handlers(f);
	f->r.rflags |= RFLAGS_TF | RFLAGS_RF;
	f->r.rbx = FAKE_PTES;
	assert_int_equal(RUN(f, FAKE_PTES, 0x48, 0x89, 0x0b), PV_EMULATED);
	assert_raised(f, VECTOR_DB, -1);
	assert_int_equal(f->r.rip, FAKE_CODE + 3);
	assert_int_equal(f->r.rflags & RFLAGS_RF, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_hand),        TEST(with_segments_and_short_addresses),
		TEST(races),          TEST(failed_compare),
		TEST(repeated),       TEST(move_from_nowhere),
		TEST(not_ours),       TEST(elsewhere),
		TEST(code_not_there), TEST(step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
