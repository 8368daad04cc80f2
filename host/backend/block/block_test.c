// SPDX-License-Identifier: BSD-2-Clause
/* The disk as a device: the real store and bus, real images, and a frontend that the test plays. */
#include "host/backend/block/block.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/backend/block/test_frontend.h"
#include "host/xenstore/test_loop.h"
#include "shim/fake_events.h"

#define FRONT "/local/domain/7/device/vbd/51712"
#define BACK  "/local/domain/0/backend/vbd/7/51712"

#define SIZE    (1u << 20)
#define SECTORS (SIZE / 512)

struct subject {
	struct loop loop;
	struct store *store;
	struct fake *fake;
	struct front front;
	struct disk_config config;
	char vdev[8], target[64];
	int file;
	struct block_image *image;
	struct block_device *device;
	unsigned removals;
};

static int make_file(char *path, size_t size)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	snprintf(path, size, "/proc/self/fd/%d", fd);
	return fd;
}

static void add(struct subject *s)
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

	s->image = block_image_open(&s->config, &p);
	if (!s->image)
		fail_msg("%s", p.text);
}

static int setup_config(struct subject *s, bool readonly, bool cdrom)
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
		.readonly = readonly,
		.cdrom = cdrom,
		.discard = !readonly && !cdrom,
	};
	alarm(30);
	return s->store ? 0 : -1;
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));

	*state = s;
	if (setup_config(s, false, false))
		return -1;
	open_image(s);
	add(s);
	front_init(&s->front, s->fake, BLOCK_ABI_64, 1);
	return 0;
}

static int setup_cdrom(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));

	*state = s;
	if (setup_config(s, false, true))
		return -1;
	open_image(s);
	add(s);
	front_init(&s->front, s->fake, BLOCK_ABI_64, 1);
	return 0;
}

static int teardown(void **state)
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

static void front_writes(struct subject *s, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), FRONT "/%s", name);
	assert_int_equal(store_write(s->store, path, value), 0);
}

static void front_writes_number(struct subject *s, const char *name, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	front_writes(s, name, text);
}

static void assert_node(struct subject *s, const char *path, const char *expected)
{
	char *value = store_read(s->store, path, NULL);

	if (!value)
		fail_msg("%s is not there", path);
	assert_string_equal(value, expected);
	free(value);
}

static void assert_back(struct subject *s, const char *name, const char *expected)
{
	char path[128];

	snprintf(path, sizeof(path), BACK "/%s", name);
	assert_node(s, path, expected);
}

/* What the frontend does once its nodes are written. */
static void be_initialised(struct subject *s)
{
	front_writes(s, "state", "3");
	test_loop_settle(&s->loop);
}

static void connect_ring(struct subject *s)
{
	front_writes(s, "protocol", "x86_64-abi");
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "event-channel", s->front.port);
	be_initialised(s);
	assert_back(s, "state", "4");
}

static void assert_error(struct subject *s, const char *expected)
{
	char *text = store_read(s->store, "/local/domain/0/error/backend/vbd/7/51712/error", NULL);

	assert_back(s, "state", "5");
	if (!text || !strstr(text, expected))
		fail_msg("\"%s\" does not tell of \"%s\"", text ? text : "", expected);
	free(text);
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
}

static int16_t ask_of(struct front *f, const struct front_request *r)
{
	const struct timespec pause = {.tv_nsec = 20000};
	struct front_response answer;

	front_ask(f, r);
	while (!front_answered(f, &answer))
		nanosleep(&pause, NULL);
	assert_int_equal(answer.id, r->id);
	return answer.status;
}

static int16_t ask(struct subject *s, const struct front_request *r)
{
	return ask_of(&s->front, r);
}

static void test_advertised(void **state)
{
	struct subject *s = *state;

	assert_back(s, "state", "2");
	assert_back(s, "params", s->target);
	assert_back(s, "mode", "w");
	assert_back(s, "dev", "xvda");
	assert_back(s, "device-type", "disk");
	assert_back(s, "type", "phy");
	assert_back(s, "removable", "0");
	assert_back(s, "feature-flush-cache", "1");
	assert_back(s, "feature-barrier", "1");
	assert_back(s, "feature-discard", "1");
	assert_back(s, "discard-granularity", "4096");
	assert_back(s, "discard-alignment", "0");
	assert_back(s, "discard-secure", "0");
	assert_back(s, "feature-persistent", "0");
	assert_back(s, "feature-max-indirect-segments", "256");
	assert_back(s, "max-ring-page-order", "4");
	assert_back(s, "max-ring-pages", "16");
	assert_back(s, "multi-queue-max-queues", "8");
	assert_node(s, FRONT "/virtual-device", "51712");
	assert_node(s, FRONT "/device-type", "disk");
	assert_node(s, FRONT "/state", "1");
}

