// SPDX-License-Identifier: BSD-2-Clause
/* From text and arguments to a struct guest_config. */
#include "host/config/guest_config.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/channel_spec.h"
#include "host/config/disk_spec.h"
#include "host/config/ignored_keys.h"
#include "host/config/nic_spec.h"
#include "host/config/reader.h"
#include "host/config/suggest.h"

#define NAME_MAX_BYTES 127

/* Xen 4.17's own defaults. */
#define DEFAULT_GRANT_FRAMES    64
#define DEFAULT_MAPTRACK_FRAMES 1024
#define DEFAULT_EVENT_CHANNELS  1023

int guest_name_check(const char *name, struct problem *p)
{
	json_t *utf8; /* as the control protocol wants it */

	if (!*name || strlen(name) > NAME_MAX_BYTES)
		return problem(p, "name '%s': want 1 to %d characters", name, NAME_MAX_BYTES);
	for (const char *at = name; *at; at++)
		if (*at == '/' || iscntrl((unsigned char)*at))
			return problem(p,
				       "name '%s': it names files, too, and can hold no '/' or "
				       "control character",
				       name);
	utf8 = json_string(name);
	if (!utf8)
		return problem(p, "name '%s': want it in UTF-8", name);
	json_decref(utf8);
	return 0;
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
	similar = suggest(s->name, config_key_name);
	reader_warn(r, s, s->value.line, "%s is not a key of xl.cfg(5); ignored%s%s%s", s->name,
		    similar ? " (did you mean " : "", similar ? similar : "", similar ? "?)" : "");
}

static int read_settings(struct reader *r)
{
	for (unsigned i = 0; i < r->syntax->nr_settings; i++) {
		const struct config_setting *s = &r->syntax->settings[i];
		const struct config_key *key = config_key_find(s->name);

		if (config_syntax_find(r->syntax, s->name) != s)
			continue; /* the last of a name wins */
		if (!key)
			warn_without_effect(r, s);
		else if (key->set(r, s))
			return -1;
	}
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
	return read_together(r);
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

bool guest_config_has_action(const struct guest_config *c, bool (*wanted)(enum guest_action action))
{
	return wanted(c->on_poweroff) || wanted(c->on_reboot) || wanted(c->on_crash) ||
	       wanted(c->on_watchdog) || wanted(c->on_soft_reset);
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
