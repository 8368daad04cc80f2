// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/image.h"

#include <errno.h>
#include <unistd.h>

#include "shim/types.h"

/* qemu-nbd's names. */
static const char *const format_names[] = {
	[DISK_QCOW] = "qcow",
	[DISK_QCOW2] = "qcow2",
	[DISK_QED] = "qed",
	[DISK_VHD] = "vpc",
};

struct image *image_open(const struct disk_config *config, struct problem *p)
{
	bool readonly = config->readonly || config->cdrom;
	struct image *image;

	if (config->format == DISK_EMPTY || !config->target) {
		image = image_open_empty();
		if (!image)
			problem(p, "no memory for the disk %s", config->vdev);
		return image;
	}
	if (config->format == DISK_RAW)
		return image_open_file(config->target, readonly, FILE_AUTO, p);
	if ((unsigned)config->format < ARRAY_SIZE(format_names) && format_names[config->format])
		return image_open_nbd(config->target, format_names[config->format], readonly, p);
	problem(p, "%s: a disk format that is not known here", config->target);
	return NULL;
}

void image_close(struct image *image)
{
	image->ops->close(image);
}

void image_wait_kick(int kick)
{
	uint64_t count;

	while (read(kick, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}
