// SPDX-License-Identifier: BSD-2-Clause
/*
 * The keys of xl.cfg(5), each read by its own small function; what several of them say together
 * (memory and maxmem, root and extra, type and builder) is settled in the end, whatever their
 * order.
 */
#include "host/config/guest_config.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/channel_spec.h"
#include "host/config/disk_spec.h"
#include "host/config/ignored_keys.h"
#include "host/config/lexer.h"
#include "host/config/nic_spec.h"
#include "host/config/reader.h"
#include "host/config/suggest.h"

#define MIB            (1ull << 20)
#define DEFAULT_MEMORY (512 * MIB)
#define MEMORY_MIN     4               /* MiB */
#define MEMORY_MAX     ((1 << 20) - 1) /* MiB: below 1 TiB */
#define NAME_MAX_BYTES 127

/* Xen 4.17's own defaults. */
#define DEFAULT_GRANT_FRAMES    64
#define DEFAULT_MAPTRACK_FRAMES 1024
#define DEFAULT_EVENT_CHANNELS  1023
#define EVENT_CHANNELS_MAX      131071 /* the FIFO form's last port */
#define FRAMES_MAX              (1 << 20)

/* Debian's package grub-xen-host. */
#define GRUB_PVH  "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"
#define GRUB_PV64 "/usr/lib/grub-xen/grub-x86_64-xen.bin"
#define GRUB_PV32 "/usr/lib/grub-xen/grub-i386-xen.bin"

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

int guest_name_check(const char *name, struct problem *p)
{
	if (!*name || strlen(name) > NAME_MAX_BYTES)
		return problem(p, "name '%s': want 1 to %d characters", name, NAME_MAX_BYTES);
	for (const char *at = name; *at; at++)
		if (*at == '/' || iscntrl((unsigned char)*at))
			return problem(p,
				       "name '%s': it names files, too, and can hold no '/' or "
				       "control character",
				       name);
	return 0;
}

void reader_warn(const struct reader *r, const struct config_setting *s, unsigned line,
		 const char *fmt, ...)
{
	char message[400], text[600];
	va_list ap;

	if (!r->w)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (line)
		snprintf(text, sizeof(text), "%s:%u: %s", s->source, line, message);
	else
		snprintf(text, sizeof(text), "%s: %s", s->source, message);
	r->w->warn(r->w->opaque, text);
}

/*
 * Values.
 */

static int is_single(struct reader *r, const struct config_setting *s)
{
	if (s->value.kind != VALUE_LIST)
		return 0;
	return problem_at(r->p, s->source, s->value.line, "%s: want a single value, not a list",
			  s->name);
}

static int read_string(struct reader *r, const struct config_setting *s, char **to)
{
	if (is_single(r, s))
		return -1;
	free(*to);
	*to = strdup(s->value.text);
	return *to ? 0 : problem(r->p, "out of memory");
}

/* A number, in quotes or not, as strtol() takes them: 0x10 is 16, and 010 is 8, for xl, too. */
static int read_number(struct reader *r, const struct config_setting *s, long min, long max,
		       long *n)
{
	char *end;

	if (is_single(r, s))
		return -1;
	if (s->added)
		return problem_at(r->p, s->source, s->value.line,
				  "%s: += is for strings and lists, not for numbers", s->name);
	errno = 0;
	*n = strtol(s->value.text, &end, 0);
	if (errno || *end || end == s->value.text || *n < min || *n > max)
		return problem_at(r->p, s->source, s->value.line,
				  "%s '%s' is not a number from %ld to %ld%s", s->name,
				  s->value.text, min, max,
				  max == MEMORY_MAX ? " (of MiB, without a unit)" : "");
	return 0;
}

/* Its index among `names`. */
static int read_choice(struct reader *r, const struct config_setting *s, const char *const *names,
		       unsigned nr_names, unsigned *choice)
{
	char list[160] = "";

	if (is_single(r, s))
		return -1;
	for (unsigned i = 0; i < nr_names; i++) {
		if (!strcmp(s->value.text, names[i])) {
			*choice = i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
			 names[i]);
	}
	return problem_at(r->p, s->source, s->value.line, "%s '%s' is none of %s", s->name,
			  s->value.text, list);
}

/*
 * Keys.
 */

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

	if (read_number(r, s, MEMORY_MIN, MEMORY_MAX, &n))
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
static int set_boot_source(struct reader *r, const struct config_setting *s)
{
	return is_single(r, s);
}

