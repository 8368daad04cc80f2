// SPDX-License-Identifier: BSD-2-Clause
/*
 * An access of the guest where KVM has found no memory. Mostly there is none: it reads as all ones,
 * as on an empty bus. But memory may have come between the exit and us, or gone and come back (a
 * slot that is made anew, a page that is being covered): then the access is made, a little later
 * than the guest meant it, on what is there now.
 */
#include <string.h>

#include "host/kvm/vm.h"

/* The access on the memory of this moment; false: there is none. */
static bool access_memory(struct memslots *slots, struct kvm_run *run, uint64_t *generation)
{
	const struct memslot_set *set = memslots_enter(slots);
	struct gpa at = gpa(run->mmio.phys_addr);
	struct memslot_hint hint = {0};
	uint8_t *hva = memslots_hva(set, &hint, at, run->mmio.len, run->mmio.is_write);

	*generation = set->generation;
	if (hva && run->mmio.is_write) {
		memcpy(hva, run->mmio.data, run->mmio.len);
		memslots_written(set, at, run->mmio.len);
	} else if (hva) {
		memcpy(run->mmio.data, hva, run->mmio.len);
	}
	memslots_leave();
	return hva;
}

void vcpu_handle_mmio(struct vm_vcpu *vv)
{
	struct memslots *slots = &vv->vm->domain.memslots;
	uint64_t generation;

	vv->mmio_exits++;
	if (vcpu_ioapic_mmio(vv))
		return;
	do {
		if (access_memory(slots, vv->run, &generation))
			return;
	} while (memslots_retry(slots, generation));
	vv->mmio_nowhere++;
	if (!vv->run->mmio.is_write)
		memset(vv->run->mmio.data, 0xff, sizeof(vv->run->mmio.data));
}
