// SPDX-License-Identifier: BSD-2-Clause
/*
 * usage: ask SOCKET REQUEST
 *
 * Sends one line to a unix socket, such as a guest's control socket (docs/control-protocol.md), and
 * prints the line that comes back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char c = '\0';

	if (argc != 3 || strlen(argv[1]) >= sizeof(at.sun_path)) {
		fprintf(stderr, "usage: ask SOCKET REQUEST\n");
		return 2;
	}
	strcpy(at.sun_path, argv[1]);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) || dprintf(fd, "%s\n", argv[2]) < 0) {
		fprintf(stderr, "ask: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while (c != '\n' && read(fd, &c, 1) == 1)
		putchar(c);
	return c != '\n';
}
