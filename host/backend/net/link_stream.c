// SPDX-License-Identifier: BSD-2-Clause
/*
 * A user-mode network in another process, by a stream socket: each frame is preceded by its length,
 * four bytes, big-endian (QEMU's socket networking; passt(1)).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/backend/net/headers.h"
#include "host/backend/net/link.h"
#include "host/backend/net/merge.h"

#define HEAD 4u

/* Room for a few of the largest frames. */
#define OUT_ROOM (4u * (HEAD + NET_FRAME_MAX))

/*
 * passt (of 2023) reads what there is, and, where that ends within a frame, once more, for the
 * rest: what is not there by then makes it misunderstand all that follows. The kernel puts up to
 * some 48 KiB of one send into the socket in one piece; so no send, and if possible no frame, is
 * longer than this.
 */
#define CHUNK_MAX 32768u

/*
 * What has come and the guest has no room for yet. passt sends all that a TCP connection's window
 * allows, at once; what the socket does not take is lost to it, and sent again from there on, all
 * of it. So there is place for a large window; memory is used as far as it is filled.
 */
#define IN_ROOM (8u << 20)

/* The longest bare acknowledgement: Ethernet, IPv6, TCP with all options. */
#define ACK_MAX 114u

/*
 * How long the process may take to see that the socket is closed, before it is ended: a guest that
 * runs on waits for its timers meanwhile.
 */
#define PATIENCE_MS 100

struct stream {
	struct net_link link;
	pid_t child; /* 0: none */
	unsigned receiver_can;
	uint32_t in_start, in_end, out_start, out_end; /* what is in the buffers */
	uint32_t out_rest; /* of a chunk that the socket has taken in part */
	uint32_t ack_len;  /* of an acknowledgement to be given once more; 0: none */
	uint8_t ack[ACK_MAX];
	uint8_t *in; /* IN_ROOM */
	uint8_t out[OUT_ROOM];
};

static struct stream *stream_of(struct net_link *link)
{
	return (struct stream *)link;
}

/* The part of a frame that is there begins at the buffer's beginning. */
static void make_room(struct stream *s)
{
	memmove(s->in, s->in + s->in_start, s->in_end - s->in_start);
	s->in_end -= s->in_start;
	s->in_start = 0;
}

