// SPDX-License-Identifier: BSD-2-Clause
/*
 * A tap device (Linux: Documentation/networking/tuntap.rst): one that is there already, made by an
 * administrator for this user, or a new one, in a bridge or not, where we may. The kernel's own
 * header before each frame (linux/virtio_net.h) carries what has been left to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "host/backend/net/checksum.h"
#include "host/backend/net/link.h"
#include "shim/types.h"

#define TUN "/dev/net/tun"

struct tap {
	struct net_link link;
	bool vnet_header;
	uint8_t in[sizeof(struct virtio_net_hdr) + NET_FRAME_MAX];
	uint8_t out[sizeof(struct virtio_net_hdr) + NET_FRAME_MAX];
};

static struct tap *tap_of(struct net_link *link)
{
	return (struct tap *)link;
}

static size_t head_size(const struct tap *t)
{
	return t->vnet_header ? sizeof(struct virtio_net_hdr) : 0;
}

/* false: something that we have not said that we take. */
static bool read_header(const struct virtio_net_hdr *h, struct net_frame *f)
{
	f->csum_blank = h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f->validated = h->flags & VIRTIO_NET_HDR_F_DATA_VALID;
	f->csum_start = h->csum_start;
	f->csum_offset = h->csum_offset;
	f->gso_size = h->gso_size;
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		f->gso = XEN_NETIF_GSO_TYPE_TCPV4;
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		f->gso = XEN_NETIF_GSO_TYPE_TCPV6;
		return true;
	default:
		return false;
	}
}

static int tap_receive(struct net_link *link, struct net_frame *f)
{
	struct tap *t = tap_of(link);
	size_t head = head_size(t);
	struct virtio_net_hdr h;
	ssize_t n;

	if (!link->readable)
		return 0;
	do {
		n = read(link->fd, t->in, head + NET_FRAME_MAX);
		link->readable = n >= 0 || errno == EINTR;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n < (ssize_t)head)
			return -EPIPE;
		*f = (struct net_frame){.data = t->in + head, .len = (uint32_t)(n - head)};
		memcpy(&h, t->in, head);
	} while (head && !read_header(&h, f));
	return 1;
}

static uint8_t *tap_reserve(struct net_link *link, unsigned frames)
{
	struct tap *t = tap_of(link);

	(void)frames;
	return t->out + head_size(t);
}

static void write_header(const struct net_frame *f, struct virtio_net_hdr *h)
{
	struct net_headers headers;

	*h = (struct virtio_net_hdr){.flags = f->validated ? VIRTIO_NET_HDR_F_DATA_VALID : 0};
	if (f->csum_blank) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = f->csum_start;
		h->csum_offset = f->csum_offset;
	}
	if (!f->gso)
		return;
	net_headers_parse(f->data, f->len, &headers);
	h->hdr_len = headers.payload;
	h->gso_size = f->gso_size;
	h->gso_type = f->gso == XEN_NETIF_GSO_TYPE_TCPV4 ? VIRTIO_NET_HDR_GSO_TCPV4
							 : VIRTIO_NET_HDR_GSO_TCPV6;
}

/* What the kernel does not take (the interface is down, the frame makes no sense to it) is lost. */
static bool tap_commit(struct net_link *link, const struct net_frame *f)
{
	struct tap *t = tap_of(link);
	size_t head = head_size(t);
	struct virtio_net_hdr h;

	if (head) {
		write_header(f, &h);
		memcpy(t->out, &h, head);
	}
	return write(link->fd, t->out, head + f->len) == (ssize_t)(head + f->len);
}

static int tap_flush(struct net_link *link)
{
	(void)link;
	return 0;
}

/* What is in the kernel's queue already may still be as before: the engine adapts it. */
static void tap_receiver(struct net_link *link, unsigned can)
{
	const unsigned csum = NET_CAN_CSUM4 | NET_CAN_CSUM6;
	unsigned offload = 0;

	if (!tap_of(link)->vnet_header)
		return;
	if ((can & csum) == csum) {
		offload = TUN_F_CSUM;
		if (can & NET_CAN_GSO4)
			offload |= TUN_F_TSO4;
		if (can & NET_CAN_GSO6)
			offload |= TUN_F_TSO6;
	}
	ioctl(link->fd, TUNSETOFFLOAD, offload);
}

static void tap_close(struct net_link *link)
{
	close(link->fd);
	free(tap_of(link));
}

static const struct net_link_ops tap_ops = {
	.receive = tap_receive,
	.reserve = tap_reserve,
	.commit = tap_commit,
	.flush = tap_flush,
	.receiver = tap_receiver,
	.close = tap_close,
};

static void set_name(struct ifreq *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", name);
}

/* What the kernel says that the device is. */
static void note_interface(struct tap *t, const struct ifreq *r)
{
	t->vnet_header = r->ifr_flags & IFF_VNET_HDR;
	if (t->vnet_header)
		t->link.can = NET_CAN_CSUM4 | NET_CAN_CSUM6 | NET_CAN_GSO4 | NET_CAN_GSO6;
	memcpy(t->link.interface, r->ifr_name, sizeof(t->link.interface) - 1);
}

/* A tap that was made with several queues is opened with that flag only. 0 or -errno. */
static int attach(struct tap *t, const char *name)
{
	static const short ways[] = {
		IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
		IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE,
		IFF_TAP | IFF_NO_PI,
	};
	struct ifreq r;

	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		set_name(&r, name);
		r.ifr_flags = ways[i];
		if (!ioctl(t->link.fd, TUNSETIFF, &r)) {
			note_interface(t, &r);
			return 0;
		}
		if (errno != EINVAL)
			break;
	}
	return -errno;
}

