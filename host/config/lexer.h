/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a configuration file: xl.cfg(5), "SYNTAX". */
#ifndef HOST_CONFIG_LEXER_H
#define HOST_CONFIG_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "host/problem.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_NAME,   /* [a-z][._0-9a-z]* */
	TOKEN_NUMBER, /* [0-9][0-9a-fx]* */
	TOKEN_STRING, /* '...' or "...", quotes and escapes resolved */
	TOKEN_ASSIGN, /* = */
	TOKEN_ADD,    /* += */
	TOKEN_OPEN,   /* [ */
	TOKEN_CLOSE,  /* ] */
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
};

struct token {
	enum token_kind kind;
	unsigned line;
	char *text; /* of names, numbers and strings; freed by the next lexer_next() unless taken */
};

struct lexer {
	const char *source; /* for messages */
	const char *at, *end;
	unsigned line; /* from 1; 0: the source is one line that has no number */
	struct token token;
};

/* The next token into lexer->token. 0, or -1 with the reason. */
int lexer_next(struct lexer *l, struct problem *p);

/* The text of the token, which becomes the caller's. */
char *lexer_take(struct lexer *l);

/* Record "SOURCE:LINE: message" and return -1. line 0: "SOURCE: message". */
int problem_at(struct problem *p, const char *source, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
