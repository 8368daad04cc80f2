/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC that Xen gives to HVM guests (xen/arch/x86/hvm/vioapic.c): 48 inputs, of which the
 * upper 32 are PCI's, and version 0x11, which has no EOI register. Pure rules: nobody is
 * interrupted here, but messages are sent.
 *
 * Its caller takes care that only one thread at a time is here.
 */
#ifndef SHIM_IOAPIC_H
#define SHIM_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "xen-abi/hvm_save.h"

#define IOAPIC_BASE 0xfec00000u /* guest-physical */
#define IOAPIC_SIZE 0x100u
#define IOAPIC_PINS VIOAPIC_NUM_PINS

/* To the local APICs, in the format of an MSI (SDM volume 3, "Message Signalled Interrupts"). */
struct ioapic_message {
	uint32_t address, data;
};

#define IOAPIC_DATA_LEVEL (1u << 15) /* of data: triggered by level, its EOI is to be told */

struct ioapic {
	struct hvm_hw_vioapic regs; /* as Xen saves them with a guest */
	uint64_t lines;             /* the inputs' levels, a bit each */

	/* Interrupt. In any of the functions below that may change it. */
	void (*send)(void *opaque, struct ioapic_message m);
	void *opaque;
};

/* After a reset: all masked. */
void ioapic_init(struct ioapic *a, void (*send)(void *opaque, struct ioapic_message m),
		 void *opaque);

/* Registers, `offset` bytes from the base. All are 32 bits wide, whatever the access. */
uint32_t ioapic_read(const struct ioapic *a, uint64_t offset);
void ioapic_write(struct ioapic *a, uint64_t offset, uint32_t value);

/* The input's level is high or low. Polarity is not looked at: high is active. Below IOAPIC_PINS.
 */
void ioapic_set_line(struct ioapic *a, unsigned pin, bool high);

/* A local APIC has ended the interrupt of this vector. */
void ioapic_eoi(struct ioapic *a, uint8_t vector);

/* What the input sends as it is programmed now, be it masked or not. data 0: nothing at all. */
struct ioapic_message ioapic_message(const struct ioapic *a, unsigned pin);

#endif
