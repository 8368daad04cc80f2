/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of the store: which are legal, and how they lie to each other. Xen's rules are those of
 * docs/misc/xenstore.txt.
 */
#ifndef HOST_XENSTORE_PATH_H
#define HOST_XENSTORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Absolute, of legal characters, no longer than XENSTORE_ABS_PATH_MAX. */
bool path_valid(const char *path);

/* "@introduceDomain" and its like: not a path, but may stand where one does. */
static inline bool path_special(const char *path)
{
	return path[0] == '@';
}

/* How many of its bytes name the parent; that of "/" is itself. */
size_t path_parent_len(const char *path);

/* Is `path` the same as `top`, or below it? */
bool path_within(const char *path, const char *top);

/* By how many levels `path`, which is within `top`, lies below it. */
unsigned path_levels(const char *path, const char *top);

/*
 * The components one by one: the next one's first byte and length, or NULL after the last. *rest is
 * a valid path at first.
 */
const char *path_step(const char **rest, size_t *len);

#endif
