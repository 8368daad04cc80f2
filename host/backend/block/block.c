// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/backend/block/device.h"
#include "host/event.h"

/*
 * Images.
 */

/* medium: NULL, and then the reason is known. */
static struct block_image *with_medium(const struct disk_config *config, struct image_rings *rings,
				       struct image *medium, struct problem *p)
{
	struct block_image *image = medium ? calloc(1, sizeof(*image)) : NULL;

	if (image) {
		image->removable = config->cdrom;
		image->medium = medium;
		image->rings = rings;
	} else if (medium) {
		image_close(medium);
		problem(p, "no memory for the disk %s", config->vdev);
	}
	return image;
}

struct block_image *block_image_open(const struct disk_config *config, struct image_rings *rings,
				     struct problem *p)
{
	return with_medium(config, rings, image_open(config, rings, p), p);
}

int block_image_prepare(const struct disk_config *config, int *fds, unsigned *nr, struct problem *p)
{
	return image_prepare(config, fds, nr, p);
}

struct block_image *block_image_adopt(const struct disk_config *config, const int *fds, unsigned nr,
				      struct image_rings *rings, struct problem *p)
{
	return with_medium(config, rings, image_adopt(config, fds, nr, rings, p), p);
}

void block_image_close(struct block_image *image)
{
	image_close(image->medium);
	free(image);
}

int64_t block_image_size(struct block_image *image)
{
	struct image *medium = image->medium;
	int64_t size = medium->ops->measure(medium);

	if (size >= 0)
		__atomic_store_n(&medium->size, (uint64_t)size, __ATOMIC_RELAXED);
	return size;
}

void block_image_keep_grants(struct block_image *image, bool keep)
{
	image->keep_grants = keep;
}

/*
 * Nodes. The backend's folder is the toolstack's, too: what libxl writes for a disk is there.
 */

unsigned block_device_max_queues(const struct block_device *b)
{
	unsigned max = b->image->medium->max_queues;

	/* The next medium may have one queue only. */
	if (b->image->removable)
		return 1;
	return max < BLOCK_MAX_QUEUES ? max : BLOCK_MAX_QUEUES;
}

static void advertise_for_tools(struct block_device *b)
{
	struct xenbus_device *dev = &b->bus;
	const char *type = b->cdrom ? "cdrom" : "disk";

	xenbus_write_back(dev, "bootable", "1");
	xenbus_write_back(dev, "dev", "%s", b->vdev);
	xenbus_write_back(dev, "type", "%s", b->type);
	xenbus_write_back(dev, "params", "%s", b->params);
	xenbus_write_back(dev, "mode", "%s", b->disk.readonly ? "r" : "w");
	xenbus_write_back(dev, "device-type", "%s", type);
	xenbus_write_back(dev, "removable", "%d", b->image->removable);
	xenbus_write_back(dev, "discard-enable", "%d", b->may_discard);
	xenbus_write_back(dev, "direct-io-safe", "%d", b->direct_io_safe);
	xenbus_write_front(dev, "virtual-device", "%u", dev->id);
	xenbus_write_front(dev, "device-type", "%s", type);
}

static void advertise_discard(struct block_device *b)
{
	const struct image *medium = b->image->medium;
	struct xenbus_device *dev = &b->bus;

	xenbus_write_back(dev, "feature-discard", "%d", b->disk.discard);
	if (!b->disk.discard)
		return;
	xenbus_write_back(dev, "discard-granularity", "%u", medium->discard_granularity);
	xenbus_write_back(dev, "discard-alignment", "%u", medium->discard_alignment);
	xenbus_write_back(dev, "discard-secure", "0");
}

