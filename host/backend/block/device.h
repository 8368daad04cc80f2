/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk as a device of the bus: between block.c, its life, and connect.c, the frontend's terms. */
#ifndef HOST_BACKEND_BLOCK_DEVICE_H
#define HOST_BACKEND_BLOCK_DEVICE_H

#include "host/backend/block/queue.h"

struct block_image {
	struct image *medium;
	struct image_rings *rings;
	bool removable; /* another medium may come */
	bool keep_grants;
};

struct block_device {
	struct xenbus_device bus;
	struct block_image *image;
	struct loop *loop;
	struct block_disk disk;
	bool cdrom, direct_io_safe, may_discard;
	char *vdev;
	char *params;
	const char *type; /* with params: tells the toolstack what it is */

	unsigned nr_queues; /* while connected */
	struct block_queue *queues[BLOCK_MAX_QUEUES];
	struct block_stats past; /* of queues that are gone */

	struct watch fault; /* eventfd: a queue's thread has found something */
	const char *why;    /* what; atomic */
};

unsigned block_device_max_queues(const struct block_device *b);

/* Read the frontend's nodes, and open its queues; none runs yet. 0, or -1 with the reason. */
int block_device_open_queues(struct block_device *b, struct problem *p);
/* Stopped. */
void block_device_close_queues(struct block_device *b);

#endif
