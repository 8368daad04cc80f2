// SPDX-License-Identifier: BSD-2-Clause
/* Each register of the I/O APIC, and each rule of when it sends: as Xen's vioapic.c. */
#include "shim/ioapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "shim/types.h"

#define PIN 5

/* Bits of a redirection entry's low half. */
#define FIXED    (0u << 8)
#define LOWEST   (1u << 8)
#define SMI      (2u << 8)
#define NMI      (4u << 8)
#define INIT     (5u << 8)
#define EXTINT   (7u << 8)
#define LOGICAL  (1u << 11)
#define STATUS   (1u << 12)
#define LOW      (1u << 13)
#define IRR      (1u << 14)
#define LEVEL    (1u << 15)
#define MASKED   (1u << 16)
#define RESERVED 0xfffe0000u

struct sent {
	unsigned count;
	struct ioapic_message last;
};

static struct sent sent;
static struct ioapic ioapic;

static void send(void *opaque, struct ioapic_message m)
{
	struct sent *s = opaque;

	s->count++;
	s->last = m;
}

static int setup(void **state)
{
	(void)state;
	sent = (struct sent){0};
	ioapic_init(&ioapic, send, &sent);
	return 0;
}

static uint32_t get(uint32_t reg)
{
	ioapic_write(&ioapic, 0, reg);
	assert_int_equal(ioapic_read(&ioapic, 0), reg);
	return ioapic_read(&ioapic, 0x10);
}

static void put(uint32_t reg, uint32_t value)
{
	ioapic_write(&ioapic, 0, reg);
	ioapic_write(&ioapic, 0x10, value);
}

static uint32_t entry(unsigned pin)
{
	return get(0x10 + 2 * pin);
}

static void program(unsigned pin, uint32_t low)
{
	put(0x10 + 2 * pin, low);
}

/* How often it has sent since the last question. */
static unsigned sends(void)
{
	unsigned n = sent.count;

	sent.count = 0;
	return n;
}

static void after_reset(void **state)
{
	(void)state;
	assert_int_equal(ioapic_read(&ioapic, 0), 0);
	assert_int_equal(get(0), 0);
	assert_int_equal(get(1), 0x002f0011);
	assert_int_equal(get(2), 0);
	for (unsigned pin = 0; pin < 48; pin++) {
		assert_int_equal(get(0x10 + 2 * pin), MASKED);
		assert_int_equal(get(0x11 + 2 * pin), 0);
	}
	assert_int_equal(sizeof(ioapic.regs.redirtbl) / 8, 48);
	assert_int_equal(ioapic.regs.base_address, 0xfec00000);
}

static void id(void **state)
{
	(void)state;
	put(0, 0xffffffff);
	assert_int_equal(get(0), 0x0f000000);
	assert_int_equal(get(2), 0x0f000000);
	put(2, 0x03000000);
	put(1, 0);
	assert_int_equal(get(0), 0x0f000000);
	assert_int_equal(get(1), 0x002f0011);
	put(0, 0x01000000);
	assert_int_equal(get(2), 0x01000000);
}

/* Registers that are not there read as 0, and nothing happens to the others. */
static void no_such_register(void **state)
{
	const uint32_t regs[] = {3, 0xf, 0x70, 0x71, 0xff, 0x100, 0x110, 0xfffffff0, UINT32_MAX};
	struct ioapic before;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(regs); i++) {
		assert_int_equal(get(regs[i]), 0);
		before = ioapic;
		put(regs[i], 0x1234);
		assert_memory_equal(&before, &ioapic, sizeof(ioapic));
	}
}

/* Nor any but the two at other offsets: version 0x11 has no EOI register. */
static void no_such_offset(void **state)
{
	const uint64_t offsets[] = {1, 4, 0xf, 0x11, 0x14, 0x20, 0x40, 0xfc, 0x100, UINT64_MAX};
	struct ioapic before;

	(void)state;
	program(PIN, LEVEL | 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	before = ioapic;
	for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
		assert_int_equal(ioapic_read(&ioapic, offsets[i]), 0);
		ioapic_write(&ioapic, offsets[i], 0x31);
		assert_memory_equal(&before, &ioapic, sizeof(ioapic));
	}
}

