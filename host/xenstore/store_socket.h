/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in for tools: a unix stream socket, as xenstored's, so that libxenstore's programs find
 * us by XENSTORED_PATH. Who may open it (its owner: mode 0600) is domain 0.
 */
#ifndef HOST_XENSTORE_STORE_SOCKET_H
#define HOST_XENSTORE_STORE_SOCKET_H

#include "host/xenstore/store.h"

struct store_socket;

/*
 * Serve at `path`. A socket of ours that is there already, and that nobody serves, is replaced.
 * NULL with the reason.
 */
struct store_socket *store_socket_open(struct store *s, struct loop *loop, const char *path,
				       struct problem *p);
/* Hangs up on all clients and removes the socket, if it is still this one. */
void store_socket_close(struct store_socket *k);

#endif
