// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t size(const char *text)
{
	uint64_t bytes = 0;

	assert_int_equal(parse_size(text, &bytes), 0);
	return bytes;
}

static void units(void **state)
{
	(void)state;
	assert_int_equal(size("0"), 0);
	assert_int_equal(size("65536"), 65536);
	assert_int_equal(size("64K"), 65536);
	assert_int_equal(size("512M"), 512ull << 20);
	assert_int_equal(size("512m"), 512ull << 20);
	assert_int_equal(size("3GB"), 3ull << 30);
	assert_int_equal(size("3GiB"), 3ull << 30);
	assert_int_equal(size("2T"), 2ull << 40);
	assert_int_equal(size("007K"), 7 << 10);
}

static void largest(void **state)
{
	(void)state;
	assert_int_equal(size("18446744073709551615"), UINT64_MAX);
	assert_int_equal(size("18014398509481983K"), UINT64_MAX - 1023);
	assert_int_equal(size("16777215T"), 0xffffffull << 40);
}

static void refused(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"M",
		"-1",
		"+1",
		" 1M",
		"1 M",
		"abc",
		"5M1",
		"1MM",
		"1X",
		"0x10",
		"1.5G",
		"1E",
		"1iB",
		"1Mi",
		"1B",
		"1M ",
		"1KBB",
		"1Kib\n",
		"\xff",
		"18446744073709551616",
		"18014398509481984K",
		"16777216T",
		"99999999999999999999999999T",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		uint64_t bytes = 42;

		if (!parse_size(texts[i], &bytes))
			fail_msg("'%s' was taken", texts[i]);
		assert_int_equal(bytes, 42);
	}
}

static void counts(void **state)
{
	static const char *const refused_counts[] = {
		"", "0", "129", "-1", "+1", " 1", "1 ", "4M", "0x4", "99999999999999999999999"};
	unsigned n;

	(void)state;
	assert_int_equal(parse_count("1", 128, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(parse_count("128", 128, &n), 0);
	assert_int_equal(n, 128);
	for (unsigned i = 0; i < sizeof(refused_counts) / sizeof(*refused_counts); i++) {
		if (!parse_count(refused_counts[i], 128, &n))
			fail_msg("'%s' was taken", refused_counts[i]);
		assert_int_equal(n, 128);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units),
		cmocka_unit_test(largest),
		cmocka_unit_test(refused),
		cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
