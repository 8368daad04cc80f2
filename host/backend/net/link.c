// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/link.h"

struct net_link *net_link_open(const struct nic_config *config, struct problem *p)
{
	return config->mode == NIC_USER ? net_link_open_user(config, p)
					: net_link_open_tap(config, p);
}

void net_link_close(struct net_link *link)
{
	link->ops->close(link);
}

const char *net_link_description(const struct net_link *link)
{
	return link->description;
}
