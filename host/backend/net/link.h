/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device's thread sends frames to, and receives them from. One thread at a time uses a link.
 *
 * Descriptors do not block: `fd` is watched edge-triggered for reading and writing, so whoever was
 * told "no more now" waits for it.
 */
#ifndef HOST_BACKEND_NET_LINK_H
#define HOST_BACKEND_NET_LINK_H

#include <sys/types.h>

#include "host/backend/net/frame.h"
#include "host/backend/net/net.h"

/* Kinds of frames that a side can take as they are. */
#define NET_CAN_CSUM4 (1u << 0) /* blank checksums, with IPv4 and IPv6 */
#define NET_CAN_CSUM6 (1u << 1)
#define NET_CAN_GSO4  (1u << 2) /* large segments of TCP over IPv4 and IPv6 */
#define NET_CAN_GSO6  (1u << 3)

struct net_link_ops {
	/*
	 * 1: a frame, whose data may be changed, and is there until the next call. 0: none until
	 * `readable` is set again. -errno: the link has ended.
	 */
	int (*receive)(struct net_link *link, struct net_frame *f);

	/*
	 * May be NULL. The frame received last is kept by its user for a while: take in what comes
	 * meanwhile, as far as there is room, so that the other side can go on.
	 */
	void (*absorb)(struct net_link *link);

	/*
	 * Where the next frame to send is to be put, NET_FRAME_MAX bytes; NULL: no room for so many
	 * `frames` (at most 2) of that length now.
	 */
	uint8_t *(*reserve)(struct net_link *link, unsigned frames);

	/* Send the frame that has been put there. false: it is lost. */
	bool (*commit)(struct net_link *link, const struct net_frame *f);

	/* Send what has been committed. 0; -EAGAIN: not all of it yet; -errno: the link has ended.
	 */
	int (*flush)(struct net_link *link);

	/* May be NULL. What the receiver of its frames takes from now on: NET_CAN_*. */
	void (*receiver)(struct net_link *link, unsigned can);

	void (*close)(struct net_link *link);
};

/* The first member of each link's own structure. */
struct net_link {
	const struct net_link_ops *ops;
	int fd;
	/* There may be something to read: set by its user after an event of fd's (or without one,
	 * to try), cleared by the link that has read all there was. */
	bool readable;
	unsigned can; /* NET_CAN_* of what is sent */
	/* Large segments may go out as frames of up to this length without GSO; 0: only as small as
	 * they say. */
	uint32_t frame_max;
	char interface[16]; /* of a tap: its name; "": none */
	char description[192];
};

/* The frame socket of a user-mode network (passt's framing) is `fd`, owned by the link from now on;
 * `child` > 0: the process behind it, which ends with the link. */
struct net_link *net_link_stream(int fd, pid_t child, struct problem *p);

/* A tap device that is attached already. Owns `fd`, also if it fails. */
struct net_link *net_link_tap(int fd, struct problem *p);

struct net_link *net_link_open_user(const struct nic_config *config, struct problem *p);
struct net_link *net_link_open_tap(const struct nic_config *config, domid_t domid,
				   struct problem *p);

#endif
