// SPDX-License-Identifier: BSD-2-Clause
#include "shim/callback.h"

/* The inputs of Xen's I/O APIC to which the pins of PCI devices go: 16 to 47 (hvm_pci_intx_gsi). */
#define FIRST_PCI_GSI 16
#define PCI_GSIS      32

/* GSI 0 is none. Bits of the value that mean nothing are not looked at. */
static struct callback parse(const struct domain *d, uint64_t value)
{
	uint8_t low = value;

	switch (value >> 56) {
	case HVM_PARAM_CALLBACK_TYPE_GSI:
		if (low && low < d->nr_gsis)
			return (struct callback){.type = CALLBACK_GSI, .where = low};
		break;
	case HVM_PARAM_CALLBACK_TYPE_PCI_INTX:
		return (struct callback){.type = CALLBACK_PCI_INTX,
					 .where = (value >> 11 & 0x1f) << 2 | (value & 3)};
	case HVM_PARAM_CALLBACK_TYPE_VECTOR:
		return (struct callback){.type = CALLBACK_VECTOR, .where = low};
	}
	return (struct callback){.type = CALLBACK_NONE};
}

/* The input of the I/O APIC; 0: the callback has none. */
static unsigned gsi_of(const struct callback *c)
{
	unsigned device = c->where >> 2, pin = c->where & 3;

	switch (c->type) {
	case CALLBACK_GSI:
		return c->where;
	case CALLBACK_PCI_INTX:
		return FIRST_PCI_GSI + ((device << 2) + (device >> 3) + pin) % PCI_GSIS;
	case CALLBACK_NONE:
	case CALLBACK_VECTOR:
		break;
	}
	return 0;
}

bool callback_is_line(const struct domain *d)
{
	return gsi_of(&d->callback);
}

/* Under the domain's lock, as the next. */
static void drive(struct domain *d, bool up)
{
	unsigned gsi = gsi_of(&d->callback);

	if (gsi && gsi < d->nr_gsis)
		d->ops->set_gsi(d, gsi, up);
}

static void set_level(struct domain *d, bool up)
{
	if (d->callback.up == up)
		return;
	__atomic_store_n(&d->callback.up, up, __ATOMIC_RELAXED);
	drive(d, up);
}

void callback_raise(struct domain *d)
{
	pthread_mutex_lock(&d->lock);
	set_level(d, false);
	set_level(d, event_channels_pending(d->vcpus[0]));
	pthread_mutex_unlock(&d->lock);
}

void callback_update(struct domain *d)
{
	pthread_mutex_lock(&d->lock);
	set_level(d, event_channels_pending(d->vcpus[0]));
	pthread_mutex_unlock(&d->lock);
}

/* A level that is up goes over to the new line, even if it is not the flag's any more. */
static void replace(struct domain *d, struct callback with)
{
	with.up = d->callback.up;
	if (with.up)
		drive(d, false);
	d->callback = with;
	if (with.up)
		drive(d, true);
}

void callback_set(struct domain *d, uint64_t value)
{
	const struct callback new = parse(d, value);

	if (new.type != CALLBACK_VECTOR && !d->nr_gsis)
		return;
	pthread_mutex_lock(&d->lock);
	replace(d, new);
	d->ops->upcall_method_changed(d);
	pthread_mutex_unlock(&d->lock);
	for (unsigned i = 0; i < d->nr_vcpus; i++) {
		if (i == 0 && callback_is_line(d) && !d->vcpus[i]->upcall_vector)
			callback_update(d);
		else
			event_channels_recheck_upcall(d->vcpus[i]);
	}
}

void callback_reset(struct domain *d)
{
	set_level(d, false);
	d->callback = (struct callback){.type = CALLBACK_NONE};
	d->ops->upcall_method_changed(d);
}
