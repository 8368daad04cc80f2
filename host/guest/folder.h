/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's folder in the runtime folder (control.h), and with it its domid.
 */
#ifndef HOST_GUEST_FOLDER_H
#define HOST_GUEST_FOLDER_H

#include "host/problem.h"
#include "xen-abi/xen.h"

struct guest_folder {
	char path[160];
	domid_t domid;
	/* All stay open, so that a process that may open nothing any more can change the name. */
	int lock_fd; /* flock()ed, by this process and those that it forks; -1: not claimed */
	int name_fd, run_dir_fd;
};

/*
 * Take the lowest free domid for a guest of that name, and make its folder. 0, or -1 with the
 * reason (another guest has the name).
 */
int guest_folder_claim(struct guest_folder *f, const char *name, struct problem *p);

/* Another name, which no other guest has. 0, or -1 with the reason. */
int guest_folder_rename(struct guest_folder *f, const char *name, struct problem *p);

/* The guest is no more: the folder goes, with what is in it. */
void guest_folder_release(struct guest_folder *f);

/* The folder is another process's now, a child's. */
void guest_folder_leave(struct guest_folder *f);

#endif
