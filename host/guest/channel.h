/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel (xl.cfg(5), `channel=`): a further console of the guest's, whose other end is a pty or
 * a unix socket of the host, to which one at a time may connect. Event loop's thread only.
 */
#ifndef HOST_GUEST_CHANNEL_H
#define HOST_GUEST_CHANNEL_H

#include "host/backend/console_device.h"
#include "host/config/guest_config.h"
#include "host/guest/tty.h"

struct guest_channel {
	const struct channel_config *config;
	struct loop *loop;
	bool shown;
	struct console_device device;

	struct guest_tty tty;  /* of a pty */
	struct watch listener; /* of a socket */
	int client, client_out;
};

/* Open the host's end. 0, or -1 with the reason and nothing held. */
int guest_channel_open(struct guest_channel *c, const struct channel_config *config,
		       struct loop *loop, struct problem *p);
void guest_channel_close(struct guest_channel *c);

/* Show it to the guest as console `id`, and take it away. */
int guest_channel_show(struct guest_channel *c, struct store *store, struct domain *d, unsigned id,
		       struct problem *p);
void guest_channel_hide(struct guest_channel *c);

#endif