/* Reserved bits are kept; delivery status and remote IRR are read-only. */
static void entry_bits(void **state)
{
	(void)state;
	program(PIN, UINT32_MAX);
	assert_int_equal(entry(PIN), UINT32_MAX & ~(STATUS | IRR));
	put(0x11 + 2 * PIN, 0x12345678);
	assert_int_equal(get(0x11 + 2 * PIN), 0x12345678);
	assert_int_equal(entry(PIN), UINT32_MAX & ~(STATUS | IRR));
	program(PIN, 0);
	assert_int_equal(get(0x11 + 2 * PIN), 0x12345678);
	assert_int_equal(entry(PIN), 0);
	program(47, RESERVED | 0x40);
	assert_int_equal(entry(47), RESERVED | 0x40);
	assert_int_equal(entry(46), MASKED);
	assert_int_equal(sends(), 0);
}

static void messages(void **state)
{
	(void)state;
	put(0x11 + 2 * PIN, 0x03ffffff);
	program(PIN, FIXED | 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sent.last.address, 0xfee03000);
	assert_int_equal(sent.last.data, 0x4031);
	put(0x11 + 2 * PIN, 0xff000000);
	program(PIN, LOWEST | LOGICAL | LEVEL | 0xfe);
	assert_int_equal(sent.last.address, 0xfeeff004);
	assert_int_equal(sent.last.data, 0xc1fe);
	assert_int_equal(sends(), 2);
	assert_int_equal(ioapic_message(&ioapic, PIN).data, 0xc1fe);
	program(PIN, LOWEST | LOGICAL | LEVEL | MASKED | 0xfe);
	assert_int_equal(ioapic_message(&ioapic, PIN).data, 0xc1fe);
}

/* Xen knows three modes; the others count as delivered, to nobody. */
static void modes(void **state)
{
	static const struct {
		uint32_t mode;
		bool sends;
	} all[] = {{FIXED, true}, {LOWEST, true}, {SMI, false},     {3u << 8, false},
		   {NMI, true},   {INIT, false},  {6u << 8, false}, {EXTINT, false}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		program(i, all[i].mode | LEVEL | 0x40);
		ioapic_set_line(&ioapic, i, true);
		assert_int_equal(sends(), all[i].sends);
		assert_int_equal(entry(i), all[i].mode | LEVEL | IRR | 0x40);
		assert_int_equal(!!ioapic_message(&ioapic, i).data, all[i].sends);
	}
	assert_int_equal(sent.last.data & 0x700, NMI);
}

static void edge(void **state)
{
	(void)state;
	program(PIN, 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 1);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 0);
	assert_int_equal(entry(PIN), 0x31);
	ioapic_eoi(&ioapic, 0x31);
	assert_int_equal(sends(), 0);
	ioapic_set_line(&ioapic, PIN, false);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 1);
	/* Low active makes no difference. */
	program(PIN, LOW | 0x31);
	ioapic_set_line(&ioapic, PIN, false);
	assert_int_equal(sends(), 0);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 1);
}

static void edge_while_masked_is_lost(void **state)
{
	(void)state;
	program(PIN, MASKED | 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	program(PIN, 0x31);
	assert_int_equal(sends(), 0);
}

static void level(void **state)
{
	(void)state;
	program(PIN, LEVEL | 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 1);
	assert_int_equal(entry(PIN), LEVEL | IRR | 0x31);
	/* It has been sent: whatever the line does, the EOI comes first. */
	ioapic_set_line(&ioapic, PIN, false);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 0);
	ioapic_eoi(&ioapic, 0x30);
	assert_int_equal(entry(PIN), LEVEL | IRR | 0x31);
	/* Still high at the EOI: again. */
	ioapic_eoi(&ioapic, 0x31);
	assert_int_equal(sends(), 1);
	assert_int_equal(entry(PIN), LEVEL | IRR | 0x31);
	ioapic_set_line(&ioapic, PIN, false);
	ioapic_eoi(&ioapic, 0x31);
	assert_int_equal(sends(), 0);
	assert_int_equal(entry(PIN), LEVEL | 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 1);
}

