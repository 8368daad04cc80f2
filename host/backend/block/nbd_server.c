// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/nbd_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER "qemu-nbd"

/* By the convention of socket activation (sd_listen_fds(3)) the server finds its socket there. */
#define LISTEN_FD 3

/* A shell's word for a program that is not there. */
#define EXIT_NOT_FOUND 127

/* All that the child needs, prepared before the fork: it may not allocate. */
struct start {
	char *const *argv;
	char **env;
	char listen_pid[32]; /* "LISTEN_PID=" and the child's number */
	int listen, log;
	bool detached;
	pid_t parent;
};

static int fail(struct problem *p, const char *what)
{
	return problem(p, "cannot start " SERVER ": %s: %s", what, strerror(errno));
}

/* Connect to the new listening socket and take its name out of the file system again. */
static int connect_and_unlink(int listening, const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    (bind(listening, (const struct sockaddr *)addr, sizeof(*addr)) ||
	     listen(listening, 1) || connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))) {
		close(fd);
		fd = -1;
	}
	unlink(addr->sun_path);
	return fd;
}

/*
 * The socket that the server is to listen on, with our connection waiting in it: nobody else can
 * come first, as its name was in a folder of our own and is gone.
 */
static int connected_pair(int *listening, struct problem *p)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char folder[sizeof(addr.sun_path) - sizeof("/socket")];
	int fd;

	snprintf(folder, sizeof(folder), "%s/xenolith-nbd-XXXXXX", runtime ? runtime : P_tmpdir);
	if (!mkdtemp(folder))
		return fail(p, folder);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", folder);
	*listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd = *listening < 0 ? -1 : connect_and_unlink(*listening, &addr);
	if (fd < 0) {
		fail(p, addr.sun_path);
		if (*listening >= 0)
			close(*listening);
	}
	rmdir(folder);
	return fd;
}

static void put_number(char *to, pid_t n)
{
	char digits[16];
	unsigned len = 0;

	do
		digits[len++] = (char)('0' + n % 10);
	while (n /= 10);
	while (len)
		*to++ = digits[--len];
	*to = '\0';
}

static void default_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, with what is safe after a fork. In a session of its own: ^C is not for it. */
__attribute__((noreturn)) static void become_server(struct start *s)
{
	if (!s->detached)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!s->detached && getppid() != s->parent)
		_exit(0);
	default_signals();
	setsid();
	put_number(s->listen_pid + strlen(s->listen_pid), getpid());
	dup2(s->log, STDOUT_FILENO);
	dup2(s->log, STDERR_FILENO);
	if (s->listen == LISTEN_FD)
		fcntl(LISTEN_FD, F_SETFD, 0);
	else
		dup2(s->listen, LISTEN_FD);
	execvpe(SERVER, s->argv, s->env);
	_exit(EXIT_NOT_FOUND);
}

extern char **environ;

/* Our environment and two more. NULL: no memory. */
static char **environment(char *listen_pid)
{
	static char listen_fds[] = "LISTEN_FDS=1";
	unsigned n = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 3, sizeof(*env));
	if (!env)
		return NULL;
	env[0] = listen_pid;
	env[1] = listen_fds;
	memcpy(env + 2, environ, n * sizeof(*env));
	return env;
}

static int spawn(struct nbd_server *s, char *const *argv, int listening, bool detached,
		 struct problem *p)
{
	struct start start = {
		.argv = argv,
		.listen_pid = "LISTEN_PID=",
		.listen = listening,
		.log = s->log,
		.detached = detached,
		.parent = getpid(),
	};

	start.env = environment(start.listen_pid);
	if (!start.env)
		return fail(p, "its environment");
	s->pid = fork();
	if (!s->pid)
		become_server(&start);
	free(start.env);
	return s->pid < 0 ? fail(p, "a process") : 0;
}

int nbd_server_start(struct nbd_server *s, const char *path, const char *format, bool readonly,
		     bool detached, struct problem *p)
{
	char format_option[64], file[4096];
	char program[] = SERVER, cache[] = "--cache=writeback", discard[] = "--discard=unmap";
	char end[] = "--", ro[] = "--read-only";
	char *const argv[] = {program,
			      format_option,
			      cache,
			      discard,
			      readonly ? ro : end,
			      readonly ? end : file,
			      readonly ? file : NULL,
			      NULL};
	int listening = -1, rc;

	*s = (struct nbd_server){.pid = -1, .socket = -1};
	snprintf(format_option, sizeof(format_option), "--format=%s", format);
	/* A name with a colon is a file's only behind a slash. */
	snprintf(file, sizeof(file), "%s%s", path[0] == '/' ? "" : "./", path);
	s->log = memfd_create("qemu-nbd's messages", MFD_CLOEXEC);
	if (s->log < 0)
		return fail(p, "its log");
	s->socket = connected_pair(&listening, p);
	if (s->socket < 0) {
		close(s->log);
		return -1;
	}
	rc = spawn(s, argv, listening, detached, p);
	close(listening);
	if (rc)
		nbd_server_free(s);
	return rc;
}

int nbd_server_end(struct nbd_server *s)
{
	int status = 0;

	while (s->pid > 0 && waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	s->pid = -1;
	return status;
}

/* Where the last line in the text begins. */
static const char *last_line(char *text)
{
	char *line;

	for (size_t n = strlen(text); n && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

void nbd_server_last_words(const struct nbd_server *s, int status, char *text, size_t size)
{
	off_t end = lseek(s->log, 0, SEEK_END);
	char tail[400] = "";
	const char *line;

	if (end > 0)
		if (pread(s->log, tail, sizeof(tail) - 1,
			  end > (off_t)sizeof(tail) - 1 ? end - (off_t)sizeof(tail) + 1 : 0) < 0)
			tail[0] = '\0';
	line = last_line(tail);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND && !line[0])
		snprintf(text, size, SERVER " is missing: apt install qemu-utils");
	else if (line[0])
		snprintf(text, size, "%s", line);
	else if (WIFSIGNALED(status))
		snprintf(text, size, SERVER " was ended by signal %d", WTERMSIG(status));
	else
		snprintf(text, size, SERVER " ended without a word");
}

void nbd_server_free(struct nbd_server *s)
{
	if (s->socket >= 0)
		close(s->socket);
	close(s->log);
}
