// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/suggest.h"

#include <string.h>

#define LENGTH_MAX 32

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters to insert, remove, change or swap with their neighbour (Damerau's distance). */
static unsigned distance(const char *a, const char *b)
{
	unsigned rows[3][LENGTH_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	const size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > LENGTH_MAX || b_length > LENGTH_MAX)
		return LENGTH_MAX;
	for (unsigned j = 0; j <= b_length; j++)
		last[j] = j;
	memset(rows[0], 0, sizeof(rows[0]));
	for (unsigned i = 1; i <= a_length; i++) {
		unsigned *oldest = before;

		row[0] = i;
		for (unsigned j = 1; j <= b_length; j++) {
			row[j] = min(last[j - 1] + (a[i - 1] != b[j - 1]),
				     min(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_length];
}

const char *suggest(const char *word, const char *(*name_at)(unsigned i))
{
	/* Of a short word, few letters are its own. */
	unsigned nearest = strlen(word) < 5 ? 2 : 3;
	const char *best = NULL, *name;

	for (unsigned i = 0; (name = name_at(i)); i++) {
		unsigned d = distance(word, name);

		if (d < nearest) {
			nearest = d;
			best = name;
		}
	}
	return best;
}
