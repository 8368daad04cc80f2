/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings on their way into a struct guest_config: what guest_config.c and devices.c share. */
#ifndef HOST_CONFIG_READER_H
#define HOST_CONFIG_READER_H

#include "host/config/guest_config.h"
#include "host/config/syntax.h"

struct reader {
	struct guest_config *c;
	const struct config_syntax *syntax;
	const struct config_warnings *w;
	struct problem *p;
};

/* Tell the warnings' listener "SOURCE:LINE: message". */
void reader_warn(const struct reader *r, const struct config_setting *s, unsigned line,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Lists of devices. 0, or -1 with the reason. */
int read_disks(struct reader *r, const struct config_setting *s);
int read_nics(struct reader *r, const struct config_setting *s);
int read_channels(struct reader *r, const struct config_setting *s);

#endif
