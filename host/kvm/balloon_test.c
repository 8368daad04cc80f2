// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a guest gives back the host has: resident memory falls page by page, stays where it is, and
 * comes back as zeros. RAM as the program maps it, with a domain that no KVM runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "host/kvm/vm.h"

#define MIB   (1ull << 20)
#define PAGES (64 * MIB / GUEST_PAGE_SIZE)
#define HUGE  512u /* pages */

static int set_slot(void *host, const struct memslot *old, const struct memslot *new)
{
	(void)host;
	(void)old;
	(void)new;
	return 0;
}

static const struct memslot_ops memory_ops_of_test = {.set_slot = set_slot};

static const struct platform_ops platform = {
	.memory = &memory_ops_of_test,
	.ram_discard = vm_ram_discard,
	.ram_populated = vm_ram_populated,
};

static uint8_t shared_info[GUEST_PAGE_SIZE];

static int setup(void **state)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	struct problem p;

	assert_non_null(vm);
	vm->config.memory = 32 * MIB;
	vm->config.max_memory = 64 * MIB;
	assert_int_equal(domain_init(&vm->domain, &platform, vm, 1, shared_info), 0);
	assert_int_equal(vm_memory_create(vm, &p), 0);
	*state = vm;
	return 0;
}

static int teardown(void **state)
{
	struct vm *vm = *state;

	vm_memory_destroy(vm);
	domain_destroy(&vm->domain);
	free(vm);
	return 0;
}

static uint8_t *page(struct vm *vm, uint64_t nr)
{
	return vm->ram.blocks[0].hva + nr * GUEST_PAGE_SIZE;
}

/* What /proc/self/smaps says of the RAM. */
struct smaps {
	uint64_t resident; /* pages */
	unsigned mappings;
	unsigned small, huge; /* mappings with these wishes */
};

static struct smaps read_smaps(struct vm *vm)
{
	uintptr_t ram = (uintptr_t)page(vm, 0), end = (uintptr_t)page(vm, PAGES);
	FILE *file = fopen("/proc/self/smaps", "r");
	struct smaps s = {0};
	bool inside = false;
	char line[512];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long from, to;
		char *at;

		from = strtoul(line, &at, 16);
		if (at > line && *at == '-') {
			to = strtoul(at + 1, NULL, 16);
			inside = from >= ram && to <= end;
			s.mappings += inside;
		} else if (inside && !strncmp(line, "Rss:", 4)) {
			s.resident += strtoul(line + 4, NULL, 10) / 4;
		} else if (inside && !strncmp(line, "VmFlags:", 8)) {
			s.small += strstr(line, " nh") != NULL;
			s.huge += strstr(line, " hg") != NULL;
		}
	}
	fclose(file);
	return s;
}

static void touch_all(struct vm *vm)
{
	for (uint64_t i = 0; i < PAGES; i++)
		memset(page(vm, i), 1 + i % 255, GUEST_PAGE_SIZE);
}

static bool holds(struct vm *vm, uint64_t nr, uint8_t byte)
{
	const uint8_t *p = page(vm, nr);

	return p[0] == byte && !memcmp(p, p + 1, GUEST_PAGE_SIZE - 1);
}

static void remove_pages(struct vm *vm, uint64_t first, unsigned step, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t frame = first + (uint64_t)i * step;

		assert_int_equal(reservation_remove(&vm->domain, &frame, 1, 0), 1);
	}
}

static void populate_pages(struct vm *vm, uint64_t first, unsigned step, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t frame = first + (uint64_t)i * step;

		assert_int_equal(reservation_populate(&vm->domain, &frame, 1, 0), 1);
	}
}

/* More than it shall have at first is RAM, too, and costs nothing until it is touched. */
static void all_that_it_may_have_is_ram(void **state)
{
	struct vm *vm = *state;
	struct domain_memory m;

	domain_memory(&vm->domain, &m);
	assert_int_equal(m.pages, PAGES);
	assert_int_equal(m.ram, PAGES);
	assert_int_equal(m.target, PAGES / 2);
	assert_int_equal(m.max, PAGES / 2 + RESERVATION_SLACK);
	assert_int_equal(vm->domain.memmap[0].size, 64 * MIB);
	assert_int_equal(read_smaps(vm).resident, 0);
}

