/* SPDX-License-Identifier: BSD-2-Clause */
/* Something that is done by a child in the sandbox, and what became of it. */
#ifndef HOST_GUEST_SANDBOX_TEST_H
#define HOST_GUEST_SANDBOX_TEST_H

#include <sys/types.h>

#include "host/guest/sandbox.h"

/* What a child did: its status, and what it has said on stderr. */
struct outcome {
	int status;
	char said[512];
};

extern pid_t parent; /* of the children */

/* Two folders, one with a file, and a file beside them; all hold five bytes. */
extern char folder[], other_folder[], inside[], outside[];
int make_files(void **state);
int remove_files(void **state);

extern const struct sandbox_config plain;

/* The child arms the sandbox (status 99: it cannot), acts, and exits with the result. */
struct outcome run(const struct sandbox_config *c, int (*act)(void));

/* It exits with 0; else the status is an errno. */
void works_with(const struct sandbox_config *c, int (*act)(void), const char *what);
#define WORKS(act) works_with(&plain, act, #act)

/* It ends by SIGSYS, and says the call's name in one line. */
void ends_by(int (*act)(void), const char *name);

/* What an act returns: 0, or the errno of a call that should not have failed; */
int result(long rc);
/* or 0 if it has failed with this errno. */
int refused(long rc, int error);

#endif
