// SPDX-License-Identifier: BSD-2-Clause
/*
 * The old form of a specification is positional: target, format, vdev, access. The new one is
 * key=value in any order. Both mix freely, and old prefixes ("phy:", "tap:aio:") may come before
 * the target, so this is one scanner that takes what comes next, as libxlutil's is.
 */
#include "host/config/disk_spec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/spec.h"
#include "host/config/vdev.h"
#include "shim/types.h"

/* A specification while it is read. */
struct reader {
	struct disk_config *disk;
	struct problem *p;
	const char *spec;
	char *backend;
	bool had_format, had_prefix, had_access, writable, virtio;
	enum { DISCARD_DEFAULT, DISCARD_ON, DISCARD_OFF } discard;
};

static const char *const format_names[] = {
	[DISK_RAW] = "raw", [DISK_QCOW] = "qcow", [DISK_QCOW2] = "qcow2",
	[DISK_QED] = "qed", [DISK_VHD] = "vhd",   [DISK_EMPTY] = "empty",
};

const char *disk_format_name(enum disk_format format)
{
	return format < ARRAY_SIZE(format_names) ? format_names[format] : NULL;
}

void disk_config_free(struct disk_config *disk)
{
	free(disk->target);
	free(disk->vdev);
	free(disk->script);
	free(disk->backendtype);
	*disk = (struct disk_config){0};
}

static int bad(struct reader *r, const char *what, const char *remedy)
{
	return problem(r->p, "disk '%s': '%s' %s", r->spec, what, remedy);
}

/* An empty value may be replaced, another not. */
static int set_string(struct reader *r, char **to, const char *value, const char *remedy)
{
	if (*to && **to)
		return bad(r, value, remedy);
	return spec_copy(to, value) ? problem(r->p, "out of memory") : 0;
}

static int set_format_to(struct reader *r, enum disk_format format, const char *value)
{
	if (r->had_format && r->disk->format != format)
		return bad(r, value, "is a second, different format");
	r->had_format = true;
	r->disk->format = format;
	return 0;
}

static int set_format(struct reader *r, const char *value)
{
	if (!*value)
		return set_format_to(r, DISK_RAW, value);
	for (unsigned i = 0; i < ARRAY_SIZE(format_names); i++)
		if (!strcmp(value, format_names[i]))
			return set_format_to(r, i, value);
	return bad(r, value, "is not a format: want raw, qcow, qcow2, qed, vhd or empty");
}

static int set_access(struct reader *r, const char *value)
{
	bool write = !strcmp(value, "rw") || !strcmp(value, "w") || !*value;

	if (!write && strcmp(value, "r") && strcmp(value, "ro"))
		return bad(r, value, "is not an access mode: want r, ro, w or rw");
	r->writable = write;
	return 0;
}

static int set_devtype(struct reader *r, const char *value)
{
	r->disk->cdrom = !strcmp(value, "cdrom");
	if (!r->disk->cdrom && strcmp(value, "disk"))
		return bad(r, value, "is not a type: want disk or cdrom");
	return 0;
}

static int set_target(struct reader *r, const char *value)
{
	return set_string(r, &r->disk->target, value, "is a second target");
}

static int set_vdev(struct reader *r, const char *value)
{
	return set_string(r, &r->disk->vdev, value, "is a second vdev");
}

static int set_script(struct reader *r, const char *value)
{
	return set_string(r, &r->disk->script, value, "is a second script");
}

static int set_backend(struct reader *r, const char *value)
{
	return set_string(r, &r->backend, value, "is a second backend domain");
}

static int set_backendtype(struct reader *r, const char *value)
{
	static const char *const types[] = {"phy", "tap", "qdisk", "standalone"};

	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(value, types[i]))
			continue;
		if (r->disk->backendtype && !strcmp(r->disk->backendtype, value))
			return 0;
		return set_string(r, &r->disk->backendtype, value, "is a second backendtype");
	}
	return bad(r, value, "is not a backendtype: want phy, tap, qdisk or standalone");
}

static int set_specification(struct reader *r, const char *value)
{
	r->virtio = !strcmp(value, "virtio");
	if (!r->virtio && strcmp(value, "xen"))
		return bad(r, value, "is not a specification: want xen");
	return 0;
}

