// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/channel_spec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void channel_config_free(struct channel_config *channel)
{
	free(channel->name);
	free(channel->connection);
	free(channel->path);
	*channel = (struct channel_config){0};
}

static char *trimmed(char *text)
{
	size_t length;

	text += strspn(text, " \t\n");
	for (length = strlen(text); length && isspace((unsigned char)text[length - 1]);)
		text[--length] = '\0';
	return text;
}

static int set(char **to, const char *value, struct problem *p)
{
	free(*to);
	*to = strdup(value);
	return *to ? 0 : problem(p, "out of memory");
}

static int take(struct channel_config *c, char *item, struct problem *p)
{
	char *value = strchr(item, '='), *key;

	if (!value)
		return problem(p, "channel: '%s' is not KEY=VALUE", item);
	*value++ = '\0';
	key = trimmed(item);
	value = trimmed(value);
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
		if (*trimmed(item))
			rc = take(channel, item, p);
	free(copy);
	return rc ? -1 : check(channel, p);
}
