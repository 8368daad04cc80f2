// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/guest/sandbox_internal.h"
#include "shim/types.h"

#define SWITCH "XENOLITH_SANDBOX"

enum mode {
	MODE_ON,
	MODE_LOG,
	MODE_OFF,
};

#ifdef __has_feature
#define HAS_FEATURE(f) __has_feature(f)
#else
#define HAS_FEATURE(f) 0
#endif

bool sandbox_possible(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
	return false;
#else
	return true;
#endif
}

static int choose_mode(enum mode *mode, struct problem *p)
{
	static const char *const names[] = {
		[MODE_ON] = "on", [MODE_LOG] = "log", [MODE_OFF] = "off"};
	const char *wanted = getenv(SWITCH);

	*mode = MODE_ON;
	if (!wanted || !*wanted)
		return 0;
	for (*mode = MODE_ON; *mode < ARRAY_SIZE(names); ++*mode)
		if (!strcmp(wanted, names[*mode]))
			return 0;
	return problem(p, "$" SWITCH " is '%s': want on, log or off", wanted);
}

/*
 * Names of system calls by number, looked up before one is needed: a signal handler may not. The
 * process's own, as its signal handlers are.
 */
#define CALLS_MAX 512
static char *names_of_calls[CALLS_MAX];

static void learn_names(void)
{
	for (int nr = 0; nr < CALLS_MAX; nr++)
		if (!names_of_calls[nr])
			names_of_calls[nr] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
}

/* A line put together and written at once, by means that a signal handler has. */
struct line {
	char text[256];
	size_t len;
};

static void add_text(struct line *l, const char *text)
{
	size_t len = strlen(text), room = sizeof(l->text) - l->len;

	len = len < room ? len : room;
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

static void add_number(struct line *l, unsigned n)
{
	char digits[12], *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do
		*--first = (char)('0' + n % 10);
	while (n /= 10);
	add_text(l, first);
}

/* One line, and the end: the handler is good for one signal, and the second is the default's. */
static void on_refused_call(int sig, siginfo_t *info, void *context)
{
	struct line line = {.len = 0};
	unsigned nr = info->si_syscall;

	(void)context;
	add_text(&line,
		 "xenolith: the sandbox ends this guest, for a system call that it never needs: ");
	add_text(&line, nr < CALLS_MAX && names_of_calls[nr] ? names_of_calls[nr] : "number");
	add_text(&line, " (");
	add_number(&line, nr);
	add_text(&line, "); " SWITCH "=log shows whether it is a fault of xenolith\n");
	if (write(STDERR_FILENO, line.text, line.len) < 0)
		_exit(128 + sig);
	raise(sig);
}

static int handle_refused_calls(struct problem *p)
{
	struct sigaction sa = {
		.sa_sigaction = on_refused_call,
		.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER,
	};

	learn_names();
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSYS, &sa, NULL))
		return problem(p, "cannot arm the sandbox: %s", strerror(errno));
	return 0;
}

static int load(enum mode mode, bool files_fenced)
{
	scmp_filter_ctx filter = seccomp_init(mode == MODE_LOG ? SCMP_ACT_LOG : SCMP_ACT_TRAP);
	int rc = filter ? 0 : -ENOMEM;

	if (!rc)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!rc)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
	if (!rc)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!rc)
		rc = sandbox_add_rules(filter, files_fenced);
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

static int fence_files(const struct sandbox_config *c, struct problem *p)
{
	const char *folder;
	int rc = sandbox_fence_files(c, &folder);

	if (rc >= 0)
		return rc;
	return problem(p, "cannot arm the sandbox: %s: %s; " SWITCH "=off runs without it",
		       folder ? folder : "Landlock", strerror(-rc));
}

int sandbox_arm(const struct sandbox_config *c, struct problem *p)
{
	enum mode mode;
	int rc = choose_mode(&mode, p), fenced = 0;

	if (rc || mode == MODE_OFF || !sandbox_possible())
		return rc;
	if (mode == MODE_ON) {
		fenced = fence_files(c, p);
		if (fenced < 0 || handle_refused_calls(p))
			return -1;
	}
	rc = load(mode, fenced || mode == MODE_LOG);
	return rc ? problem(p,
			    "cannot arm the sandbox: seccomp: %s; " SWITCH "=off runs without it",
			    strerror(-rc))
		  : 0;
}