static const struct key {
	const char *name;
	int (*set)(struct reader *r, const struct config_setting *s);
} keys[] = {
	{"bootloader", set_boot_source},
	{"builder", set_builder},
	{"channel", read_channels},
	{"cmdline", set_cmdline},
	{"disk", read_disks},
	{"extra", set_root_extra},
	{"firmware", set_boot_source},
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
	{"ramdisk", set_ramdisk},
	{"root", set_root_extra},
	{"type", set_type},
	{"uuid", set_uuid},
	{"vcpus", set_vcpus},
	{"vif", read_nics},
	{"xenolith_accel", set_accel},
	{"xenolith_device", set_device},
};

static const struct key *find_key(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static const char *key_name(unsigned i)
{
	return i < ARRAY_SIZE(keys) ? keys[i].name : NULL;
}

static void warn_without_effect(struct reader *r, const struct config_setting *s)
{
	const char *reason = ignored_key(s->name, &s->value);
	const char *similar;

	if (reason) {
		if (*reason)
			reader_warn(r, s, s->value.line, "%s has no effect: %s", s->name, reason);
		return;
	}
	similar = suggest(s->name, key_name);
	reader_warn(r, s, s->value.line, "%s is not a key of xl.cfg(5); ignored%s%s%s", s->name,
		    similar ? " (did you mean " : "", similar ? similar : "", similar ? "?)" : "");
}

static int read_settings(struct reader *r)
{
	for (unsigned i = 0; i < r->syntax->nr_settings; i++) {
		const struct config_setting *s = &r->syntax->settings[i];
		const struct key *key = find_key(s->name);

		if (config_syntax_find(r->syntax, s->name) != s)
			continue; /* the last of a name wins */
		if (!key)
			warn_without_effect(r, s);
		else if (key->set(r, s))
			return -1;
	}
	return 0;
}

/*
 * What several keys say together.
 */

static int type_and_builder(struct reader *r)
{
	const struct config_setting *type = config_syntax_find(r->syntax, "type");
	const struct config_setting *builder = config_syntax_find(r->syntax, "builder");
	bool hvm;

	if (!type || !builder)
		return 0;
	hvm = !strcmp(builder->value.text, "hvm");
	if (r->c->type == (hvm ? GUEST_HVM : GUEST_PV))
		return 0;
	return problem_at(r->p, builder->source, builder->value.line,
			  "builder '%s' contradicts type '%s': leave builder= out",
			  builder->value.text, type->value.text);
}

static int use_grub(struct reader *r, const struct config_setting *s, const char *image)
{
	r->c->kernel = strdup(image);
	if (!r->c->kernel)
		return problem(r->p, "out of memory");
	reader_warn(r, s, s->value.line,
		    "%s '%s': GRUB for Xen (%s, package grub-xen-host) reads the disk's own menu "
		    "instead",
		    s->name, s->value.text, image);
	return 0;
}

/* firmware= in place of kernel=. */
static int firmware(struct reader *r, const struct config_setting *s)
{
	const char *value = s->value.text;
	bool pvgrub64 = !strcmp(value, "pvgrub64");

	if (r->c->type == GUEST_HVM) {
		reader_warn(r, s, s->value.line, "%s has no effect yet", s->name);
		return 0;
	}
	if (r->c->kernel)
		return problem_at(r->p, s->source, s->value.line,
				  "firmware '%s' and kernel '%s': leave out one of them", value,
				  r->c->kernel);
	if (!pvgrub64 && strcmp(value, "pvgrub32"))
		return problem_at(r->p, s->source, s->value.line,
				  "firmware '%s' is none of pvgrub32, pvgrub64 (others are for HVM "
				  "guests)",
				  value);
	if (r->c->type == GUEST_PVH)
		return use_grub(r, s, GRUB_PVH);
	return use_grub(r, s, pvgrub64 ? GRUB_PV64 : GRUB_PV32);
}

/* pygrub and its kin read the guest's disk on the host; here GRUB does that inside the guest. */
static int bootloader(struct reader *r, const struct config_setting *s)
{
	const char *base = strrchr(s->value.text, '/');

	base = base ? base + 1 : s->value.text;
	if (r->c->kernel) {
		reader_warn(r, s, s->value.line,
			    "bootloader '%s' is ignored, as there is kernel=", s->value.text);
		return 0;
	}
	if (strcmp(base, "pygrub"))
		return problem_at(r->p, s->source, s->value.line,
				  "bootloader '%s' is not run here: name the kernel in kernel= and "
				  "ramdisk=, or use bootloader=\"pygrub\" for what GRUB boots",
				  s->value.text);
	return use_grub(r, s, r->c->type == GUEST_PVH ? GRUB_PVH : GRUB_PV64);
}

static int boot_source(struct reader *r)
{
	const struct config_setting *fw = config_syntax_find(r->syntax, "firmware");
	const struct config_setting *loader = config_syntax_find(r->syntax, "bootloader");

	if (fw && *fw->value.text && firmware(r, fw))
		return -1;
	if (loader && *loader->value.text && bootloader(r, loader))
		return -1;
	if (r->c->type != GUEST_HVM && !(r->c->kernel && *r->c->kernel))
		return problem(r->p,
			       "%s: no kernel: want kernel=\"FILE\", or bootloader=\"pygrub\" for "
			       "the disk's own",
			       r->c->file ? r->c->file : "command line");
	return 0;
}

static int memory(struct reader *r)
{
	struct guest_config *c = r->c;
	const struct config_setting *s = config_syntax_find(r->syntax, "maxmem");

	if (!c->memory)
		c->memory = c->maxmem ? c->maxmem : DEFAULT_MEMORY;
	if (!c->maxmem)
		c->maxmem = c->memory;
	if (c->maxmem < c->memory)
		return problem_at(r->p, s->source, s->value.line,
				  "maxmem '%s' is less than memory (%llu)", s->value.text,
				  (unsigned long long)(c->memory / MIB));
	return 0;
}

static int vcpus(struct reader *r)
{
	struct guest_config *c = r->c;
	const struct config_setting *s = config_syntax_find(r->syntax, "maxvcpus");

	if (!c->vcpus)
		c->vcpus = 1;
	if (!c->maxvcpus)
		c->maxvcpus = c->vcpus;
	if (c->maxvcpus < c->vcpus)
		return problem_at(r->p, s->source, s->value.line,
				  "maxvcpus '%s' is less than vcpus (%u)", s->value.text, c->vcpus);
	return 0;
}

static int defaults(struct reader *r)
{
	struct guest_config *c = r->c;

	*c = (struct guest_config){
		.type = GUEST_PV,
		.on_poweroff = ACTION_DESTROY,
		.on_reboot = ACTION_RESTART,
		.on_crash = ACTION_DESTROY,
		.on_watchdog = ACTION_DESTROY,
		.on_soft_reset = ACTION_SOFT_RESET,
		.max_grant_frames = DEFAULT_GRANT_FRAMES,
		.max_maptrack_frames = DEFAULT_MAPTRACK_FRAMES,
		.max_event_channels = DEFAULT_EVENT_CHANNELS,
		.max_grant_version = 2,
		.device = strdup("/dev/kvm"),
		.accel = ACCEL_AUTO,
	};
	return c->device ? 0 : problem(r->p, "out of memory");
}

static int read_all(struct reader *r, const char *file)
{
	if (defaults(r))
		return -1;
	if (file) {
		r->c->file = strdup(file);
		if (!r->c->file)
			return problem(r->p, "out of memory");
	}
	if (read_settings(r))
		return -1;
	if (!r->c->name)
		return problem(r->p, "%s: no name: want name=\"NAME\"",
			       file ? file : "command line");
	return type_and_builder(r) || boot_source(r) || memory(r) || vcpus(r) ? -1 : 0;
}

int guest_config_parse(struct guest_config *c, const char *file, const char *text, size_t size,
		       char *const *arguments, unsigned nr_arguments,
		       const struct config_warnings *w, struct problem *p)
{
	struct config_syntax syntax = {0};
	struct reader r = {c, &syntax, w, p};
	int rc = file ? config_syntax_parse(&syntax, file, text, size, p) : 0;

	*c = (struct guest_config){0};
	for (unsigned i = 0; !rc && i < nr_arguments; i++)
		rc = config_syntax_argument(&syntax, arguments[i], p);
	if (!rc)
		rc = read_all(&r, file);
	config_syntax_free(&syntax);
	if (rc)
		guest_config_free(c);
	return rc;
}

void guest_config_free(struct guest_config *c)
{
	for (unsigned i = 0; i < c->nr_disks; i++)
		disk_config_free(&c->disks[i]);
	for (unsigned i = 0; i < c->nr_nics; i++)
		nic_config_free(&c->nics[i]);
	for (unsigned i = 0; i < c->nr_channels; i++)
		channel_config_free(&c->channels[i]);
	free(c->disks);
	free(c->nics);
	free(c->channels);
	free(c->file);
	free(c->name);
	free(c->kernel);
	free(c->ramdisk);
	free(c->cmdline);
	free(c->device);
	*c = (struct guest_config){0};
}