static void single_pages(void **state)
{
	struct vm *vm = *state;

	touch_all(vm);
	assert_int_equal(read_smaps(vm).resident, PAGES);
	remove_pages(vm, 5, 2, 100);
	assert_int_equal(read_smaps(vm).resident, PAGES - 100);
	for (unsigned i = 0; i < 200; i++)
		assert_true(holds(vm, 4 + i, i % 2 ? 0 : 1 + (4 + i) % 255));
}

/* The first half goes, in whichever order, and nothing of it is left. */
static void half_of_it(void **state)
{
	struct vm *vm = *state;

	touch_all(vm);
	remove_pages(vm, 0, 1, PAGES / 4);
	for (unsigned i = PAGES / 2; i-- > PAGES / 4;)
		remove_pages(vm, i, 1, 1);
	assert_int_equal(read_smaps(vm).resident, PAGES / 2);
	for (uint64_t i = PAGES / 2; i < PAGES; i++)
		assert_true(holds(vm, i, 1 + i % 255));
}

static void large_extents(void **state)
{
	struct vm *vm = *state;
	uint64_t frames[8];

	touch_all(vm);
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = (2 + i) * HUGE;
	assert_int_equal(reservation_remove(&vm->domain, frames, 8, 9), 8);
	assert_int_equal(read_smaps(vm).resident, PAGES - 8 * HUGE);
	/* Nothing is mixed: no wish was needed. */
	assert_int_equal(read_smaps(vm).small, 0);
}

/*
 * A huge page with gaps is kept small, so that the kernel does not fill them; without gaps, or
 * all gap, it may be huge again, and nothing is left of the wishes.
 */
static void gaps_stay(void **state)
{
	struct vm *vm = *state;
	struct smaps before, s;

	touch_all(vm);
	before = read_smaps(vm);
	remove_pages(vm, 10 * HUGE + 3, 1, 1);
	remove_pages(vm, 20 * HUGE, 1, HUGE - 1);
	s = read_smaps(vm);
	assert_int_equal(s.small, before.huge ? 2 : s.small);
	remove_pages(vm, 20 * HUGE + HUGE - 1, 1, 1);
	assert_int_equal(read_smaps(vm).small, before.huge ? 1 : s.small);
	domain_set_memory_target(&vm->domain, PAGES);
	populate_pages(vm, 10 * HUGE + 3, 1, 1);
	s = read_smaps(vm);
	assert_int_equal(s.small, 0);
	assert_int_equal(s.mappings, before.mappings);
	assert_true(holds(vm, 10 * HUGE + 3, 0));
}

/* In every huge page, as many as can be. */
static void gaps_everywhere(void **state)
{
	struct vm *vm = *state;

	touch_all(vm);
	remove_pages(vm, 1, 2, PAGES / 2);
	assert_int_equal(read_smaps(vm).resident, PAGES / 2);
	assert_int_equal(vm->kept_small, PAGES / HUGE);
	domain_set_memory_target(&vm->domain, PAGES);
	populate_pages(vm, 1, 2, PAGES / 2);
	assert_int_equal(vm->kept_small, 0);
	for (uint64_t i = 0; i < PAGES; i++)
		assert_true(holds(vm, i, i % 2 ? 0 : 1 + i % 255));
}

/* A kernel that begins anew has all of it. */
static void anew(void **state)
{
	struct vm *vm = *state;
	struct domain_memory m;

	touch_all(vm);
	remove_pages(vm, 7, 3, 1000);
	reservation_reset(&vm->domain);
	domain_memory(&vm->domain, &m);
	assert_int_equal(m.pages, PAGES);
	assert_int_equal(vm->kept_small, 0);
	assert_int_equal(domain_count_populated(&vm->domain, gfn(0), PAGES), PAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_that_it_may_have_is_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(single_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(half_of_it, setup, teardown),
		cmocka_unit_test_setup_teardown(large_extents, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(anew, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
