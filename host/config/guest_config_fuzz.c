// SPDX-License-Identifier: BSD-2-Clause
/*
 * Configuration files and arguments. The first byte says how the rest is meant: as a file and, from
 * some point on, one argument; or as changes to a good file (two bytes of offset, one of value
 * each), which gets much further than chance does. What is taken keeps what guest_config.h
 * promises, and can be written as JSON.
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

static void parse(const char *text, size_t size, char *argument)
{
	size_t warned = 0;
	const struct config_warnings w = {warn, &warned};
	struct guest_config c;
	struct problem p;

	if (guest_config_parse(&c, "fuzz.cfg", text, size, &argument, *argument != '\0', &w, &p))
		return;
	check(&c);
	guest_config_free(&c);
}

static void parse_changed(const uint8_t *data, size_t size)
{
	static const char good[] =
		"name=\"n\"\ntype='pvh'\nkernel=\"k\" # c\nroot='r'; extra='e'\nmemory=64\n"
		"maxmem=0x80\nvcpus=2\nmaxvcpus=4\nuuid='00112233-4455-6677-8899-aabbccddeeff'\n"
		"disk=['tap:aio:/a,xvda1,w', 'format=qcow2,vdev=hdc,devtype=cdrom,target=/b']\n"
		"vif=['mac=00:16:3e:1:2:3,rate=1MB/s@2ms,mtu=900','forward=tcp/22/22+udp/[::1]:5/6',]\n"
		"channel=['name=a,connection=socket,path=/p']\nextra+=\" \\x41\\n\"\n"
		"on_crash='coredump-restart'\nmax_grant_version=1\nvnc=1\nmemroy=2\n";
	char text[sizeof(good)], none[] = "";

	memcpy(text, good, sizeof(good));
	for (; size >= 3; data += 3, size -= 3)
		text[(data[0] | data[1] << 8) % sizeof(text)] = (char)data[2];
	parse(text, sizeof(text) - 1 - (size ? data[0] % sizeof(text) : 0), none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t file_size;
	char *argument;

	if (!size)
		return 0;
	if (data[0] & 1) {
		parse_changed(data + 1, size - 1);
		return 0;
	}
	file_size = size - size * data[0] / 512;
	argument = strndup((const char *)data + file_size, size - file_size);
	if (argument)
		parse((const char *)data + 1, file_size - 1, argument);
	free(argument);
	return 0;
}
