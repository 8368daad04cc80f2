/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parsers of specifications (disk, vif, channel) share. */
#ifndef HOST_CONFIG_SPEC_H
#define HOST_CONFIG_SPEC_H

#include <stdbool.h>

/* Without the blanks around it, in place. */
char *spec_trim(char *text);

/* A copy of `value` in place of what *to holds. 0, or -1: no memory, and *to is NULL. */
int spec_copy(char **to, const char *value);

/* Is domain 0 the backend that is named so? There is no other here. */
bool spec_is_domain_0(const char *backend);

#endif
