// SPDX-License-Identifier: BSD-2-Clause
/* Raw files and block devices: what they are and can do. */
#include "host/backend/block/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "host/backend/block/image_lock.h"

/* What a page cache keeps apart, and a new file system's block. */
#define FILE_BLOCK 4096u

#define MAX_QUEUES 8

static int64_t measure(struct image *image)
{
	const struct file_image *f = (struct file_image *)image;
	struct stat st;
	uint64_t size;

	if (f->block_device)
		return ioctl(f->fd, BLKGETSIZE64, &size) ? -errno : (int64_t)size;
	return fstat(f->fd, &st) ? -errno : (int64_t)st.st_size;
}

static void close_file(struct image *image)
{
	struct file_image *f = (struct file_image *)image;

	close(f->fd);
	free(f);
}

static const struct image_ops file_ops = {
	.open_queue = file_queue_open,
	.close_queue = file_queue_close,
	.submit = file_queue_submit,
	.push = file_queue_push,
	.reap = file_queue_reap,
	.wait = file_queue_wait,
	.measure = measure,
	.close = close_file,
};

static bool is_in_memory(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

static bool can_read_without_waiting(int fd)
{
	char byte;
	struct iovec iov = {&byte, 1};

	return preadv2(fd, &iov, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
}

/* Behind the file's end a hole changes nothing. */
static bool can_punch(int fd, uint64_t size)
{
	uint64_t behind = (size + FILE_BLOCK - 1) / FILE_BLOCK * FILE_BLOCK;

	return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, behind, FILE_BLOCK);
}

/* A number that the kernel tells of a block device, or of the one that it is a partition of. */
static uint64_t queue_fact(dev_t dev, const char *name)
{
	static const char *const folders[] = {"", "../"};
	uint64_t value = 0;

	for (unsigned i = 0; i < 2 && !value; i++) {
		char path[128];
		FILE *file;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/%s", major(dev),
			 minor(dev), folders[i], name);
		file = fopen(path, "re");
		if (!file)
			continue;
		char text[32] = "";
		if (fgets(text, sizeof(text), file))
			value = strtoull(text, NULL, 10);
		fclose(file);
	}
	return value;
}

static bool is_sector(uint64_t bytes, uint64_t size)
{
	return bytes >= IMAGE_SECTOR && bytes <= 65536 && !(bytes & (bytes - 1)) &&
	       size % bytes == 0;
}

static void look_at_device(struct file_image *f, dev_t dev)
{
	uint64_t granularity = queue_fact(dev, "discard_granularity");
	unsigned physical = 0;
	int logical = 0;

	ioctl(f->fd, BLKPBSZGET, &physical);
	ioctl(f->fd, BLKSSZGET, &logical);
	f->logical_sector = logical > 0 ? (uint32_t)logical : IMAGE_SECTOR;
	if (is_sector(physical, f->common.size))
		f->common.physical_sector = physical;
	f->common.can_discard = granularity && queue_fact(dev, "discard_max_bytes");
	f->common.discard_granularity = granularity;
	f->common.discard_alignment = queue_fact(dev, "../discard_alignment");
}

static void look_at_file(struct file_image *f)
{
	if (is_sector(FILE_BLOCK, f->common.size))
		f->common.physical_sector = FILE_BLOCK;
	f->in_memory = is_in_memory(f->fd);
	f->common.can_discard = can_punch(f->fd, f->common.size);
	f->common.discard_granularity = FILE_BLOCK;
}

static int look_at(struct file_image *f, struct problem *p)
{
	struct stat st;
	int64_t size;

	if (fstat(f->fd, &st))
		return problem(p, "%s: %s", f->path, strerror(errno));
	f->block_device = S_ISBLK(st.st_mode);
	size = measure(&f->common);
	if (size < 0)
		return problem(p, "%s: its size cannot be had: %s", f->path, strerror((int)-size));
	f->common.size = size;
	f->common.physical_sector = f->logical_sector = IMAGE_SECTOR;
	if (f->block_device)
		look_at_device(f, st.st_rdev);
	else
		look_at_file(f);
	f->nowait = can_read_without_waiting(f->fd);
	return 0;
}

struct image *image_adopt_file(const char *path, int fd, bool readonly, enum file_engine engine,
			       struct image_rings *rings, struct problem *p)
{
	struct file_image *f = calloc(1, sizeof(*f) + strlen(path) + 1);

	if (!f) {
		close(fd);
		problem(p, "%s: no memory", path);
		return NULL;
	}
	memcpy(f->path, path, strlen(path) + 1);
	f->engine = engine;
	f->rings = rings;
	f->common.ops = &file_ops;
	f->common.name = f->path;
	f->common.readonly = readonly;
	f->common.max_queues = MAX_QUEUES;
	f->fd = fd;
	if (!look_at(f, p))
		return &f->common;
	close(fd);
	free(f);
	return NULL;
}

struct image *image_open_file(const char *path, bool readonly, enum file_engine engine,
			      struct image_rings *rings, struct problem *p)
{
	int fd = image_open_locked(path, readonly, p);

	return fd < 0 ? NULL : image_adopt_file(path, fd, readonly, engine, rings, p);
}
