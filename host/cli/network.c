// SPDX-License-Identifier: BSD-2-Clause
/* network-attach, network-list and network-detach. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/backend/net/net.h"
#include "host/cli/program.h"
#include "host/config/config_json.h"
#include "host/config/nic_spec.h"
#include "host/text.h"

/* The parts as one specification. */
static char *whole_spec(char **parts, int nr)
{
	size_t size = 1;
	char *spec, *at;

	for (int i = 0; i < nr; i++)
		size += strlen(parts[i]) + 1;
	spec = at = calloc(1, size);
	for (int i = 0; spec && i < nr; i++)
		at += snprintf(at, size - (at - spec), "%s%s", i ? "," : "", parts[i]);
	return spec;
}

/* MAC and number are chosen here if the user gives none: who is behind the link knows them, too. */
static json_t *request(char **parts, int nr, const struct nic_config *n)
{
	char *spec = whole_spec(parts, nr);
	char mac[MAC_TEXT];
	json_t *request =
		json_pack("{s:s, s:o}", "command", "network-attach", "nic",
			  json_sprintf("%s%smac=%s,devid=%u", spec ? spec : "",
				       spec && *spec ? "," : "", mac_text(mac, n->mac), n->devid));

	free(spec);
	return request;
}

static bool is_taken(const json_t *nics, uint32_t devid)
{
	const json_t *n;
	size_t i;

	json_array_foreach(nics, i, n) if (number_of(n, "devid", -1) == devid) return true;
	return false;
}

/* The lowest that the guest does not have, as with xl. */
static uint32_t free_devid(const struct control_guest *guest)
{
	json_t *nics = ask(guest, json_pack("{s:s}", "command", "network-list"));
	uint32_t devid = 0;

	while (is_taken(nics, devid))
		devid++;
	json_decref(nics);
	return devid;
}

/* The guest's process may open nothing any more, so the link is opened here. */
static int attach(const char *domain, char **parts, int nr, struct nic_config *n)
{
	struct control_guest guest = find_guest(domain);
	struct problem p;
	int fd, status;

	if (nic_random_mac(n, &p))
		return fail(&p);
	if (n->devid == NIC_DEVID_NONE)
		n->devid = free_devid(&guest);
	fd = net_link_prepare(n, guest.domid, &p);
	if (fd < 0)
		return fail(&p);
	status = order_with(&guest, request(parts, nr, n), &fd, 1);
	close(fd);
	return status;
}

static int network_attach_main(int argc, char **argv)
{
	struct nic_config n;
	struct problem p;
	int status;

	only_arguments(argc, argv, &network_attach_command, 1, argc);
	if (nic_spec_parse((const char *const *)argv + optind + 1, argc - optind - 1, &n, NULL, &p))
		status = fail(&p);
	else if (program.dry_run)
		status = print_dry_run("vif", nic_config_json(&n));
	else
		status = attach(argv[optind], argv + optind + 1, argc - optind - 1, &n);
	nic_config_free(&n);
	return status;
}

/* xl's columns. */
static void print_header(void)
{
	printf("%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-5s %-30s\n", "Idx", "BE", "Mac Addr.",
	       "handle", "state", "evt-ch", "tx-", "rx-ring-ref", "BE-path");
}

static void print_nic(const struct control_guest *guest, const json_t *n)
{
	(void)guest;
	printf("%-3lld %-2lld ", number_of(n, "devid", -1), number_of(n, "backend_id", 0));
	printf("%s%6lld %5lld %6lld %5lld/%-11lld %-30s\n", string_of(n, "mac"),
	       number_of(n, "devid", -1), number_of(n, "state", -1),
	       number_of(n, "event_channel", -1), number_of(n, "tx_ring_ref", -1),
	       number_of(n, "rx_ring_ref", -1), string_of(n, "backend_path"));
}

static int network_list_main(int argc, char **argv)
{
	only_arguments(argc, argv, &network_list_command, 1, argc);
	return print_lists(argv + optind, argc - optind, "network-list", print_header, print_nic);
}

/* The interface with that MAC; -1: none, or the guest did not say. */
static long long devid_of_mac(const char *domain, const char *mac)
{
	struct control_guest guest = find_guest(domain);
	json_t *nics = ask(&guest, json_pack("{s:s}", "command", "network-list")), *n;
	long long devid = -1;
	size_t i;

	json_array_foreach(nics, i, n) if (!strcasecmp(string_of(n, "mac"), mac)) devid =
		number_of(n, "devid", -1);
	json_decref(nics);
	return devid;
}

static json_t *detach_request(long long devid, bool force)
{
	return json_pack("{s:s, s:I, s:b}", "command", "network-detach", "devid", (json_int_t)devid,
			 "force", (int)force);
}

static int network_detach_main(int argc, char **argv)
{
	static const struct option words[] = {
		{"force", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct control_guest guest;
	const char *which;
	long long devid;
	bool force = false, late;
	int status;

	while (next_option(argc, argv, &network_detach_command, "f", words, 2, 2) != -1)
		force = true;
	which = argv[optind + 1];
	if (strchr(which, ':'))
		devid = devid_of_mac(argv[optind], which);
	else
		devid = *which && strlen(which) < 10 && !which[strspn(which, "0123456789")]
				? strtol(which, NULL, 10)
				: -1;
	if (devid < 0)
		return failf("there is no network interface '%s': want its number or MAC, as "
			     "network-list shows them",
			     which);
	guest = find_guest(argv[optind]);
	status = order_within(&guest, detach_request(devid, force), DETACH_PATIENCE_S, &late);
	/* As with xl: a disk may be in use, but nothing is lost with an interface. */
	return late ? order(argv[optind], detach_request(devid, true)) : status;
}

const struct command network_attach_command = {
	.name = "network-attach",
	.arguments = "DOMAIN [KEY=VALUE...]",
	.summary = "give a guest another network interface",
	.main = network_attach_main,
	.dry_run = true,
	.help = "The keys are as in the configuration file: xl-network-configuration(5), and\n"
		"forward=tcp/HOSTPORT/GUESTPORT.\n\n"
		"Try: xenolith network-attach guest forward=tcp/2222/22\n",
};

const struct command network_list_command = {
	.name = "network-list",
	.arguments = "DOMAIN...",
	.summary = "list the network interfaces of guests",
	.main = network_list_main,
	.help = "State 4 is connected (public header io/xenbus.h).\n\n"
		"Try: xenolith network-list guest\n",
};

const struct command network_detach_command = {
	.name = "network-detach",
	.arguments = "[-f] DOMAIN NUMBER|MAC",
	.summary = "take a network interface from a guest",
	.main = network_detach_main,
	.help = "  -f, --force   without waiting for the guest to let it go, 10 s at most\n\n"
		"Try: xenolith network-detach guest 0\n",
};
