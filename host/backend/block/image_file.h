/* SPDX-License-Identifier: BSD-2-Clause */
/* A raw image, between what opens it (image_file.c) and what moves its bytes (file_queue.c). */
#ifndef HOST_BACKEND_BLOCK_IMAGE_FILE_H
#define HOST_BACKEND_BLOCK_IMAGE_FILE_H

#include "host/backend/block/image.h"
#include "host/backend/block/image_rings.h"

struct file_image {
	struct image common;
	int fd;
	enum file_engine engine;
	struct image_rings *rings; /* NULL: none */
	bool block_device;
	bool in_memory; /* its file system is: nothing waits for a disk */
	bool nowait;    /* a read can be asked not to wait (RWF_NOWAIT) */
	uint32_t logical_sector;
	char path[];
};

struct image_queue *file_queue_open(struct image *image, int kick, struct problem *p);
void file_queue_close(struct image_queue *q);
void file_queue_submit(struct image_queue *q, struct image_request *r);
void file_queue_push(struct image_queue *q);
void file_queue_reap(struct image_queue *q);
void file_queue_wait(struct image_queue *q);

#endif
