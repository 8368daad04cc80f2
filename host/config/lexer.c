// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int problem_at(struct problem *p, const char *source, unsigned line, const char *fmt, ...)
{
	char message[sizeof(p->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (line)
		return problem(p, "%s:%u: %s", source, line, message);
	return problem(p, "%s: %s", source, message);
}

char *lexer_take(struct lexer *l)
{
	char *text = l->token.text;

	l->token.text = NULL;
	return text;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static bool is_number(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == 'x';
}

static int take_while(struct lexer *l, bool (*belongs)(char), struct problem *p)
{
	const char *start = l->at;

	while (l->at < l->end && belongs(*l->at))
		l->at++;
	l->token.text = strndup(start, l->at - start);
	return l->token.text ? 0 : problem(p, "out of memory");
}

/* Up to `max` digits at l->at as a number; -1 if there are fewer than `min`. */
static int digits(struct lexer *l, int base, int min, int max)
{
	int value = 0, n = 0;

	for (; n < max && l->at < l->end; n++, l->at++) {
		int c = tolower((unsigned char)*l->at);
		int digit = isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : base;

		if (digit >= base)
			break;
		value = value * base + digit;
	}
	return n < min ? -1 : value;
}

/* What follows a backslash; -1: not an escape. */
static int escaped(struct lexer *l)
{
	static const char letters[] = "abfnrtv\"'\\", meaning[] = "\a\b\f\n\r\t\v\"'\\";
	const char *letter;
	char c = *l->at;

	if (c >= '0' && c <= '7')
		return digits(l, 8, 1, 3);
	l->at++;
	if (c == 'x')
		return digits(l, 16, 2, 2);
	letter = c ? strchr(letters, c) : NULL;
	return letter ? meaning[letter - letters] : -1;
}

static int unclosed(const struct lexer *l, char quote, struct problem *p)
{
	return problem_at(p, l->source, l->line, "a string that begins with %c has no closing %c",
			  quote, quote);
}

static int take_string(struct lexer *l, struct problem *p)
{
	const char quote = *l->at++;
	char *to = malloc(l->end - l->at + 1);

	l->token.text = to;
	if (!to)
		return problem(p, "out of memory");
	for (;;) {
		const char *start = l->at;
		int c;

		if (l->at == l->end || *l->at == '\n')
			return unclosed(l, quote, p);
		c = (unsigned char)*l->at++;
		if (c == quote)
			break;
		if (c == '\\') {
			if (l->at == l->end || *l->at == '\n')
				return unclosed(l, quote, p);
			c = escaped(l);
		}
		if (c <= 0 || c > 255)
			return problem_at(p, l->source, l->line,
					  "'%.*s' in a string is not a character; a backslash is "
					  "written \\\\",
					  (int)(l->at - start), start);
		*to++ = (char)c;
	}
	*to = '\0';
	return 0;
}

static void skip_blanks(struct lexer *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t' || *l->at == '\r'))
		l->at++;
	if (l->at < l->end && *l->at == '#')
		while (l->at < l->end && *l->at != '\n')
			l->at++;
}

/* A character that begins nothing: most often a file of xm's times, which were Python. */
static int unexpected(const struct lexer *l, struct problem *p)
{
	const unsigned char c = *l->at;

	if (strchr("+-*/%.():{}\\", c) && c)
		return problem_at(p, l->source, l->line,
				  "'%c' looks like a Python expression, which configuration files "
				  "cannot hold (xl's neither): write the value itself",
				  c);
	if (isupper(c))
		return problem_at(p, l->source, l->line,
				  "'%c' does not belong here: keys are in lower case, strings in "
				  "quotes, numbers have no units, and yes and no are 1 and 0",
				  c);
	if (isprint(c))
		return problem_at(p, l->source, l->line, "'%c' does not belong here", c);
	return problem_at(p, l->source, l->line, "a byte 0x%02x does not belong here", c);
}

static enum token_kind punctuation(struct lexer *l)
{
	static const struct {
		char c;
		enum token_kind kind;
	} marks[] = {
		{'\n', TOKEN_NEWLINE}, {'=', TOKEN_ASSIGN}, {'[', TOKEN_OPEN},
		{']', TOKEN_CLOSE},    {',', TOKEN_COMMA},  {';', TOKEN_SEMICOLON},
	};

	if (l->end - l->at >= 2 && l->at[0] == '+' && l->at[1] == '=') {
		l->at += 2;
		return TOKEN_ADD;
	}
	for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (*l->at == marks[i].c) {
			l->at++;
			return marks[i].kind;
		}
	}
	return TOKEN_END;
}

int lexer_next(struct lexer *l, struct problem *p)
{
	char c;

	free(lexer_take(l));
	skip_blanks(l);
	l->token.line = l->line;
	l->token.kind = TOKEN_END;
	if (l->at == l->end)
		return 0;
	c = *l->at;
	if (c >= 'a' && c <= 'z') {
		l->token.kind = TOKEN_NAME;
		return take_while(l, is_name, p);
	}
	if (c >= '0' && c <= '9') {
		l->token.kind = TOKEN_NUMBER;
		return take_while(l, is_number, p);
	}
	if (c == '"' || c == '\'') {
		l->token.kind = TOKEN_STRING;
		return take_string(l, p);
	}
	l->token.kind = punctuation(l);
	if (l->token.kind == TOKEN_END)
		return unexpected(l, p);
	if (l->token.kind == TOKEN_NEWLINE && l->line)
		l->line++;
	return 0;
}
