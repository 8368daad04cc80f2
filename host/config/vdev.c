// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/vdev.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define XVD_DISKS      (1u << 20)
#define XVD_PARTITIONS 256u
#define XVD_MAJOR      202u
#define EXTENDED       (1u << 28)

struct disk_number {
	unsigned disk, partition;
};

/* Numbers as C writes them (17, 0x11), nothing before or behind; below `limit`. */
static bool number(const char *text, const char **end, unsigned limit, unsigned *n)
{
	unsigned long value;
	char *stop;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoul(text, &stop, 0);
	*end = stop;
	*n = value;
	return !errno && value < limit;
}

/* PREFIX, letters that count a, b, ... z, aa, ab, ..., and the partition's number if there is one.
 */
static bool lettered(const char *vdev, const char *prefix, unsigned disks, unsigned partitions,
		     struct disk_number *n)
{
	const char *at = vdev + strlen(prefix);
	unsigned long index = 0, partition = 0;

	if (strncmp(vdev, prefix, strlen(prefix)) || !islower((unsigned char)*at))
		return false;
	for (; islower((unsigned char)*at); at++) {
		index = index * 26 + (*at - 'a') + 1;
		if (index > disks)
			return false;
	}
	if (*at == '0')
		return false;
	for (; isdigit((unsigned char)*at); at++) {
		partition = partition * 10 + (*at - '0');
		if (partition >= partitions)
			return false;
	}
	*n = (struct disk_number){index - 1, partition};
	return !*at;
}

/* d5p1 */
static bool numbered(const char *vdev, struct disk_number *n)
{
	const char *at = vdev;

	return *at++ == 'd' && number(at, &at, XVD_DISKS, &n->disk) && *at++ == 'p' &&
	       number(at, &at, XVD_PARTITIONS, &n->partition) && !*at;
}

int vdev_devid(const char *vdev, uint32_t *devid)
{
	struct disk_number n = {0};
	const char *end;

	if (numbered(vdev, &n) || lettered(vdev, "xvd", XVD_DISKS, XVD_PARTITIONS, &n)) {
		if (n.disk < 16 && n.partition < 16)
			*devid = XVD_MAJOR << 8 | n.disk << 4 | n.partition;
		else
			*devid = EXTENDED | n.disk << 8 | n.partition;
		return 0;
	}
	if (lettered(vdev, "hd", 4, 64, &n)) {
		*devid = (n.disk < 2 ? 3 : 22) << 8 | (n.disk & 1) << 6 | n.partition;
		return 0;
	}
	if (lettered(vdev, "sd", 16, 16, &n)) {
		*devid = 8 << 8 | n.disk << 4 | n.partition;
		return 0;
	}
	return number(vdev, &end, 1u << 31, devid) && !*end ? 0 : -1;
}
