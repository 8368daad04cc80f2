// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/control/control.h"

/* The longest that is appended to the folder to make a socket's path. */
#define LONGEST_NAME "/32751/xenstored"

static int choose(char *path, size_t size)
{
	const char *own = getenv("XENOLITH_RUN_DIR"), *session = getenv("XDG_RUNTIME_DIR");

	if (own && *own)
		return snprintf(path, size, "%s", own);
	if (!geteuid())
		return snprintf(path, size, "/run/xenolith");
	if (session && *session)
		return snprintf(path, size, "%s/xenolith", session);
	return snprintf(path, size, "/tmp/xenolith-%u", geteuid());
}

/* In /tmp, others may have been there first. */
static int check(const char *path, struct problem *p)
{
	struct stat st;

	if (lstat(path, &st))
		return problem(p, "cannot look at the runtime folder %s: %s", path,
			       strerror(errno));
	if (S_ISLNK(st.st_mode) && stat(path, &st))
		return problem(p, "cannot follow the runtime folder %s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return problem(p, "the runtime folder %s is no folder: set XENOLITH_RUN_DIR to one",
			       path);
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return problem(p,
			       "others can write in the runtime folder %s: set XENOLITH_RUN_DIR to "
			       "a folder of your own, of mode 0700",
			       path);
	return 0;
}

int control_run_dir(char *path, size_t size, struct problem *p)
{
	const struct sockaddr_un limit;
	int length = choose(path, size);

	if (length < 0 || (size_t)length >= size ||
	    length + sizeof(LONGEST_NAME) > sizeof(limit.sun_path))
		return problem(p,
			       "the path of the runtime folder, %.60s..., is too long for sockets: "
			       "set XENOLITH_RUN_DIR to a shorter one",
			       path);
	if (mkdir(path, 0700) && errno != EEXIST)
		return problem(p,
			       "cannot make the runtime folder %s: %s; XENOLITH_RUN_DIR names "
			       "another",
			       path, strerror(errno));
	return check(path, p);
}
