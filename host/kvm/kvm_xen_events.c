// SPDX-License-Identifier: BSD-2-Clause
/*
 * KVM sends by a table of ports that we keep: what is in it agrees with the shim's routes at every
 * moment when the event lock is free. Taking a port out waits for senders in the kernel, so that
 * what they have done is done.
 *
 * KVM finds shared_info by our own mapping of it, which stays wherever the guest has it. It finds a
 * vcpu_info there by the same way until the guest registers another.
 *
 * A soft reset needs no word of its own: it closes all ports, and says of each vCPU that its
 * vcpu_info has moved and that its vector has changed.
 *
 * KVM_XEN_HVM_CONFIG_EVTCHN_SEND in the VM's configuration is not set: these sends do not need it,
 * and it would have KVM carry out SCHEDOP_poll by rules of its own (docs/abi-coverage.md).
 */
#include "host/kvm/kvm_xen_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/kvm/kvm_xen.h"
#include "host/kvm/uapi.h"
#include "shim/event_route.h"
#include "shim/shared_info.h"

/* routes[port].port is 0: KVM does not send to it. */
struct kvm_xen_events {
	struct event_route routes[EVTCHN_2L_PORTS_64];
};

static bool available(int kvm_fd)
{
	return kvm_xen_has(kvm_fd,
			   KVM_XEN_HVM_CONFIG_EVTCHN_SEND | KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA);
}

int kvm_xen_events_create(struct vm *vm)
{
	struct kvm_xen_hvm_attr attr = {.type = KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA};
	/* The header may be older than the kernel: the address is where the frame number is. */
	const uint64_t hva = (uintptr_t)vm->domain.shared_info;

	if (!vm->kvm_xen || !available(vm->kvm_fd))
		return 0;
	memcpy(&attr.u, &hva, sizeof(hva));
	vm->events = calloc(1, sizeof(*vm->events));
	return vm->events ? kvm_xen_set_attr(vm, &attr) : -ENOMEM;
}

void kvm_xen_events_destroy(struct vm *vm)
{
	free(vm->events);
	vm->events = NULL;
}

static int assign(struct vm *vm, evtchn_port_t port, const struct event_route *to)
{
	struct kvm_xen_hvm_attr attr = {.type = KVM_XEN_ATTR_TYPE_EVTCHN};

	attr.u.evtchn.send_port = port;
	attr.u.evtchn.type = to->ipi ? EVTCHNSTAT_ipi : EVTCHNSTAT_interdomain;
	attr.u.evtchn.deliver.port.port = to->port;
	attr.u.evtchn.deliver.port.vcpu = to->vcpu;
	attr.u.evtchn.deliver.port.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	return kvm_xen_set_attr(vm, &attr);
}

static void deassign(struct vm *vm, evtchn_port_t port)
{
	struct kvm_xen_hvm_attr attr = {.type = KVM_XEN_ATTR_TYPE_EVTCHN};

	attr.u.evtchn.send_port = port;
	attr.u.evtchn.flags = KVM_XEN_EVTCHN_DEASSIGN;
	kvm_xen_set_attr(vm, &attr);
}

static void deassign_all(struct vm *vm)
{
	struct kvm_xen_hvm_attr attr = {.type = KVM_XEN_ATTR_TYPE_EVTCHN};
	bool any = false;

	for (unsigned i = 0; i < ARRAY_SIZE(vm->events->routes); i++)
		any |= vm->events->routes[i].port;
	if (!any)
		return;
	attr.u.evtchn.flags = KVM_XEN_EVTCHN_RESET;
	kvm_xen_set_attr(vm, &attr);
	memset(vm->events->routes, 0, sizeof(vm->events->routes));
}

bool kvm_xen_events_interrupt(const struct vm_vcpu *vv)
{
	const struct vm *vm = vv->vm;
	uint8_t own = vv->vcpu->upcall_vector;

	if (!vm->events)
		return false;
	if (!vv->vcpu->vcpu_info_registered && vv->vcpu->id >= XEN_LEGACY_MAX_VCPUS)
		return false;
	if (vm->domain.callback.type == CALLBACK_VECTOR)
		return !own;
	return own && __atomic_load_n(&vv->kernel_vector, __ATOMIC_ACQUIRE) == own;
}

static bool wanted(const struct vm *vm, evtchn_port_t port, struct event_route *to)
{
	return event_route(&vm->domain, port, to) && kvm_xen_events_interrupt(&vm->vcpus[to->vcpu]);
}

/* A port that KVM does not take (of the other word size) is ours to send. */
static void try_assign(struct vm *vm, evtchn_port_t port)
{
	struct event_route to;

	if (wanted(vm, port, &to) && !assign(vm, port, &to))
		vm->events->routes[port] = to;
}

static void renew(struct vm *vm, evtchn_port_t port)
{
	struct event_route *now = &vm->events->routes[port], to;

	if (now->port && wanted(vm, port, &to) && now->port == to.port && now->vcpu == to.vcpu &&
	    now->ipi == to.ipi)
		return;
	if (now->port) {
		deassign(vm, port);
		now->port = 0;
	}
	try_assign(vm, port);
}

static void renew_all(struct vm *vm)
{
	deassign_all(vm);
	for (unsigned port = 1; port < ARRAY_SIZE(vm->events->routes); port++)
		try_assign(vm, port);
}

void vm_port_changed(struct domain *d, uint32_t port)
{
	struct vm *vm = d->host;

	if (!vm->events)
		return;
	if (port == EVENT_ALL_PORTS)
		renew_all(vm);
	else if (port < ARRAY_SIZE(vm->events->routes))
		renew(vm, port);
}

void kvm_xen_events_method_changed(struct vm *vm)
{
	if (!vm->events)
		return;
	pthread_mutex_lock(&vm->domain.events.lock);
	for (unsigned port = 1; port < ARRAY_SIZE(vm->events->routes); port++)
		renew(vm, port);
	pthread_mutex_unlock(&vm->domain.events.lock);
}

void kvm_xen_events_apply_vector(struct vm_vcpu *vv)
{
	struct kvm_xen_vcpu_attr attr = {.type = KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR};
	uint8_t vector = vv->vcpu->upcall_vector;

	if (!vv->vm->events || vector == vv->kernel_vector)
		return;
	attr.u.vector = vector;
	if (kvm_xen_set_vcpu_attr(vv, &attr))
		return;
	__atomic_store_n(&vv->kernel_vector, vector, __ATOMIC_RELEASE);
	kvm_xen_events_method_changed(vv->vm);
}

int kvm_xen_events_apply_vcpu_info(struct vm_vcpu *vv)
{
	struct kvm_xen_vcpu_attr attr = {.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA};
	const struct shared_info *si = vv->vm->domain.shared_info;
	const uint64_t hva = (uintptr_t)&si->vcpu_info[vv->vcpu->id];

	memcpy(&attr.u, &hva, sizeof(hva));
	return kvm_xen_set_vcpu_attr(vv, &attr);
}

int kvm_xen_events_set_long_mode(struct vm *vm, bool long_mode)
{
	int rc;

	if (!vm->events)
		return kvm_xen_set_long_mode(vm, long_mode);
	/* A port that is out of KVM's bounds could not be taken out any more. */
	pthread_mutex_lock(&vm->domain.events.lock);
	deassign_all(vm);
	rc = kvm_xen_set_long_mode(vm, long_mode);
	renew_all(vm);
	pthread_mutex_unlock(&vm->domain.events.lock);
	return rc;
}
