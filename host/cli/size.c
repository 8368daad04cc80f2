// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *at;

	if (!*unit)
		return 0;
	at = strchr(letters, toupper((unsigned char)*unit));
	if (!at || (unit[1] && strcasecmp(unit + 1, "b") && strcasecmp(unit + 1, "ib")))
		return -1;
	return 10 * (int)(at - letters + 1);
}

int parse_size(const char *text, uint64_t *bytes)
{
	unsigned long long n;
	char *end;
	int shift;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	n = strtoull(text, &end, 10);
	shift = unit_shift(end);
	if (errno || shift < 0 || n > UINT64_MAX >> shift)
		return -1;
	*bytes = n << shift;
	return 0;
}

int parse_count(const char *text, unsigned max, unsigned *count)
{
	unsigned long n;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || n < 1 || n > max)
		return -1;
	*count = n;
	return 0;
}
