// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/nic_spec.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "host/config/nic_rate.h"
#include "host/config/spec.h"
#include "shim/types.h"

#define FORWARDS_MAX 256
#define MTU_MIN      68 /* of IPv4, RFC 791 */

struct reader {
	struct nic_config *nic;
	const struct config_warnings *w;
	struct problem *p;
};

void nic_config_free(struct nic_config *nic)
{
	for (unsigned i = 0; i < nic->nr_forwards; i++)
		free(nic->forwards[i].host_address);
	free(nic->forwards);
	free(nic->bridge);
	free(nic->vifname);
	free(nic->ip);
	free(nic->script);
	free(nic->model);
	free(nic->type);
	free(nic->gatewaydev);
	*nic = (struct nic_config){0};
}

int nic_random_mac(struct nic_config *nic, struct problem *p)
{
	static const uint8_t none[6], xen[3] = {0x00, 0x16, 0x3e};

	if (memcmp(nic->mac, none, sizeof(none)))
		return 0;
	memcpy(nic->mac, xen, sizeof(xen));
	if (getrandom(nic->mac + 3, 3, 0) != 3)
		return problem(p, "no random bytes for a MAC: %s", strerror(errno));
	return 0;
}

static void warn(const struct reader *r, const char *key, const char *what)
{
	char line[256];

	if (!r->w)
		return;
	snprintf(line, sizeof(line), "%s %s", key, what);
	r->w->warn(r->w->opaque, line);
}

static int set_string(struct reader *r, char **to, const char *value)
{
	return spec_copy(to, value) ? problem(r->p, "out of memory") : 0;
}

static int set_mac(struct reader *r, const char *value)
{
	const char *at = value;
	uint8_t mac[6], all = 0;

	for (unsigned i = 0; i < 6; i++) {
		char *end;
		unsigned long byte;

		if (!isxdigit((unsigned char)*at))
			break;
		byte = strtoul(at, &end, 16);
		if (end - at > 2 || (i < 5 ? *end != ':' && *end != '-' : *end))
			break;
		mac[i] = byte;
		all |= byte;
		at = end + (i < 5);
		if (i == 5 && all && !(mac[0] & 1)) {
			memcpy(r->nic->mac, mac, sizeof(mac));
			return 0;
		}
	}
	return problem(
		r->p,
		"vif: mac '%s' is not the address of a device: want six bytes in hexadecimal, "
		"such as 00:16:3e:12:34:56, the first of them even",
		value);
}

static int set_number(struct reader *r, const char *key, const char *value, unsigned min,
		      unsigned max, uint32_t *to)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*value) || n < min || n > max)
		return problem(r->p, "vif: %s '%s' is not a number from %u to %u", key, value, min,
			       max);
	*to = n;
	return 0;
}

static int set_rate(struct reader *r, const char *value)
{
	if (nic_rate_parse(value, &r->nic->rate_bps, &r->nic->rate_interval_us))
		return problem(r->p,
			       "vif: rate '%s' is not a rate: want one such as 10Mb/s, 250KB/s or "
			       "1MB/s@20ms",
			       value);
	return 0;
}

static int set_type(struct reader *r, const char *value)
{
	if (strcmp(value, "vif") && strcmp(value, "ioemu"))
		return problem(r->p, "vif: type '%s' is not a type: want vif or ioemu", value);
	return set_string(r, &r->nic->type, value);
}

static int set_backend(struct reader *r, const char *value)
{
	if (!spec_is_domain_0(value))
		return problem(r->p,
			       "vif: there are no driver domains such as '%s' here: leave backend= "
			       "out",
			       value);
	return 0;
}

static bool port(const char *text, uint16_t *to)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || n < 1 || n > UINT16_MAX)
		return false;
	*to = n;
	return true;
}

static bool is_address(const char *text)
{
	struct in6_addr a;

	return inet_pton(AF_INET, text, &a) == 1 || inet_pton(AF_INET6, text, &a) == 1;
}

/* [tcp/|udp/][ADDRESS:]PORT/PORT in place; its parts point into `item`. */
static bool split_forward(char *item, struct port_forward *f, char **address)
{
	char *slash, *colon;

	*f = (struct port_forward){0};
	*address = NULL;
	if (!strncmp(item, "tcp/", 4) || !strncmp(item, "udp/", 4)) {
		f->udp = *item == 'u';
		item += 4;
	}
	slash = strchr(item, '/');
	if (!slash)
		return false;
	*slash = '\0';
	colon = strrchr(item, ':');
	if (colon) {
		*colon = '\0';
		*address = item;
		if (*item == '[' && colon[-1] == ']') { /* [::1] */
			colon[-1] = '\0';
			++*address;
		}
		if (!is_address(*address))
			return false;
		item = colon + 1;
	}
	return port(item, &f->host_port) && port(slash + 1, &f->guest_port);
}

