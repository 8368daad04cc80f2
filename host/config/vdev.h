/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of virtual disks and their numbers: Xen's xen-vbd-interface(7). */
#ifndef HOST_CONFIG_VDEV_H
#define HOST_CONFIG_VDEV_H

#include <stdint.h>

/*
 * The device number of "xvda", "xvdaa3", "hda1", "sdb", "d5p1" or a number itself. 0, or -1: it is
 * none of them, or has a disk or a partition that there is no number for.
 */
int vdev_devid(const char *vdev, uint32_t *devid);

#endif
