// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/net/fake_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct fake_link *fake_of(struct net_link *link)
{
	return (struct fake_link *)link;
}

static int fake_receive(struct net_link *link, struct net_frame *f)
{
	struct fake_link *l = fake_of(link);

	if (l->ended)
		return l->ended;
	if (l->in_next == l->in_nr)
		return 0;
	*f = l->in[l->in_next++].frame;
	return 1;
}

static uint8_t *fake_reserve(struct net_link *link, unsigned frames)
{
	struct fake_link *l = fake_of(link);

	return l->room >= frames && l->out_nr < FAKE_LINK_FRAMES ? l->out[l->out_nr].data : NULL;
}

static bool fake_commit(struct net_link *link, const struct net_frame *f)
{
	struct fake_link *l = fake_of(link);

	l->out[l->out_nr++].frame = *f;
	l->room--;
	return true;
}

static int fake_flush(struct net_link *link)
{
	struct fake_link *l = fake_of(link);

	if (l->ended)
		return l->ended;
	return l->room ? 0 : -EAGAIN;
}

static void fake_receiver(struct net_link *link, unsigned can)
{
	fake_of(link)->receiver_can = can;
}

static void fake_close(struct net_link *link)
{
	struct fake_link *l = fake_of(link);

	free(l->in);
	free(l->out);
	free(l);
}

static const struct net_link_ops fake_ops = {
	.receive = fake_receive,
	.reserve = fake_reserve,
	.commit = fake_commit,
	.flush = fake_flush,
	.receiver = fake_receiver,
	.close = fake_close,
};

struct fake_link *fake_link_create(void)
{
	struct fake_link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->link.ops = &fake_ops;
	l->link.fd = -1;
	l->room = FAKE_LINK_FRAMES;
	l->in = calloc(FAKE_LINK_FRAMES, sizeof(*l->in));
	l->out = calloc(FAKE_LINK_FRAMES, sizeof(*l->out));
	if (l->in && l->out)
		return l;
	fake_close(&l->link);
	return NULL;
}

void fake_link_put(struct fake_link *l, const struct net_frame *f, const uint8_t *data,
		   uint32_t len)
{
	struct fake_link_frame *in = &l->in[l->in_nr++];

	in->frame = *f;
	in->frame.data = in->data;
	in->frame.len = len;
	memcpy(in->data, data, len);
}
