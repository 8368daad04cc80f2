// SPDX-License-Identifier: BSD-2-Clause
#include "host/thread.h"

#include <signal.h>

int thread_start(pthread_t *thread, int wanted, void *(*run)(void *opaque), void *opaque)
{
	sigset_t blocked, before;
	int rc;

	sigfillset(&blocked);
	sigdelset(&blocked, SIGSYS);
	if (wanted)
		sigdelset(&blocked, wanted);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	rc = pthread_create(thread, NULL, run, opaque);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
