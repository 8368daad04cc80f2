// SPDX-License-Identifier: BSD-2-Clause
/* xenolith create: a guest from its configuration. */
#include <stdlib.h>
#include <string.h>

#include "host/cli/program.h"
#include "host/cli/xl_json.h"
#include "host/config/config_json.h"
#include "host/guest/guest.h"

struct arguments {
	const char *file;
	char **settings;
	unsigned nr_settings;
	bool dry_run, unwatched;
	struct start_options start;
};

static void print_warning(void *opaque, const char *line)
{
	(void)opaque;
	fprintf(stderr, "%s: warning: %s\n", program.name, line);
}

/* `create FILE -p`: the file may stand first. What is not KEY=VALUE is the file. */
static int take_rest(struct arguments *a, int argc, char **argv)
{
	a->settings = argv + optind;
	for (int i = optind; i < argc; i++) {
		if (strchr(argv[i], '='))
			a->settings[a->nr_settings++] = argv[i];
		else if (!a->file)
			a->file = argv[i];
		else
			return usage_fault(&create_command, "'%s' is a second configuration file",
					   argv[i]);
	}
	if (!a->file && !a->nr_settings)
		return usage_fault(&create_command, "no configuration file is named");
	return 0;
}

static void take_options(struct arguments *a, int argc, char **argv)
{
	static const struct option words[] = {
		{"defconfig", required_argument, NULL, 'f'},
		{"dryrun", no_argument, NULL, 'n'},
		{"ignore-global-affinity-masks", no_argument, NULL, 'i'},
		{"quiet", no_argument, NULL, 'q'},
		{"vncviewer", no_argument, NULL, 'V'},
		{"vncviewer-autopass", no_argument, NULL, 'A'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = next_option(argc, argv, &create_command, "AFVcdef:inpq", words, 0,
				     argc)) != -1) {
		switch (option) {
		case 'F':
			a->start.foreground = true;
			break;
		case 'c':
			a->start.console = true;
			break;
		case 'e':
			a->unwatched = true;
			break;
		case 'f':
			a->file = optarg;
			break;
		case 'n':
			a->dry_run = true;
			break;
		case 'p':
			a->start.paused = true;
			break;
		case 'q':
			a->start.quiet = true;
			break;
		case 'V':
		case 'A':
			failf("warning: -%c: there is no graphical console", option);
			break;
		default: /* -d and -i change nothing here */
			break;
		}
	}
}

static int print_config(const struct guest_config *c)
{
	json_t *o = guest_config_json(c);

	if (program.is_xl)
		o = xl_domain_json(o, -1);
	json_dumpf(o, stdout, JSON_INDENT(4));
	putchar('\n');
	json_decref(o);
	return EXIT_SUCCESS;
}

/* Nobody watches over it: as it ends, so it stays, until it is destroyed. */
static void leave_unwatched(struct guest_config *c)
{
	c->on_poweroff = c->on_reboot = c->on_crash = c->on_watchdog = ACTION_PRESERVE;
}

static int create(struct arguments *a, struct problem *p)
{
	static const struct config_warnings warnings = {print_warning, NULL};
	struct guest_config c;
	int status;

	if (program.is_xl && a->file && !a->start.quiet)
		fprintf(stderr, "Parsing config from %s\n", a->file);
	if (guest_config_read(&c, a->file, a->settings, a->nr_settings, &warnings, p))
		return -1;
	if (a->unwatched)
		leave_unwatched(&c);
	status = a->dry_run ? print_config(&c) : guest_start(&c, &a->start, p);
	guest_config_free(&c);
	return status;
}

static int create_main(int argc, char **argv)
{
	struct arguments a = {.dry_run = program.dry_run};
	struct problem p;
	int status;

	take_options(&a, argc, argv);
	status = take_rest(&a, argc, argv);
	if (status)
		return status;
	status = create(&a, &p);
	return status < 0 ? fail(&p) : status;
}

const struct command create_command = {
	.name = "create",
	.arguments = "[OPTION...] FILE [KEY=VALUE...]",
	.summary = "start a guest from its xl.cfg(5) file",
	.main = create_main,
	.dry_run = true,
	.help = "  -c             its console on this terminal; ^] leaves, and the guest goes on\n"
		"  -p             leave it paused, for 'unpause'\n"
		"  -F             stay in the foreground until it has ended for good\n"
		"  -e             as it ends, so it stays: no restart, until 'destroy'\n"
		"  -f FILE        the configuration file\n"
		"  -n, --dryrun   say what the configuration means, as JSON, and start nothing\n"
		"  -q, --quiet    say nothing but what went wrong\n\n"
		"KEY=VALUE are lines of the file, after all others. xenolith.cfg(5) has the keys.\n\n"
		"Try: xenolith create -c guest.cfg memory=1024\n",
};
