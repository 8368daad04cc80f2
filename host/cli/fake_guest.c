// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: fake_guest NAME ANSWERS LOG
 *
 * For tests of commands: a process that a guest's name, folder and control socket belong to, and no
 * guest. ANSWERS is a JSON object that has what "ok" holds for each command, or {"error": TEXT};
 * commands that it does not have are answered with true. Each request is written into LOG, one a
 * line, and what comes with it as a descriptor, after "fd: ".
 *
 *	wait		is answered when the guest ends
 *	shutdown	is such an end, and destroy one without a reason
 *	console		a pty on which the guest says hello, and what is typed in capitals. X ends
 *it
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include "host/control/control_server.h"
#include "host/guest/folder.h"

static struct loop loop;
static json_t *answers;
static FILE *log_file;
static struct control_call *waiters;
static struct watch pty;

static void log_call(const struct control_call *call)
{
	char content[64];
	ssize_t n;

	json_dumpf(call->request, log_file, JSON_COMPACT | JSON_SORT_KEYS);
	fputc('\n', log_file);
	if (call->nr_fds) {
		n = pread(call->fds[0], content, sizeof(content), 0);
		fprintf(log_file, "fd: %.*s, %s\n", (int)(n < 0 ? 0 : n), content,
			(fcntl(call->fds[0], F_GETFL) & O_ACCMODE) == O_RDWR ? "writable"
									     : "read-only");
	}
	fflush(log_file);
}

static void end(const char *reason)
{
	while (waiters) {
		struct control_call *call = waiters;

		waiters = call->kept;
		if (reason)
			control_answer(call, json_pack("{s:s, s:s}", "reason", reason, "action",
						       "destroy"));
	}
	loop_stop(&loop);
}

static void typed(void *opaque, uint32_t events)
{
	char bytes[256];
	ssize_t n = read(pty.fd, bytes, sizeof(bytes));

	(void)opaque;
	(void)events;
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == 'X')
			loop_stop(&loop);
		bytes[i] = (char)toupper((unsigned char)bytes[i]);
	}
	if (n > 0 && write(pty.fd, bytes, n) != n)
		loop_stop(&loop);
}

/* It stays with the guest, whoever comes and goes: the slave is held open. */
static const char *open_console(void)
{
	static char path[64];
	struct termios raw;
	int slave;

	if (*path)
		return path;
	pty = (struct watch){posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), typed, NULL};
	if (pty.fd < 0 || grantpt(pty.fd) || unlockpt(pty.fd) ||
	    ptsname_r(pty.fd, path, sizeof(path)))
		return NULL;
	slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &raw))
		return NULL;
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	if (write(pty.fd, "hello\n", 6) != 6 || loop_watch(&loop, &pty, EPOLLIN))
		return NULL;
	return path;
}

static void answer(struct control_call *call)
{
	json_t *ok = json_object_get(answers, call->command);
	const char *error = json_string_value(json_object_get(ok, "error"));

	if (error)
		control_fail(call, "%s", error);
	else
		control_answer(call, json_incref(ok));
}

static void handle(void *opaque, struct control_call *call)
{
	bool shutdown = !strcmp(call->command, "shutdown") && !json_object_get(answers, "shutdown");
	bool destroy = !strcmp(call->command, "destroy");

	(void)opaque;
	log_call(call);
	if (!strcmp(call->command, "wait")) {
		call->kept = waiters;
		waiters = call;
		return;
	}
	if (!strcmp(call->command, "console"))
		control_answer(call, json_pack("{s:s}", "pty", open_console()));
	else
		answer(call);
	if (shutdown)
		end("poweroff");
	if (destroy)
		end(NULL);
}

int main(int argc, char **argv)
{
	struct control_server *server;
	struct guest_folder folder;
	struct problem p = {"usage: fake_guest NAME ANSWERS LOG"};
	char path[192];

	answers = argc == 4 ? json_load_file(argv[2], 0, NULL) : NULL;
	log_file = answers ? fopen(argv[3], "ae") : NULL;
	if (!log_file || loop_init(&loop) || guest_folder_claim(&folder, argv[1], &p)) {
		fprintf(stderr, "fake_guest: %s\n", p.text);
		return 1;
	}
	snprintf(path, sizeof(path), "%s/control", folder.path);
	server = control_server_open(&loop, path, handle, NULL, &p);
	if (server) {
		loop_run(&loop);
		control_server_close(server);
	}
	guest_folder_release(&folder);
	return server ? 0 : 1;
}
