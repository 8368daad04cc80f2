// SPDX-License-Identifier: BSD-2-Clause
/* XENVER_*: what is told, how many bytes of it, and what a guest without privilege may not know. */
#include "shim/xen_version.h"

#include <stdio.h>
#include <string.h>

#include "shim/fake_paging.h"
#include "shim/fake_test.h"
#include "xen-abi/x86_32.h"

#define BUFFER 0x20000ull
#define GUARD  0x77

static long xen_version(struct fake *f, unsigned cmd, uint64_t arg)
{
	return fake_call(f, __HYPERVISOR_xen_version, cmd, arg, 0);
}

static void fill_buffer(struct fake *f)
{
	memset(f->ram + BUFFER, GUARD, 0x2000);
}

/* How many bytes were written at BUFFER, all in one piece: the rest still has the guard's value. */
static size_t written(struct fake *f)
{
	size_t len = 0x2000;

	while (len && f->ram[BUFFER + len - 1] == GUARD)
		len--;
	return len;
}

/* The operation fills `size` bytes with a text that ends inside them, `expected` if not NULL. */
static void check_text(struct fake *f, unsigned cmd, size_t size, const char *expected)
{
	const char *text = (char *)f->ram + BUFFER;

	fill_buffer(f);
	assert_int_equal(xen_version(f, cmd, BUFFER), 0);
	assert_int_equal(written(f), size);
	assert_non_null(memchr(text, 0, size));
	if (expected)
		assert_string_equal(text, expected);
}

static void version(void **state)
{
	struct fake *f = *state;

	assert_int_equal(xen_version(f, XENVER_version, 0), 4 << 16 | 17);
	assert_int_equal(xen_version(f, XENVER_version, FAKE_HOLE), 4 << 16 | 17);
}

static void texts(void **state)
{
	struct fake *f = *state;

	check_text(f, XENVER_extraversion, 16, XEN_SHIM_EXTRAVERSION);
	check_text(f, XENVER_capabilities, 1024, NULL);
	assert_non_null(strstr((char *)f->ram + BUFFER, "hvm-3.0-x86_64 "));
	check_text(f, XENVER_changeset, 64, NULL);
}

/* Four texts of fixed sizes one behind the other: compiler, who, where, when. */
static void compile_info(void **state)
{
	static const size_t at[] = {0, 64, 80, 112, 144};
	struct fake *f = *state;

	fill_buffer(f);
	assert_int_equal(xen_version(f, XENVER_compile_info, BUFFER), 0);
	assert_int_equal(written(f), 144);
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(memchr(f->ram + BUFFER + at[i], 0, at[i + 1] - at[i]));
}

static void guest_handle(void **state)
{
	struct fake *f = *state;

	for (unsigned i = 0; i < 16; i++)
		f->domain.uuid[i] = 0xa0 + i;
	fill_buffer(f);
	assert_int_equal(xen_version(f, XENVER_guest_handle, BUFFER), 0);
	assert_int_equal(written(f), 16);
	assert_memory_equal(f->ram + BUFFER, f->domain.uuid, 16);
}

static void pagesize(void **state)
{
	assert_int_equal(xen_version(*state, XENVER_pagesize, 0), 4096);
}

static long get_features(struct fake *f, uint32_t index, uint32_t *submap)
{
	struct xen_feature_info info = {.submap_idx = index, .submap = 0x55555555};
	long rc = fake_op(f, __HYPERVISOR_xen_version, XENVER_get_features, &info, sizeof(info));

	assert_int_equal(info.submap_idx, index);
	*submap = info.submap;
	return rc;
}

