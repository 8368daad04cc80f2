// SPDX-License-Identifier: BSD-2-Clause
/* xenolith uptime: for how long guests have run. */
#include <stdlib.h>
#include <time.h>

#include "host/cli/domain_0.h"
#include "host/cli/program.h"

/* "2 days,  1:02:03", without the seconds if short. */
static void uptime_text(char *text, size_t size, long long seconds, bool is_short)
{
	const int days = (int)(seconds / 86400), hours = (int)(seconds / 3600 % 24);
	const int minutes = (int)(seconds / 60 % 60);
	char date[32] = "", rest[8] = "";

	if (days)
		snprintf(date, sizeof(date), "%d day%s, ", days, days > 1 ? "s" : "");
	if (!is_short)
		snprintf(rest, sizeof(rest), ":%02d", (int)(seconds % 60));
	snprintf(text, size, "%s%2d:%02d%s", date, hours, minutes, rest);
}

static void print_one(const json_t *info, bool is_short)
{
	const time_t now = time(NULL);
	char text[64], clock[16];
	struct tm tm;

	uptime_text(text, sizeof(text), number_of(info, "uptime_ns", 0) / 1000000000, is_short);
	if (!is_short) {
		printf("%-33s %4lld %s\n", string_of(info, "name"), number_of(info, "domid", 0),
		       text);
		return;
	}
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	printf(" %s up %s, %s (%lld)\n", clock, text, string_of(info, "name"),
	       number_of(info, "domid", 0));
}

static int uptime_main(int argc, char **argv)
{
	struct control_guest *guests;
	int status = EXIT_SUCCESS;
	bool is_short = false;
	unsigned count;
	json_t *info;

	while (next_option(argc, argv, &uptime_command, "s", NULL, 0, argc) != -1)
		is_short = true;
	count = chosen_guests(argv + optind, argc - optind, &guests);
	if (!is_short)
		printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
	if (program.is_xl && optind == argc) {
		info = domain_0_info();
		print_one(info, is_short);
		json_decref(info);
	}
	for (unsigned i = 0; i < count; i++) {
		info = ask(&guests[i], json_pack("{s:s}", "command", "info"));
		if (info)
			print_one(info, is_short);
		else
			status = EXIT_FAILED;
		json_decref(info);
	}
	free(guests);
	return status;
}

const struct command uptime_command = {
	.name = "uptime",
	.arguments = "[-s] [DOMAIN...]",
	.summary = "print for how long guests have run",
	.main = uptime_main,
	.help = "  -s   in one short line each, as uptime(1) has it\n\n"
		"Try: xenolith uptime guest\n",
};
