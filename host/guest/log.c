// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct kind {
	const char *prefix, *root_folder;
} kinds[] = {
	[GUEST_LOG_CONSOLE] = {"guest", "/var/log/xen/console"},
	[GUEST_LOG_PROCESS] = {"xl", "/var/log/xen"},
};

/* The folders that the file is in. */
static void make_folders(const char *path)
{
	char folder[256];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(folder, 0755);
		*slash = '/';
	}
}

/* False: there is no place for it. */
static bool make_path(struct guest_log *log, const struct kind *k, const char *name)
{
	const char *dir = getenv("XENOLITH_LOG_DIR"), *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME"), *below = "";
	int n;

	if (!dir && geteuid() == 0) {
		dir = k->root_folder;
	} else if (!dir && state) {
		dir = state;
		below = "/xenolith";
	} else if (!dir) {
		dir = home;
		below = "/.local/state/xenolith";
	}
	if (!dir)
		return false;
	n = snprintf(log->path, sizeof(log->path), "%s%s/%s-%s.log", dir, below, k->prefix, name);
	return n < (int)sizeof(log->path);
}

void guest_log_open(struct guest_log *log, enum guest_log_kind kind, const char *name)
{
	log->fd = -1;
	if (make_path(log, &kinds[kind], name)) {
		make_folders(log->path);
		log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (log->fd >= 0)
			return;
		fprintf(stderr,
			"xenolith: no log: %s: %s; set XENOLITH_LOG_DIR to another folder\n",
			log->path, strerror(errno));
	}
	log->path[0] = '\0';
}

void guest_log_close(struct guest_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}
