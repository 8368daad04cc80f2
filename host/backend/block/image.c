// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/image.h"
#include "host/backend/block/image_lock.h"
#include "host/backend/block/nbd_server.h"

#include <errno.h>
#include <unistd.h>

#include "host/event.h"
#include "shim/types.h"

/* qemu-nbd's names. */
static const char *const format_names[] = {
	[DISK_QCOW] = "qcow",
	[DISK_QCOW2] = "qcow2",
	[DISK_QED] = "qed",
	[DISK_VHD] = "vpc",
};

static bool is_empty(const struct disk_config *config)
{
	return config->format == DISK_EMPTY || !config->target;
}

static bool is_readonly(const struct disk_config *config)
{
	return config->readonly || config->cdrom;
}

/* As qemu-nbd calls the format; NULL with the reason. */
static const char *format_name(const struct disk_config *config, struct problem *p)
{
	if ((unsigned)config->format < ARRAY_SIZE(format_names) && format_names[config->format])
		return format_names[config->format];
	problem(p, "%s: a disk format that is not known here", config->target);
	return NULL;
}

static struct image *open_empty(const struct disk_config *config, struct problem *p)
{
	struct image *image = image_open_empty();

	if (!image)
		problem(p, "no memory for the disk %s", config->vdev);
	return image;
}

struct image *image_open(const struct disk_config *config, struct image_rings *rings,
			 struct problem *p)
{
	const char *format;

	if (is_empty(config))
		return open_empty(config, p);
	if (config->format == DISK_RAW)
		return image_open_file(config->target, is_readonly(config), FILE_AUTO, rings, p);
	format = format_name(config, p);
	return format ? image_open_nbd(config->target, format, is_readonly(config), p) : NULL;
}

/* The server's connection, the image's lock, and what the server says. */
enum { NBD_SOCKET, NBD_LOCKED, NBD_LOG, NBD_FDS };

static int prepare_nbd(const struct disk_config *config, const char *format, int *fds,
		       struct problem *p)
{
	bool readonly = is_readonly(config);
	struct nbd_server server;

	fds[NBD_LOCKED] = image_open_locked(config->target, readonly, p);
	if (fds[NBD_LOCKED] < 0)
		return -1;
	if (nbd_server_start(&server, config->target, format, readonly, true, p)) {
		close(fds[NBD_LOCKED]);
		return -1;
	}
	fds[NBD_SOCKET] = server.socket;
	fds[NBD_LOG] = server.log;
	return 0;
}

int image_prepare(const struct disk_config *config, int *fds, unsigned *nr, struct problem *p)
{
	const char *format;

	*nr = 0;
	if (is_empty(config))
		return 0;
	if (config->format == DISK_RAW) {
		fds[0] = image_open_locked(config->target, is_readonly(config), p);
		*nr = fds[0] >= 0;
		return fds[0] < 0 ? -1 : 0;
	}
	format = format_name(config, p);
	if (!format || prepare_nbd(config, format, fds, p))
		return -1;
	*nr = NBD_FDS;
	return 0;
}

struct image *image_adopt(const struct disk_config *config, const int *fds, unsigned nr,
			  struct image_rings *rings, struct problem *p)
{
	unsigned wanted = is_empty(config) ? 0 : config->format == DISK_RAW ? 1 : NBD_FDS;

	if (nr != wanted) {
		for (unsigned i = 0; i < nr; i++)
			close(fds[i]);
		problem(p, "%s: %u descriptors came with it, and %u are wanted", config->vdev, nr,
			wanted);
		return NULL;
	}
	if (!wanted)
		return open_empty(config, p);
	if (wanted == 1)
		return image_adopt_file(config->target, fds[0], is_readonly(config), FILE_AUTO,
					rings, p);
	return image_adopt_nbd(config->target, fds[NBD_SOCKET], fds[NBD_LOCKED], fds[NBD_LOG],
			       is_readonly(config), p);
}

void image_close(struct image *image)
{
	image->ops->close(image);
}

void image_wait_kick(int kick)
{
	while (!event_take(kick) && errno == EINTR)
		;
}