static void test_used(void **state)
{
	struct subject *s = *state;
	struct block_stats stats;
	char text[10] = "";

	connect_ring(s);
	assert_back(s, "sectors", "2048");
	assert_back(s, "sector-size", "512");
	assert_back(s, "physical-sector-size", "4096");
	assert_back(s, "info", "0");
	memcpy(front_data(&s->front, 0), "xenolith", 9);
	assert_int_equal(ask(s, front_move(BLKIF_OP_WRITE, 1, 8, 0, 1)), BLKIF_RSP_OKAY);
	assert_int_equal(pread(s->file, text, 9, 4096), 9);
	assert_string_equal(text, "xenolith");
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 2, 8, 1, 1)), BLKIF_RSP_OKAY);
	assert_memory_equal(front_data(&s->front, 1), "xenolith", 9);
	assert_int_equal(ask(s, front_request(BLKIF_OP_FLUSH_DISKCACHE, 3)), BLKIF_RSP_OKAY);
	block_device_stats(s->device, &stats);
	assert_int_equal(stats.reads, 1);
	assert_int_equal(stats.writes, 1);
	assert_int_equal(stats.flushes, 1);
	assert_int_equal(stats.read_bytes, 4096);
	assert_int_equal(stats.grants_mapped, 2);
	front_writes(s, "state", "5");
	test_loop_settle(&s->loop);
	assert_back(s, "state", "5");
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
	block_device_stats(s->device, &stats);
	assert_int_equal(stats.reads, 1);
}

/* A frontend that does not say which protocol it speaks, in a guest of either width. */
static void native(struct subject *s, bool long_mode)
{
	s->fake->domain.long_mode = long_mode;
	front_init(&s->front, s->fake, long_mode ? BLOCK_ABI_64 : BLOCK_ABI_32, 1);
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "event-channel", s->front.port);
	be_initialised(s);
	assert_back(s, "state", "4");
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 0x1122334455667788, 8, 0, 1)), 0);
}

static void test_native_64(void **state)
{
	native(*state, true);
}

static void test_native_32(void **state)
{
	native(*state, false);
}

static void test_32_in_64(void **state)
{
	struct subject *s = *state;

	front_init(&s->front, s->fake, BLOCK_ABI_32, 1);
	front_writes(s, "protocol", "x86_32-abi");
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "event-channel", s->front.port);
	be_initialised(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 9, 8, 0, 1)), 0);
}

static void write_refs(struct subject *s, const char *folder, const struct front *f)
{
	char name[32];

	for (unsigned i = 0; i < f->nr_pages; i++) {
		snprintf(name, sizeof(name), "%sring-ref%u", folder, i);
		front_writes_number(s, name, f->ring_refs[i]);
	}
	snprintf(name, sizeof(name), "%sevent-channel", folder);
	front_writes_number(s, name, f->port);
}

static void test_many_pages(void **state)
{
	struct subject *s = *state;

	front_init(&s->front, s->fake, BLOCK_ABI_64, 8);
	front_writes(s, "ring-page-order", "3");
	write_refs(s, "", &s->front);
	be_initialised(s);
	assert_back(s, "state", "4");
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(ask(s, front_move(BLKIF_OP_READ, i, i, 0, 1)), 0);
}

/* The older name of it. */
static void test_num_ring_pages(void **state)
{
	struct subject *s = *state;

	front_init(&s->front, s->fake, BLOCK_ABI_64, 2);
	front_writes(s, "num-ring-pages", "2");
	write_refs(s, "", &s->front);
	be_initialised(s);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(ask(s, front_move(BLKIF_OP_READ, i, i, 0, 1)), 0);
}

static void test_order_0(void **state)
{
	struct subject *s = *state;

	front_writes(s, "ring-page-order", "0");
	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, 8, 0, 1)), 0);
}

static void test_queues(void **state)
{
	struct subject *s = *state;
	struct block_stats stats;
	struct front second;

	front_init(&s->front, s->fake, BLOCK_ABI_64, 2);
	front_init_second(&second, s->fake, BLOCK_ABI_64, 2);
	front_writes(s, "multi-queue-num-queues", "2");
	front_writes(s, "ring-page-order", "1");
	write_refs(s, "queue-0/", &s->front);
	write_refs(s, "queue-1/", &second);
	be_initialised(s);
	assert_back(s, "state", "4");
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(ask_of(&s->front, front_move(BLKIF_OP_WRITE, i, i * 8, i, 1)), 0);
		assert_int_equal(ask_of(&second, front_move(BLKIF_OP_READ, i, i * 8, 200, 1)), 0);
		assert_memory_equal(front_data(&s->front, 200), front_data(&s->front, i), 4096);
	}
	block_device_stats(s->device, &stats);
	assert_int_equal(stats.reads, 100);
	assert_int_equal(stats.writes, 100);
}

