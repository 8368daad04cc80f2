// SPDX-License-Identifier: BSD-2-Clause
/*
 * Configuration files and arguments. The first byte says how much of the rest is file; what
 * remains is one argument. What is taken keeps what guest_config.h promises, and can be written as
 * JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "host/config/config_json.h"
#include "host/config/guest_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void warn(void *opaque, const char *line)
{
	*(size_t *)opaque += strlen(line);
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct guest_config *c)
{
	json_t *o = guest_config_json(c);
	char *text = json_dumps(o, 0);

	must(text);
	free(text);
	json_decref(o);
	must(c->name && *c->name && !strchr(c->name, '/'));
	must(c->kernel || c->type == GUEST_HVM);
	must(c->memory && c->memory <= c->maxmem);
	must(c->vcpus && c->vcpus <= c->maxvcpus && c->maxvcpus <= DOMAIN_MAX_VCPUS);
	for (unsigned i = 0; i < c->nr_disks; i++)
		must(c->disks[i].devid < 1u << 31 &&
		     !c->disks[i].target == (c->disks[i].format == DISK_EMPTY));
	for (unsigned i = 0; i < c->nr_nics; i++)
		must(c->nics[i].mode == NIC_USER || !c->nics[i].nr_forwards);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t file_size = size ? size - size * data[0] / 512 : 0, warned = 0;
	char *argument = strndup((const char *)data + file_size, size - file_size);
	const struct config_warnings w = {warn, &warned};
	struct guest_config c;
	struct problem p;

	if (!size || !argument) {
		free(argument);
		return 0;
	}
	if (!guest_config_parse(&c, "fuzz.cfg", (const char *)data + 1, file_size - 1, &argument,
				size > file_size, &w, &p)) {
		check(&c);
		guest_config_free(&c);
	}
	free(argument);
	return 0;
}
