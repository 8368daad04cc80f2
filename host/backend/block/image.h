/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a disk's bytes are: a file, a block device, or what a server of the NBD protocol makes of
 * an image in some other format.
 *
 * An image is opened and closed on the event loop's thread. Requests go through queues, each used
 * by one thread at a time; queues of one image may be used at the same time. Lengths and offsets
 * are bytes. Errors are -errno.
 */
#ifndef HOST_BACKEND_BLOCK_IMAGE_H
#define HOST_BACKEND_BLOCK_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "host/config/guest_config.h"
#include "host/problem.h"

#define IMAGE_SECTOR 512u

enum image_op {
	IMAGE_READ,
	IMAGE_WRITE,
	IMAGE_FLUSH,   /* all writes that have finished become durable */
	IMAGE_DISCARD, /* the contents are of no more use */
};

struct image;
struct image_queue;
struct image_rings;

/* Owned by the caller; in place until done() is called, which may be within submit(). */
struct image_request {
	enum image_op op;
	uint64_t offset, len; /* multiples of IMAGE_SECTOR, within the image */
	struct iovec *iov;    /* `len` bytes in all; the array is changed */
	unsigned iovcnt;
	/* error: 0 or -errno. On the queue's thread. */
	void (*done)(struct image_request *r, int error);

	/* The image's own. */
	struct image_queue *queue;
	struct image_request *next;
	void *bounce;
	int result;
};

struct image_queue {
	struct image *image;
	unsigned in_flight;
};

struct image_ops {
	/* kick: an eventfd (blocking) that ends wait(). NULL with the reason. */
	struct image_queue *(*open_queue)(struct image *image, int kick, struct problem *p);
	/* Nothing is in flight. */
	void (*close_queue)(struct image_queue *q);

	void (*submit)(struct image_queue *q, struct image_request *r);
	/* What has been submitted is on its way. */
	void (*push)(struct image_queue *q);
	/* Call done() of what has finished; does not wait. */
	void (*reap)(struct image_queue *q);
	/* Until `kick` has been written to (it is read then), or something may have finished. */
	void (*wait)(struct image_queue *q);

	/* Look at the size again: bytes, or -errno. */
	int64_t (*measure)(struct image *image);
	void (*close)(struct image *image);
};

/* The common part of each kind; the rest is the kind's own. */
struct image {
	const struct image_ops *ops;
	const char *name; /* as the user knows it */
	uint64_t size;    /* bytes; atomic */
	bool readonly;
	unsigned max_queues;

	uint32_t physical_sector; /* bytes */
	bool can_discard;
	uint32_t discard_granularity, discard_alignment; /* bytes */
};

/* How a file is read and written. */
enum file_engine {
	FILE_AUTO,    /* at once where that does not wait, by io_uring else */
	FILE_BY_RING, /* all by io_uring: for tests */
};

/*
 * NULL with the reason. The file is locked (image_lock.h) as long as it is open. rings: of which
 * its queues take one each while there are any; a queue without one, and all of them if this is
 * NULL, moves everything by system calls of its own thread. They outlive the image.
 */
struct image *image_open_file(const char *path, bool readonly, enum file_engine engine,
			      struct image_rings *rings, struct problem *p);
/* Another format, as qemu-nbd calls it, by a qemu-nbd of our own. */
struct image *image_open_nbd(const char *path, const char *format, bool readonly,
			     struct problem *p);
/* A drive without a medium: no bytes; flushes succeed, nothing else does. NULL: no memory. */
struct image *image_open_empty(void);

/* As the configuration says. */
struct image *image_open(const struct disk_config *config, struct image_rings *rings,
			 struct problem *p);

/* The same in two halves: block_image_prepare() and block_image_adopt() (block.h). */
int image_prepare(const struct disk_config *config, int *fds, unsigned *nr, struct problem *p);
struct image *image_adopt(const struct disk_config *config, const int *fds, unsigned nr,
			  struct image_rings *rings, struct problem *p);
/* Of the second half, by kind. They own the descriptors, and close them when they fail. */
struct image *image_adopt_file(const char *path, int fd, bool readonly, enum file_engine engine,
			       struct image_rings *rings, struct problem *p);
struct image *image_adopt_nbd(const char *path, int socket, int locked, int log, bool readonly,
			      struct problem *p);
void image_close(struct image *image);

/* The wait() of a queue that has nothing else to wait for. */
void image_wait_kick(int kick);

static inline uint64_t image_size(const struct image *image)
{
	return __atomic_load_n(&image->size, __ATOMIC_RELAXED);
}

#endif
