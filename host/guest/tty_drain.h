/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_GUEST_TTY_DRAIN_H
#define HOST_GUEST_TTY_DRAIN_H

/*
 * Before a pty's master is closed, which throws away what its readers have not read yet: wait for
 * them, as long as they read something every second. `slave` is our own end, and is closed; where
 * nobody else has one open, there is nothing to wait for.
 */
void tty_drain(int master, int slave);

#endif
