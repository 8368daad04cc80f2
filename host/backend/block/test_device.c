// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/test_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "host/xenstore/test_loop.h"

int make_file(char *path, size_t size)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}

void add(struct subject *s)
{
	struct problem p = {""};

	s->device =
		block_device_add(&s->config, s->image, &s->loop, s->store, &s->fake->domain, &p);
	if (!s->device)
		fail_msg("%s", p.text);
	test_loop_settle(&s->loop);
}

static void open_image(struct subject *s)
{
	struct problem p = {""};

	s->image = block_image_open(&s->config, NULL, &p);
	if (!s->image)
		fail_msg("%s", p.text);
}

static int setup_config(struct subject *s, bool cdrom)
{
	struct problem p;

	s->fake = fake_create(true);
	if (loop_init(&s->loop))
		return -1;
	s->store = store_create(&s->loop, &p);
	strcpy(s->vdev, "xvda");
	s->file = make_file(s->target, sizeof(s->target));
	if (ftruncate(s->file, SIZE))
		return -1;
	s->config = (struct disk_config){
		.target = s->target,
		.vdev = s->vdev,
		.devid = 51712,
		.cdrom = cdrom,
		.discard = !cdrom,
	};
	alarm(30);
	return s->store ? 0 : -1;
}

static int setup_disk(void **state, bool cdrom)
{
	struct subject *s = calloc(1, sizeof(*s));

	*state = s;
	if (setup_config(s, cdrom))
		return -1;
	open_image(s);
	add(s);
	front_init(&s->front, s->fake, BLOCK_ABI_64, 1);
	return 0;
}

int setup(void **state)
{
	return setup_disk(state, false);
}

int setup_cdrom(void **state)
{
	return setup_disk(state, true);
}

int teardown(void **state)
{
	struct subject *s = *state;

	if (s->device)
		block_device_remove(s->device);
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
	block_image_close(s->image);
	store_destroy(s->store);
	loop_destroy(&s->loop);
	close(s->file);
	fake_destroy(s->fake);
	free(s);
	alarm(0);
	return 0;
}

void front_writes(struct subject *s, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), FRONT "/%s", name);
	assert_int_equal(store_write(s->store, path, value), 0);
}

void front_writes_number(struct subject *s, const char *name, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	front_writes(s, name, text);
}

void assert_node(struct subject *s, const char *path, const char *expected)
{
	char *value = store_read(s->store, path, NULL);

	if (!value)
		fail_msg("%s is not there", path);
	assert_string_equal(value, expected);
	free(value);
}

void assert_back(struct subject *s, const char *name, const char *expected)
{
	char path[128];

	snprintf(path, sizeof(path), BACK "/%s", name);
	assert_node(s, path, expected);
}

/* What the frontend does once its nodes are written. */
void be_initialised(struct subject *s)
{
	front_writes(s, "state", "3");
	test_loop_settle(&s->loop);
}

void connect_ring(struct subject *s)
{
	front_writes(s, "protocol", "x86_64-abi");
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "event-channel", s->front.port);
	be_initialised(s);
	assert_back(s, "state", "4");
}

void assert_error(struct subject *s, const char *expected)
{
	char *text = store_read(s->store, "/local/domain/0/error/backend/vbd/7/51712/error", NULL);

	assert_back(s, "state", "5");
	if (!text || !strstr(text, expected))
		fail_msg("\"%s\" does not tell of \"%s\"", text ? text : "", expected);
	free(text);
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
}

int16_t ask_of(struct front *f, const struct front_request *r)
{
	const struct timespec pause = {.tv_nsec = 20000};
	struct front_response answer;

	front_ask(f, r);
	while (!front_answered(f, &answer))
		nanosleep(&pause, NULL);
	assert_int_equal(answer.id, r->id);
	return answer.status;
}

int16_t ask(struct subject *s, const struct front_request *r)
{
	return ask_of(&s->front, r);
}
