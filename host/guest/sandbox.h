/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process of a guest shuts itself in before the guest runs: whoever takes the process over from
 * within the guest finds that it can do what a virtual machine needs, and little else. Everything
 * that it uses of the host is open by then, or comes as a descriptor over the control socket.
 *
 * Two fences (docs/design-notes.md, "The sandbox"): seccomp, which looks at system calls and their
 * plain arguments (sandbox_rules.c lists them, each with its reason), and Landlock where the kernel
 * has it, which looks at files (sandbox_files.c).
 *
 * What only an intruder would do ends the process by SIGSYS, after one line that names the system
 * call. What the program or a library may try, and can do without, gets an errno.
 *
 * $XENOLITH_SANDBOX, for development: "off": none; "log": nothing is refused, and the kernel writes
 * to its log what would have been (type=1326, or "audit: ... syscall=N"); else, and by default, on.
 */
#ifndef HOST_GUEST_SANDBOX_H
#define HOST_GUEST_SANDBOX_H

#include <stdbool.h>

#include "host/problem.h"

struct sandbox_config {
	/*
	 * Folders in which files may be removed, and given a name (linkat), at the end: the guest's
	 * own in the runtime folder. They must be there. Without Landlock that is refused (EACCES)
	 * everywhere.
	 */
	const char *const *folders;
	unsigned nr_folders;
};

/*
 * Can it work in this program? Not if it was built with AddressSanitizer or ThreadSanitizer, which
 * do what it forbids; the compiler tells so.
 */
bool sandbox_possible(void);

/*
 * Arm it, for good and for all threads, those that come included. Landlock's is this thread's and
 * those that it makes: so call it before there are others. Programs that this thread has started
 * (qemu-nbd, passt) it may still end, and no other. Where it is not possible, or off by the
 * environment, nothing happens. 0, or -1 with the reason: then the guest must not run.
 *
 * A thread that blocks SIGSYS dies without the line.
 */
int sandbox_arm(const struct sandbox_config *c, struct problem *p);

#endif
