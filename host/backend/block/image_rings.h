/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of io_uring, for queues of disks. What is asked for in a ring no seccomp filter sees, so a
 * guest's process makes all that it will ever have before it shuts itself in, and each is good for
 * reading, writing, flushing and discarding alone (IORING_REGISTER_RESTRICTIONS, Linux 5.10): files
 * and sockets cannot be opened by one.
 *
 * Event loop's thread, but for what is done with a ring that has been taken.
 */
#ifndef HOST_BACKEND_BLOCK_IMAGE_RINGS_H
#define HOST_BACKEND_BLOCK_IMAGE_RINGS_H

#include <liburing.h>

struct image_ring {
	struct io_uring uring;
	struct image_ring *next; /* of those that nobody uses */
};

struct image_rings {
	struct image_ring *unused;
};

/* `nr` rings, or as many as there can be: none where the host refuses io_uring, or cannot restrict
 * it. */
void image_rings_open(struct image_rings *rings, unsigned nr);
/* All have been given back. */
void image_rings_close(struct image_rings *rings);

/*
 * A ring that writes to the eventfd `kick` when something has finished. NULL: there is none left,
 * and the caller does without. It is given back with nothing in flight.
 */
struct image_ring *image_rings_take(struct image_rings *rings, int kick);
void image_rings_give_back(struct image_rings *rings, struct image_ring *ring);

#endif
