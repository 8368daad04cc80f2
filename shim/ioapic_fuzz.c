// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest that programs the I/O APIC as it likes, while lines change and EOIs come. After each step
 * what is always true is true, and as much was sent as the change of each entry says.
 */
#include "shim/fuzz_input.h"
#include "shim/ioapic.h"

struct sent {
	unsigned count;
	uint64_t vectors[4]; /* that were sent, a bit each */
};

static void send(void *opaque, struct ioapic_message m)
{
	struct sent *s = opaque;
	unsigned mode = m.data >> 8 & 7, vector = m.data & 0xff;

	if (m.address >> 20 != 0xfee || m.data >> 16 || (mode != 0 && mode != 1 && mode != 4))
		fail("sends %#x to %#x\n", m.data, m.address);
	s->count++;
	s->vectors[vector / 64] |= 1ull << vector % 64;
}

static void check_entry(const struct ioapic *a, unsigned pin)
{
	const union vioapic_redir_entry e = a->regs.redirtbl[pin];
	bool level = e.fields.trig_mode, high = a->lines >> pin & 1;

	if (e.fields.delivery_status)
		fail("pin %u: delivery is under way for ever\n", pin);
	if (!level && e.fields.remote_irr)
		fail("pin %u: remote IRR of an edge\n", pin);
	if (level && high && !e.fields.mask && !e.fields.remote_irr)
		fail("pin %u is high, and nothing was sent\n", pin);
}

static void check_all(const struct ioapic *a, const struct ioapic *before)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		check_entry(a, pin);
	if (a->lines >> IOAPIC_PINS)
		fail("lines that are not there: %#llx\n", (unsigned long long)a->lines);
	if (a->regs.base_address != IOAPIC_BASE || a->regs.id > 0xf)
		fail("base %#llx, id %#x\n", (unsigned long long)a->regs.base_address, a->regs.id);
	if (a->send != before->send || a->opaque != before->opaque)
		fail("its sender has changed\n");
}

/* All that was sent since is in the entries now, not masked. */
static void check_sent(const struct ioapic *a, const struct sent *s)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		const union vioapic_redir_entry e = a->regs.redirtbl[pin];
		unsigned vector = e.fields.vector;

		if (!e.fields.mask && s->vectors[vector / 64] >> vector % 64 & 1)
			return;
	}
	fail("a vector was sent that no input has\n");
}

/* A read changes nothing, and one entry's registers show the entry. */
static void step_read(const struct ioapic *a, uint64_t offset)
{
	const struct ioapic before = *a;
	uint32_t value = ioapic_read(a, offset), reg = a->regs.ioregsel;

	if (memcmp(&before, a, sizeof(before)) != 0)
		fail("a read at %#llx has changed it\n", (unsigned long long)offset);
	if (offset != 0 && offset != 0x10 && value)
		fail("there is something at %#llx\n", (unsigned long long)offset);
	if (offset == 0x10 && reg >= 0x10 + 2 * IOAPIC_PINS && value)
		fail("there is a register %#x\n", reg);
}

/*
 * Did this input send? By level, if its remote IRR was set, or set anew by the EOI of this vector
 * (-1: none); by edge, if the line rose.
 */
static bool has_sent(const struct ioapic *a, const struct ioapic *before, unsigned pin, int ended)
{
	const union vioapic_redir_entry e = a->regs.redirtbl[pin];
	bool was_sent = before->regs.redirtbl[pin].fields.remote_irr && e.fields.vector != ended;
	bool rose = a->lines >> pin & ~(before->lines >> pin) & 1;

	if (!ioapic_message(a, pin).data)
		return false;
	return e.fields.trig_mode ? e.fields.remote_irr && !was_sent : rose && !e.fields.mask;
}

static void check_count(const struct ioapic *a, const struct ioapic *before, int ended,
			unsigned count)
{
	unsigned want = 0;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		want += has_sent(a, before, pin, ended);
	if (count != want)
		fail("sends %u times, not %u\n", count, want);
}

static void step(struct ioapic *a, struct input *in, struct sent *s)
{
	static const uint16_t offsets[] = {0x10, 0x10, 0x00, 0x10, 0x40, 0x04, 0xff, 0x100};
	uint8_t what = take(in, 1);
	uint64_t offset = offsets[what >> 3 & 7];
	const struct ioapic before = *a;
	int ended = -1;

	*s = (struct sent){0};
	switch (what & 7) {
	case 0:
	case 1:
		ioapic_set_line(a, take(in, 1) % IOAPIC_PINS, what & 8);
		break;
	case 2:
		ended = (int)take(in, 1);
		ioapic_eoi(a, ended);
		break;
	case 3:
		step_read(a, offset);
		break;
	case 4:
		ioapic_write(a, 0, take(in, what & 0x80 ? 4 : 1));
		break;
	default:
		ioapic_write(a, offset, take(in, what & 0x80 ? 4 : 3));
	}
	check_all(a, &before);
	check_count(a, &before, ended, s->count);
	if (s->count)
		check_sent(a, s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct ioapic a;
	struct sent s;

	ioapic_init(&a, send, &s);
	while (in.left)
		step(&a, &in, &s);
	return 0;
}
