// SPDX-License-Identifier: BSD-2-Clause
/*
 * TCP, as fast as it goes, and there and back.
 *
 *	net-bench serve PORT	for ever, on the host's loopback
 *	net-bench HOST PORT MIB TRIPS
 *				MIB MiB to the server and as many from it, and TRIPS bytes that it
 *				sends back one by one; prints
 *
 *	net: to N MB/s
 *	net: from N MB/s
 *	net: trip N us
 *
 * A client's first byte says what it wants: 's'ink, s'o'urce or 'e'cho. MB are 10^6 bytes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SINK   's'
#define SOURCE 'o'
#define ECHO   'e'

static char buffer[1 << 16];

static void fail(const char *what)
{
	fprintf(stderr, "net-bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		fail("socket");
	return fd;
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	unsigned long n = strtoul(port, NULL, 10);

	if (!n || n > UINT16_MAX || inet_pton(AF_INET, host, &at.sin_addr) != 1) {
		fprintf(stderr, "net-bench: %s %s: no IPv4 address and port\n", host, port);
		exit(2);
	}
	at.sin_port = htons((uint16_t)n);
	return at;
}

/* Until the other side has enough, which is no error here. */
static void attend(int fd)
{
	ssize_t n = 1;
	char what;

	if (read(fd, &what, 1) != 1)
		return;
	while (n > 0) {
		if (what == SOURCE) {
			n = write(fd, buffer, sizeof(buffer));
			continue;
		}
		n = read(fd, buffer, sizeof(buffer));
		if (what == ECHO && n > 0)
			n = write(fd, buffer, (size_t)n);
	}
	/* The sink says that all has arrived. */
	if (what == SINK && write(fd, "", 1) != 1)
		return;
}

static void serve(const char *port)
{
	struct sockaddr_in at = address("127.0.0.1", port);
	int fd = new_socket(), client;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
		fail(port);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		if (!fork()) {
			attend(client);
			_exit(0);
		}
		close(client);
	}
	fail("accept");
}

static int call(const struct sockaddr_in *at, char what)
{
	int fd = new_socket();

	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) || write(fd, &what, 1) != 1)
		fail("connect");
	return fd;
}

static void say_rate(const char *what, uint64_t bytes, uint64_t begin)
{
	printf("net: %s %.1f MB/s\n", what, (double)bytes * 1e3 / (double)(now() - begin));
}

static void measure_to(const struct sockaddr_in *at, uint64_t bytes)
{
	int fd = call(at, SINK);
	uint64_t begin = now();

	for (uint64_t done = 0; done < bytes; done += sizeof(buffer)) {
		if (write(fd, buffer, sizeof(buffer)) != sizeof(buffer))
			fail("write");
	}
	if (shutdown(fd, SHUT_WR) || read(fd, buffer, 1) != 1)
		fail("the end of what was sent");
	say_rate("to", bytes, begin);
	close(fd);
}

static void measure_from(const struct sockaddr_in *at, uint64_t bytes)
{
	int fd = call(at, SOURCE);
	uint64_t begin = now();

	for (uint64_t done = 0; done < bytes;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n <= 0)
			fail("read");
		done += (uint64_t)n;
	}
	say_rate("from", bytes, begin);
	close(fd);
}

static void measure_trip(const struct sockaddr_in *at, uint64_t trips)
{
	int fd = call(at, ECHO);
	uint64_t begin = now();

	for (uint64_t i = 0; i < trips; i++) {
		if (write(fd, buffer, 1) != 1 || read(fd, buffer, 1) != 1)
			fail("a byte");
	}
	printf("net: trip %.2f us\n", (double)(now() - begin) / 1e3 / (double)trips);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	if (argc != 5) {
		fprintf(stderr, "usage: net-bench serve PORT | net-bench HOST PORT MIB TRIPS\n");
		return 2;
	}
	at = address(argv[1], argv[2]);
	measure_to(&at, strtoull(argv[3], NULL, 10) << 20);
	measure_from(&at, strtoull(argv[3], NULL, 10) << 20);
	measure_trip(&at, strtoull(argv[4], NULL, 10));
	return 0;
}
