/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shared library that few need, loaded when somebody does: it and what it needs itself would take
 * most of a command's time to start and of a small guest's memory.
 */
#ifndef HOST_LIBRARY_H
#define HOST_LIBRARY_H

#include "host/problem.h"

struct library {
	const char *file;         /* as dlopen(3) takes it: "libnbd.so.0" */
	const char *package;      /* Debian's, for who has not got it */
	const char *const *names; /* of functions */
	unsigned nr_names;
};

/*
 * The addresses of the functions into functions[], as many as there are names. The library stays.
 * Programs may not be loaded any more once the sandbox is armed (host/guest/sandbox.h): load before
 * that what may be needed after it. 0, or -1 with the reason, and functions[] are not to be used.
 */
int library_load(const struct library *lib, void **functions, struct problem *p);

#endif
