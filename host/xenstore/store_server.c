// SPDX-License-Identifier: BSD-2-Clause
/*
 * A store on a socket, for tests and measurements: store_server SOCKET [DOMID...]. The domains are
 * introduced. It says "ready" on stdout when it serves, and ends on SIGTERM.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/xenstore/store_socket.h"

static void terminated(void *opaque, uint32_t events)
{
	(void)events;
	loop_stop(opaque);
}

static int serve(struct loop *loop, struct store *s, const char *path)
{
	struct problem p;
	struct store_socket *k = store_socket_open(s, loop, path, &p);

	if (!k) {
		fprintf(stderr, "store_server: %s\n", p.text);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	loop_run(loop);
	store_socket_close(k);
	return 0;
}

int main(int argc, char **argv)
{
	struct loop loop;
	struct watch term;
	struct problem p;
	struct store *s;
	int rc;

	if (argc < 2 || loop_init(&loop) || loop_signals_open(&loop, &term, terminated, &loop))
		return 2;
	s = store_create(&loop, &p);
	if (!s)
		return 2;
	for (int i = 2; i < argc; i++)
		if (store_introduce(s, strtoul(argv[i], NULL, 10)))
			return 2;
	rc = serve(&loop, s, argv[1]);
	store_destroy(s);
	close(term.fd);
	loop_destroy(&loop);
	return rc;
}
