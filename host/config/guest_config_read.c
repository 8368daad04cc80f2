// SPDX-License-Identifier: BSD-2-Clause
/* The parts of a configuration that are not in its text: the file, and what is random. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "host/config/guest_config.h"
#include "host/config/nic_spec.h"

/* xl.cfg files have some hundred lines. */
#define FILE_MAX (1u << 20)

/* A whole file, or what comes from a pipe. */
static int read_fd(int fd, const char *file, char **text, size_t *size, struct problem *p)
{
	ssize_t n;

	*size = 0;
	*text = malloc(FILE_MAX + 1);
	if (!*text)
		return problem(p, "out of memory");
	while ((n = read(fd, *text + *size, FILE_MAX + 1 - *size)) > 0)
		*size += n;
	if (n < 0)
		return problem(p, "cannot read %s: %s", file, strerror(errno));
	if (*size > FILE_MAX)
		return problem(p, "%s is larger than 1 MiB: is it a configuration file?", file);
	return 0;
}

static int read_file(const char *file, char **text, size_t *size, struct problem *p)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int rc;

	*text = NULL;
	if (fd < 0)
		return problem(p, "cannot open the configuration file %s: %s", file,
			       strerror(errno));
	rc = read_fd(fd, file, text, size, p);
	close(fd);
	return rc;
}

/* A random UUID as RFC 4122 has it (version 4). */
static int random_uuid(uint8_t uuid[16], struct problem *p)
{
	static const uint8_t none[16];

	if (memcmp(uuid, none, sizeof(none)))
		return 0;
	if (getrandom(uuid, 16, 0) != 16)
		return problem(p, "no random bytes for a uuid: %s", strerror(errno));
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	return 0;
}

static int fill_random(struct guest_config *c, struct problem *p)
{
	for (unsigned i = 0; i < c->nr_nics; i++)
		if (nic_random_mac(&c->nics[i], p))
			return -1;
	return random_uuid(c->uuid, p);
}

int guest_config_read(struct guest_config *c, const char *file, char *const *arguments,
		      unsigned nr_arguments, const struct config_warnings *w, struct problem *p)
{
	char *text = NULL;
	size_t size = 0;
	int rc = file ? read_file(file, &text, &size, p) : 0;

	*c = (struct guest_config){0};
	if (!rc)
		rc = guest_config_parse(c, file, text, size, arguments, nr_arguments, w, p);
	free(text);
	if (!rc && fill_random(c, p)) {
		guest_config_free(c);
		rc = -1;
	}
	return rc;
}
