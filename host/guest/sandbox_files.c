// SPDX-License-Identifier: BSD-2-Clause
/*
 * Landlock (Documentation/userspace-api/landlock.rst; Linux 5.13): files that are not open yet are
 * for reading. It also holds for what is opened through a ring of io_uring, which seccomp does not
 * see.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/guest/sandbox_internal.h"

/* All that changes something or runs it, of the first version: each kernel with Landlock knows. */
#define FENCED                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |     \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |     \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |     \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |   \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

/* In the folders named: files go, and an unnamed one gets a name. */
#define IN_FOLDERS                                                        \
	(LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_REG)

static int add_folder(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = IN_FOLDERS};
	int rc;

	rule.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -errno;
	rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ? -errno
											   : 0;
	close(rule.parent_fd);
	return rc;
}

static int restrict_to(int ruleset, const struct sandbox_config *c, const char **which)
{
	int rc = 0;

	for (unsigned i = 0; i < c->nr_folders && !rc; i++) {
		rc = add_folder(ruleset, c->folders[i]);
		*which = rc ? c->folders[i] : NULL;
	}
	if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		rc = -errno;
	if (!rc && syscall(SYS_landlock_restrict_self, ruleset, 0))
		rc = -errno;
	return rc ? rc : 1;
}

int sandbox_fence_files(const struct sandbox_config *c, const char **which)
{
	const struct landlock_ruleset_attr attr = {.handled_access_fs = FENCED};
	int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0), rc;

	*which = NULL;
	if (ruleset < 0) /* EOPNOTSUPP: built in, and off */
		return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM ? 0 : -errno;
	rc = restrict_to(ruleset, c, which);
	close(ruleset);
	return rc;
}
