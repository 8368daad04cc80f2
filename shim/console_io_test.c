// SPDX-License-Identifier: BSD-2-Clause
/* CONSOLEIO_*: what is written, how much of it, and who may read. */
#include "shim/console_io.h"

#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"

#define TEXT 0x20000ull

static long console_write(struct fake *f, uint64_t count, uint64_t from)
{
	return fake_call(f, __HYPERVISOR_console_io, CONSOLEIO_write, count, from);
}

static void fill_text(struct fake *f)
{
	for (unsigned i = 0; i < 0x2000; i++)
		f->ram[TEXT + i] = 'a' + i % 23;
}

static void writes(void **state)
{
	struct fake *f = *state;

	memcpy(f->ram + TEXT, "hello\n", 7);
	assert_int_equal(console_write(f, 6, TEXT), 0);
	assert_int_equal(f->console_len, 6);
	assert_memory_equal(f->console, "hello\n", 6);
}

static void any_length(void **state)
{
	static const unsigned lengths[] = {1, 127, 128, 129, 256, 300, 512};
	struct fake *f = *state;

	fill_text(f);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		f->console_len = 0;
		memset(f->console, 0, sizeof(f->console));
		assert_int_equal(console_write(f, lengths[i], TEXT + 0xff0), 0);
		assert_int_equal(f->console_len, lengths[i]);
		assert_memory_equal(f->console, f->ram + TEXT + 0xff0, lengths[i]);
	}
}

static void nothing_at_all(void **state)
{
	struct fake *f = *state;

	assert_int_equal(console_write(f, 0, FAKE_HOLE), 0);
	assert_int_equal(f->console_len, 0);
}

static void from_nowhere(void **state)
{
	assert_refused(*state, console_write(*state, 1, FAKE_HOLE), XEN_EFAULT);
	assert_refused(*state, console_write(*state, 8, FAKE_RAM_SIZE - 4), XEN_EFAULT);
}

/* Xen writes piece by piece: what is good is out when the bad comes. */
static void good_beginning(void **state)
{
	struct fake *f = *state;

	assert_int_equal(console_write(f, 1000, FAKE_RAM_SIZE - 400), -XEN_EFAULT);
	assert_true(f->console_len > 0 && f->console_len <= 400);
}

static void only_domain_0_reads(void **state)
{
	struct fake *f = *state;

	assert_refused(f, fake_call(f, __HYPERVISOR_console_io, CONSOLEIO_read, 16, TEXT),
		       XEN_EPERM);
	assert_refused(f, fake_call(f, __HYPERVISOR_console_io, CONSOLEIO_read, 16, FAKE_HOLE),
		       XEN_EPERM);
}

/* `unsigned int count`: more than two gigabytes are no error in themselves, and no bit counts
 * above. */
static void counts_have_no_sign(void **state)
{
	struct fake *f = *state;

	fill_text(f);
	assert_int_equal(console_write(f, 0x80000000, FAKE_RAM_SIZE - 100), -XEN_EFAULT);
	assert_int_equal(console_write(f, UINT32_MAX, FAKE_HOLE), -XEN_EFAULT);
	f->console_len = 0;
	assert_int_equal(console_write(f, 1ull << 32 | 5, TEXT), 0);
	assert_int_equal(f->console_len, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(writes),
		TEST_BOTH(any_length),
		TEST_BOTH(nothing_at_all),
		TEST_BOTH(from_nowhere),
		TEST_BOTH(good_beginning),
		TEST_BOTH(only_domain_0_reads),
		TEST_BOTH(counts_have_no_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
