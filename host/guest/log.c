// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct kind {
	const char *root_folder, *prefix, *suffix;
} kinds[] = {
	[GUEST_LOG_CONSOLE] = {"/var/log/xen/console", "guest-", ".log"},
	[GUEST_LOG_PROCESS] = {"/var/log/xen", "xl-", ".log"},
	[GUEST_CORE] = {"/var/lib/xen/dump", "core-", ""},
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

bool guest_file_path(enum guest_file file, const char *name, char *path, size_t size)
{
	const char *dir = getenv("XENOLITH_LOG_DIR"), *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME"), *below = "";
	const struct kind *k = &kinds[file];
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
	n = snprintf(path, size, "%s%s/%s%s%s", dir, below, k->prefix, name, k->suffix);
	if (n >= (int)size)
		return false;
	make_folders(path);
	return true;
}

void guest_log_open(struct guest_log *log, enum guest_file file, const char *name)
{
	log->fd = -1;
	if (guest_file_path(file, name, log->path, sizeof(log->path))) {
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