static void refused(struct subject *s, const char *expected)
{
	be_initialised(s);
	assert_error(s, expected);
	/* And begins anew. */
	front_writes(s, "state", "6");
	test_loop_settle(&s->loop);
	front_writes(s, "state", "1");
	test_loop_settle(&s->loop);
	assert_back(s, "state", "2");
}

static void test_refused(void **state)
{
	struct subject *s = *state;

	front_writes_number(s, "event-channel", s->front.port);
	refused(s, "\"ring-ref\" is missing");
	front_writes(s, "ring-ref", "many");
	refused(s, "\"ring-ref\" is missing, or no number");
	front_writes_number(s, "ring-ref", FRONT_BAD_REF);
	refused(s, "not granted");
	front_writes_number(s, "ring-ref", s->front.ring_refs[0]);
	front_writes(s, "event-channel", "77");
	refused(s, "port 77");
	front_writes_number(s, "event-channel", s->front.port);
	front_writes(s, "protocol", "sparc-abi");
	refused(s, "\"sparc-abi\" is not spoken");
	front_writes(s, "protocol", "x86_64-abi");
	front_writes(s, "ring-page-order", "5");
	refused(s, "\"ring-page-order\" is no number up to 4");
	front_writes(s, "ring-page-order", "1");
	refused(s, "\"ring-ref0\"");
	front_writes(s, "ring-page-order", "0");
	front_writes(s, "multi-queue-num-queues", "9");
	refused(s, "\"multi-queue-num-queues\" is no number up to 8");
	front_writes(s, "multi-queue-num-queues", "0");
	refused(s, "\"multi-queue-num-queues\" is 0");
	front_writes(s, "multi-queue-num-queues", "2");
	front_writes_number(s, "queue-0/ring-ref", s->front.ring_refs[0]);
	front_writes_number(s, "queue-0/event-channel", s->front.port);
	refused(s, "\"queue-1/");
	front_writes(s, "multi-queue-num-queues", "1");
	be_initialised(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, 8, 0, 1)), 0);
}

static void test_refused_pages(void **state)
{
	struct subject *s = *state;

	front_writes(s, "num-ring-pages", "3");
	refused(s, "power of 2");
	front_writes(s, "num-ring-pages", "0");
	refused(s, "power of 2");
	front_writes(s, "num-ring-pages", "32");
	refused(s, "up to 16");
}

/* A ring that makes no sense ends the connection, and a new one may follow. */
static void test_broken_ring(void **state)
{
	struct subject *s = *state;
	const struct timespec pause = {.tv_nsec = 100000};

	connect_ring(s);
	front_indexes(&s->front)->req_prod = 0x80000000;
	fake_send(s->fake, s->front.port);
	for (int i = 0; i < 1000 && block_device_bus(s->device)->connected; i++) {
		fake_send(s->fake, s->front.port);
		nanosleep(&pause, NULL);
		test_loop_settle(&s->loop);
	}
	assert_error(s, "more requests than there is room for");
	front_writes(s, "state", "6");
	test_loop_settle(&s->loop);
	front_writes(s, "state", "1");
	test_loop_settle(&s->loop);
	front_init(&s->front, s->fake, BLOCK_ABI_64, 1);
	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, 8, 0, 1)), 0);
}

static void test_kept_grants(void **state)
{
	struct subject *s = *state;

	block_device_remove(s->device);
	block_image_keep_grants(s->image, true);
	add(s);
	assert_back(s, "feature-persistent", "1");
	front_writes(s, "feature-persistent", "1");
	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_WRITE, 1, 8, 3, 1)), 0);
	assert_int_equal(fake_grant_status(s->fake, FRONT_DATA_REF + 3), GTF_reading | GTF_writing);
}

static unsigned watched;
static void count_watch(void *opaque, const char *path)
{
	(void)opaque;
	(void)path;
	watched++;
}

static void test_resized(void **state)
{
	struct subject *s = *state;
	struct store_watch w = {.fired = count_watch};

	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, SECTORS, 0, 1)), BLKIF_RSP_ERROR);
	assert_int_equal(store_watch(s->store, &w, BACK "/state"), 0);
	test_loop_settle(&s->loop);
	watched = 0;
	assert_int_equal(ftruncate(s->file, 2 * SIZE), 0);
	assert_int_equal(block_device_resized(s->device), 0);
	test_loop_settle(&s->loop);
	assert_int_equal(watched, 1);
	assert_back(s, "state", "4");
	assert_back(s, "sectors", "4096");
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 2, SECTORS, 0, 1)), BLKIF_RSP_OKAY);
	assert_int_equal(block_image_size(s->image), 2 * SIZE);
	store_unwatch(s->store, &w);
}