static int add_forward(struct reader *r, const struct port_forward *f, const char *address)
{
	struct nic_config *nic = r->nic;
	struct port_forward *forwards;

	if (nic->nr_forwards == FORWARDS_MAX)
		return problem(r->p, "vif: more than %d forwarded ports", FORWARDS_MAX);
	forwards = realloc(nic->forwards, (nic->nr_forwards + 1) * sizeof(*forwards));
	if (!forwards)
		return problem(r->p, "out of memory");
	nic->forwards = forwards;
	forwards += nic->nr_forwards;
	*forwards = *f;
	if (address) {
		forwards->host_address = strdup(address);
		if (!forwards->host_address)
			return problem(r->p, "out of memory");
	}
	nic->nr_forwards++;
	return 0;
}

/* Items joined by '+'. */
static int set_forward(struct reader *r, const char *value)
{
	char *copy = strdup(value), *rest = copy, *item;
	int rc = copy ? 0 : problem(r->p, "out of memory");

	while (!rc && (item = strsep(&rest, "+"))) {
		struct port_forward f;
		char *address;

		if (split_forward(item, &f, &address))
			rc = add_forward(r, &f, address);
		else
			rc = problem(r->p,
				     "vif: forward '%s' is not one: want tcp/HOSTPORT/GUESTPORT, "
				     "udp/ADDRESS:HOSTPORT/GUESTPORT, joined by '+'",
				     value);
	}
	free(copy);
	return rc;
}

static int set_flag(struct reader *r, const char *key)
{
	if (!strcmp(key, "trusted") || !strcmp(key, "untrusted"))
		return 0; /* of frontends that are told; there the backend is part of the host */
	if (!r->w)
		return problem(r->p, "vif: '%s' is not KEY=VALUE of xl-network-configuration(5)",
			       key);
	warn(r, key, "in a vif is not KEY=VALUE of xl-network-configuration(5); ignored");
	return 0;
}

static int set_unknown(struct reader *r, const char *key)
{
	if (!strncmp(key, "colo_", 5) || !strcmp(key, "forwarddev") || !strcmp(key, "accel")) {
		warn(r, key, "in a vif has no meaning here; ignored");
		return 0;
	}
	if (!r->w)
		return problem(r->p, "vif: '%s' is not a key of xl-network-configuration(5)", key);
	warn(r, key, "in a vif is not a key of xl-network-configuration(5); ignored");
	return 0;
}

static int set_key(struct reader *r, const char *key, const char *value)
{
	struct nic_config *nic = r->nic;
	const struct {
		const char *key;
		char **to;
	} strings[] = {
		{"bridge", &nic->bridge},
		{"vifname", &nic->vifname},
		{"ip", &nic->ip},
		{"script", &nic->script},
		{"gatewaydev", &nic->gatewaydev},
		{"model", &nic->model},
		{"netdev", &nic->gatewaydev},
	};
	static const struct {
		const char *key;
		int (*set)(struct reader *r, const char *value);
	} setters[] = {
		{"mac", set_mac},         {"rate", set_rate},       {"type", set_type},
		{"backend", set_backend}, {"forward", set_forward},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(strings); i++)
		if (!strcmp(key, strings[i].key))
			return set_string(r, strings[i].to, value);
	for (unsigned i = 0; i < ARRAY_SIZE(setters); i++)
		if (!strcmp(key, setters[i].key))
			return setters[i].set(r, value);
	if (!strcmp(key, "mtu"))
		return set_number(r, key, value, MTU_MIN, UINT16_MAX, &nic->mtu);
	if (!strcmp(key, "devid"))
		return set_number(r, key, value, 0, UINT16_MAX, &nic->devid);
	return set_unknown(r, key);
}

static int read_one(struct reader *r, const char *spec)
{
	char *copy = strdup(spec), *rest = copy, *item;
	int rc = copy ? 0 : problem(r->p, "out of memory");

	while (!rc && (item = strsep(&rest, ","))) {
		char *value;

		item = spec_trim(item);
		value = strchr(item, '=');
		if (value)
			*value++ = '\0';
		if (*item || value)
			rc = value ? set_key(r, item, value) : set_flag(r, item);
	}
	free(copy);
	return rc;
}

static int finish(struct reader *r)
{
	struct nic_config *nic = r->nic;

	if (nic->bridge)
		nic->mode = NIC_BRIDGE;
	else if (nic->vifname)
		nic->mode = NIC_TAP;
	else
		nic->mode = NIC_USER;
	if (nic->nr_forwards && nic->mode != NIC_USER)
		return problem(r->p,
			       "vif: forward= is for the user-mode network, %s= for another: leave "
			       "out one of them",
			       nic->bridge ? "bridge" : "vifname");
	if (nic->script)
		warn(r, "script",
		     "of a vif is not run here: bridge= and vifname= do what vif-bridge did");
	return 0;
}

int nic_spec_parse(const char *const *specs, unsigned nr_specs, struct nic_config *nic,
		   const struct config_warnings *w, struct problem *p)
{
	struct reader r = {.nic = nic, .w = w, .p = p};

	*nic = (struct nic_config){.devid = NIC_DEVID_NONE};
	for (unsigned i = 0; i < nr_specs; i++)
		if (read_one(&r, specs[i]))
			return -1;
	return finish(&r);
}
