// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/nbd_library.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "host/backend/block/block.h"
#include "host/library.h"
#include "shim/types.h"

struct nbd_functions nbd;

static struct problem reason;
static int outcome;

static void load(void)
{
#define NAME(name) "nbd_" #name,
	static const char *const names[] = {NBD_FUNCTIONS(NAME)};
#undef NAME
	const struct library lib = {"libnbd.so.0", "libnbd0", names, ARRAY_SIZE(names)};

	_Static_assert(sizeof(nbd) == sizeof(names), "a pointer for each name");
	/* Its TLS, which makes itself ready when it is loaded, nobody uses. */
	setenv("GNUTLS_NO_IMPLICIT_INIT", "1", false);
	outcome = library_load(&lib, (void **)&nbd, &reason);
}

int nbd_library_load(struct problem *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return outcome ? problem(p, "%s", reason.text) : 0;
}

void block_load_libraries(void)
{
	struct problem unused;

	nbd_library_load(&unused);
}
