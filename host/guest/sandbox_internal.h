/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the sandbox. */
#ifndef HOST_GUEST_SANDBOX_INTERNAL_H
#define HOST_GUEST_SANDBOX_INTERNAL_H

#include <seccomp.h>
#include <stddef.h>

#include "host/guest/sandbox.h"

/*
 * sandbox_rules.c: the rules into the filter. files_fenced: Landlock says where files may be
 * removed. 0 or -errno of libseccomp.
 */
int sandbox_add_rules(scmp_filter_ctx filter, bool files_fenced);

/*
 * sandbox_files.c: Landlock. 1: files are made, changed, run and removed nowhere but where `c`
 * says; 0: this kernel has none; -errno. *which: the folder that it was about, or NULL.
 */
int sandbox_fence_files(const struct sandbox_config *c, const char **which);

#endif
