// SPDX-License-Identifier: BSD-2-Clause
/* shutdown and reboot: the guest is asked, one or all, and waited for if that is wanted. */
#include <stdlib.h>
#include <unistd.h>

#include "host/cli/program.h"

struct options {
	const struct command *command;
	const char *reason;
	bool all, wait, force;
};

/* A guest, and the connection on which its end will be told; -1: nobody waits, or it is gone. */
struct target {
	struct control_guest guest;
	int wait_fd;
};

static void take_options(struct options *o, int argc, char **argv)
{
	static const struct option words[] = {
		{"all", no_argument, NULL, 'a'},
		{"wait", no_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	while ((option = next_option(argc, argv, o->command, "awF", words, 0, 1)) != -1) {
		if (option == 'a')
			o->all = true;
		else if (option == 'w')
			o->wait = true;
		else
			o->force = true;
	}
}

/* Before it is asked to end, so that its end cannot be missed. */
static int begin_to_wait(struct target *t, struct problem *p)
{
	t->wait_fd = control_connect(&t->guest, p);
	if (t->wait_fd < 0)
		return -1;
	return control_send(t->wait_fd, json_pack("{s:s}", "command", "wait"), NULL, 0, p);
}

static int ask_to_end(const struct options *o, struct target *t)
{
	struct problem p;
	json_t *answer;

	fprintf(stderr, "%s domain %u\n",
		o->command == &reboot_command ? "Rebooting" : "Shutting down", t->guest.domid);
	if (o->wait && begin_to_wait(t, &p))
		return fail(&p);
	answer = ask(&t->guest, json_pack("{s:s, s:s, s:b}", "command", "shutdown", "reason",
					  o->reason, "force", o->force));
	json_decref(answer);
	return answer ? EXIT_SUCCESS : EXIT_FAILED;
}

/* A process that ends without an answer is an end, too. */
static int wait_for_end(struct target *t)
{
	struct problem p;
	json_t *answer;
	bool gone;

	answer = control_receive(t->wait_fd, &gone, &p);
	close(t->wait_fd);
	if (!answer && !gone)
		return fail(&p);
	if (answer)
		fprintf(stderr, "Domain %u has been shut down: %s\n", t->guest.domid,
			string_of(answer, "reason"));
	else
		fprintf(stderr, "Domain %u has been destroyed\n", t->guest.domid);
	json_decref(answer);
	return EXIT_SUCCESS;
}

static int end_all(const struct options *o, struct target *targets, unsigned count)
{
	int status = EXIT_SUCCESS;

	for (unsigned i = 0; i < count; i++) {
		if (!ask_to_end(o, &targets[i]))
			continue;
		status = EXIT_FAILED;
		if (targets[i].wait_fd >= 0)
			close(targets[i].wait_fd);
		targets[i].wait_fd = -1;
	}
	if (o->wait)
		fprintf(stderr, "Waiting for %u domains\n", count);
	for (unsigned i = 0; i < count; i++)
		if (targets[i].wait_fd >= 0 && wait_for_end(&targets[i]))
			status = EXIT_FAILED;
	return status;
}

static int end_main(int argc, char **argv, const struct command *c, const char *reason)
{
	struct options o = {.command = c, .reason = reason};
	struct control_guest *guests;
	struct target *targets;
	unsigned count;
	int status;

	take_options(&o, argc, argv);
	if (o.all == (optind < argc)) {
		usage_fault(c, "want -a or one domain");
		return program.is_xl ? EXIT_FAILED : EXIT_USAGE;
	}
	count = chosen_guests(argv + optind, o.all ? 0 : 1, &guests);
	targets = calloc(count + 1, sizeof(*targets));
	if (!targets)
		exit(failf("out of memory"));
	for (unsigned i = 0; i < count; i++)
		targets[i] = (struct target){guests[i], -1};
	status = end_all(&o, targets, count);
	free(targets);
	free(guests);
	return status;
}

static int shutdown_main(int argc, char **argv)
{
	return end_main(argc, argv, &shutdown_command, "poweroff");
}

static int reboot_main(int argc, char **argv)
{
	return end_main(argc, argv, &reboot_command, "reboot");
}

const struct command shutdown_command = {
	.name = "shutdown",
	.arguments = "[-w] [-F] -a | DOMAIN",
	.summary = "ask a guest to shut down",
	.main = shutdown_main,
	.help = "  -a, --all    all guests\n"
		"  -w, --wait   return when it has ended\n"
		"  -F           by its power button if it has no Xen drivers\n\n"
		"The guest decides; 'destroy' does not ask.\n\n"
		"Try: xenolith shutdown -w guest\n",
};

const struct command reboot_command = {
	.name = "reboot",
	.arguments = "[-w] [-F] -a | DOMAIN",
	.summary = "ask a guest to reboot",
	.main = reboot_main,
	.help = "  -a, --all    all guests\n"
		"  -w, --wait   return when it has ended\n"
		"  -F           by its reset button if it has no Xen drivers\n\n"
		"Then its configuration's on_reboot= says what happens; \"restart\" by default.\n\n"
		"Try: xenolith reboot guest\n",
};
