/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A qemu-nbd of our own: it makes of an image in any format one that the NBD protocol reads and
 * writes. It serves one connection, ours, and ends with it, or (unless `detached`) with the thread
 * that started it.
 */
#ifndef HOST_BACKEND_BLOCK_NBD_SERVER_H
#define HOST_BACKEND_BLOCK_NBD_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "host/problem.h"

struct nbd_server {
	pid_t pid;  /* -1: not a child of this process */
	int socket; /* connected to it; who takes it sets -1 */
	int log;    /* what it has said */
};

/* 0, or -1 with the reason. That it can serve the image is known by the connection only. */
int nbd_server_start(struct nbd_server *s, const char *path, const char *format, bool readonly,
		     bool detached, struct problem *p);

/* The connection is closed: wait until it has ended. Its exit status as of waitpid(), 0 if it is
 * not a child. */
int nbd_server_end(struct nbd_server *s);

/* The last line that it has said, or why it said nothing; status: as it ended. */
void nbd_server_last_words(const struct nbd_server *s, int status, char *text, size_t size);

void nbd_server_free(struct nbd_server *s);

#endif
