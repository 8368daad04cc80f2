/* SPDX-License-Identifier: BSD-2-Clause */
/* Disk specifications: xl-disk-configuration(5). */
#ifndef HOST_CONFIG_DISK_SPEC_H
#define HOST_CONFIG_DISK_SPEC_H

#include "host/config/guest_config.h"

/*
 * A specification such as "/dev/vg/root,raw,xvda,w", or several parts of one, as block-attach has
 * them: all that can be attached. 0, or -1 with the reason; free *disk in either case.
 */
int disk_spec_parse(const char *const *specs, unsigned nr_specs, struct disk_config *disk,
		    struct problem *p);

/* What it says, as xl understands it, whether or not it can be attached here; without the devid. */
int disk_spec_read(const char *const *specs, unsigned nr_specs, struct disk_config *disk,
		   struct problem *p);

void disk_config_free(struct disk_config *disk);

/* "raw", "qcow2", ...; NULL: `format` is none of them. */
const char *disk_format_name(enum disk_format format);

#endif
