// SPDX-License-Identifier: BSD-2-Clause
/* Writing out the ELF file that was inside a bzImage or a compressed file. */
#include "host/loader/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel's own file must not be written to: it may be mapped, and is the user's only copy. */
static bool is_own_file(const struct kernel *k, const struct stat *out)
{
	struct stat own;

	return stat(k->name, &own) == 0 && own.st_dev == out->st_dev && own.st_ino == out->st_ino;
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		size -= n;
	}
	return 0;
}

static int fill(const struct kernel *k, int fd, const char *out, struct problem *p)
{
	struct stat st;

	if (fstat(fd, &st))
		return problem(p, "%s: cannot stat: %s", out, strerror(errno));
	if (is_own_file(k, &st))
		return problem(p, "%s: is the kernel itself; give another file to write to", out);
	/* A pipe or /dev/stdout cannot be cut and need not be. */
	if (S_ISREG(st.st_mode) && ftruncate(fd, 0))
		return problem(p, "%s: cannot truncate: %s", out, strerror(errno));
	if (write_all(fd, k->elf.bytes, k->elf.size))
		return problem(p, "%s: cannot write %zu bytes: %s", out, k->elf.size,
			       strerror(errno));
	return 0;
}

int kernel_write_elf(const struct kernel *k, const char *out, struct problem *p)
{
	int fd = open(out, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	int ret;

	if (fd < 0)
		return problem(p, "%s: cannot open for writing: %s", out, strerror(errno));
	ret = fill(k, fd, out, p);
	if (close(fd) && !ret)
		ret = problem(p, "%s: cannot write: %s", out, strerror(errno));
	return ret;
}
