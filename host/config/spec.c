// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/spec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *spec_trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\n");
	for (length = strlen(text); length && isspace((unsigned char)text[length - 1]);)
		text[--length] = '\0';
	return text;
}

int spec_copy(char **to, const char *value)
{
	free(*to);
	*to = strdup(value);
	return *to ? 0 : -1;
}

bool spec_is_domain_0(const char *backend)
{
	return !strcmp(backend, "0") || !strcasecmp(backend, "Domain-0") ||
	       !strcasecmp(backend, "dom0");
}
