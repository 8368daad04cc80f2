// SPDX-License-Identifier: BSD-2-Clause
/*
 * The I/O APIC (shim/ioapic.h) on KVM's split irqchip: KVM has the local APICs, and this file what
 * stands before them.
 *
 * KVM tells the end of an interrupt (KVM_EXIT_IOAPIC_EOI) for vectors of those routes whose numbers
 * KVM_CAP_SPLIT_IRQCHIP has set aside for the I/O APIC's inputs, and that are triggered by level.
 * That is all that routes are for here: messages go by KVM_SIGNAL_MSI.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/vm.h"

/* kvm_irq_routing ends in an array of no length; this gives it room. */
union routes {
	struct kvm_irq_routing head;
	uint8_t room[sizeof(struct kvm_irq_routing) +
		     IOAPIC_PINS * sizeof(struct kvm_irq_routing_entry)];
};

/*
 * Note the routes as they are to be; false: they have not changed. Those of masked inputs are among
 * them: what was sent before is still to be ended.
 */
static bool take_changes(struct vm *vm)
{
	bool changed = false;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		struct ioapic_message m = ioapic_message(&vm->ioapic, pin);

		if (!(m.data & IOAPIC_DATA_LEVEL))
			m = (struct ioapic_message){0};
		changed |= memcmp(&m, &vm->ioapic_routes[pin], sizeof(m)) != 0;
		vm->ioapic_routes[pin] = m;
	}
	return changed;
}

/* KVM must know the routes before a message is on its way, or its EOI may be missed. */
static void update_routes(struct vm *vm)
{
	union routes r = {.room = {0}};

	if (!take_changes(vm))
		return;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		struct ioapic_message m = vm->ioapic_routes[pin];

		if (m.data)
			r.head.entries[r.head.nr++] = (struct kvm_irq_routing_entry){
				.gsi = pin,
				.type = KVM_IRQ_ROUTING_MSI,
				.u.msi = {.address_lo = m.address, .data = m.data},
			};
	}
	if (ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r.head))
		vm_end_failed(vm, "KVM does not take the routes of the I/O APIC: %s",
			      strerror(errno));
}

/* A local APIC that is off takes nothing, as in Xen. */
static void send(void *opaque, struct ioapic_message m)
{
	struct vm *vm = opaque;
	struct kvm_msi msi = {.address_lo = m.address, .data = m.data};

	update_routes(vm);
	ioctl(vm->fd, KVM_SIGNAL_MSI, &msi);
}

void vm_ioapic_create(struct vm *vm)
{
	ioapic_init(&vm->ioapic, send, vm);
	if (vm->config.ioapic)
		vm->domain.nr_gsis = IOAPIC_PINS;
}

void vm_set_gsi(struct domain *d, unsigned gsi, bool level)
{
	struct vm *vm = d->host;

	pthread_mutex_lock(&vm->ioapic_lock);
	ioapic_set_line(&vm->ioapic, gsi, level);
	pthread_mutex_unlock(&vm->ioapic_lock);
}

void vcpu_ioapic_eoi(struct vm_vcpu *vv)
{
	struct vm *vm = vv->vm;

	pthread_mutex_lock(&vm->ioapic_lock);
	ioapic_eoi(&vm->ioapic, vv->run->eoi.vector);
	pthread_mutex_unlock(&vm->ioapic_lock);
}

/* Registers are 32 bits wide, whatever the access; what is beyond reads as 0. */
bool vcpu_ioapic_mmio(struct vm_vcpu *vv)
{
	struct vm *vm = vv->vm;
	struct kvm_run *run = vv->run;
	uint64_t offset = run->mmio.phys_addr - IOAPIC_BASE;
	uint32_t value = 0;

	if (!vm->config.ioapic || offset >= IOAPIC_SIZE)
		return false;
	pthread_mutex_lock(&vm->ioapic_lock);
	if (run->mmio.is_write) {
		memcpy(&value, run->mmio.data,
		       run->mmio.len < sizeof(value) ? run->mmio.len : sizeof(value));
		ioapic_write(&vm->ioapic, offset, value);
		update_routes(vm);
	} else {
		value = ioapic_read(&vm->ioapic, offset);
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
		memcpy(run->mmio.data, &value, sizeof(value));
	}
	pthread_mutex_unlock(&vm->ioapic_lock);
	return true;
}
