// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "host/kvm/vm.h"

static const char *const accel_names[] = {
	[ACCEL_AUTO] = "auto",
	[ACCEL_STOCK] = "stock",
	[ACCEL_KVM_XEN] = "kvm-xen",
};

int accel_parse(const char *name, enum accel *accel)
{
	for (unsigned i = 0; i < ARRAY_SIZE(accel_names); i++) {
		if (!strcmp(name, accel_names[i])) {
			*accel = i;
			return 0;
		}
	}
	return -1;
}

const char *accel_name(enum accel accel)
{
	return accel_names[accel];
}
