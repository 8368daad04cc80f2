/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of a configuration, as `xenolith create` starts it: a process of its own that lives as
 * long as the guest does, with its xenstore, its devices and its control socket (control.h).
 */
#ifndef HOST_GUEST_GUEST_H
#define HOST_GUEST_GUEST_H

#include <stdbool.h>

#include "host/config/guest_config.h"
#include "host/problem.h"

struct start_options {
	bool console; /* this terminal becomes the guest's console, until ^] or the guest's end */
	bool paused;  /* it waits for `unpause` before its first instruction */
	bool foreground; /* return only when the guest has ended for good */
	bool quiet;      /* say nothing but what went wrong */
};

/*
 * Start the guest. Unless `foreground`, its process is a child that has left the terminal and goes
 * on after this one. *c is the caller's, and not changed.
 *
 * The exit status of `create`: 0; or -1 with the reason in *p, and then nothing is left behind.
 */
int guest_start(struct guest_config *c, const struct start_options *o, struct problem *p);

#endif
