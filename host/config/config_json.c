// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/config_json.h"

#include <stdlib.h>
#include <string.h>

#include "host/config/disk_spec.h"
#include "host/text.h"

#define MIB (1ull << 20)

/* Bytes that are not UTF-8 (file names may hold them) cannot be JSON: each becomes a '?'. */
static json_t *lossy_string(const char *value)
{
	json_t *string = json_string(value);
	char *copy;

	if (string)
		return string;
	copy = strdup(value);
	for (char *at = copy; at && *at; at++)
		if (*at & 0x80)
			*at = '?';
	string = copy ? json_string(copy) : NULL;
	free(copy);
	return string;
}

/* A member that is only there if it says something. */
static void set_string(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, lossy_string(value));
}

json_t *disk_config_json(const struct disk_config *d)
{
	json_t *o = json_object();

	set_string(o, "vdev", d->vdev);
	json_object_set_new(o, "devid", json_integer(d->devid));
	set_string(o, "format", disk_format_name(d->format));
	json_object_set_new(o, "access", json_string(d->readonly ? "ro" : "rw"));
	json_object_set_new(o, "devtype", json_string(d->cdrom ? "cdrom" : "disk"));
	json_object_set_new(o, "discard", json_boolean(d->discard));
	if (d->direct_io_safe)
		json_object_set_new(o, "direct-io-safe", json_true());
	set_string(o, "backendtype", d->backendtype);
	set_string(o, "target", d->target);
	return o;
}

static json_t *forwards_json(const struct nic_config *n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n->nr_forwards; i++) {
		const struct port_forward *f = &n->forwards[i];
		const char *a = f->host_address;
		const bool v6 = a && strchr(a, ':');

		json_array_append_new(list,
				      json_sprintf("%s/%s%s%s%s%u/%u", f->udp ? "udp" : "tcp",
						   v6 ? "[" : "", a ? a : "", v6 ? "]" : "",
						   a ? ":" : "", f->host_port, f->guest_port));
	}
	return list;
}

json_t *nic_config_json(const struct nic_config *n)
{
	static const char *const modes[] = {
		[NIC_USER] = "user", [NIC_TAP] = "tap", [NIC_BRIDGE] = "bridge"};
	json_t *o = json_object();
	char mac[MAC_TEXT];

	json_object_set_new(o, "devid", json_integer(n->devid));
	json_object_set_new(o, "mode", json_string(modes[n->mode]));
	json_object_set_new(o, "mac", json_string(mac_text(mac, n->mac)));
	set_string(o, "bridge", n->bridge);
	set_string(o, "vifname", n->vifname);
	set_string(o, "ip", n->ip);
	set_string(o, "script", n->script);
	set_string(o, "model", n->model);
	set_string(o, "type", n->type);
	set_string(o, "gatewaydev", n->gatewaydev);
	if (n->mtu)
		json_object_set_new(o, "mtu", json_integer(n->mtu));
	if (n->rate_bps) {
		json_object_set_new(o, "rate_bytes_per_interval", json_integer(n->rate_bps));
		json_object_set_new(o, "rate_interval_usecs", json_integer(n->rate_interval_us));
	}
	if (n->nr_forwards)
		json_object_set_new(o, "forward", forwards_json(n));
	return o;
}

static json_t *channel_json(const struct channel_config *c)
{
	json_t *o = json_object();

	set_string(o, "name", c->name);
	set_string(o, "connection", c->connection);
	set_string(o, "path", c->path);
	return o;
}

static void set_devices(json_t *o, const struct guest_config *c)
{
	json_t *disks = json_array(), *nics = json_array(), *channels = json_array();

	for (unsigned i = 0; i < c->nr_disks; i++)
		json_array_append_new(disks, disk_config_json(&c->disks[i]));
	for (unsigned i = 0; i < c->nr_nics; i++)
		json_array_append_new(nics, nic_config_json(&c->nics[i]));
	for (unsigned i = 0; i < c->nr_channels; i++)
		json_array_append_new(channels, channel_json(&c->channels[i]));
	json_object_set_new(o, "disk", disks);
	json_object_set_new(o, "vif", nics);
	json_object_set_new(o, "channel", channels);
}

static void set_actions(json_t *o, const struct guest_config *c)
{
	const struct {
		const char *name;
		enum guest_action action;
	} ends[] = {
		{"on_poweroff", c->on_poweroff},     {"on_reboot", c->on_reboot},
		{"on_crash", c->on_crash},           {"on_watchdog", c->on_watchdog},
		{"on_soft_reset", c->on_soft_reset},
	};

	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		json_object_set_new(o, ends[i].name,
				    json_string(guest_action_name(ends[i].action)));
}

json_t *guest_config_json(const struct guest_config *c)
{
	json_t *o = json_object();
	char uuid[UUID_TEXT];

	set_string(o, "name", c->name);
	json_object_set_new(o, "type", json_string(guest_type_name(c->type)));
	json_object_set_new(o, "uuid", json_string(uuid_text(uuid, c->uuid)));
	set_string(o, "kernel", c->kernel);
	set_string(o, "ramdisk", c->ramdisk);
	set_string(o, "cmdline", c->cmdline);
	json_object_set_new(o, "memory", json_integer(c->memory / MIB));
	json_object_set_new(o, "maxmem", json_integer(c->maxmem / MIB));
	json_object_set_new(o, "vcpus", json_integer(c->vcpus));
	json_object_set_new(o, "maxvcpus", json_integer(c->maxvcpus));
	set_actions(o, c);
	set_devices(o, c);
	json_object_set_new(o, "max_grant_frames", json_integer(c->max_grant_frames));
	json_object_set_new(o, "max_maptrack_frames", json_integer(c->max_maptrack_frames));
	json_object_set_new(o, "max_grant_version", json_integer(c->max_grant_version));
	json_object_set_new(o, "max_event_channels", json_integer(c->max_event_channels));
	set_string(o, "xenolith_device", c->device);
	json_object_set_new(o, "xenolith_accel", json_string(accel_name(c->accel)));
	return o;
}
