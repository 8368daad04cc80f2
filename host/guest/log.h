/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that a guest leaves on the host, where xl, xenconsoled and libxl have them: logs and cores.
 *
 * In $XENOLITH_LOG_DIR, all of them; without that variable, for root, in /var/log/xen/console,
 * /var/log/xen and /var/lib/xen/dump, and in $XDG_STATE_HOME/xenolith (~/.local/state/xenolith) for
 * others.
 */
#ifndef HOST_GUEST_LOG_H
#define HOST_GUEST_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum guest_file {
	GUEST_LOG_CONSOLE, /* guest-NAME.log: what the guest has said */
	GUEST_LOG_PROCESS, /* xl-NAME.log: what its process has */
	GUEST_CORE,        /* core-NAME: its memory when it crashed */
};

/* Its path; the folder is made if it is not there. False: there is no place for it. */
bool guest_file_path(enum guest_file file, const char *name, char *path, size_t size);

struct guest_log {
	int fd; /* appends; -1: none */
	char path[256];
};

/*
 * A guest runs without a log, too: then fd is -1, path is empty, and one line on stderr has said
 * so.
 */
void guest_log_open(struct guest_log *log, enum guest_file file, const char *name);
void guest_log_close(struct guest_log *log);

#endif
