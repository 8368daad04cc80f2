// SPDX-License-Identifier: BSD-2-Clause
/* Kernels in files: every form of one, what is wrong with files, and writing the ELF file out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "host/loader/bzimage.h"
#include "host/loader/kernel.h"
#include "host/loader/test_image.h"

static struct test_image image;
static uint8_t packed[1 << 16], boot[1 << 17];
static size_t packed_size;
static char folder[] = "/tmp/xenolith-file-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	image_kernel(&image, true);
	packed_size = ZSTD_compress(packed, sizeof(packed), image.bytes, image.size, 3);
	/* The size word, as Linux's build appends it. */
	memcpy(packed + packed_size, &(uint32_t){image.size}, 4);
	packed_size += 4;
	return ZSTD_isError(packed_size) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder);
}

static void put_file(const char *name, const void *bytes, size_t size)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void assert_file(const char *name, const void *bytes, size_t size)
{
	uint8_t *got = malloc(size + 1);
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_int_equal(fread(got, 1, size + 1, f), size);
	assert_memory_equal(got, bytes, size);
	fclose(f);
	free(got);
}

static void assert_opens(const void *bytes, size_t size, const char *method)
{
	struct kernel k;
	struct problem p = {""};

	put_file("kernel", bytes, size);
	if (kernel_open(&k, "kernel", &p))
		fail_msg("%s", p.text);
	if (method)
		assert_string_equal(k.packed, method);
	else
		assert_null(k.packed);
	assert_int_equal(k.elf.size, image.size);
	assert_memory_equal(k.elf.bytes, image.bytes, image.size);
	assert_int_equal(k.notes.phys32_entry, 1 << 20);
	kernel_close(&k);
	unlink("kernel");
}

static void assert_refused(const void *bytes, size_t size, const char *why)
{
	struct kernel k;
	struct problem p = {""};

	put_file("kernel", bytes, size);
	assert_int_equal(kernel_open(&k, "kernel", &p), -1);
	if (strncmp(p.text, "kernel: ", 8) != 0 || !strstr(p.text, why))
		fail_msg("\"%s\" does not say \"%s\"", p.text, why);
	unlink("kernel");
}

static void test_forms(void **state)
{
	(void)state;
	assert_opens(image.bytes, image.size, NULL);
	assert_opens(packed, packed_size, "zstd");
	assert_opens(boot, image_bzimage(boot, packed, packed_size, 0x020f), "zstd");
	assert_opens(boot, image_bzimage(boot, packed, packed_size, 0x0208), "zstd");
	/* Uncompressed in a bzImage, as CONFIG_KERNEL_UNCOMPRESSED makes it on some architectures.
	 */
	assert_opens(boot, image_bzimage(boot, image.bytes, image.size, 0x020f), NULL);
}

/* Zero setup sectors mean four, for history's sake (boot.rst). */
static void test_default_sectors(void **state)
{
	size_t size = image_bzimage(boot, packed, packed_size, 0x020f);

	(void)state;
	memmove(boot + 5 * 512, boot + 3 * 512, size - 3 * 512);
	boot[0x1f1] = 0;
	assert_opens(boot, size + 2 * 512, "zstd");
}

static void test_bad_bzimage(void **state)
{
	size_t size = image_bzimage(boot, packed, packed_size, 0x0207);

	(void)state;
	assert_refused(boot, size, "boot protocol 2.07");
	size = image_bzimage(boot, packed, packed_size, 0x020f);
	assert_refused(boot, 0x24f, "only 591 bytes");
	assert_refused(boot, size - 1, "passes the file's end");
	memset(boot + 0x24c, 0, 4);
	assert_refused(boot, size, "no compressed kernel");
	memset(boot + 0x248, 0xff, 8);
	assert_refused(boot, size, "passes the file's end");
	size = image_bzimage(boot, "\x89LZO....", 8, 0x020f);
	assert_refused(boot, size, "compressed in a way not known here");
	size = image_bzimage(boot, packed, packed_size / 2, 0x020f);
	assert_refused(boot, size, "zstd stream ends early");
}

/* Without the magic or the boot flag it is no bzImage, and nothing else either. */
static void test_no_bzimage(void **state)
{
	size_t size = image_bzimage(boot, packed, packed_size, 0x020f);

	(void)state;
	assert_true(bzimage_magic(boot, size));
	assert_false(bzimage_magic(boot, 0x207));
	boot[0x1fe] = 0;
	assert_refused(boot, size, "neither an ELF kernel nor a bzImage");
	size = image_bzimage(boot, packed, packed_size, 0x020f);
	boot[0x202] = 'h';
	assert_refused(boot, size, "neither an ELF kernel nor a bzImage");
}

static void test_packed_nonsense(void **state)
{
	static uint8_t text[4096];
	size_t size = ZSTD_compress(boot, sizeof(boot), text, sizeof(text), 3);

	(void)state;
	assert_refused(boot, size, "what it holds in zstd is no ELF kernel");
	size = ZSTD_compress(boot, sizeof(boot), text, 0, 3);
	assert_refused(boot, size, "what it holds in zstd is no ELF kernel");
}

static void assert_unopenable(const char *path, const char *why)
{
	struct kernel k;
	struct problem p = {""};

	assert_int_equal(kernel_open(&k, path, &p), -1);
	if (strncmp(p.text, path, strlen(path)) != 0 || !strstr(p.text, why))
		fail_msg("\"%s\" does not say \"%s\"", p.text, why);
}

static void test_bad_paths(void **state)
{
	(void)state;
	assert_unopenable("absent", "cannot open: No such file");
	assert_unopenable(".", "not a regular file");
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_unopenable("fifo", "not a regular file"); /* and does not wait for a writer */
	unlink("fifo");
	put_file("empty", "", 0);
	assert_unopenable("empty", "is empty");
	unlink("empty");
}

static void test_write_elf(void **state)
{
	struct kernel k;
	struct problem p = {""};

	(void)state;
	put_file("boot", boot, image_bzimage(boot, packed, packed_size, 0x020f));
	put_file("out", packed, sizeof(packed)); /* longer: must be cut */
	assert_int_equal(kernel_open(&k, "boot", &p), 0);
	assert_int_equal(kernel_write_elf(&k, "out", &p), 0);
	assert_file("out", image.bytes, image.size);

	assert_int_equal(kernel_write_elf(&k, "./boot", &p), -1);
	assert_string_equal(p.text, "./boot: is the kernel itself; give another file to write to");
	assert_file("boot", boot, image_bzimage(boot, packed, packed_size, 0x020f));

	assert_int_equal(kernel_write_elf(&k, "absent/out", &p), -1);
	assert_non_null(strstr(p.text, "absent/out: cannot open for writing: No such file"));
	assert_int_equal(kernel_write_elf(&k, "/dev/full", &p), -1);
	assert_non_null(strstr(p.text, "/dev/full: cannot write"));
	kernel_close(&k);
	unlink("boot");
	unlink("out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),           cmocka_unit_test(test_default_sectors),
		cmocka_unit_test(test_bad_bzimage),     cmocka_unit_test(test_no_bzimage),
		cmocka_unit_test(test_packed_nonsense), cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_write_elf),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
