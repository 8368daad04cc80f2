/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs of a guest, where xl and xenconsoled have them.
 */
#ifndef HOST_GUEST_LOG_H
#define HOST_GUEST_LOG_H

struct guest_log {
	int fd; /* appends; -1: none */
	char path[256];
};

enum guest_log_kind {
	GUEST_LOG_CONSOLE, /* guest-NAME.log: what the guest has said */
	GUEST_LOG_PROCESS, /* xl-NAME.log: what its process has */
};

/*
 * In $XENOLITH_LOG_DIR; without that variable in /var/log/xen/console and /var/log/xen for root,
 * and in $XDG_STATE_HOME/xenolith (~/.local/state/xenolith) for others. A guest runs without a log,
 * too: then fd is -1, path is empty, and one line on stderr has said so.
 */
void guest_log_open(struct guest_log *log, enum guest_log_kind kind, const char *name);
void guest_log_close(struct guest_log *log);

#endif
