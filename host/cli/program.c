// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/program.h"

#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* xl's libxl says ERROR_INVAL. */
#define XL_ERROR_INVAL (-6)

struct program program = {.name = "xenolith"};

int failf(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program.name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

int fail(const struct problem *p)
{
	return failf("%s", p->text);
}

int usage_fault(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: %s: ", program.name, c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; '%s %s --help' tells more\n", program.name, c->name);
	return EXIT_USAGE;
}

void print_help(const struct command *c, FILE *out)
{
	fprintf(out, "usage: %s %s%s%s\n\n%c%s.\n", program.name, c->name, *c->arguments ? " " : "",
		c->arguments, toupper((unsigned char)*c->summary), c->summary + 1);
	if (c->help)
		fprintf(out, "\n%s", c->help);
}

static void check_count(int argc, const struct command *c, int min, int max, char **argv)
{
	int count = argc - optind;

	if (count < min)
		exit(usage_fault(c, "%d argument%s needed: %s", min, min == 1 ? " is" : "s are",
				 c->arguments));
	/* xl takes no notice of what is too much. */
	if (count > max && !program.is_xl)
		exit(usage_fault(c, "'%s' is one argument too many", argv[optind + max]));
}

/* What getopt has met and cannot take. */
static int option_fault(int what, char **argv, const struct command *c)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	const char *shown = optopt && optopt < 256 ? letter : argv[optind - 1];

	if (what == ':')
		return usage_fault(c, "%s needs a value", shown);
	return usage_fault(c, "'%s' is not an option", shown);
}

int next_option(int argc, char **argv, const struct command *c, const char *letters,
		const struct option *words, int min, int max)
{
	static const struct option none[] = {{"help", no_argument, NULL, 'h'}, {0}};
	char all[64];
	int option;

	snprintf(all, sizeof(all), ":h%s", letters);
	opterr = 0;
	option = getopt_long(argc, argv, all, words ? words : none, NULL);
	if (option == 'h') {
		print_help(c, stdout);
		exit(EXIT_SUCCESS);
	}
	if (option == '?' || option == ':')
		exit(option_fault(option, argv, c));
	if (option == -1)
		check_count(argc, c, min, max, argv);
	return option;
}

void only_arguments(int argc, char **argv, const struct command *c, int min, int max)
{
	next_option(argc, argv, c, "", NULL, min, max);
}

struct control_guest find_guest(const char *domain)
{
	struct control_guest guest;
	struct problem p;

	if (!control_find(domain, &guest, &p))
		return guest;
	if (program.is_xl)
		fprintf(stderr, "%s is an invalid domain identifier (rc=%d)\n", domain,
			XL_ERROR_INVAL);
	else
		fail(&p);
	exit(EXIT_FAILED);
}

static unsigned all_guests(struct control_guest **guests)
{
	struct problem p;
	unsigned count;

	if (control_guests(guests, &count, &p))
		exit(fail(&p));
	return count;
}

unsigned chosen_guests(char **names, int nr_names, struct control_guest **guests)
{
	if (!nr_names)
		return all_guests(guests);
	*guests = calloc(nr_names, sizeof(**guests));
	if (!*guests)
		exit(failf("out of memory"));
	for (int i = 0; i < nr_names; i++)
		(*guests)[i] = find_guest(names[i]);
	return nr_names;
}

json_t *ask(const struct control_guest *guest, json_t *request)
{
	struct problem p;
	json_t *answer = control_request(guest, request, NULL, 0, &p);

	if (!answer)
		fail(&p);
	return answer;
}

int order(const char *domain, json_t *request)
{
	struct control_guest guest = find_guest(domain);

	return order_with(&guest, request, NULL, 0);
}

int order_with(const struct control_guest *guest, json_t *request, const int *fds, unsigned nr_fds)
{
	struct problem p;
	json_t *answer = control_request(guest, request, fds, nr_fds, &p);

	if (!answer)
		return fail(&p);
	json_decref(answer);
	return EXIT_SUCCESS;
}

int order_within(const struct control_guest *guest, json_t *request, unsigned seconds, bool *late)
{
	struct problem p;
	struct pollfd answer = {.fd = control_connect(guest, &p), .events = POLLIN};
	json_t *ok = NULL;
	bool gone;

	*late = false;
	if (answer.fd < 0) {
		json_decref(request);
		return fail(&p);
	}
	if (!control_send(answer.fd, request, NULL, 0, &p)) {
		*late = poll(&answer, 1, (int)seconds * 1000) == 0;
		ok = *late ? NULL : control_receive(answer.fd, &gone, &p);
	}
	close(answer.fd);
	if (!ok)
		return *late ? EXIT_FAILED : fail(&p);
	json_decref(ok);
	return EXIT_SUCCESS;
}

static int print_list(const struct control_guest *guest, const char *command,
		      void (*row)(const struct control_guest *guest, const json_t *item))
{
	json_t *list = ask(guest, json_pack("{s:s}", "command", command)), *item;
	size_t i;

	json_array_foreach(list, i, item) row(guest, item);
	json_decref(list);
	return list ? EXIT_SUCCESS : EXIT_FAILED;
}

int print_lists(char **names, int nr_names, const char *command, void (*header)(void),
		void (*row)(const struct control_guest *guest, const json_t *item))
{
	struct control_guest *guests;
	unsigned count = chosen_guests(names, nr_names, &guests);
	int status = EXIT_SUCCESS;

	header();
	for (unsigned i = 0; i < count; i++)
		status |= print_list(&guests[i], command, row);
	free(guests);
	return status;
}

int print_dry_run(const char *what, json_t *value)
{
	printf("%s: ", what);
	json_dumpf(value, stdout, JSON_INDENT(4));
	puts("\n");
	json_decref(value);
	return EXIT_SUCCESS;
}

long long number_of(const json_t *answer, const char *key, long long none)
{
	const json_t *value = json_object_get(answer, key);

	return json_is_integer(value) ? json_integer_value(value) : none;
}

const char *string_of(const json_t *answer, const char *key)
{
	const char *text = json_string_value(json_object_get(answer, key));

	return text ? text : "";
}
