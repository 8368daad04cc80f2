/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What commands share: the program's name, options, messages, and the way to a guest.
 *
 * Called by the name "xl", the program speaks as Xen's xl does where a script would notice:
 * messages begin with that name, Domain-0 is listed, and a guest that is not there is told in xl's
 * words.
 */
#ifndef HOST_CLI_PROGRAM_H
#define HOST_CLI_PROGRAM_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "host/cli/commands.h"
#include "host/control/control.h"
#include "host/problem.h"

struct program {
	const char *name; /* "xenolith" or "xl" */
	bool is_xl;
	bool dry_run; /* -N */
};

extern struct program program;

/* "NAME: what", and a line feed, on stderr; EXIT_FAILED. */
int fail(const struct problem *p);
int failf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same for wrong usage: EXIT_USAGE, and where to read on. */
int usage_fault(const struct command *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void print_help(const struct command *c, FILE *out);

/*
 * The next option, as getopt_long() has it; -1: there is none left, and from `min` to `max`
 * arguments follow from optind on. `letters` is without 'h' and "help", which print the command's
 * help and end the program, as does whatever is wrong.
 */
int next_option(int argc, char **argv, const struct command *c, const char *letters,
		const struct option *words, int min, int max);

/* No options, only arguments. */
void only_arguments(int argc, char **argv, const struct command *c, int min, int max);

/* The guest of that name or domid; if there is none, the program ends with EXIT_FAILED. */
struct control_guest find_guest(const char *domain);

/*
 * Those named, or all if none is, to be freed; the program ends if one of them is not there, or all
 * cannot be listed.
 */
unsigned chosen_guests(char **names, int nr_names, struct control_guest **guests);

/* Ask it, and say what went wrong: the answer, to be decref'ed, or NULL. */
json_t *ask(const struct control_guest *guest, json_t *request);

/* The same for an answer that says nothing more than "done": the exit status. */
int order(const char *domain, json_t *request);
/* And with descriptors. */
int order_with(const struct control_guest *guest, json_t *request, const int *fds, unsigned nr_fds);
/* And for no longer than `seconds`: then *late, nothing has been said, and it stays asked. */
#define DETACH_PATIENCE_S 10 /* as libxl's, for a device that the guest is to let go of */
int order_within(const struct control_guest *guest, json_t *request, unsigned seconds, bool *late);

/*
 * A table of the lists with which those guests (as above) answer a command without arguments: what
 * header() prints, and each item by row(). The exit status.
 */
int print_lists(char **names, int nr_names, const char *command, void (*header)(void),
		void (*row)(const struct control_guest *guest, const json_t *item));

/* "WHAT: ", the value (its reference is taken), for a command that is a dry run: EXIT_SUCCESS. */
int print_dry_run(const char *what, json_t *value);

/* A number of an answer; `none` if it is null or absent. */
long long number_of(const json_t *answer, const char *key, long long none);
const char *string_of(const json_t *answer, const char *key);

#endif