/* > 0: bytes have come; 0: none now, or no room; -errno. */
static int fill(struct stream *s)
{
	uint32_t room = IN_ROOM - s->in_end;
	ssize_t n;

	if (!s->link.readable || !room)
		return 0;
	do {
		n = recv(s->link.fd, s->in + s->in_end, room, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	/* All was there: what comes later is told of. */
	s->link.readable = n == (ssize_t)room;
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!n)
		return -EPIPE;
	s->in_end += n;
	return 1;
}

/* The next frame, if all of it is here. 1, 0, or -EPROTO. */
static int peek(const struct stream *s, struct net_frame *f)
{
	uint32_t have = s->in_end - s->in_start, len;

	if (have < HEAD)
		return 0;
	len = net_get32(s->in + s->in_start);
	if (len > NET_FRAME_MAX)
		return -EPROTO;
	if (have - HEAD < len)
		return 0;
	*f = (struct net_frame){.len = len, .validated = true};
	return 1;
}

static uint8_t *take(struct stream *s, uint32_t len)
{
	uint8_t *data = s->in + s->in_start + HEAD;

	s->in_start += HEAD + len;
	return data;
}

/* With all that is here already and continues it. */
static void take_merged(struct stream *s, struct net_frame *f)
{
	struct net_merge m;
	struct net_frame next;

	f->data = take(s, f->len);
	net_merge_begin(&m, f, s->receiver_can);
	while (m.open && peek(s, &next) > 0 &&
	       net_merge_add(&m, s->in + s->in_start + HEAD, next.len))
		take(s, next.len);
	net_merge_end(&m, f);
}

static bool is_bare_ack(const struct net_frame *f)
{
	struct net_headers h;

	net_headers_parse(f->data, f->len, &h);
	return h.protocol == NET_PROTO_TCP && h.payload && h.payload == h.end &&
	       f->data[h.transport + 13] == NET_TCP_ACK;
}

/*
 * passt says that a segment has not arrived (its socket was full) by repeating its last
 * acknowledgement twice, at once. A sender without SACK goes by three (RFC 5681), and would wait
 * for its timer, longer each time. So the second is repeated once more: which any network may do.
 */
static bool repeats_ack(struct stream *s, const struct net_frame *f)
{
	const uint8_t *next = s->in + s->in_start + HEAD;
	struct net_frame second;

	if (f->len > ACK_MAX || peek(s, &second) <= 0 || second.len != f->len ||
	    memcmp(next, f->data, f->len) != 0 || !is_bare_ack(f))
		return false;
	memcpy(s->ack, f->data, f->len);
	return true;
}

static int stream_receive(struct net_link *link, struct net_frame *f)
{
	struct stream *s = stream_of(link);
	int rc;

	if (s->ack_len) {
		*f = (struct net_frame){.data = s->ack, .len = s->ack_len, .validated = true};
		s->ack_len = 0;
		return 1;
	}
	while (!(rc = peek(s, f))) {
		make_room(s);
		rc = fill(s);
		if (rc <= 0)
			return rc;
	}
	if (rc > 0)
		take_merged(s, f);
	if (rc > 0 && repeats_ack(s, f))
		s->ack_len = f->len;
	return rc;
}

/* The frame that was received last is not touched. An error is told by the next receive. */
static void stream_absorb(struct net_link *link)
{
	fill(stream_of(link));
}

static void stream_receiver(struct net_link *link, unsigned can)
{
	stream_of(link)->receiver_can = can;
}

/* Whole frames that are sent at once; or what is left of such. */
static uint32_t next_chunk(const struct stream *s)
{
	uint32_t chunk = 0, frame;

	if (s->out_rest)
		return s->out_rest;
	while (s->out_start + chunk < s->out_end) {
		frame = HEAD + net_get32(s->out + s->out_start + chunk);
		if (chunk && chunk + frame > CHUNK_MAX)
			break;
		chunk += frame;
	}
	return chunk;
}

static int stream_flush(struct net_link *link)
{
	struct stream *s = stream_of(link);

	while (s->out_start < s->out_end) {
		uint32_t chunk = next_chunk(s);
		ssize_t n =
			send(link->fd, s->out + s->out_start, chunk, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return errno == EAGAIN ? -EAGAIN : -errno;
		if (n > 0) {
			s->out_start += n;
			s->out_rest = chunk - n;
		}
	}
	s->out_start = s->out_end = 0;
	return 0;
}

/* An error is told by the next flush. */
static uint8_t *stream_reserve(struct net_link *link, unsigned frames)
{
	struct stream *s = stream_of(link);

	if (sizeof(s->out) - s->out_end < frames * (HEAD + NET_FRAME_MAX) && stream_flush(link))
		return NULL;
	return s->out + s->out_end + HEAD;
}

static bool stream_commit(struct net_link *link, const struct net_frame *f)
{
	struct stream *s = stream_of(link);

	net_put32(s->out + s->out_end, f->len);
	s->out_end += HEAD + f->len;
	return true;
}

static bool wait_for_end(pid_t child, int ms)
{
	const struct timespec step = {.tv_nsec = 5000000};

	for (; ms > 0; ms -= 5) {
		if (waitpid(child, NULL, WNOHANG) == child)
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

static void stream_close(struct net_link *link)
{
	struct stream *s = stream_of(link);

	close(link->fd);
	if (s->child > 0 && !wait_for_end(s->child, PATIENCE_MS)) {
		kill(s->child, SIGKILL);
		waitpid(s->child, NULL, 0);
	}
	munmap(s->in, IN_ROOM);
	free(s);
}

static const struct net_link_ops stream_ops = {
	.receive = stream_receive,
	.absorb = stream_absorb,
	.reserve = stream_reserve,
	.commit = stream_commit,
	.flush = stream_flush,
	.receiver = stream_receiver,
	.close = stream_close,
};

struct net_link *net_link_stream(int fd, pid_t child, struct problem *p)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s)
		s->in = mmap(NULL, IN_ROOM, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!s || s->in == MAP_FAILED) {
		free(s);
		problem(p, "no memory for a network link");
		return NULL;
	}
	s->link.ops = &stream_ops;
	s->link.fd = fd;
	s->link.readable = true;
	s->link.frame_max = CHUNK_MAX - HEAD;
	s->child = child;
	snprintf(s->link.description, sizeof(s->link.description), "network by a stream socket");
	return &s->link;
}
