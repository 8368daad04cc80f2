// SPDX-License-Identifier: BSD-2-Clause
/* list and vm-list: the guests that run, in xl's columns or as JSON. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/cli/domain_0.h"
#include "host/cli/program.h"
#include "host/cli/xl_json.h"

/* How long a guest's process may take to say what it is, before the list goes on without it. */
#define PATIENCE_S 5

struct options {
	bool details, json, verbose, context, pool, numa;
};

/* One that has stopped (by a debugger, say) must not stop us. NULL with the reason. */
static json_t *ask_patiently(const struct control_guest *guest, bool *gone, struct problem *p)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = control_connect(guest, p);
	json_t *info = NULL;

	*gone = fd < 0;
	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!control_send(fd, json_pack("{s:s}", "command", "info"), NULL, 0, p))
		info = control_receive(fd, gone, p);
	close(fd);
	return info;
}

/*
 * What each guest says of itself. One that ends meanwhile is left out, unless it was asked for; of
 * one that does not answer, name and number are known.
 */
static json_t *infos(char **names, int nr_names)
{
	struct control_guest *guests;
	unsigned count = chosen_guests(names, nr_names, &guests);
	json_t *all = json_array();

	for (unsigned i = 0; i < count; i++) {
		struct problem p;
		bool gone;
		json_t *info = ask_patiently(&guests[i], &gone, &p);

		if (gone && nr_names)
			exit(fail(&p));
		if (!info && !gone) {
			failf("warning: guest '%s' does not answer: %s", guests[i].name, p.text);
			info = json_pack("{s:i, s:s}", "domid", guests[i].domid, "name",
					 guests[i].name);
		}
		if (info)
			json_array_append_new(all, info);
	}
	free(guests);
	return all;
}

/* xl's letters stand in the order rbps, why it was shut down, d. */
static void print_state(const char *state)
{
	bool crashed = strchr(state, 'c') != NULL;

	for (const char *letter = "rbp"; *letter; letter++)
		putchar(strchr(state, *letter) ? *letter : '-');
	putchar(crashed || strchr(state, 's') ? 's' : '-');
	putchar(crashed ? 'c' : '-');
	putchar(strchr(state, 'd') ? 'd' : '-');
}

static void print_header(const struct options *o)
{
	printf("Name                                        ID   Mem VCPUs\tState\tTime(s)");
	if (o->verbose)
		printf("   UUID                            Reason-Code\tSecurity Label");
	else if (o->context)
		printf("   Security Label");
	if (o->pool)
		printf("         Cpupool");
	if (o->numa)
		printf(" NODE Affinity");
	putchar('\n');
}

static void print_row(const struct options *o, const json_t *info)
{
	long long reason = number_of(info, "shutdown_reason", -1);

	printf("%-40s %5lld %5lld %5lld     ", string_of(info, "name"), number_of(info, "domid", 0),
	       number_of(info, "memory_kib", 0) / 1024, number_of(info, "vcpus_online", 0));
	print_state(string_of(info, "state"));
	printf("  %8.1f", (double)number_of(info, "cpu_time_ns", 0) / 1e9);
	if (o->verbose) {
		printf(" %s", string_of(info, "uuid"));
		if (reason >= 0)
			printf(" %8llx", reason);
		else
			printf(" %8s", "-");
	}
	if (o->verbose || o->context)
		printf(" %16s", "-");
	if (o->pool)
		printf("%16s", "Pool-0");
	if (o->numa)
		printf(" all");
	putchar('\n');
}

static void print_table(const struct options *o, const json_t *all, bool domain_0)
{
	json_t *info;
	size_t i;

	print_header(o);
	if (domain_0) {
		info = domain_0_info();
		print_row(o, info);
		json_decref(info);
	}
	json_array_foreach(all, i, info) print_row(o, info);
}

static void print_json(const json_t *all)
{
	json_dumpf(all, stdout, JSON_INDENT(4));
	putchar('\n');
}

static void print_details(const json_t *all)
{
	json_t *domains = json_array(), *info;
	size_t i;

	json_array_foreach(all, i, info) json_array_append_new(
		domains, xl_domain_json(json_incref(json_object_get(info, "config")),
					number_of(info, "domid", 0)));
	print_json(domains);
	json_decref(domains);
}

static void take_options(struct options *o, int argc, char **argv)
{
	enum { JSON = 256 };
	static const struct option words[] = {
		{"long", no_argument, NULL, 'l'},    {"verbose", no_argument, NULL, 'v'},
		{"context", no_argument, NULL, 'Z'}, {"cpupool", no_argument, NULL, 'c'},
		{"numa", no_argument, NULL, 'n'},    {"json", no_argument, NULL, JSON},
		{"help", no_argument, NULL, 'h'},    {0},
	};
	int option;

	while ((option = next_option(argc, argv, &list_command, "lvZcn", words, 0, 1)) != -1) {
		o->details |= option == 'l';
		o->verbose |= option == 'v';
		o->context |= option == 'Z';
		o->pool |= option == 'c';
		o->numa |= option == 'n';
		o->json |= option == JSON;
	}
}

static bool is_domain_0(const char *name)
{
	return program.is_xl && (!strcmp(name, "0") || !strcmp(name, "Domain-0"));
}

static int list_main(int argc, char **argv)
{
	struct options o = {0};
	json_t *all;
	bool only_domain_0;

	take_options(&o, argc, argv);
	only_domain_0 = argc > optind && is_domain_0(argv[optind]);
	all = only_domain_0 ? json_array() : infos(argv + optind, argc > optind);
	if (o.json)
		print_json(all);
	else if (o.details)
		print_details(all);
	else
		print_table(&o, all, program.is_xl && (only_domain_0 || argc == optind));
	json_decref(all);
	return EXIT_SUCCESS;
}

static int vm_list_main(int argc, char **argv)
{
	json_t *all, *info;
	size_t i;

	only_arguments(argc, argv, &vm_list_command, 0, 0);
	all = infos(NULL, 0);
	puts("UUID                                  ID    name");
	json_array_foreach(all, i, info)
		printf("%s  %lld    %-30s\n", string_of(info, "uuid"), number_of(info, "domid", 0),
		       string_of(info, "name"));
	json_decref(all);
	return EXIT_SUCCESS;
}

const struct command list_command = {
	.name = "list",
	.arguments = "[OPTION...] [DOMAIN]",
	.summary = "list the guests that run",
	.main = list_main,
	.help = "  --json          all that is known of them, as JSON\n"
		"  -l, --long      their configurations, as JSON in libxl's form\n"
		"  -v, --verbose   also UUIDs and why they were shut down\n"
		"  -Z, --context   also the security label, which there is none of\n"
		"  -c, --cpupool   also the CPU pool, of which there is one\n"
		"  -n, --numa      also the NUMA nodes, which are all\n\n"
		"State has r for running, b for blocked, p for paused, s for shut down, c for\n"
		"crashed, d for dying. Mem is in MiB.\n\n"
		"Try: xenolith list --json | jq -r '.[].xenstore'\n",
};

const struct command vm_list_command = {
	.name = "vm-list",
	.arguments = "",
	.summary = "list the guests that run, with their UUIDs",
	.main = vm_list_main,
	.help = "Try: xenolith vm-list\n",
};
