/* SPDX-License-Identifier: BSD-2-Clause */
/* What xl.cfg(5) knows and xenolith does not do. */
#ifndef HOST_CONFIG_IGNORED_KEYS_H
#define HOST_CONFIG_IGNORED_KEYS_H

#include "host/config/syntax.h"

/*
 * NULL: the key is none of them. "": what it asks for is so anyway, or makes no difference that a
 * user would miss. Else why it has no effect, for a warning.
 */
const char *ignored_key(const char *name, const struct config_value *value);

#endif
