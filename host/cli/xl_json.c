// SPDX-License-Identifier: BSD-2-Clause
/*
 * libxl's structures as it writes them in JSON (libxl_types.idl): c_info, b_info, disks, nics. Only
 * what the configuration says; scripts look for names, sizes, disks and MACs in it.
 */
#include "host/cli/xl_json.h"

#include <stdio.h>
#include <string.h>

#include "shim/types.h"

static void copy(json_t *to, const char *to_key, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		json_object_set(to, to_key, value);
}

static json_t *create_info(const json_t *config)
{
	json_t *o = json_object();

	copy(o, "type", config, "type");
	copy(o, "name", config, "name");
	copy(o, "uuid", config, "uuid");
	return o;
}

static void set_kib(json_t *to, const char *to_key, const json_t *from, const char *key)
{
	json_object_set_new(to, to_key,
			    json_integer(json_integer_value(json_object_get(from, key)) << 10));
}

static json_t *numbers_below(json_int_t n)
{
	json_t *list = json_array();

	for (json_int_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(i));
	return list;
}

static json_t *build_info(const json_t *config)
{
	static const char *const same[] = {
		"kernel",           "ramdisk", "cmdline", "max_grant_frames", "max_maptrack_frames",
		"max_grant_version"};
	const char *type = json_string_value(json_object_get(config, "type"));
	json_t *o = json_object();
	char key[16];

	copy(o, "max_vcpus", config, "maxvcpus");
	json_object_set_new(o, "avail_vcpus",
			    numbers_below(json_integer_value(json_object_get(config, "vcpus"))));
	set_kib(o, "max_memkb", config, "maxmem");
	set_kib(o, "target_memkb", config, "memory");
	copy(o, "event_channels", config, "max_event_channels");
	for (unsigned i = 0; i < ARRAY_SIZE(same); i++)
		copy(o, same[i], config, same[i]);
	snprintf(key, sizeof(key), "type.%s", type ? type : "invalid");
	json_object_set_new(o, key, json_object());
	return o;
}

static json_t *disk(const json_t *d)
{
	const char *access = json_string_value(json_object_get(d, "access"));
	const char *devtype = json_string_value(json_object_get(d, "devtype"));
	json_t *o = json_object();

	copy(o, "pdev_path", d, "target");
	copy(o, "vdev", d, "vdev");
	copy(o, "backend", d, "backendtype");
	copy(o, "format", d, "format");
	if (devtype && !strcmp(devtype, "cdrom")) {
		json_object_set_new(o, "removable", json_integer(1));
		json_object_set_new(o, "is_cdrom", json_integer(1));
	}
	if (access && !strcmp(access, "rw"))
		json_object_set_new(o, "readwrite", json_integer(1));
	json_object_set_new(
		o, "discard_enable",
		json_string(json_is_true(json_object_get(d, "discard")) ? "True" : "False"));
	return o;
}

static json_t *nic(const json_t *n)
{
	static const char *const same[] = {"devid",
					   "mtu",
					   "model",
					   "mac",
					   "ip",
					   "bridge",
					   "script",
					   "gatewaydev",
					   "rate_bytes_per_interval",
					   "rate_interval_usecs"};
	json_t *o = json_object();

	for (unsigned i = 0; i < ARRAY_SIZE(same); i++)
		copy(o, same[i], n, same[i]);
	copy(o, "ifname", n, "vifname");
	copy(o, "nictype", n, "type");
	return o;
}

static json_t *each(const json_t *list, json_t *(*convert)(const json_t *item))
{
	json_t *all = json_array(), *item;
	size_t i;

	json_array_foreach(list, i, item) json_array_append_new(all, convert(item));
	return all;
}

/* libxl's names of actions have other words' order, and underscores. */
static void set_action(json_t *o, const json_t *config, const char *key)
{
	static const char *const names[][2] = {
		{"rename-restart", "restart_rename"},
		{"coredump-destroy", "coredump_destroy"},
		{"coredump-restart", "coredump_restart"},
		{"soft-reset", "soft_reset"},
	};
	const char *action = json_string_value(json_object_get(config, key));

	for (unsigned i = 0; action && i < ARRAY_SIZE(names); i++)
		if (!strcmp(action, names[i][0]))
			action = names[i][1];
	if (action)
		json_object_set_new(o, key, json_string(action));
}

json_t *xl_domain_json(json_t *config, long long domid)
{
	static const char *const actions[] = {"on_poweroff", "on_reboot", "on_watchdog", "on_crash",
					      "on_soft_reset"};
	json_t *o = json_object();

	json_object_set_new(o, "c_info", create_info(config));
	json_object_set_new(o, "b_info", build_info(config));
	json_object_set_new(o, "disks", each(json_object_get(config, "disk"), disk));
	json_object_set_new(o, "nics", each(json_object_get(config, "vif"), nic));
	for (unsigned i = 0; i < ARRAY_SIZE(actions); i++)
		set_action(o, config, actions[i]);
	json_decref(config);
	return json_pack("{s:o, s:o}", "domid", domid < 0 ? json_null() : json_integer(domid),
			 "config", o);
}