static void advertise(struct xenbus_device *dev)
{
	struct block_device *b = block_device_of(dev);

	advertise_for_tools(b);
	xenbus_write_back(dev, "feature-flush-cache", "1");
	xenbus_write_back(dev, "feature-barrier", "1");
	xenbus_write_back(dev, "feature-persistent", "%d", b->image->keep_grants);
	xenbus_write_back(dev, "feature-max-indirect-segments", "%u", BLOCK_MAX_SEGMENTS);
	xenbus_write_back(dev, "max-ring-page-order", "%u", BLOCK_RING_MAX_ORDER);
	xenbus_write_back(dev, "max-ring-pages", "%u", BLOCK_RING_MAX_PAGES);
	xenbus_write_back(dev, "multi-queue-max-queues", "%u", block_device_max_queues(b));
	advertise_discard(b);
}

static void tell_sectors(struct block_device *b)
{
	xenbus_write_back(&b->bus, "sectors", "%llu",
			  (unsigned long long)(image_size(b->image->medium) / IMAGE_SECTOR));
}

static unsigned info(const struct block_device *b)
{
	return (b->cdrom ? VDISK_CDROM : 0) | (b->image->removable ? VDISK_REMOVABLE : 0) |
	       (b->disk.readonly ? VDISK_READONLY : 0);
}

/* What the frontend reads when it sees us connected. */
static void tell_properties(struct block_device *b)
{
	xenbus_write_back(&b->bus, "info", "%u", info(b));
	xenbus_write_back(&b->bus, "sector-size", "%u", IMAGE_SECTOR);
	xenbus_write_back(&b->bus, "physical-sector-size", "%u", b->image->medium->physical_sector);
	tell_sectors(b);
}

/* Connected: the frontend looks at the size again when this is written, changed or not. */
static void tell_connected_again(struct block_device *b)
{
	xenbus_write_back(&b->bus, "state", "%d", XenbusStateConnected);
}

/*
 * Its life on the bus.
 */

static void stop_queues(struct block_device *b)
{
	for (unsigned i = 0; i < b->nr_queues; i++)
		block_queue_stop(b->queues[i]);
}

static int start_queues(struct block_device *b, struct problem *p)
{
	for (unsigned i = 0; i < b->nr_queues; i++) {
		if (block_queue_start(b->queues[i], b->image->medium, p)) {
			stop_queues(b);
			return -1;
		}
	}
	return 0;
}

static int connect(struct xenbus_device *dev, struct problem *p)
{
	struct block_device *b = block_device_of(dev);

	if (block_device_open_queues(b, p))
		return -1;
	if (start_queues(b, p)) {
		block_device_close_queues(b);
		return -1;
	}
	tell_properties(b);
	return 0;
}

static void disconnect(struct xenbus_device *dev)
{
	struct block_device *b = block_device_of(dev);

	stop_queues(b);
	block_device_close_queues(b);
	/* What a thread has found concerns nobody any more. */
	__atomic_store_n(&b->why, NULL, __ATOMIC_RELAXED);
}

static const struct xenbus_ops block_ops = {
	.type = "vbd",
	.advertise = advertise,
	.connect = connect,
	.disconnect = disconnect,
};

/* On a queue's thread. */
static void broken(void *opaque, const char *why)
{
	struct block_device *b = opaque;

	__atomic_store_n(&b->why, why, __ATOMIC_RELEASE);
	event_raise(b->fault.fd);
}

static void fault_ready(void *opaque, uint32_t events)
{
	struct block_device *b = opaque;
	const char *why;

	(void)events;
	if (!event_take(b->fault.fd))
		return;
	why = __atomic_exchange_n(&b->why, NULL, __ATOMIC_ACQUIRE);
	if (why)
		xenbus_fatal(&b->bus, "%s", why);
}

/*
 * Making and removing.
 */

static const char *format_name(enum disk_format format)
{
	static const char *const names[] = {
		[DISK_QCOW] = "qcow:",
		[DISK_QCOW2] = "qcow2:",
		[DISK_QED] = "qed:",
		[DISK_VHD] = "vhd:",
	};
	const char *name = (unsigned)format < ARRAY_SIZE(names) ? names[format] : NULL;

	return name ? name : "";
}

