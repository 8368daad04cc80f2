// SPDX-License-Identifier: BSD-2-Clause
/* disk=, vif= and channel=: lists of specifications. */
#include <stdlib.h>
#include <string.h>

#include "host/config/channel_spec.h"
#include "host/config/disk_spec.h"
#include "host/config/lexer.h"
#include "host/config/nic_spec.h"
#include "host/config/reader.h"

#define DEVICES_MAX 4096

/* Room for the list's devices, of `size` bytes each. NULL: it is not a list of strings, or empty.
 */
static void *make_room(struct reader *r, const struct config_setting *s, size_t size, int *rc)
{
	const struct config_value *v = &s->value;
	void *room;

	*rc = -1;
	if (v->kind != VALUE_LIST) {
		problem_at(r->p, s->source, v->line, "%s: want a list: %s=[\"...\"]", s->name,
			   s->name);
		return NULL;
	}
	for (unsigned i = 0; i < v->nr_items; i++) {
		if (v->items[i].kind == VALUE_LIST) {
			problem_at(r->p, s->source, v->items[i].line,
				   "%s: want strings in the list, not a list", s->name);
			return NULL;
		}
	}
	if (v->nr_items > DEVICES_MAX) {
		problem_at(r->p, s->source, v->line, "%s: more than %d devices", s->name,
			   DEVICES_MAX);
		return NULL;
	}
	*rc = 0;
	if (!v->nr_items)
		return NULL;
	room = calloc(v->nr_items, size);
	if (!room)
		*rc = problem(r->p, "out of memory");
	return room;
}

/* Put file and line before the message of a specification's parser. */
static int at_item(struct reader *r, const struct config_setting *s, unsigned i)
{
	const struct problem inner = *r->p;

	return problem_at(r->p, s->source, s->value.items[i].line, "%s", inner.text);
}

static int one_disk(struct reader *r, const char *spec, unsigned i)
{
	struct disk_config *disks = r->c->disks;

	r->c->nr_disks = i + 1;
	if (disk_spec_parse(&spec, 1, &disks[i], r->p))
		return -1;
	for (unsigned j = 0; j < i; j++)
		if (disks[j].devid == disks[i].devid)
			return problem(r->p, "disk '%s': '%s' is taken by another disk ('%s')",
				       spec, disks[i].vdev, disks[j].vdev);
	return 0;
}

int read_disks(struct reader *r, const struct config_setting *s)
{
	int rc;

	r->c->disks = make_room(r, s, sizeof(*r->c->disks), &rc);
	for (unsigned i = 0; r->c->disks && i < s->value.nr_items; i++)
		if (one_disk(r, s->value.items[i].text, i))
			return at_item(r, s, i);
	return rc;
}

/* A specification's warning, with file and line. */
struct item_warnings {
	struct reader *r;
	const struct config_setting *s;
	unsigned line;
};

static void warn_of_item(void *opaque, const char *line)
{
	const struct item_warnings *w = opaque;

	reader_warn(w->r, w->s, w->line, "%s", line);
}

static int one_nic(struct reader *r, const struct config_setting *s, unsigned i)
{
	struct item_warnings to = {r, s, s->value.items[i].line};
	const struct config_warnings w = {warn_of_item, &to};
	const char *spec = s->value.items[i].text;
	struct nic_config *nics = r->c->nics;

	r->c->nr_nics = i + 1;
	if (nic_spec_parse(&spec, 1, &nics[i], &w, r->p))
		return -1;
	if (nics[i].devid == NIC_DEVID_NONE)
		nics[i].devid = i;
	for (unsigned j = 0; j < i; j++)
		if (nics[j].devid == nics[i].devid)
			return problem(r->p, "vif: devid %u is taken by another: leave devid= out",
				       nics[i].devid);
	return 0;
}

int read_nics(struct reader *r, const struct config_setting *s)
{
	int rc;

	r->c->nics = make_room(r, s, sizeof(*r->c->nics), &rc);
	for (unsigned i = 0; r->c->nics && i < s->value.nr_items; i++)
		if (one_nic(r, s, i))
			return at_item(r, s, i);
	return rc;
}

int read_channels(struct reader *r, const struct config_setting *s)
{
	int rc;

	r->c->channels = make_room(r, s, sizeof(*r->c->channels), &rc);
	for (unsigned i = 0; r->c->channels && i < s->value.nr_items; i++) {
		r->c->nr_channels = i + 1;
		if (channel_spec_parse(s->value.items[i].text, &r->c->channels[i], r->p))
			return at_item(r, s, i);
	}
	return rc;
}
