// SPDX-License-Identifier: BSD-2-Clause
/* Values of settings as strings, numbers and choices, and what is said about them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/lexer.h"
#include "host/config/reader.h"

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

int is_single(struct reader *r, const struct config_setting *s)
{
	if (s->value.kind != VALUE_LIST)
		return 0;
	return problem_at(r->p, s->source, s->value.line, "%s: want a single value, not a list",
			  s->name);
}

int read_string(struct reader *r, const struct config_setting *s, char **to)
{
	if (is_single(r, s))
		return -1;
	free(*to);
	*to = strdup(s->value.text);
	return *to ? 0 : problem(r->p, "out of memory");
}

int read_number(struct reader *r, const struct config_setting *s, long min, long max, long *n)
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
				  max == MEMORY_MAX_MIB ? " (of MiB, without a unit)" : "");
	return 0;
}

int read_choice(struct reader *r, const struct config_setting *s, const char *const *names,
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
