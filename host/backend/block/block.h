/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blkback: a disk of the guest's (public header io/blkif.h). The image outlives the guest's
 * reboots: it is opened once (block_image_open), and shown by a device to one domain after another,
 * one at a time.
 *
 * Devices are made and destroyed on the event loop's thread, which is the only one to call any of
 * these; requests are served by threads of the device's own, one for each queue.
 */
#ifndef HOST_BACKEND_BLOCK_BLOCK_H
#define HOST_BACKEND_BLOCK_BLOCK_H

#include "host/backend/xenbus.h"
#include "host/config/guest_config.h"
#include "host/loop.h"

/* Of a disk. Frontends use as many as they have CPUs, up to this. */
#define BLOCK_MAX_QUEUES 8u

struct block_image;
struct block_device;
struct image_rings;

/*
 * Open what the configuration names, and lock it: nobody else has it while one writes. Other
 * formats than raw go through a qemu-nbd that is started here and ends with the image. Its queues
 * use these rings (image_rings.h); NULL: none. NULL with the reason (file, format, remedy).
 */
struct block_image *block_image_open(const struct disk_config *config, struct image_rings *rings,
				     struct problem *p);

/*
 * The same in two processes, for a guest whose own may open nothing any more. prepare: opens the
 * image, locked, and starts its server, which here ends with its connection only; *nr descriptors
 * to pass on. adopt: the image of these, which it owns, also if it fails.
 */
#define BLOCK_IMAGE_FDS 3
int block_image_prepare(const struct disk_config *config, int *fds, unsigned *nr,
			struct problem *p);
struct block_image *block_image_adopt(const struct disk_config *config, const int *fds, unsigned nr,
				      struct image_rings *rings, struct problem *p);

/*
 * Before the sandbox is armed: load what an image that is adopted later may need. Where it is not
 * installed, adopting one that needs it says so.
 */
void block_load_libraries(void);

/* All that was written is on its way; what was flushed is durable. No device may show it. */
void block_image_close(struct block_image *image);

/* Look at its size again: bytes, or -errno. */
int64_t block_image_size(struct block_image *image);

/*
 * Offer the frontend persistent grants; before a device shows it. Not done by default: a frontend
 * that uses them copies every page once more, and maps cost little here, where backends live in
 * the guest's process.
 */
void block_image_keep_grants(struct block_image *image, bool keep);

/* Show it to the domain at config->devid. NULL with the reason. */
struct block_device *block_device_add(const struct disk_config *config, struct block_image *image,
				      struct loop *loop, struct store *store, struct domain *d,
				      struct problem *p);
/* The bus's part of it: to detach and to reset. */
struct xenbus_device *block_device_bus(struct block_device *b);
/* The device it is the bus's part of: in xenbus_detach()'s callback, to be removed there. */
struct block_device *block_device_of(struct xenbus_device *bus);
/* At once. The image stays. */
void block_device_remove(struct block_device *b);

/*
 * The image has another size (block-resize, or the file has grown): tell the guest, also while it
 * uses it. 0 or -errno.
 */
int block_device_resized(struct block_device *b);

/*
 * Another medium in a CD drive, or none (config->target NULL, or DISK_EMPTY), also while the guest
 * uses it; what it has begun with the old one is finished before. It comes as the descriptors of
 * block_image_prepare(), which this owns, also if it fails. 0, or -1 with the reason, and the old
 * one stays.
 */
int block_device_change_medium(struct block_device *b, const struct disk_config *config,
			       const int *fds, unsigned nr, struct problem *p);

struct block_stats {
	uint64_t reads, writes, flushes, discards, errors;
	uint64_t read_bytes, written_bytes;
	uint64_t events_in, events_out; /* the guest's notifications, and ours */
	uint64_t grants_mapped;         /* for data; one that stays mapped counts once */
};
/* Since the device was added. */
void block_device_stats(struct block_device *b, struct block_stats *stats);

#endif
