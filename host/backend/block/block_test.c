// SPDX-License-Identifier: BSD-2-Clause
/* The disk as a device: the real store and bus, real images, and a frontend that the test plays. */
#include "host/backend/block/test_device.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/xenstore/test_loop.h"
#include "shim/fake_events.h"

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
	assert_null(block_image_open(&s->config, NULL, &p));
	assert_non_null(strstr(p.text, "in use"));
}

static int change_medium(struct subject *s, const struct disk_config *config, struct problem *p)
{
	int fds[BLOCK_IMAGE_FDS];
	unsigned nr;

	return block_image_prepare(config, fds, &nr, p)
		       ? -1
		       : block_device_change_medium(s->device, config, fds, nr, p);
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
	assert_int_equal(change_medium(s, &other, &p), 0);
	assert_back(s, "sectors", "0");
	assert_back(s, "params", "");
	assert_int_equal(ask(s, front_move(BLKIF_OP_READ, 3, 0, 0, 1)), BLKIF_RSP_ERROR);
	/* Another in; one that is not there leaves it. */
	assert_int_equal(ftruncate(fd, 8192), 0);
	assert_int_equal(pwrite(fd, text, sizeof(text), 0), sizeof(text));
	other.target = path;
	other.format = DISK_RAW;
	assert_int_equal(change_medium(s, &other, &p), 0);
	other.target = s->vdev;
	assert_int_equal(change_medium(s, &other, &p), -1);
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
	struct disk_config other = {.format = DISK_EMPTY};
	struct problem p = {""};

	assert_int_equal(change_medium(s, &other, &p), -1);
	assert_non_null(strstr(p.text, "xvda"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(test_advertised),
		DISK_TEST(test_used),
		DISK_TEST(test_broken_ring),
		DISK_TEST(test_resized),
		DISK_TEST(test_image_outlives_device),
		DISK_TEST(test_reset),
		DISK_TEST(test_detached),
		DISK_TEST(test_twice),
		CDROM_TEST(test_cdrom),
		DISK_TEST(test_no_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