static int control(unsigned long request, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0 || ioctl(fd, request, r))
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int set_mtu(const char *name, uint32_t mtu, struct problem *p)
{
	struct ifreq r;
	int rc;

	set_name(&r, name);
	rc = control(SIOCGIFMTU, &r);
	if (!rc && (uint32_t)r.ifr_mtu == mtu)
		return 0;
	r.ifr_mtu = (int)mtu;
	rc = control(SIOCSIFMTU, &r);
	return rc ? problem(p,
			    "tap device %s: mtu=%u cannot be set (%s): ask an administrator for "
			    "\"ip link set %s mtu %u\"",
			    name, mtu, strerror(-rc), name, mtu)
		  : 0;
}

static int set_up(const char *name, struct problem *p)
{
	struct ifreq r;
	int rc;

	set_name(&r, name);
	rc = control(SIOCGIFFLAGS, &r);
	if (!rc && r.ifr_flags & IFF_UP)
		return 0;
	r.ifr_flags |= IFF_UP;
	rc = rc ? rc : control(SIOCSIFFLAGS, &r);
	return rc ? problem(p,
			    "tap device %s is down and cannot be set up (%s): ask an "
			    "administrator for \"ip link set %s up\"",
			    name, strerror(-rc), name)
		  : 0;
}

static int join_bridge(const char *name, const char *bridge, struct problem *p)
{
	struct ifreq r;
	int rc;

	set_name(&r, bridge);
	r.ifr_ifindex = (int)if_nametoindex(name);
	if (!if_nametoindex(bridge))
		return problem(p,
			       "bridge=%s: there is no such interface: make it (\"ip link add "
			       "%s type bridge\"), or leave bridge= out for user-mode network",
			       bridge, bridge);
	rc = control(SIOCBRADDIF, &r);
	if (!rc || rc == -EBUSY) /* it is in a bridge already */
		return 0;
	return problem(
		p,
		"tap device %s cannot be put into bridge=%s: %s: make a tap for this user "
		"in it (\"ip tuntap add mode tap user $USER name TAP; ip link set TAP master "
		"%s up\") and give vifname=TAP, or leave bridge= out for user-mode network",
		name, bridge, strerror(-rc), bridge);
}

static int explain(const char *name, int rc, struct problem *p)
{
	if (rc == -EBUSY)
		return problem(p, "vifname=%s: the tap device is in use by somebody else", name);
	return problem(
		p,
		"tap device %s cannot be opened: %s: make a tap for this user (\"ip tuntap add mode "
		"tap user $USER name TAP\") and give vifname=TAP, or leave bridge= and "
		"vifname= out for user-mode network",
		name ? name : "(a new one)", strerror(-rc));
}

/* 0 or -errno. */
static int attach_new(struct tap *t, domid_t domid, uint32_t devid)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "vif%u.%u", domid, devid);
	rc = attach(t, name);
	if (rc != -EBUSY)
		return rc;
	snprintf(name, sizeof(name), "vif%%d.%u", devid);
	return attach(t, name);
}

static int open_tap(struct tap *t, const struct nic_config *config, domid_t domid,
		    struct problem *p)
{
	const char *name = config->vifname;
	int rc;

	if (name && strlen(name) >= IFNAMSIZ)
		return problem(p, "vifname=%s: an interface's name has at most %d characters", name,
			       IFNAMSIZ - 1);
	t->link.fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (t->link.fd < 0)
		return problem(p, TUN ": %s: leave bridge= and vifname= out for user-mode network",
			       strerror(errno));
	rc = name ? attach(t, name) : attach_new(t, domid, config->devid);
	if (rc)
		return explain(config->vifname, rc, p);
	if (config->mtu && set_mtu(t->link.interface, config->mtu, p))
		return -1;
	if (config->mode == NIC_BRIDGE && join_bridge(t->link.interface, config->bridge, p))
		return -1;
	return set_up(t->link.interface, p);
}

static struct tap *new_tap(struct problem *p)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t) {
		problem(p, "no memory for a tap device");
		return NULL;
	}
	t->link.ops = &tap_ops;
	t->link.fd = -1;
	t->link.readable = true;
	return t;
}

struct net_link *net_link_open_tap(const struct nic_config *config, domid_t domid,
				   struct problem *p)
{
	struct tap *t = new_tap(p);

	if (!t)
		return NULL;
	if (open_tap(t, config, domid, p)) {
		if (t->link.fd >= 0)
			close(t->link.fd);
		free(t);
		return NULL;
	}
	snprintf(t->link.description, sizeof(t->link.description), "tap device %s%s%s",
		 t->link.interface, config->mode == NIC_BRIDGE ? " in bridge " : "",
		 config->mode == NIC_BRIDGE ? config->bridge : "");
	return &t->link;
}

struct net_link *net_link_tap(int fd, struct problem *p)
{
	struct ifreq r = {0};
	struct tap *t;

	if (ioctl(fd, TUNGETIFF, &r)) {
		close(fd);
		problem(p, "this is no tap device: %s", strerror(errno));
		return NULL;
	}
	t = new_tap(p);
	if (!t) {
		close(fd);
		return NULL;
	}
	t->link.fd = fd;
	note_interface(t, &r);
	snprintf(t->link.description, sizeof(t->link.description), "tap device %s",
		 t->link.interface);
	return &t->link;
}
