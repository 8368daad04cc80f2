// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/lexer.h"

/* Lists of lists: vnuma= has two levels. */
#define DEPTH_MAX 8

static void value_free(struct config_value *v)
{
	for (unsigned i = 0; i < v->nr_items; i++)
		value_free(&v->items[i]);
	free(v->items);
	free(v->text);
	*v = (struct config_value){0};
}

void config_syntax_free(struct config_syntax *s)
{
	for (unsigned i = 0; i < s->nr_settings; i++) {
		free(s->settings[i].name);
		value_free(&s->settings[i].value);
	}
	free(s->settings);
	*s = (struct config_syntax){0};
}

const struct config_setting *config_syntax_find(const struct config_syntax *s, const char *name)
{
	for (unsigned i = s->nr_settings; i > 0; i--)
		if (!strcmp(s->settings[i - 1].name, name))
			return &s->settings[i - 1];
	return NULL;
}

static int list_append(struct config_value *list, struct config_value *item)
{
	struct config_value *items;

	/* Room grows by doubling, at each power of two. */
	if (!(list->nr_items & (list->nr_items - 1))) {
		unsigned room = list->nr_items ? 2 * list->nr_items : 1;

		items = realloc(list->items, room * sizeof(*items));
		if (!items)
			return -1;
		list->items = items;
	}
	list->items[list->nr_items++] = *item;
	*item = (struct config_value){0};
	return 0;
}

static int skip_newlines(struct lexer *l, struct problem *p)
{
	while (l->token.kind == TOKEN_NEWLINE)
		if (lexer_next(l, p))
			return -1;
	return 0;
}

static int parse_value(struct lexer *l, struct config_value *v, unsigned depth, struct problem *p);

/* After the opening bracket; newlines are allowed everywhere in a list. */
static int parse_list(struct lexer *l, struct config_value *list, unsigned depth, struct problem *p)
{
	if (lexer_next(l, p) || skip_newlines(l, p))
		return -1;
	while (l->token.kind != TOKEN_CLOSE) {
		struct config_value item = {0};

		if (parse_value(l, &item, depth + 1, p) || list_append(list, &item)) {
			value_free(&item);
			return p->text[0] ? -1 : problem(p, "out of memory");
		}
		if (skip_newlines(l, p))
			return -1;
		if (l->token.kind == TOKEN_COMMA) {
			if (lexer_next(l, p) || skip_newlines(l, p))
				return -1;
		} else if (l->token.kind != TOKEN_CLOSE) {
			return problem_at(p, l->source, l->token.line,
					  "a list that begins in line %u: want a comma or ] after "
					  "an item",
					  list->line);
		}
	}
	return lexer_next(l, p);
}

static int no_value(const struct lexer *l, struct problem *p)
{
	if (l->token.kind == TOKEN_NAME)
		return problem_at(p, l->source, l->token.line,
				  "'%s' is no value: strings are written in quotes, and Python's "
				  "words have no meaning here",
				  l->token.text);
	return problem_at(p, l->source, l->token.line,
			  "want a value: a \"string\", a number, or [ a list ]");
}

/* Leaves the token after the value. */
static int parse_value(struct lexer *l, struct config_value *v, unsigned depth, struct problem *p)
{
	v->line = l->token.line;
	switch (l->token.kind) {
	case TOKEN_STRING:
	case TOKEN_NUMBER:
		v->kind = l->token.kind == TOKEN_NUMBER ? VALUE_NUMBER : VALUE_STRING;
		v->text = lexer_take(l);
		return lexer_next(l, p);
	case TOKEN_OPEN:
		if (depth == DEPTH_MAX)
			return problem_at(p, l->source, v->line, "more than %d lists in each other",
					  DEPTH_MAX);
		v->kind = VALUE_LIST;
		return parse_list(l, v, depth, p);
	default:
		return no_value(l, p);
	}
}

static int copy_value(struct config_value *to, const struct config_value *from)
{
	*to = (struct config_value){.kind = from->kind, .line = from->line};
	if (from->text) {
		to->text = strdup(from->text);
		if (!to->text)
			return -1;
	}
	for (unsigned i = 0; i < from->nr_items; i++) {
		struct config_value item;

		if (copy_value(&item, &from->items[i]) || list_append(to, &item)) {
			value_free(&item);
			return -1;
		}
	}
	return 0;
}

/* prev and v become one value in v: of two lists, or of two strings. */
static int prepend(struct config_value *v, const struct config_value *prev)
{
	struct config_value sum = {0};

	if (v->kind != VALUE_LIST) {
		sum = (struct config_value){.kind = VALUE_STRING, .line = v->line};
		if (asprintf(&sum.text, "%s%s", prev->text, v->text) < 0)
			return -1;
	} else {
		if (copy_value(&sum, prev))
			goto fail;
		for (unsigned i = 0; i < v->nr_items; i++)
			if (list_append(&sum, &v->items[i]))
				goto fail;
	}
	value_free(v);
	*v = sum;
	return 0;
fail:
	value_free(&sum);
	return -1;
}

