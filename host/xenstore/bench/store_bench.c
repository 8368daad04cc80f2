// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a xenstore's server does in a second: store_bench SOCKET SECONDS. Prints COST lines, each of
 * so many operations per second. The client is the same for every server, and speaks the wire
 * protocol itself.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "xen-abi/xen.h"

#define PIPELINE 64

static int fd;
static uint32_t tx; /* of the requests that follow */

/* What has been read and not looked at. */
static char got[65536];
static size_t got_start, got_end;

static void read_all(void *to, size_t len)
{
	while (len) {
		size_t n = got_end - got_start < len ? got_end - got_start : len;
		ssize_t more;

		memcpy(to, got + got_start, n);
		to = (char *)to + n;
		got_start += n;
		len -= n;
		if (!len)
			break;
		more = read(fd, got, sizeof(got));
		if (more <= 0)
			errx(1, "the server has hung up");
		got_start = 0;
		got_end = more;
	}
}

/* Requests that are not sent yet. */
static char queued[PIPELINE * 512];
static size_t queued_len;

static void queue_request(uint32_t type, const void *payload, size_t len)
{
	const struct xsd_sockmsg header = {.type = type, .tx_id = tx, .len = len};

	if (sizeof(queued) - queued_len < sizeof(header) + len)
		errx(1, "a request is too long");
	memcpy(queued + queued_len, &header, sizeof(header));
	memcpy(queued + queued_len + sizeof(header), payload, len);
	queued_len += sizeof(header) + len;
}

static void send_queued(void)
{
	if (write(fd, queued, queued_len) != (ssize_t)queued_len)
		err(1, "write");
	queued_len = 0;
}

/* Its answer, 0-terminated; events are passed over. */
static const char *answer(uint32_t type)
{
	static char payload[XENSTORE_PAYLOAD_MAX + 1];
	struct xsd_sockmsg header;

	do {
		read_all(&header, sizeof(header));
		read_all(payload, header.len);
		payload[header.len] = '\0';
	} while (header.type == XS_WATCH_EVENT);
	if (header.type != type)
		errx(1, "command %u: %s", type, payload);
	return payload;
}

static const char *ask(uint32_t type, const void *payload, size_t len)
{
	queue_request(type, payload, len);
	send_queued();
	return answer(type);
}

static void write_node(unsigned guest, unsigned node)
{
	char request[128];
	int len = snprintf(request, sizeof(request), "/bench/%u/device/%u/state%cvalue %u", guest,
			   node, 0, node);

	ask(XS_WRITE, request, len);
}

static void read_node(unsigned guest, unsigned node)
{
	char request[128];
	int len = snprintf(request, sizeof(request), "/bench/%u/device/%u/state", guest, node);

	ask(XS_READ, request, len + 1);
}

/* Some guests with some devices: 100 times 10. */
static void populate(void)
{
	for (unsigned i = 0; i < 1000; i++)
		write_node(i / 10, i % 10);
}

/*
 * What is measured: one call is one operation.
 */

static void reads(unsigned i)
{
	read_node(i % 100, i % 10);
}

static void writes(unsigned i)
{
	write_node(i % 100, i % 10);
}

/* As a frontend does that changes its state: five nodes read, five written. */
static void transactions(unsigned i)
{
	tx = strtoul(ask(XS_TRANSACTION_START, "", 1), NULL, 10);
	for (unsigned n = 0; n < 5; n++) {
		read_node(i % 100, n);
		write_node(i % 100, n + 5);
	}
	ask(XS_TRANSACTION_END, "T", 2);
	tx = 0;
}

/* A device comes and goes: nodes made and removed, in directories that others have, too. */
static void devices(unsigned i)
{
	char path[64];
	int len = snprintf(path, sizeof(path), "/bench/%u/device/%u", i % 100, 100 + i % 7);

	tx = strtoul(ask(XS_TRANSACTION_START, "", 1), NULL, 10);
	for (unsigned n = 0; n < 8; n++) {
		char request[128];
		int size = snprintf(request, sizeof(request), "%s/key-%u%cvalue", path, n, 0);

		ask(XS_WRITE, request, size);
	}
	ask(XS_TRANSACTION_END, "T", 2);
	tx = 0;
	ask(XS_RM, path, len + 1);
}

/* Without waiting for each answer: the server's own speed. */
static void pipelined_reads(unsigned i)
{
	char request[128];
	int len;

	for (unsigned n = 0; n < PIPELINE; n++) {
		len = snprintf(request, sizeof(request), "/bench/%u/device/%u/state", (i + n) % 100,
			       n % 10);
		queue_request(XS_READ, request, len + 1);
	}
	send_queued();
	for (unsigned n = 0; n < PIPELINE; n++)
		answer(XS_READ);
}

/* Many transactions at a time, each of its own guest's: they begin, then they all work and end. */
static void parallel_transactions(unsigned i)
{
	uint32_t ids[PIPELINE];
	char request[128];

	for (unsigned n = 0; n < PIPELINE; n++)
		queue_request(XS_TRANSACTION_START, "", 1);
	send_queued();
	for (unsigned n = 0; n < PIPELINE; n++)
		ids[n] = strtoul(answer(XS_TRANSACTION_START), NULL, 10);
	for (unsigned n = 0; n < PIPELINE; n++) {
		unsigned guest = (i + n) % 100;
		int len = snprintf(request, sizeof(request), "/bench/%u/device/1/state", guest);

		tx = ids[n];
		queue_request(XS_READ, request, len + 1);
		len = snprintf(request, sizeof(request), "/bench/%u/device/2/state%c4", guest, 0);
		queue_request(XS_WRITE, request, len);
		queue_request(XS_TRANSACTION_END, "T", 2);
	}
	tx = 0;
	send_queued();
	for (unsigned n = 0; n < PIPELINE; n++) {
		answer(XS_READ);
		answer(XS_WRITE);
		answer(XS_TRANSACTION_END);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void measure(const char *name, void (*operation)(unsigned i), unsigned each, double seconds)
{
	double start = now(), passed;
	unsigned i = 0;

	do {
		for (unsigned n = 0; n < 20; n++)
			operation(i++);
		passed = now() - start;
	} while (passed < seconds);
	printf("COST %s %.0f\n", name, i / passed * each);
	fflush(stdout);
}

static void connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "%s: too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(2, "%s", path);
}

int main(int argc, char **argv)
{
	double seconds;

	if (argc != 3)
		errx(2, "usage: store_bench SOCKET SECONDS");
	connect_to(argv[1]);
	seconds = strtod(argv[2], NULL);
	populate();
	measure("reads", reads, 1, seconds);
	measure("writes", writes, 1, seconds);
	measure("transactions", transactions, 1, seconds);
	measure("devices", devices, 1, seconds);
	measure("pipelined-reads", pipelined_reads, PIPELINE, seconds);
	measure("parallel-transactions", parallel_transactions, PIPELINE, seconds);
	return 0;
}
