// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int map_open(const char *path, uint64_t *size, struct problem *p)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO given by mistake must not hang us before fstat can tell. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return problem(p, "%s: cannot open: %s; give the path of a file that may be read",
			       path, strerror(errno));
	if (fstat(fd, &st)) {
		problem(p, "%s: cannot stat: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		problem(p, "%s: not a regular file; give a file's path", path);
		close(fd);
		return -1;
	}
	*size = st.st_size;
	return fd;
}

int map_file(struct kernel_map *map, const char *path, struct problem *p)
{
	uint64_t size = 0;
	int fd = map_open(path, &size, p);
	void *base;

	if (fd < 0)
		return -1;
	if (!size) {
		close(fd);
		return problem(p, "%s: the file is empty; fetch it again", path);
	}
	base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED) {
		problem(p, "%s: cannot map its %llu bytes: %s", path, (unsigned long long)size,
			strerror(errno));
		close(fd);
		return -1;
	}
	*map = (struct kernel_map){base, size};
	return fd;
}

int map_read(int fd, uint64_t offset, void *to, uint64_t size, const char *path, struct problem *p)
{
	uint64_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (uint8_t *)to + done, size - done, offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return problem(p, "%s: cannot read: %s", path, strerror(errno));
		if (!n)
			return problem(p,
				       "%s: the file shrank to %llu bytes while it was read; "
				       "try again",
				       path, (unsigned long long)offset + done);
		done += n;
	}
	return 0;
}

void map_release(struct kernel_map *map)
{
	if (map->size)
		munmap(map->base, map->size);
	*map = (struct kernel_map){0};
}
