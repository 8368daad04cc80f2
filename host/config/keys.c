// SPDX-License-Identifier: BSD-2-Clause
/* The keys of xl.cfg(5), each read by its own small function. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/lexer.h"
#include "host/config/reader.h"

#define MIB                (1ull << 20)
#define MEMORY_MIN         4      /* MiB */
#define EVENT_CHANNELS_MAX 131071 /* the FIFO form's last port */
#define FRAMES_MAX         (1 << 20)

static const char *const type_names[] = {
	[GUEST_PVH] = "pvh", [GUEST_PV] = "pv", [GUEST_HVM] = "hvm"};

static const char *const action_names[] = {
	[ACTION_DESTROY] = "destroy",
	[ACTION_RESTART] = "restart",
	[ACTION_RENAME_RESTART] = "rename-restart",
	[ACTION_PRESERVE] = "preserve",
	[ACTION_COREDUMP_DESTROY] = "coredump-destroy",
	[ACTION_COREDUMP_RESTART] = "coredump-restart",
	[ACTION_SOFT_RESET] = "soft-reset",
};

const char *guest_type_name(enum guest_type type)
{
	return type_names[type];
}

const char *guest_action_name(enum guest_action action)
{
	return action_names[action];
}

static int set_name(struct reader *r, const struct config_setting *s)
{
	struct problem fault;

	if (read_string(r, s, &r->c->name))
		return -1;
	if (guest_name_check(r->c->name, &fault))
		return problem_at(r->p, s->source, s->value.line, "%s", fault.text);
	return 0;
}

static int set_type(struct reader *r, const struct config_setting *s)
{
	unsigned type;

	if (read_choice(r, s, type_names, ARRAY_SIZE(type_names), &type))
		return -1;
	r->c->type = type;
	return 0;
}

/* Its meaning is settled together with type=. */
static int set_builder(struct reader *r, const struct config_setting *s)
{
	static const char *const names[] = {"generic", "linux", "hvm"};
	const enum guest_type types[] = {GUEST_PV, GUEST_PV, GUEST_HVM};
	unsigned builder;

	if (read_choice(r, s, names, ARRAY_SIZE(names), &builder))
		return -1;
	if (!config_syntax_find(r->syntax, "type"))
		r->c->type = types[builder];
	return 0;
}

static int set_uuid(struct reader *r, const struct config_setting *s)
{
	unsigned nibbles = 0;
	const char *at;

	if (is_single(r, s))
		return -1;
	for (at = s->value.text; *at; at++) {
		int c = tolower((unsigned char)*at);

		if (c == '-' && !(nibbles % 2))
			continue;
		if (!isxdigit(c) || nibbles == 32)
			break;
		r->c->uuid[nibbles / 2] =
			r->c->uuid[nibbles / 2] << 4 | (isdigit(c) ? c - '0' : c - 'a' + 10);
		nibbles++;
	}
	if (*at || nibbles != 32)
		return problem_at(r->p, s->source, s->value.line,
				  "uuid '%s' is not one: want 32 hexadecimal digits, such as "
				  "00112233-4455-6677-8899-aabbccddeeff",
				  s->value.text);
	return 0;
}

static int set_kernel(struct reader *r, const struct config_setting *s)
{
	return read_string(r, s, &r->c->kernel);
}

static int set_ramdisk(struct reader *r, const struct config_setting *s)
{
	return read_string(r, s, &r->c->ramdisk);
}

/* cmdline= as it is; without it, root= and extra= make one. */
static int set_cmdline(struct reader *r, const struct config_setting *s)
{
	return read_string(r, s, &r->c->cmdline);
}

static int set_root_extra(struct reader *r, const struct config_setting *s)
{
	const struct config_setting *root = config_syntax_find(r->syntax, "root");
	const struct config_setting *extra = config_syntax_find(r->syntax, "extra");
	int length;

	if (is_single(r, s) || (root && is_single(r, root)) || (extra && is_single(r, extra)))
		return -1;
	if (config_syntax_find(r->syntax, "cmdline")) {
		reader_warn(r, s, s->value.line, "%s: ignored, as there is cmdline=, too", s->name);
		return 0;
	}
	free(r->c->cmdline);
	length = asprintf(&r->c->cmdline, "%s%s%s%s", root ? "root=" : "",
			  root ? root->value.text : "", root && extra ? " " : "",
			  extra ? extra->value.text : "");
	if (length < 0) {
		r->c->cmdline = NULL;
		return problem(r->p, "out of memory");
	}
	return 0;
}

