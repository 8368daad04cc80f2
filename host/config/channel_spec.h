/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels: low-bandwidth consoles with a name, xen-pv-channel(7). */
#ifndef HOST_CONFIG_CHANNEL_SPEC_H
#define HOST_CONFIG_CHANNEL_SPEC_H

#include "host/config/guest_config.h"

/* "name=org.example.agent,connection=socket,path=/..." 0, or -1 with the reason; free either way.
 */
int channel_spec_parse(const char *spec, struct channel_config *channel, struct problem *p);

void channel_config_free(struct channel_config *channel);

#endif