static void level_while_masked_waits(void **state)
{
	(void)state;
	program(PIN, LEVEL | MASKED | 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	assert_int_equal(sends(), 0);
	assert_int_equal(entry(PIN), LEVEL | MASKED | 0x31);
	put(0x11 + 2 * PIN, 0x01000000); /* the high half sends nothing */
	assert_int_equal(sends(), 0);
	program(PIN, LEVEL | 0x31);
	assert_int_equal(sends(), 1);
	assert_int_equal(entry(PIN), LEVEL | IRR | 0x31);
	program(PIN, LEVEL | 0x31);
	assert_int_equal(sends(), 0);
	/* Masked while in service: the EOI is taken, and it waits for the mask. */
	program(PIN, LEVEL | MASKED | 0x31);
	ioapic_eoi(&ioapic, 0x31);
	assert_int_equal(entry(PIN), LEVEL | MASKED | 0x31);
	assert_int_equal(sends(), 0);
	program(PIN, LEVEL | 0x31);
	assert_int_equal(sends(), 1);
}

/* How Linux ends an interrupt without an EOI register: to edge and back, masked. */
static void edge_clears_remote_irr(void **state)
{
	(void)state;
	program(PIN, LEVEL | 0x31);
	ioapic_set_line(&ioapic, PIN, true);
	program(PIN, MASKED | 0x31);
	assert_int_equal(entry(PIN), MASKED | 0x31);
	program(PIN, LEVEL | MASKED | 0x31);
	assert_int_equal(entry(PIN), LEVEL | MASKED | 0x31);
	assert_int_equal(sends(), 1);
	program(PIN, LEVEL | 0x31);
	assert_int_equal(sends(), 1);
}

/* One vector for several inputs: the EOI is that of all. */
static void shared_vector(void **state)
{
	(void)state;
	program(3, LEVEL | 0x31);
	program(4, LEVEL | 0x31);
	program(6, LEVEL | 0x32);
	ioapic_set_line(&ioapic, 3, true);
	ioapic_set_line(&ioapic, 4, true);
	ioapic_set_line(&ioapic, 6, true);
	assert_int_equal(sends(), 3);
	ioapic_set_line(&ioapic, 4, false);
	ioapic_eoi(&ioapic, 0x31);
	assert_int_equal(sends(), 1);
	assert_int_equal(entry(3), LEVEL | IRR | 0x31);
	assert_int_equal(entry(4), LEVEL | 0x31);
	assert_int_equal(entry(6), LEVEL | IRR | 0x32);
}

/* The input of the highest number is one like any other. */
static void last_pin(void **state)
{
	(void)state;
	program(47, LEVEL | 0x31);
	ioapic_set_line(&ioapic, 47, true);
	assert_int_equal(sends(), 1);
	assert_int_equal(entry(47), LEVEL | IRR | 0x31);
	assert_int_equal(ioapic.lines, 1ull << 47);
	ioapic_set_line(&ioapic, 47, false);
	assert_int_equal(ioapic.lines, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(after_reset, setup),
		cmocka_unit_test_setup(id, setup),
		cmocka_unit_test_setup(no_such_register, setup),
		cmocka_unit_test_setup(no_such_offset, setup),
		cmocka_unit_test_setup(entry_bits, setup),
		cmocka_unit_test_setup(messages, setup),
		cmocka_unit_test_setup(modes, setup),
		cmocka_unit_test_setup(edge, setup),
		cmocka_unit_test_setup(edge_while_masked_is_lost, setup),
		cmocka_unit_test_setup(level, setup),
		cmocka_unit_test_setup(level_while_masked_waits, setup),
		cmocka_unit_test_setup(edge_clears_remote_irr, setup),
		cmocka_unit_test_setup(shared_vector, setup),
		cmocka_unit_test_setup(last_pin, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
