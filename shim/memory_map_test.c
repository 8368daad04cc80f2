// SPDX-License-Identifier: BSD-2-Clause
/* XENMEM_memory_map and set_memory_map. */
#include "shim/memory_map.h"

#include <string.h>

#include "shim/fake_test.h"
#include "xen-abi/x86_32.h"

static long memory_op(struct fake *f, uint64_t cmd, void *arg, size_t len)
{
	return fake_op(f, __HYPERVISOR_memory_op, cmd, arg, len);
}

/* What Linux reads as struct e820entry. */
struct e820 {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));

static const struct hvm_memmap_table_entry memmap[] = {
	{.addr = 0, .size = FAKE_RAM_SIZE, .type = XEN_HVM_MEMMAP_TYPE_RAM},
	{.addr = FAKE_HIGH, .size = FAKE_HIGH_SIZE, .type = XEN_HVM_MEMMAP_TYPE_RAM},
	{.addr = 0xfc000000, .size = 0x10000, .type = XEN_HVM_MEMMAP_TYPE_ACPI},
};

/* XENMEM_memory_map; *count as in the argument before and after. */
static long memory_map(struct fake *f, uint64_t buffer, uint32_t *count)
{
	struct xen_memory_map native = {.nr_entries = *count};
	struct xen_memory_map_x86_32 compat = {.nr_entries = *count, .buffer = buffer};
	long rc;

	memcpy((char *)&native + 8, &buffer, sizeof(buffer));
	if (f->long_mode)
		rc = memory_op(f, XENMEM_memory_map, &native, sizeof(native));
	else
		rc = memory_op(f, XENMEM_memory_map, &compat, sizeof(compat));
	*count = f->long_mode ? native.nr_entries : compat.nr_entries;
	return rc;
}

static void set_memmap(struct fake *f)
{
	f->domain.memmap = memmap;
	f->domain.memmap_entries = ARRAY_SIZE(memmap);
}

static void check_entries(struct fake *f, uint64_t buffer, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct e820 e;

		memcpy(&e, fake_at(f, buffer + i * sizeof(e)), sizeof(e));
		assert_int_equal(e.addr, memmap[i].addr);
		assert_int_equal(e.size, memmap[i].size);
		assert_int_equal(e.type, memmap[i].type);
	}
}

static void whole_memory_map(void **state)
{
	struct fake *f = *state;
	uint32_t count = 128;

	set_memmap(f);
	memset(f->ram + 0x20000, 0x77, 0x1000);
	assert_int_equal(memory_map(f, 0x20000, &count), 0);
	assert_int_equal(count, ARRAY_SIZE(memmap));
	check_entries(f, 0x20000, count);
	assert_int_equal(f->ram[0x20000 + sizeof(struct e820) * ARRAY_SIZE(memmap)], 0x77);
}

/* Xen shortens without a word. */
static void short_buffer(void **state)
{
	struct fake *f = *state;
	uint32_t count = 2;

	set_memmap(f);
	memset(f->ram + 0x20000, 0x77, 0x1000);
	assert_int_equal(memory_map(f, 0x20000, &count), 0);
	assert_int_equal(count, 2);
	check_entries(f, 0x20000, 2);
	assert_int_equal(f->ram[0x20000 + 2 * sizeof(struct e820)], 0x77);
	count = 0;
	assert_int_equal(memory_map(f, FAKE_HOLE, &count), 0);
	assert_int_equal(count, 0);
}

static void memory_map_to_nowhere(void **state)
{
	struct fake *f = *state;
	uint32_t count = 128;

	set_memmap(f);
	assert_refused(f, memory_map(f, FAKE_HOLE, &count), XEN_EFAULT);
	assert_int_equal(count, 128);
}

static void no_memory_map(void **state)
{
	struct fake *f = *state;
	uint32_t count = 128;

	assert_refused(f, memory_map(f, 0x20000, &count), XEN_ENOSYS);
	assert_refused(f, fake_call(f, __HYPERVISOR_memory_op, XENMEM_memory_map, FAKE_HOLE, 0),
		       XEN_EFAULT);
}

