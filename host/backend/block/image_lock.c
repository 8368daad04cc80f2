// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/image_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(int fd, struct problem *p, const char *path, const char *why)
{
	if (fd >= 0)
		close(fd);
	return problem(p, "%s: %s", path, why);
}

static const char *why_not_opened(int error)
{
	switch (error) {
	case EBUSY:
		return "in use: it is mounted, or another guest writes to it";
	case EROFS:
	case EACCES:
		return "may not be written; with \"r\" as its mode it need not be";
	default:
		return strerror(error);
	}
}

static int lock(int fd, bool readonly)
{
	struct flock l = {
		.l_type = readonly ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
		.l_len = 1,
	};

	return fcntl(fd, F_OFD_SETLK, &l) ? -errno : 0;
}

int image_open_locked(const char *path, bool readonly, struct problem *p)
{
	int flags = (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC, fd, rc;
	struct stat st;

	if (stat(path, &st))
		return problem(p, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return problem(p, "%s: neither a file nor a block device", path);
	/* A block device that is written is ours alone: nor may it be mounted. */
	if (S_ISBLK(st.st_mode) && !readonly)
		flags |= O_EXCL;
	fd = open(path, flags);
	if (fd < 0)
		return problem(p, "%s: %s", path,
			       readonly ? strerror(errno) : why_not_opened(errno));
	rc = lock(fd, readonly);
	if (rc == -EAGAIN || rc == -EACCES)
		return refuse(fd, p, path, "in use by another guest");
	if (rc)
		return refuse(fd, p, path, "its file system has no locks, so it is not safe there");
	return fd;
}