static int set_memory(struct reader *r, const struct config_setting *s)
{
	long n;

	if (read_number(r, s, MEMORY_MIN, MEMORY_MAX_MIB, &n))
		return -1;
	*(!strcmp(s->name, "memory") ? &r->c->memory : &r->c->maxmem) = n * MIB;
	return 0;
}

static int set_vcpus(struct reader *r, const struct config_setting *s)
{
	long n;

	if (read_number(r, s, 1, DOMAIN_MAX_VCPUS, &n))
		return -1;
	*(!strcmp(s->name, "vcpus") ? &r->c->vcpus : &r->c->maxvcpus) = n;
	return 0;
}

static int set_action(struct reader *r, const struct config_setting *s)
{
	struct guest_config *c = r->c;
	const struct {
		const char *name;
		enum guest_action *action;
	} ends[] = {
		{"on_poweroff", &c->on_poweroff},     {"on_reboot", &c->on_reboot},
		{"on_crash", &c->on_crash},           {"on_watchdog", &c->on_watchdog},
		{"on_soft_reset", &c->on_soft_reset},
	};
	unsigned action;

	if (read_choice(r, s, action_names, ARRAY_SIZE(action_names), &action))
		return -1;
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++)
		if (!strcmp(s->name, ends[i].name))
			*ends[i].action = action;
	return 0;
}

static int set_limit(struct reader *r, const struct config_setting *s)
{
	struct guest_config *c = r->c;
	const struct {
		const char *name;
		long min, max;
		uint32_t *limit;
	} limits[] = {
		{"max_grant_frames", 1, FRAMES_MAX, &c->max_grant_frames},
		{"max_maptrack_frames", 0, FRAMES_MAX, &c->max_maptrack_frames},
		{"max_event_channels", 1, EVENT_CHANNELS_MAX, &c->max_event_channels},
		{"max_grant_version", 1, 2, &c->max_grant_version},
	};
	long n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		if (strcmp(s->name, limits[i].name))
			continue;
		if (read_number(r, s, limits[i].min, limits[i].max, &n))
			return -1;
		*limits[i].limit = n;
	}
	return 0;
}

static int set_device(struct reader *r, const struct config_setting *s)
{
	return read_string(r, s, &r->c->device);
}

static int set_accel(struct reader *r, const struct config_setting *s)
{
	if (is_single(r, s))
		return -1;
	if (accel_parse(s->value.text, &r->c->accel))
		return problem_at(r->p, s->source, s->value.line,
				  "%s '%s' is none of auto, stock, kvm-xen", s->name,
				  s->value.text);
	return 0;
}

/* Of other parts: settled when the type is known. */
static int set_later(struct reader *r, const struct config_setting *s)
{
	return is_single(r, s);
}

static const struct config_key keys[] = {
	{"bootloader", set_later},
	{"builder", set_builder},
	{"channel", read_channels},
	{"cmdline", set_cmdline},
	{"disk", read_disks},
	{"extra", set_root_extra},
	{"firmware", set_later},
	{"kernel", set_kernel},
	{"max_event_channels", set_limit},
	{"max_grant_frames", set_limit},
	{"max_grant_version", set_limit},
	{"max_maptrack_frames", set_limit},
	{"maxmem", set_memory},
	{"maxvcpus", set_vcpus},
	{"memory", set_memory},
	{"name", set_name},
	{"on_crash", set_action},
	{"on_poweroff", set_action},
	{"on_reboot", set_action},
	{"on_soft_reset", set_action},
	{"on_watchdog", set_action},
	{"pvshim", set_later},
	{"ramdisk", set_ramdisk},
	{"root", set_root_extra},
	{"type", set_type},
	{"uuid", set_uuid},
	{"vcpus", set_vcpus},
	{"vif", read_nics},
	{"xenolith_accel", set_accel},
	{"xenolith_device", set_device},
};

const struct config_key *config_key_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(name, keys[i].name))
			return &keys[i];
	return NULL;
}

const char *config_key_name(unsigned i)
{
	return i < ARRAY_SIZE(keys) ? keys[i].name : NULL;
}
