// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/channel_spec.h"

#include <stdlib.h>
#include <string.h>

#include "host/config/spec.h"

void channel_config_free(struct channel_config *channel)
{
	free(channel->name);
	free(channel->connection);
	free(channel->path);
	*channel = (struct channel_config){0};
}

static int set(char **to, const char *value, struct problem *p)
{
	return spec_copy(to, value) ? problem(p, "out of memory") : 0;
}

static int take(struct channel_config *c, char *item, struct problem *p)
{
	char *value = strchr(item, '='), *key;

	if (!value)
		return problem(p, "channel: '%s' is not KEY=VALUE", item);
	*value++ = '\0';
	key = spec_trim(item);
	value = spec_trim(value);
	if (!strcmp(key, "name"))
		return set(&c->name, value, p);
	if (!strcmp(key, "connection"))
		return set(&c->connection, value, p);
	if (!strcmp(key, "path"))
		return set(&c->path, value, p);
	if (!strcmp(key, "backend") && !strcmp(value, "0"))
		return 0;
	return problem(p, "channel: '%s' is not a key: want name, connection or path", key);
}

static int check(const struct channel_config *c, struct problem *p)
{
	if (!c->connection || (strcmp(c->connection, "pty") && strcmp(c->connection, "socket")))
		return problem(p, "channel: connection '%s' is not one: want pty or socket",
			       c->connection ? c->connection : "");
	if (!strcmp(c->connection, "socket") && !(c->path && *c->path))
		return problem(p, "channel: connection=socket needs a path=...");
	return 0;
}

int channel_spec_parse(const char *spec, struct channel_config *channel, struct problem *p)
{
	char *copy = strdup(spec), *rest = copy, *item;
	int rc = copy ? 0 : problem(p, "out of memory");

	*channel = (struct channel_config){0};
	while (!rc && (item = strsep(&rest, ",")))
		if (*spec_trim(item))
			rc = take(channel, item, p);
	free(copy);
	return rc ? -1 : check(channel, p);
}
