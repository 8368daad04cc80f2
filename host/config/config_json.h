/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration as JSON, by xl.cfg's names: for `xenolith list`, and for people. */
#ifndef HOST_CONFIG_CONFIG_JSON_H
#define HOST_CONFIG_CONFIG_JSON_H

#include <jansson.h>

#include "host/config/guest_config.h"

/* To be decref'ed. Bytes of strings that are not UTF-8 appear as '?'. NULL: no memory. */
json_t *guest_config_json(const struct guest_config *c);

json_t *disk_config_json(const struct disk_config *d);
json_t *nic_config_json(const struct nic_config *n);

#endif
