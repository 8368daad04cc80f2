// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/link.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct net_link *net_link_open(const struct nic_config *config, domid_t domid, struct problem *p)
{
	return config->mode == NIC_USER ? net_link_open_user(config, p)
					: net_link_open_tap(config, domid, p);
}

void net_link_close(struct net_link *link)
{
	link->ops->close(link);
}

int net_link_prepare(const struct nic_config *config, domid_t domid, struct problem *p)
{
	struct net_link *link = net_link_open(config, domid, p);
	int fd = link ? fcntl(link->fd, F_DUPFD_CLOEXEC, 0) : -1;

	/* The link itself stays: to close it would end what is behind it. */
	if (link && fd < 0)
		problem(p, "vif %u: no descriptor is left", config->devid);
	return fd;
}

struct net_link *net_link_adopt(int fd, struct problem *p)
{
	struct net_link *link;
	struct stat st;

	if (fstat(fd, &st) || !S_ISSOCK(st.st_mode))
		return net_link_tap(fd, p);
	link = net_link_stream(fd, 0, p);
	if (!link)
		close(fd);
	return link;
}

const char *net_link_description(const struct net_link *link)
{
	return link->description;
}
