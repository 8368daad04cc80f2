/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How commands reach the processes of guests.
 *
 * The runtime folder ($XENOLITH_RUN_DIR; else /run/xenolith for root, $XDG_RUNTIME_DIR/xenolith for
 * others; else /tmp/xenolith-UID, mode 0700) has a folder for each guest, named by its domid, with
 *
 *	lock		flock()ed by the guest's process as long as it lives. Who can lock it knows
 *			that its process is dead, and removes the folder
 *	name		the guest's name, and a line feed
 *	control		unix stream socket: below
 *	xenstored	unix stream socket: the guest's xenstore (XENSTORED_PATH)
 *
 * A folder gets its name when all of that is in it, and is emptied before it goes, so that a domid
 * is never seen half. `lock` in the runtime folder itself is held while a domid or a name is taken;
 * new-PID is a folder on its way.
 *
 * On the control socket a client sends requests, each one JSON object in one line, and reads the
 * answer to each, one JSON object in one line: {"ok": ...}, or {"error": "what, and the remedy"}.
 * {"command": "pause"} is one without arguments; others stand beside it by name. A request may
 * carry descriptors (SCM_RIGHTS) with its first byte. docs/control-protocol.md lists all commands.
 */
#ifndef HOST_CONTROL_CONTROL_H
#define HOST_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/problem.h"
#include "xen-abi/xen.h"

#define CONTROL_LINE_MAX 65536 /* bytes of a request or an answer */
#define CONTROL_FDS_MAX  4     /* descriptors with one request */

/* The runtime folder, made if it is not there; nobody else can write there. 0, or -1 with the
 * reason. */
int control_run_dir(char *path, size_t size, struct problem *p);

/* A guest whose process lives. */
struct control_guest {
	domid_t domid;
	char name[128];
	char folder[160];
};

/* All of them, by domid; dead ones' folders are removed. To be freed. -1 with the reason. */
int control_guests(struct control_guest **guests, unsigned *count, struct problem *p);

/* The guest with that domid (a number) or name. 0, or -1 with the reason. */
int control_find(const char *domain, struct control_guest *guest, struct problem *p);

/*
 * Send one request (a reference is taken from the caller) with `nr_fds` descriptors, wait for the
 * answer: the value of "ok", to be decref'ed; NULL with the reason (also what "error" said).
 */
json_t *control_request(const struct control_guest *guest, json_t *request, const int *fds,
			unsigned nr_fds, struct problem *p);

/*
 * The same in steps, for who has several requests under way. A descriptor to be closed, or -1; 0 or
 * -1; the value of "ok" or NULL, with the reason each. *gone tells that the guest's process has
 * ended without an answer.
 */
int control_connect(const struct control_guest *guest, struct problem *p);
int control_send(int fd, json_t *request, const int *fds, unsigned nr_fds, struct problem *p);
json_t *control_receive(int fd, bool *gone, struct problem *p);

#endif
