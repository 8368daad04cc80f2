/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blkback: a disk of the guest's (public header io/blkif.h). The image outlives the guest's
 * reboots: it is opened once (block_image_open), and shown by a device to one domain after another.
 *
 * Devices are made and destroyed on the event loop's thread; requests are served by a thread of the
 * device's own.
 */
#ifndef HOST_BACKEND_BLOCK_BLOCK_H
#define HOST_BACKEND_BLOCK_BLOCK_H

#include "host/backend/xenbus.h"
#include "host/config/guest_config.h"

struct block_image;
struct block_device;

/*
 * Open what the configuration names; other formats than raw through a qemu-nbd that is started here
 * and ends with the image. NULL with the reason (file, format, remedy).
 */
struct block_image *block_image_open(const struct disk_config *config, struct problem *p);
/* All that was written is on its way; what was flushed is durable. No device may show it. */
void block_image_close(struct block_image *image);

/* Bytes now; -errno. */
int64_t block_image_size(struct block_image *image);

/* Show it to the domain at config->devid. NULL with the reason. */
struct block_device *block_device_add(const struct disk_config *config, struct block_image *image,
				      struct loop *loop, struct store *store, struct domain *d,
				      struct problem *p);
/* The bus's part of it: to detach and to reset. */
struct xenbus_device *block_device_bus(struct block_device *b);
/* At once. The image stays. */
void block_device_remove(struct block_device *b);

/* The image has another size (block-resize, or the file has grown): tell the guest. 0 or -errno. */
int block_device_resized(struct block_device *b);

struct block_stats {
	uint64_t reads, writes, flushes, discards, errors;
	uint64_t read_bytes, written_bytes;
	uint64_t events_in, events_out; /* the guest's notifications, and ours */
	uint64_t grants_mapped;
};
void block_device_stats(struct block_device *b, struct block_stats *stats);

#endif