static const struct key {
	const char *name;
	int (*set)(struct reader *r, const char *value);
} keys[] = {
	{"format", set_format}, {"devtype", set_devtype},
	{"access", set_access}, {"backend", set_backend},
	{"vdev", set_vdev},     {"backendtype", set_backendtype},
	{"script", set_script}, {"specification", set_specification},
	{"target", set_target},
};

/* KEY=VALUE; `equals` is in it. */
static int take_key(struct reader *r, char *word, char *equals)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == (size_t)(equals - word) &&
		    !strncmp(word, keys[i].name, equals - word))
			return keys[i].set(r, equals + 1);
	*equals = '\0';
	return bad(r, word,
		   "is not a key of xl-disk-configuration(5); a target with '=' or ',' in it is "
		   "written target=..., as the last");
}

/* true: it was one. */
static bool take_flag(struct reader *r, const char *word)
{
	struct disk_config *d = r->disk;

	if (!strcmp(word, "cdrom"))
		d->cdrom = true;
	else if (!strcmp(word, "direct-io-safe"))
		d->direct_io_safe = true;
	else if (!strcmp(word, "discard"))
		r->discard = DISCARD_ON;
	else if (!strcmp(word, "no-discard"))
		r->discard = DISCARD_OFF;
	else /* Whether the backend is trusted is for frontends that are told; here it is one. */
		return !strcmp(word, "trusted") || !strcmp(word, "untrusted");
	return true;
}

/* "hdc:cdrom"; the part before the colon is the vdev. */
static int take_vdev(struct reader *r, char *word)
{
	char *colon = strrchr(word, ':');

	if (!colon)
		return set_vdev(r, word);
	*colon = '\0';
	return set_vdev(r, word) ? -1 : set_devtype(r, colon + 1);
}

static int take_positional(struct reader *r, char *word)
{
	struct disk_config *d = r->disk;

	if (!d->target)
		return set_target(r, word);
	if (!r->had_prefix && !r->had_format) {
		if (*d->target || !strrchr(word, ':'))
			return set_format(r, word);
		return set_format_to(r, DISK_EMPTY, word) ? -1 : take_vdev(r, word);
	}
	if (!d->vdev)
		return take_vdev(r, word);
	if (!r->had_access) {
		r->had_access = true;
		return set_access(r, word);
	}
	return bad(r, word, "is too much; the order is target,format,vdev,access");
}

/*
 * A prefix of old, such as "phy:" or "qcow2:". 1: it was one, and *at is behind it; 0: there is
 * none; -1 with the reason.
 */
static int take_prefix(struct reader *r, char **at)
{
	static const char *const plain[] = {"tapdisk", "tap",  "tap2", "aio",
					    "ioemu",   "file", "phy"};
	static const char *const formats[] = {"raw", "qcow", "qcow2", "vhd"};
	static const char *const scripts[] = {"iscsi", "nbd", "enbd", "drbd"};
	char *word = *at, *end = word, script[32];
	bool had_prefix;

	if (!islower((unsigned char)*word))
		return 0;
	while (islower((unsigned char)*end) || isdigit((unsigned char)*end))
		end++;
	if (*end != ':')
		return 0;
	*end = '\0';
	*at = end + 1;
	had_prefix = r->had_prefix;
	r->had_prefix = true;
	for (unsigned i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(word, plain[i]))
			return 1;
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(word, formats[i]))
			return set_format(r, word) ? -1 : 1;
	for (unsigned i = 0; i < ARRAY_SIZE(scripts); i++) {
		if (!strcmp(word, scripts[i])) {
			snprintf(script, sizeof(script), "block-%s", word);
			return set_script(r, script) ? -1 : 1;
		}
	}
	/* "hdc:cdrom", or a target such as "host:volume" */
	*end = ':';
	*at = word;
	r->had_prefix = had_prefix;
	if (islower((unsigned char)end[1]) || isdigit((unsigned char)end[1]))
		return 0;
	end[1] = '\0';
	return bad(r, word,
		   "is not a prefix of targets: write target=... if it is part of the name");
}

