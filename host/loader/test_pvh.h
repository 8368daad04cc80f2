/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of pvh_load() have in common: an image, RAM, and a folder with modules. */
#ifndef HOST_LOADER_TEST_PVH_H
#define HOST_LOADER_TEST_PVH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/loader/pvh.h"
#include "host/loader/test_image.h"

#define RAM_SIZE (4u << 20)
#define MODULES  6

extern struct test_image image;
extern struct kernel kernel;
extern uint8_t memory[RAM_SIZE];
extern struct ram ram;

/* Files mod0, mod1, ...: sizes around pages, each full of its number. */
extern const char *const module_names[MODULES];

/* For the group of tests: they run in a folder of their own, which has the modules and a file
 * "empty". */
int pvh_folder_make(void **state);
int pvh_folder_remove(void **state);

/* RAM of zeros, this size (at most RAM_SIZE). */
void fresh(uint64_t size);
/* The image as the kernel, by the name "k". */
void parse(void);
void write_file(const char *name, const void *bytes, size_t size);

#endif
