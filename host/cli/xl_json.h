/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CLI_XL_JSON_H
#define HOST_CLI_XL_JSON_H

#include <jansson.h>

/*
 * A configuration (config_json.h; the reference is taken) as `xl list -l` shows it: an object with
 * the domid (null: -1) and the configuration by libxl's names, in KiB. To be decref'ed.
 */
json_t *xl_domain_json(json_t *config, long long domid);

#endif
