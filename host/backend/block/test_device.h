/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of a disk as a device share: the real store and bus, a real image, and a frontend
 * that the test plays.
 */
#ifndef HOST_BACKEND_BLOCK_TEST_DEVICE_H
#define HOST_BACKEND_BLOCK_TEST_DEVICE_H

#include "host/backend/block/block.h"
#include "host/backend/block/test_frontend.h"
#include "shim/fake_test.h"

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
};

/* A disk of SIZE bytes, to be written or a CD, and a frontend that has said nothing yet. */
int setup(void **state);
int setup_cdrom(void **state);
int teardown(void **state);

/* An empty file of no folder: its descriptor, and the path that it has as long as that is open. */
int make_file(char *path, size_t size);

/* Show s->image. */
void add(struct subject *s);

/* Nodes of the frontend's folder. */
void front_writes(struct subject *s, const char *name, const char *value);
void front_writes_number(struct subject *s, const char *name, unsigned value);
/* What the frontend does once its nodes are written. */
void be_initialised(struct subject *s);
/* All of it, for a ring of one page. */
void connect_ring(struct subject *s);

/* A node anywhere; one of the backend's folder; and the reason why the device is Closing. */
void assert_node(struct subject *s, const char *path, const char *expected);
void assert_back(struct subject *s, const char *name, const char *expected);
void assert_error(struct subject *s, const char *expected);

/* One request, and its status once it is answered. */
int16_t ask_of(struct front *f, const struct front_request *r);
int16_t ask(struct subject *s, const struct front_request *r);

#define DISK_TEST(test)  cmocka_unit_test_setup_teardown(test, setup, teardown)
#define CDROM_TEST(test) cmocka_unit_test_setup_teardown(test, setup_cdrom, teardown)

#endif
