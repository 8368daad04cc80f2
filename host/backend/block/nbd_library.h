/* SPDX-License-Identifier: BSD-2-Clause */
/* What is used of libnbd: nbd_create() of its manual is nbd.create() here, and so on. */
#ifndef HOST_BACKEND_BLOCK_NBD_LIBRARY_H
#define HOST_BACKEND_BLOCK_NBD_LIBRARY_H

#include <libnbd.h>

#include "host/problem.h"

#define NBD_FUNCTIONS(X)     \
	X(create)            \
	X(connect_socket)    \
	X(shutdown)          \
	X(close)             \
	X(get_size)          \
	X(get_block_size)    \
	X(can_flush)         \
	X(can_trim)          \
	X(aio_pread)         \
	X(aio_pwrite)        \
	X(aio_flush)         \
	X(aio_trim)          \
	X(aio_get_fd)        \
	X(aio_get_direction) \
	X(aio_notify_read)   \
	X(aio_notify_write)  \
	X(aio_is_dead)       \
	X(aio_is_closed)

struct nbd_functions {
#define MEMBER(name) __typeof__(nbd_##name) *name;
	NBD_FUNCTIONS(MEMBER)
#undef MEMBER
};

extern struct nbd_functions nbd;

/*
 * Load it, if nobody has. It is tried once: a process that could not, before it was shut in, cannot
 * later. Any thread. 0, or -1 with the reason.
 */
int nbd_library_load(struct problem *p);

#endif
