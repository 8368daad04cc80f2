// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/nic_rate.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_INTERVAL_US 50000

/* 1 to UINT32_MAX, in digits; octal if they begin with 0, as xl takes them. */
static int number(const char **at, uint64_t *n)
{
	char *end;

	if (!isdigit((unsigned char)**at) || (*at)[1] == 'x' || (*at)[1] == 'X')
		return -1;
	errno = 0;
	*n = strtoull(*at, &end, 0);
	*at = end;
	return errno || !*n || *n > UINT32_MAX ? -1 : 0;
}

/* [GMK](B|b)/s, and what is behind it. */
static int bytes_per_second(const char **at, uint64_t *rate)
{
	static const char units[] = "KMG";
	const char *unit;

	if (number(at, rate))
		return -1;
	unit = **at ? strchr(units, **at) : NULL;
	if (unit) {
		for (const char *u = units; u <= unit; u++)
			*rate *= 1000;
		++*at;
	}
	if (**at == 'b')
		*rate /= 8;
	else if (**at != 'B')
		return -1;
	++*at;
	if (strncmp(*at, "/s", 2))
		return -1;
	*at += 2;
	return 0;
}

static int interval(const char *at, uint32_t *us)
{
	uint64_t n;

	if (number(&at, &n))
		return -1;
	if (!*at || !strcmp(at, "s"))
		n *= 1000000;
	else if (!strcmp(at, "ms") || !strcmp(at, "m"))
		n *= 1000;
	else if (strcmp(at, "us") && strcmp(at, "u"))
		return -1;
	*us = n;
	return n > UINT32_MAX ? -1 : 0;
}

int nic_rate_parse(const char *text, uint64_t *bytes, uint32_t *interval_us)
{
	uint64_t rate;

	*interval_us = DEFAULT_INTERVAL_US;
	if (bytes_per_second(&text, &rate))
		return -1;
	if (*text == '@' ? interval(text + 1, interval_us) : *text)
		return -1;
	if (rate > UINT64_MAX / *interval_us)
		return -1;
	*bytes = rate * *interval_us / 1000000;
	return *bytes ? 0 : -1; /* 0 would be no limit at all */
}
