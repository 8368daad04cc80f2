// SPDX-License-Identifier: BSD-2-Clause
/* Can this host run a PV guest? Told before it is started: where it cannot, it would hang. */
#include "host/kvm/probe.h"
#include "host/kvm/pv.h"

int pv_check(const char *device, unsigned vcpus, struct problem *p)
{
	enum kvm_answer answer = probe_fact(device, KVM_FACT_SYSCALL);

	if (vcpus > PV_MAX_VCPUS)
		return problem(p, "a PV guest has at most %u vCPUs, not %u", PV_MAX_VCPUS, vcpus);
	/* Without KVM nothing runs, and who opens it says why. */
	if (answer == KVM_WORKS || answer == KVM_NOT_TRIED)
		return 0;
	return problem(p, "this KVM cannot run PV guests: SYSCALL does not reach ring 0 in it; "
			  "'xenolith doctor' tells more");
}
