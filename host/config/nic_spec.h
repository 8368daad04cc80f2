/* SPDX-License-Identifier: BSD-2-Clause */
/* Network specifications: xl-network-configuration(5), and forward= of ours. */
#ifndef HOST_CONFIG_NIC_SPEC_H
#define HOST_CONFIG_NIC_SPEC_H

#include "host/config/guest_config.h"

/* nic_config.devid when the specification does not say one. */
#define NIC_DEVID_NONE UINT32_MAX

/*
 * A specification such as "mac=00:16:3e:01:02:03,bridge=br0", or several parts of one, as
 * network-attach has them; a MAC that is not given stays zero. Keys that nobody knows are warnings
 * where there is one who hears them (as in xl's files), else errors (as in its commands). 0, or -1
 * with the reason; free *nic in either case.
 */
int nic_spec_parse(const char *const *specs, unsigned nr_specs, struct nic_config *nic,
		   const struct config_warnings *w, struct problem *p);

/* Give it a MAC in Xen's own range (00:16:3e) if it has none. 0, or -1 with the reason. */
int nic_random_mac(struct nic_config *nic, struct problem *p);

void nic_config_free(struct nic_config *nic);

#endif