/* Room for the first entry only: not even that one is written. */
static void memory_map_over_the_end_of_ram(void **state)
{
	struct fake *f = *state;
	uint32_t count = 128;

	set_memmap(f);
	f->vcpu[0].paging = (struct paging){0};
	assert_int_equal(fake_remove_memory(f, 0), 0);
	assert_int_equal(fake_add_memory(f, 0, 0, 0x21000, f->ram), 0);
	assert_refused(f, memory_map(f, 0x20fe0, &count), XEN_EFAULT);
	assert_int_equal(count, 128);
}

/* More than anyone has is cut. */
static void long_memory_map(void **state)
{
	struct hvm_memmap_table_entry many[1025];
	struct fake *f = *state;
	uint32_t count = 2000;
	struct e820 last;

	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct hvm_memmap_table_entry){.addr = i * 0x1000, .size = 0x1000};
	f->domain.memmap = many;
	f->domain.memmap_entries = ARRAY_SIZE(many);
	assert_int_equal(memory_map(f, 0x20000, &count), 0);
	assert_int_equal(count, 1024);
	memcpy(&last, f->ram + 0x20000 + 1023 * sizeof(last), sizeof(last));
	assert_int_equal(last.addr, 1023 * 0x1000);
}

/* XENMEM_set_memory_map */
static long set_memory_map(struct fake *f, domid_t domid, uint64_t buffer, uint32_t count)
{
	struct xen_foreign_memory_map native = {.domid = domid, .map.nr_entries = count};
	struct xen_foreign_memory_map_x86_32 compat = {domid, {count, buffer}};

	memcpy(&native.map.buffer, &buffer, sizeof(buffer));
	return f->long_mode ? memory_op(f, XENMEM_set_memory_map, &native, sizeof(native))
			    : memory_op(f, XENMEM_set_memory_map, &compat, sizeof(compat));
}

/* A guest is told what it has said, as often as it says it; and nothing if it has said nothing. */
static void a_map_of_its_own(void **state)
{
	const struct e820 own[] = {{0, 0x9f000, 1}, {0x100000, 0x1234000, 1}};
	struct fake *f = *state;
	struct e820 read[2];
	uint32_t count = 128;

	set_memmap(f);
	memcpy(f->ram + 0x30000, own, sizeof(own));
	assert_int_equal(set_memory_map(f, DOMID_SELF, 0x30000, 2), 0);
	assert_int_equal(memory_map(f, 0x20000, &count), 0);
	assert_int_equal(count, 2);
	assert_memory_equal(f->ram + 0x20000, own, sizeof(own));
	assert_int_equal(set_memory_map(f, FAKE_DOMID, 0x30000, 1), 0);
	count = 128;
	assert_int_equal(memory_map(f, 0x20000, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(set_memory_map(f, DOMID_SELF, FAKE_HOLE, 0), 0);
	assert_refused(f, memory_map(f, 0x20000, &count), XEN_ENOSYS);
	memory_map_reset(&f->domain);
	count = 2;
	assert_int_equal(memory_map(f, 0x20000, &count), 0);
	memcpy(read, f->ram + 0x20000, sizeof(read));
	assert_int_equal(read[1].addr, FAKE_HIGH);
}

static void maps_that_cannot_be(void **state)
{
	struct fake *f = *state;

	set_memmap(f);
	assert_refused(f, set_memory_map(f, DOMID_SELF, 0x30000, 1025), XEN_EINVAL);
	assert_refused(f, set_memory_map(f, 0, 0x30000, 1025), XEN_EINVAL);
	assert_refused(f, set_memory_map(f, 0, 0x30000, 1), XEN_EPERM);
	assert_refused(f, set_memory_map(f, 99, 0x30000, 1), XEN_ESRCH);
	assert_refused(f, set_memory_map(f, DOMID_SELF, FAKE_HOLE, 1), XEN_EFAULT);
	assert_refused(f, set_memory_map(f, DOMID_SELF, FAKE_RAM_SIZE - 19, 1), XEN_EFAULT);
	assert_int_equal(set_memory_map(f, DOMID_SELF, 0x30000, 1024), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(whole_memory_map),
		TEST_BOTH(short_buffer),
		TEST_BOTH(memory_map_to_nowhere),
		TEST_BOTH(no_memory_map),
		TEST_BOTH(memory_map_over_the_end_of_ram),
		TEST_BOTH(long_memory_map),
		TEST_BOTH(a_map_of_its_own),
		TEST_BOTH(maps_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