/* The guest's process serves the next guest from the same image. */
static void test_image_outlives_device(void **state)
{
	struct subject *s = *state;

	connect_ring(s);
	memcpy(front_data(&s->front, 0), "stays", 6);
	assert_int_equal(ask(s, front_move(BLKIF_OP_WRITE, 1, 8, 0, 1)), 0);
	block_device_remove(s->device);
	assert_false(store_exists(s->store, BACK));
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
	add(s);
	front_init(&s->front, s->fake, BLOCK_ABI_64, 1);
	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, 8, 5, 1)), 0);
	assert_memory_equal(front_data(&s->front, 5), "stays", 6);
}

static void test_reset(void **state)
{
	struct subject *s = *state;

	connect_ring(s);
	xenbus_reset(block_device_bus(s->device));
	test_loop_settle(&s->loop);
	assert_false(grants_in_use(&s->fake->domain.grants, 0));
	assert_back(s, "state", "2");
	front_init(&s->front, s->fake, BLOCK_ABI_64, 1);
	connect_ring(s);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 1, 8, 5, 1)), 0);
}

static void removed(struct xenbus_device *bus)
{
	block_device_remove(block_device_of(bus));
	watched = 1000;
}

static void test_detached(void **state)
{
	struct subject *s = *state;

	connect_ring(s);
	xenbus_detach(block_device_bus(s->device), removed);
	test_loop_settle(&s->loop);
	assert_back(s, "state", "5");
	assert_back(s, "online", "0");
	watched = 0;
	front_writes(s, "state", "6");
	test_loop_settle(&s->loop);
	assert_int_equal(watched, 1000);
	assert_false(store_exists(s->store, FRONT));
	s->device = NULL;
}

static void test_twice(void **state)
{
	struct subject *s = *state;
	struct problem p = {""};

	assert_null(
		block_device_add(&s->config, s->image, &s->loop, s->store, &s->fake->domain, &p));
	assert_non_null(strstr(p.text, "51712"));
	assert_null(block_image_open(&s->config, &p));
	assert_non_null(strstr(p.text, "in use"));
}

static void test_cdrom(void **state)
{
	struct subject *s = *state;
	struct disk_config other = s->config;
	char path[64], text[8] = "second";
	struct problem p = {""};
	int fd = make_file(path, sizeof(path));

	assert_back(s, "device-type", "cdrom");
	assert_back(s, "mode", "r");
	assert_back(s, "removable", "1");
	assert_back(s, "feature-discard", "0");
	assert_back(s, "multi-queue-max-queues", "1");
	connect_ring(s);
	assert_back(s, "info", "7");
	assert_int_equal(ask(s, front_move(BLKIF_OP_WRITE, 1, 8, 0, 1)), BLKIF_RSP_ERROR);
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 2, 8, 0, 1)), BLKIF_RSP_OKAY);
	/* Out. */
	other.target = NULL;
	other.format = DISK_EMPTY;
	assert_int_equal(block_device_change_medium(s->device, &other, &p), 0);
	assert_back(s, "sectors", "0");
	assert_back(s, "params", "");
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 3, 0, 0, 1)), BLKIF_RSP_ERROR);
	/* Another in; one that is not there leaves it. */
	assert_int_equal(ftruncate(fd, 8192), 0);
	assert_int_equal(pwrite(fd, text, sizeof(text), 0), sizeof(text));
	other.target = path;
	other.format = DISK_RAW;
	assert_int_equal(block_device_change_medium(s->device, &other, &p), 0);
	other.target = s->vdev;
	assert_int_equal(block_device_change_medium(s->device, &other, &p), -1);
	assert_back(s, "sectors", "16");
	assert_back(s, "params", path);
	assert_back(s, "state", "4");
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 4, 0, 0, 1)), BLKIF_RSP_OKAY);
	assert_memory_equal(front_data(&s->front, 0), text, sizeof(text));
	close(fd);
}

static void test_no_drive(void **state)
{
	struct subject *s = *state;
	struct problem p = {""};

	assert_int_equal(block_device_change_medium(s->device, &s->config, &p), -1);
	assert_non_null(strstr(p.text, "xvda"));
}

#define TEST(test)       cmocka_unit_test_setup_teardown(test, setup, teardown)
#define TEST_CDROM(test) cmocka_unit_test_setup_teardown(test, setup_cdrom, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_advertised),
		TEST(test_used),
		TEST(test_native_64),
		TEST(test_native_32),
		TEST(test_32_in_64),
		TEST(test_many_pages),
		TEST(test_num_ring_pages),
		TEST(test_order_0),
		TEST(test_queues),
		TEST(test_refused),
		TEST(test_refused_pages),
		TEST(test_broken_ring),
		TEST(test_kept_grants),
		TEST(test_resized),
		TEST(test_image_outlives_device),
		TEST(test_reset),
		TEST(test_detached),
		TEST(test_twice),
		TEST_CDROM(test_cdrom),
		TEST(test_no_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
