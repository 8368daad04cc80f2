/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What went wrong, in the one line that the user will read.
 *
 * Functions of host/ that can fail for a reason a user can mend take a struct problem. They write
 * the whole message (file, value, remedy) where the facts are known, and callers only pass it up.
 */
#ifndef HOST_PROBLEM_H
#define HOST_PROBLEM_H

struct problem {
	char text[512];
};

/* Record the message (truncated to the buffer) and return -1, so that `return problem(...)` reads.
 */
int problem(struct problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