static void features(void **state)
{
	struct fake *f = *state;
	uint32_t submap;

	assert_int_equal(get_features(f, 0, &submap), 0);
	assert_int_equal(
		submap, 1u << XENFEAT_writable_page_tables | 1u << XENFEAT_auto_translated_physmap |
				1u << XENFEAT_hvm_callback_vector | 1u << XENFEAT_hvm_safe_pvclock |
				1u << XENFEAT_memory_op_vnode_supported |
				1u << XENFEAT_not_direct_mapped);
	assert_refused(f, get_features(f, 1, &submap), XEN_EINVAL);
	assert_refused(f, get_features(f, UINT32_MAX, &submap), XEN_EINVAL);
}

static void platform_parameters_64(void **state)
{
	struct fake *f = *state;
	uint64_t start;

	fill_buffer(f);
	assert_int_equal(xen_version(f, XENVER_platform_parameters, BUFFER), 0);
	assert_int_equal(written(f), sizeof(start));
	memcpy(&start, f->ram + BUFFER, sizeof(start));
	assert_int_equal(start, 0xffff800000000000);
}

/* A 32-bit PV guest would be told where its own hole begins; others have none. */
static void platform_parameters_32(void **state)
{
	struct fake *f = *state;
	uint32_t start;

	f->long_mode = false;
	fill_buffer(f);
	assert_int_equal(xen_version(f, XENVER_platform_parameters, BUFFER), 0);
	assert_int_equal(written(f), sizeof(start));
	memcpy(&start, f->ram + BUFFER, sizeof(start));
	assert_int_equal(start, 0xffffffff);
}

/* For the hypervisor's eyes: the one says so in words, the other by errno. */
static void privileged(void **state)
{
	struct fake *f = *state;

	fill_buffer(f);
	assert_int_equal(xen_version(f, XENVER_commandline, BUFFER), 0);
	assert_string_equal((char *)f->ram + BUFFER, "<denied>");
	assert_refused(f, xen_version(f, XENVER_build_id, 0), XEN_EPERM);
	assert_refused(f, xen_version(f, XENVER_build_id, BUFFER), XEN_EPERM);
	assert_refused(f, xen_version(f, XENVER_build_id, FAKE_HOLE), XEN_EPERM);
}

/* An answer that does not fit is not begun. */
static void to_nowhere(void **state)
{
	static const unsigned cmds[] = {
		XENVER_extraversion, XENVER_compile_info, XENVER_capabilities,
		XENVER_changeset,    XENVER_get_features, XENVER_platform_parameters,
		XENVER_guest_handle, XENVER_commandline,
	};
	struct fake *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_refused(f, xen_version(f, cmds[i], FAKE_HOLE), XEN_EFAULT);
		assert_refused(f, xen_version(f, cmds[i], FAKE_RAM_SIZE - 1), XEN_EFAULT);
	}
}

static void pagesize_has_no_argument(void **state)
{
	assert_int_equal(xen_version(*state, XENVER_pagesize, BUFFER), -XEN_EINVAL);
	assert_int_equal(xen_version(*state, XENVER_pagesize, FAKE_HOLE), -XEN_EINVAL);
}

/* Only the word itself: who has a short buffer, because that is what Xen writes, keeps the rest. */
static void denied_command_line_is_short(void **state)
{
	struct fake *f = *state;

	check_text(f, XENVER_commandline, sizeof("<denied>"), "<denied>");
}

static void features_to_a_read_only_page(void **state)
{
	struct fake *f = *state;
	uint32_t submap;

	fake_paging_read_only_arg(f);
	assert_refused(f, get_features(f, 0, &submap), XEN_EFAULT);
	assert_refused(f, get_features(f, 1, &submap), XEN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(version),
		TEST_BOTH(texts),
		TEST_BOTH(compile_info),
		TEST_BOTH(guest_handle),
		TEST_BOTH(pagesize),
		TEST_BOTH(features),
		TEST_64(platform_parameters_64),
		TEST_64(platform_parameters_32),
		TEST_BOTH(privileged),
		TEST_BOTH(to_nowhere),
		TEST_BOTH(pagesize_has_no_argument),
		TEST_BOTH(denied_command_line_is_short),
		TEST_BOTH(features_to_a_read_only_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
