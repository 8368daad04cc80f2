/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configuration file as a list of settings, whatever they mean: KEY=VALUE and KEY+=VALUE, values
 * that are strings, numbers or lists, `;` and newlines between them, comments. xl.cfg(5) describes
 * it; what its own parser does beyond that (keys in lower case, trailing commas, += of strings and
 * of lists) holds here, too.
 */
#ifndef HOST_CONFIG_SYNTAX_H
#define HOST_CONFIG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "host/problem.h"

#define CONFIG_SETTINGS_MAX 4096

enum value_kind {
	VALUE_STRING, /* in quotes */
	VALUE_NUMBER, /* written without: digits, or 0x and digits */
	VALUE_LIST,
};

struct config_value {
	enum value_kind kind;
	unsigned line; /* 0: the source has no lines */
	char *text;    /* of strings and numbers */
	struct config_value *items;
	unsigned nr_items;
};

struct config_setting {
	const char *source; /* the caller's */
	char *name;
	bool added; /* by += */
	struct config_value value;
};

struct config_syntax {
	struct config_setting *settings; /* in their order; the last of a name counts */
	unsigned nr_settings;
};

/*
 * Append what the text says. `source` names it in messages, and has to outlive *s. 0, or -1 with
 * the reason; free *s in either case. *s is all zero before the first time.
 */
int config_syntax_parse(struct config_syntax *s, const char *source, const char *text, size_t size,
			struct problem *p);

/*
 * The same for one KEY=VALUE argument of a command. A value that begins with none of a quote, a
 * digit and a bracket is a string, as a shell takes the quotes away. The argument itself is the
 * source, and has to outlive *s.
 */
int config_syntax_argument(struct config_syntax *s, const char *argument, struct problem *p);

/* The setting that counts; NULL: none. */
const struct config_setting *config_syntax_find(const struct config_syntax *s, const char *name);

void config_syntax_free(struct config_syntax *s);

#endif
