/* SPDX-License-Identifier: BSD-2-Clause */
/* This terminal as a guest's console: what `xenolith console` and `create -c` do. */
#ifndef HOST_CONTROL_CONSOLE_CLIENT_H
#define HOST_CONTROL_CONSOLE_CLIENT_H

#include "host/control/control.h"

/*
 * Between stdin and stdout and the guest's console of that number (0: the primary one), until ^] or
 * the end of the guest. stdin is put into raw mode meanwhile if it is a terminal; its end is not
 * the end. 0, or -1 with the reason.
 */
int console_client_run(const struct control_guest *guest, unsigned number, struct problem *p);

#endif