static int add_to_previous(struct config_syntax *s, struct config_setting *setting,
			   struct problem *p)
{
	const struct config_setting *prev = config_syntax_find(s, setting->name);

	if (!prev)
		return 0;
	if ((prev->value.kind == VALUE_LIST) != (setting->value.kind == VALUE_LIST))
		return problem_at(p, setting->source, setting->value.line,
				  "%s: += cannot join a list and a single value", setting->name);
	return prepend(&setting->value, &prev->value) ? problem(p, "out of memory") : 0;
}

static int store(struct config_syntax *s, struct config_setting *setting, struct problem *p)
{
	struct config_setting *settings;

	if (setting->added && add_to_previous(s, setting, p))
		return -1;
	if (s->nr_settings == CONFIG_SETTINGS_MAX)
		return problem_at(p, setting->source, setting->value.line,
				  "more than %d settings; is it a configuration file?",
				  CONFIG_SETTINGS_MAX);
	settings = realloc(s->settings, (s->nr_settings + 1) * sizeof(*settings));
	if (!settings)
		return problem(p, "out of memory");
	s->settings = settings;
	settings[s->nr_settings++] = *setting;
	*setting = (struct config_setting){0};
	return 0;
}

/* The token is the setting's name. */
static int parse_setting(struct lexer *l, struct config_setting *setting, struct problem *p)
{
	setting->source = l->source;
	setting->name = lexer_take(l);
	if (lexer_next(l, p))
		return -1;
	if (l->token.kind != TOKEN_ASSIGN && l->token.kind != TOKEN_ADD)
		return problem_at(
			p, l->source, l->token.line,
			"'%s' is not followed by '='; a line is KEY=VALUE (Python code is "
			"not understood, by xl neither)",
			setting->name);
	setting->added = l->token.kind == TOKEN_ADD;
	return lexer_next(l, p) ? -1 : parse_value(l, &setting->value, 0, p);
}

static int parse_statement(struct lexer *l, struct config_syntax *s, struct problem *p)
{
	struct config_setting setting = {0};
	int rc = 0;

	if (l->token.kind == TOKEN_NAME) {
		rc = parse_setting(l, &setting, p);
		if (!rc)
			rc = store(s, &setting, p);
		free(setting.name);
		value_free(&setting.value);
		if (rc || l->token.kind == TOKEN_END)
			return rc;
	}
	if (l->token.kind != TOKEN_NEWLINE && l->token.kind != TOKEN_SEMICOLON)
		return problem_at(p, l->source, l->token.line,
				  "one setting in a line, please, or ';' between them");
	return lexer_next(l, p);
}

static int parse(struct lexer *l, struct config_syntax *s, struct problem *p)
{
	int rc;

	p->text[0] = '\0';
	rc = lexer_next(l, p);
	while (!rc && l->token.kind != TOKEN_END)
		rc = parse_statement(l, s, p);
	free(lexer_take(l));
	return rc;
}

int config_syntax_parse(struct config_syntax *s, const char *source, const char *text, size_t size,
			struct problem *p)
{
	struct lexer l = {.source = source, .at = text, .end = text + size, .line = 1};

	return parse(&l, s, p);
}

static int take_bare_string(struct config_syntax *s, const char *argument, size_t name_length,
			    const char *value, struct problem *p)
{
	struct config_setting setting = {
		.source = argument,
		.name = strndup(argument, name_length),
		.added = argument[name_length] == '+',
		.value = {.kind = VALUE_STRING, .text = strdup(value)},
	};
	int rc;

	if (setting.name && setting.value.text)
		rc = store(s, &setting, p);
	else
		rc = problem(p, "out of memory");
	free(setting.name);
	value_free(&setting.value);
	return rc;
}

int config_syntax_argument(struct config_syntax *s, const char *argument, struct problem *p)
{
	struct lexer l = {.source = argument, .at = argument, .end = argument + strlen(argument)};
	size_t name_length = strspn(argument, "abcdefghijklmnopqrstuvwxyz0123456789._");
	const char *value = strchr(argument, '=');
	size_t operator_length;

	p->text[0] = '\0';
	if (!value)
		return problem(p, "%s: want KEY=VALUE", argument);
	operator_length = ++value - argument - name_length;
	value += strspn(value, " \t");
	if (islower((unsigned char)*argument) && *value && !strchr("\"'[0123456789", *value) &&
	    (operator_length == 1 || (operator_length == 2 && argument[name_length] == '+')))
		return take_bare_string(s, argument, name_length, value, p);
	return parse(&l, s, p);
}
