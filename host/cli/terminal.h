/* SPDX-License-Identifier: BSD-2-Clause */
/* The user's terminal in raw mode, and back on every way out of the process (but SIGKILL). */
#ifndef HOST_CLI_TERMINAL_H
#define HOST_CLI_TERMINAL_H

#include <stdbool.h>

/* Put fd into raw mode if it is a terminal; false if it is none. Restored at exit and on death by
 * signal. */
bool terminal_raw(int fd);

/* Give the terminal back as it was. Idempotent. */
void terminal_restore(void);

#endif
