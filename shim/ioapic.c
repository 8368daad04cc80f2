// SPDX-License-Identifier: BSD-2-Clause
/*
 * An input that is triggered by level and not masked sends once, which sets its remote IRR; once
 * more each time that the EOI comes while the line is still high. One that is triggered by an edge
 * sends when the line rises, and forgets edges while it is masked.
 */
#include "shim/ioapic.h"

#include <string.h>

/* Registers, and those behind the window. */
#define REG_SELECT 0x00
#define REG_WINDOW 0x10

#define REG_ID      0x00
#define REG_VERSION 0x01
#define REG_ARB_ID  0x02
#define REG_ENTRIES 0x10 /* two for each, the low half first */

#define VERSION  (0x11u | (IOAPIC_PINS - 1) << 16)
#define ID_SHIFT 24
#define ID_MASK  0xfu

#define MSI_ADDRESS       0xfee00000u
#define MSI_DEST_SHIFT    12
#define MSI_LOGICAL_SHIFT 2
#define MSI_MODE_SHIFT    8
#define MSI_ASSERT        (1u << 14)

enum delivery_mode {
	MODE_FIXED = 0,
	MODE_LOWEST_PRIORITY = 1,
	MODE_NMI = 4,
};

static bool is_level(const union vioapic_redir_entry *e)
{
	return e->fields.trig_mode;
}

/* Modes that Xen does not deliver make no message. */
struct ioapic_message ioapic_message(const struct ioapic *a, unsigned pin)
{
	const union vioapic_redir_entry e = a->regs.redirtbl[pin];
	unsigned mode = e.fields.delivery_mode;

	if (mode != MODE_FIXED && mode != MODE_LOWEST_PRIORITY && mode != MODE_NMI)
		return (struct ioapic_message){0};
	return (struct ioapic_message){
		.address = MSI_ADDRESS | (uint32_t)e.fields.dest_id << MSI_DEST_SHIFT |
			   (uint32_t)e.fields.dest_mode << MSI_LOGICAL_SHIFT,
		.data = e.fields.vector | mode << MSI_MODE_SHIFT | MSI_ASSERT |
			(is_level(&e) ? IOAPIC_DATA_LEVEL : 0),
	};
}

static void deliver(struct ioapic *a, unsigned pin)
{
	struct ioapic_message m = ioapic_message(a, pin);

	if (is_level(&a->regs.redirtbl[pin]))
		a->regs.redirtbl[pin].fields.remote_irr = 1;
	if (m.data)
		a->send(a->opaque, m);
}

/* An input that is triggered by level and has something to send. */
static void deliver_level(struct ioapic *a, unsigned pin)
{
	const union vioapic_redir_entry e = a->regs.redirtbl[pin];

	if (is_level(&e) && !e.fields.mask && !e.fields.remote_irr && a->lines >> pin & 1)
		deliver(a, pin);
}

void ioapic_set_line(struct ioapic *a, unsigned pin, bool high)
{
	const union vioapic_redir_entry e = a->regs.redirtbl[pin];
	uint64_t line = UINT64_C(1) << pin;
	bool rises = high && !(a->lines & line);

	a->lines = high ? a->lines | line : a->lines & ~line;
	if (!rises || e.fields.mask)
		return;
	if (is_level(&e))
		deliver_level(a, pin);
	else
		deliver(a, pin);
}

void ioapic_eoi(struct ioapic *a, uint8_t vector)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		if (a->regs.redirtbl[pin].fields.vector != vector)
			continue;
		a->regs.redirtbl[pin].fields.remote_irr = 0;
		deliver_level(a, pin);
	}
}

/* Delivery status and remote IRR are not the guest's to write; but an edge clears the latter. */
static void write_entry_low(struct ioapic *a, unsigned pin, uint32_t value)
{
	union vioapic_redir_entry *e = &a->regs.redirtbl[pin];
	bool remote_irr = e->fields.remote_irr;

	e->bits = (e->bits >> 32) << 32 | value;
	e->fields.delivery_status = 0;
	e->fields.remote_irr = remote_irr && is_level(e);
	deliver_level(a, pin);
}

static void write_entry_high(struct ioapic *a, unsigned pin, uint32_t value)
{
	union vioapic_redir_entry *e = &a->regs.redirtbl[pin];

	e->bits = (uint32_t)e->bits | (uint64_t)value << 32;
}

/* Of a selected register that is none of the others; false: there is no such entry. */
static bool select_entry(const struct ioapic *a, unsigned *pin)
{
	*pin = (a->regs.ioregsel - REG_ENTRIES) / 2;
	return *pin < IOAPIC_PINS;
}

static uint32_t read_window(const struct ioapic *a)
{
	unsigned pin;

	switch (a->regs.ioregsel) {
	case REG_ID:
	case REG_ARB_ID:
		return (a->regs.id & ID_MASK) << ID_SHIFT;
	case REG_VERSION:
		return VERSION;
	}
	if (!select_entry(a, &pin))
		return 0;
	return a->regs.redirtbl[pin].bits >> (a->regs.ioregsel & 1 ? 32 : 0);
}

static void write_window(struct ioapic *a, uint32_t value)
{
	unsigned pin;

	switch (a->regs.ioregsel) {
	case REG_ID:
		a->regs.id = value >> ID_SHIFT & ID_MASK;
		return;
	case REG_VERSION:
	case REG_ARB_ID:
		return;
	}
	if (!select_entry(a, &pin))
		return;
	if (a->regs.ioregsel & 1)
		write_entry_high(a, pin, value);
	else
		write_entry_low(a, pin, value);
}

uint32_t ioapic_read(const struct ioapic *a, uint64_t offset)
{
	switch (offset) {
	case REG_SELECT:
		return a->regs.ioregsel;
	case REG_WINDOW:
		return read_window(a);
	default:
		return 0;
	}
}

void ioapic_write(struct ioapic *a, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REG_SELECT:
		a->regs.ioregsel = value;
		break;
	case REG_WINDOW:
		write_window(a, value);
		break;
	}
}

void ioapic_init(struct ioapic *a, void (*send)(void *opaque, struct ioapic_message m),
		 void *opaque)
{
	memset(a, 0, sizeof(*a));
	a->regs.base_address = IOAPIC_BASE;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		a->regs.redirtbl[pin].fields.mask = 1;
	a->send = send;
	a->opaque = opaque;
}