/* The next parameter at *at, up to a comma. */
static int take_parameter(struct reader *r, char **at)
{
	char *word = *at, *end, *equals;
	size_t length;
	bool comma;

	if (!strncmp(word, "target=", 7)) { /* eats the rest */
		*at = word + strlen(word);
		if ((*at)[-1] == ',')
			(*at)[-1] = '\0';
		return set_target(r, word + 7);
	}
	length = strcspn(word, ",");
	end = word + length;
	comma = *end == ',';
	*end = '\0';
	*at = end + comma;
	equals = strchr(word, '=');
	if (equals)
		return take_key(r, word, equals);
	return take_flag(r, word) ? 0 : take_positional(r, word);
}

static int read_one(struct reader *r, const char *spec)
{
	char *copy = strdup(spec), *at = copy;
	int rc = 0;

	if (!copy)
		return problem(r->p, "out of memory");
	r->spec = spec;
	while (!rc) {
		at += strspn(at, " \t\n");
		if (!*at)
			break;
		rc = take_prefix(r, &at);
		if (!rc)
			rc = take_parameter(r, &at);
		else if (rc > 0)
			rc = 0;
	}
	free(copy);
	return rc;
}

/* What the parameters together say. */
static int finish(struct reader *r)
{
	struct disk_config *d = r->disk;

	d->readonly = d->cdrom || !r->writable;
	d->discard = r->discard == DISCARD_DEFAULT ? !d->readonly : r->discard == DISCARD_ON;
	if (d->cdrom && (!d->target || !*d->target))
		d->format = DISK_EMPTY;
	if (!d->vdev)
		return problem(r->p, "disk '%s': no vdev, such as xvda: want TARGET,FORMAT,VDEV",
			       r->spec);
	if (!d->target && !d->cdrom)
		return problem(r->p, "disk '%s': no target: a file or a block device", r->spec);
	return 0;
}

static int read_all(struct reader *r, const char *const *specs, unsigned nr_specs)
{
	*r->disk = (struct disk_config){.format = DISK_RAW};
	r->writable = true;
	r->spec = "";
	for (unsigned i = 0; i < nr_specs; i++)
		if (read_one(r, specs[i]))
			return -1;
	return finish(r);
}

int disk_spec_read(const char *const *specs, unsigned nr_specs, struct disk_config *disk,
		   struct problem *p)
{
	struct reader r = {.disk = disk, .p = p};
	int rc = read_all(&r, specs, nr_specs);

	free(r.backend);
	return rc;
}

/* What xl can attach and we cannot, and what neither can. */
static int check(const struct reader *r)
{
	struct disk_config *d = r->disk;

	if (vdev_devid(d->vdev, &d->devid))
		return problem(r->p,
			       "disk '%s': vdev '%s' is not a name of a disk: want xvda, xvdb1, "
			       "hda, sda, d0p1 or a number",
			       r->spec, d->vdev);
	if (d->script)
		return problem(r->p,
			       "disk '%s': hotplug scripts (%s) are not run here: attach it on the "
			       "host, and give its device as phy:/dev/...",
			       r->spec, d->script);
	if (r->backend && !spec_is_domain_0(r->backend))
		return problem(r->p,
			       "disk '%s': there are no driver domains such as '%s' here: give the "
			       "disk's own file or device",
			       r->spec, r->backend);
	if (r->virtio)
		return problem(r->p, "disk '%s': only specification=xen is offered here", r->spec);
	if (d->target && !*d->target) {
		free(d->target);
		d->target = NULL;
	}
	if (d->format == DISK_EMPTY && !d->cdrom)
		return problem(r->p, "disk '%s': only a cdrom can be empty", r->spec);
	if (d->format == DISK_EMPTY && d->target)
		return problem(r->p,
			       "disk '%s': it is said to be empty, and has the target '%s': drop "
			       "one of the two",
			       r->spec, d->target);
	if (d->format != DISK_EMPTY && !d->target)
		return problem(r->p, "disk '%s': no target: a file or a block device", r->spec);
	return 0;
}

int disk_spec_parse(const char *const *specs, unsigned nr_specs, struct disk_config *disk,
		    struct problem *p)
{
	struct reader r = {.disk = disk, .p = p};
	int rc = read_all(&r, specs, nr_specs);

	if (!rc)
		rc = check(&r);
	free(r.backend);
	return rc;
}