/* As libxl tells of a disk: a path, behind its format if it has one. NULL: no memory. */
static char *params_of(const struct disk_config *config)
{
	char *params;

	if (!config->target || config->format == DISK_EMPTY)
		return strdup("");
	if (asprintf(&params, "%s%s", format_name(config->format), config->target) < 0)
		return NULL;
	return params;
}

static void describe(struct block_device *b, const struct disk_config *config)
{
	const struct image *medium = b->image->medium;

	b->cdrom = config->cdrom;
	b->direct_io_safe = config->direct_io_safe;
	b->disk.readonly = medium->readonly || config->readonly || config->cdrom;
	b->may_discard = config->discard && !b->disk.readonly;
	b->disk.discard = b->may_discard && medium->can_discard;
	b->type = config->format == DISK_RAW ? "phy" : "qdisk";
}

static void free_device(struct block_device *b)
{
	if (b->fault.fd >= 0)
		close(b->fault.fd);
	free(b->vdev);
	free(b->params);
	free(b);
}

static struct block_device *new_device(const struct disk_config *config, struct block_image *image,
				       struct loop *loop, struct domain *d)
{
	struct block_device *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->image = image;
	b->loop = loop;
	b->vdev = strdup(config->vdev);
	b->params = params_of(config);
	b->disk = (struct block_disk){.domain = d, .name = b->vdev, .broken = broken, .opaque = b};
	describe(b, config);
	if (!loop_event_open(loop, &b->fault, fault_ready, b) && b->vdev && b->params)
		return b;
	free_device(b);
	return NULL;
}

struct block_device *block_device_add(const struct disk_config *config, struct block_image *image,
				      struct loop *loop, struct store *store, struct domain *d,
				      struct problem *p)
{
	struct block_device *b = new_device(config, image, loop, d);

	if (!b) {
		problem(p, "no memory or descriptors for the disk %s", config->vdev);
		return NULL;
	}
	if (!xenbus_add(&b->bus, &block_ops, store, d, config->devid, p))
		return b;
	loop_unwatch(loop, &b->fault);
	free_device(b);
	return NULL;
}

struct xenbus_device *block_device_bus(struct block_device *b)
{
	return &b->bus;
}

struct block_device *block_device_of(struct xenbus_device *bus)
{
	return (struct block_device *)((char *)bus - offsetof(struct block_device, bus));
}

void block_device_remove(struct block_device *b)
{
	xenbus_remove(&b->bus);
	loop_unwatch(b->loop, &b->fault);
	free_device(b);
}

/*
 * Changes while it is in use.
 */

int block_device_resized(struct block_device *b)
{
	int64_t size = block_image_size(b->image);

	if (size < 0)
		return (int)size;
	if (!b->bus.connected)
		return 0; /* it will be told when it connects */
	tell_sectors(b);
	tell_connected_again(b);
	return 0;
}

static void put_in(struct block_device *b, struct image *medium, char *params)
{
	image_close(b->image->medium);
	b->image->medium = medium;
	free(b->params);
	b->params = params;
	xenbus_write_back(&b->bus, "params", "%s", params);
}

int block_device_change_medium(struct block_device *b, const struct disk_config *config,
			       const int *fds, unsigned nr, struct problem *p)
{
	struct image *medium = image_adopt(config, fds, nr, b->image->rings, p);
	struct problem late;
	char *params;

	if (medium && !b->image->removable) {
		image_close(medium);
		return problem(p, "%s is no drive whose medium can be changed", b->vdev);
	}
	if (!medium)
		return -1;
	params = params_of(config);
	if (!params) {
		image_close(medium);
		return problem(p, "no memory");
	}
	stop_queues(b);
	put_in(b, medium, params);
	if (start_queues(b, &late)) {
		xenbus_fatal(&b->bus, "%s", late.text);
		return 0;
	}
	if (!b->bus.connected)
		return 0;
	tell_properties(b);
	tell_connected_again(b);
	return 0;
}
