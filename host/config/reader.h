/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings on their way into a struct guest_config: what the files that read them share. */
#ifndef HOST_CONFIG_READER_H
#define HOST_CONFIG_READER_H

#include "host/config/guest_config.h"
#include "host/config/syntax.h"

#define MEMORY_MAX_MIB ((1 << 20) - 1) /* below 1 TiB */

struct reader {
	struct guest_config *c;
	const struct config_syntax *syntax;
	const struct config_warnings *w;
	struct problem *p;
};

/* All functions that return int: 0, or -1 with the reason. */

/*
 * values.c
 */

/* Tell the warnings' listener "SOURCE:LINE: message". */
void reader_warn(const struct reader *r, const struct config_setting *s, unsigned line,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* No list, please. */
int is_single(struct reader *r, const struct config_setting *s);
int read_string(struct reader *r, const struct config_setting *s, char **to);
/* A number, in quotes or not, as strtol() takes them: 0x10 is 16, and 010 is 8, for xl, too. */
int read_number(struct reader *r, const struct config_setting *s, long min, long max, long *n);
/* Its index among `names`. */
int read_choice(struct reader *r, const struct config_setting *s, const char *const *names,
		unsigned nr_names, unsigned *choice);

/*
 * keys.c
 */

struct config_key {
	const char *name;
	int (*set)(struct reader *r, const struct config_setting *s);
};

/* NULL: it is none that we read. */
const struct config_key *config_key_find(const char *name);
/* The names of all, by number; NULL ends them. */
const char *config_key_name(unsigned i);

/*
 * devices.c: lists of devices.
 */

int read_disks(struct reader *r, const struct config_setting *s);
int read_nics(struct reader *r, const struct config_setting *s);
int read_channels(struct reader *r, const struct config_setting *s);

/*
 * together.c: after all keys have been read.
 */

int read_together(struct reader *r);

#endif
