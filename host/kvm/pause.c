// SPDX-License-Identifier: BSD-2-Clause
/*
 * All vCPUs stand still, so that another thread may do what none of them is to see half done. Each
 * parks itself, outside KVM_RUN and with no request served in between, until nobody wants it any
 * more, or the guest ends.
 */
#include "host/kvm/vm.h"

void vm_pause_create(struct vm *vm)
{
	pthread_mutex_init(&vm->pause_lock, NULL);
	pthread_cond_init(&vm->pause_changed, NULL);
}

void vm_pause_destroy(struct vm *vm)
{
	pthread_cond_destroy(&vm->pause_changed);
	pthread_mutex_destroy(&vm->pause_lock);
}

void vm_pause_begin(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	vm->pauses++;
	pthread_mutex_unlock(&vm->pause_lock);
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		vcpu_post(&vm->vcpus[i], VCPU_REQ_PAUSE);
}

void vm_pause_wait(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	while (vm->threads_running)
		pthread_cond_wait(&vm->pause_changed, &vm->pause_lock);
	pthread_mutex_unlock(&vm->pause_lock);
}

void vm_resume(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	vm->pauses--;
	pthread_cond_broadcast(&vm->pause_changed);
	pthread_mutex_unlock(&vm->pause_lock);
}

void vm_pause_recheck(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	pthread_cond_broadcast(&vm->pause_changed);
	pthread_mutex_unlock(&vm->pause_lock);
}

void vm_thread_begins(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	vm->threads_running++;
	pthread_mutex_unlock(&vm->pause_lock);
}

void vm_thread_ends(struct vm *vm)
{
	pthread_mutex_lock(&vm->pause_lock);
	vm->threads_running--;
	pthread_cond_broadcast(&vm->pause_changed);
	pthread_mutex_unlock(&vm->pause_lock);
}

void vcpu_park(struct vm_vcpu *vv)
{
	struct vm *vm = vv->vm;

	pthread_mutex_lock(&vm->pause_lock);
	vm->threads_running--;
	pthread_cond_broadcast(&vm->pause_changed);
	while (vm->pauses && !vm_must_stop(vv->vcpu))
		pthread_cond_wait(&vm->pause_changed, &vm->pause_lock);
	vm->threads_running++;
	pthread_mutex_unlock(&vm->pause_lock);
}
