// SPDX-License-Identifier: BSD-2-Clause
/*
 * From the terminal to the guest's own process. The parent hears over a pipe how the start went: a
 * byte when the guest runs, or the reason why it does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/control/console_client.h"
#include "host/kvm/pv.h"
#include "host/guest/folder.h"
#include "host/guest/guest.h"
#include "host/guest/process.h"

#define READY '\0' /* no message begins so */

/*
 * The guest's process.
 */

static void say_ready(void *opaque)
{
	const int *fd = opaque;
	char byte = READY;

	if (write(*fd, &byte, 1) < 0)
		return; /* the parent has gone */
	close(*fd);
}

static void say_problem(int fd, const struct problem *p)
{
	if (write(fd, p->text, strlen(p->text)) < 0)
		return;
}

/* stdin is nobody's, and what is said goes to a log; the terminal is left. */
static int leave_terminal(const char *name, struct problem *p)
{
	struct guest_log log;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || setsid() < 0)
		return problem(p, "cannot leave the terminal: %s", strerror(errno));
	guest_log_open(&log, GUEST_LOG_PROCESS, name);
	dup2(null, STDIN_FILENO);
	dup2(log.fd >= 0 ? log.fd : null, STDOUT_FILENO);
	dup2(log.fd >= 0 ? log.fd : null, STDERR_FILENO);
	guest_log_close(&log);
	close(null);
	setvbuf(stderr, NULL, _IOLBF, 0);
	return 0;
}

/*
 * For a guest that is to be kept and started again when it ends in some way (rename-restart): a
 * process that waits for that. It has nothing of the guest's, which can start no process itself.
 */
static bool wants_successor(enum guest_action action)
{
	return action == ACTION_RENAME_RESTART;
}

/* Each byte starts the guest once: the one that it starts has a successor of its own. */
__attribute__((noreturn)) static void succeed(struct guest_config *c, int fd)
{
	const struct start_options options = {.quiet = true};
	struct problem p;
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(EXIT_SUCCESS);
	close(fd);
	if (guest_start(c, &options, &p)) {
		fprintf(stderr, "xenolith: cannot start %s again: %s\n", c->name, p.text);
		_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

/* The descriptor to write to; -1: it needs none. */
static int start_successor(struct guest_config *c, struct guest_folder *folder, int ready_fd)
{
	int fds[2];
	pid_t pid;

	if (!guest_config_has_action(c, wants_successor) || pipe2(fds, O_CLOEXEC))
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid) {
		close(fds[0]);
		return fds[1];
	}
	guest_folder_leave(folder);
	close(ready_fd);
	close(fds[1]);
	succeed(c, fds[0]);
}

static int run_child(struct guest_config *c, struct guest_folder *folder,
		     const struct start_options *o, int ready_fd)
{
	struct problem p;
	int rc = leave_terminal(c->name, &p);

	if (rc)
		guest_folder_release(folder);
	else
		rc = guest_run(c, folder, o->paused, start_successor(c, folder, ready_fd),
			       say_ready, &ready_fd, &p);
	if (rc)
		say_problem(ready_fd, &p);
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * The one that waits for it.
 */

/* 0 when the guest runs; -1 with what its process has said. */
static int wait_ready(int fd, struct problem *p)
{
	size_t len = 0;

	while (len < sizeof(p->text) - 1) {
		ssize_t n = read(fd, p->text + len, sizeof(p->text) - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (!len && p->text[0] == READY)
			return 0;
		len += n;
	}
	p->text[len] = '\0';
	return len ? -1 : problem(p, "the guest's process died before the guest ran");
}

static int start_child(struct guest_config *c, struct guest_folder *folder,
		       const struct start_options *o, struct problem *p)
{
	int fds[2], rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return problem(p, "cannot create a pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		_exit(run_child(c, folder, o, fds[1]));
	}
	close(fds[1]);
	rc = pid < 0 ? problem(p, "cannot fork: %s", strerror(errno)) : wait_ready(fds[0], p);
	close(fds[0]);
	if (rc && pid > 0)
		waitpid(pid, NULL, 0);
	return rc;
}

static int start_in_background(struct guest_config *c, const struct start_options *o,
			       struct guest_folder *folder, struct problem *p)
{
	domid_t domid = folder->domid;
	int rc = start_child(c, folder, o, p);

	/* The child has it, and the lock with it; it has also removed it if the start failed. */
	guest_folder_leave(folder);
	if (rc)
		return rc;
	if (!o->quiet)
		printf("domain %u: %s\n", domid, c->name);
	return 0;
}

static void in_foreground(void *opaque)
{
	const struct start_options *o = opaque;

	if (!o->quiet)
		fprintf(stderr, "xenolith: the guest runs; Ctrl-C destroys it\n");
}

/* Until ^] or the guest's end; in the foreground, until its end. */
static int attach(const struct guest_config *c, const struct start_options *o, struct problem *p)
{
	struct control_guest guest;
	json_t *answer;

	if (control_find(c->name, &guest, p) || console_client_run(&guest, 0, p))
		return -1;
	if (!o->foreground)
		return 0;
	/* A guest that is gone already needs no waiting for. */
	answer = control_request(&guest, json_pack("{s:s}", "command", "wait"), NULL, 0, p);
	json_decref(answer);
	return 0;
}

int guest_start(struct guest_config *c, const struct start_options *o, struct problem *p)
{
	struct start_options options = *o;
	struct guest_folder folder;
	int rc;

	if (c->type == GUEST_HVM)
		return problem(
			p,
			"%s: HVM guests cannot be started yet; a kernel with Xen's PVH entry "
			"(Linux 4.21 and later have it) runs with type=\"pvh\", one with its PV "
			"entry with type=\"pv\"",
			c->name);
	if (c->type == GUEST_PV && pv_check(c->device, c->maxvcpus, p))
		return -1;
	if (guest_folder_claim(&folder, c->name, p))
		return -1;
	if (o->foreground && !o->console)
		return guest_run(c, &folder, o->paused, start_successor(c, &folder, -1),
				 in_foreground, &options, p);
	rc = start_in_background(c, o, &folder, p);
	if (!rc && o->console)
		rc = attach(c, o, p);
	return rc;
}
