// SPDX-License-Identifier: BSD-2-Clause
/*
 * Disk specifications against libxlutil, Xen's own parser: the examples of xl's documentation, and
 * specifications put together at random from what they are made of
 * (without "trusted", which Xen 4.17's does not know). Both must take or refuse each,
 * and understand the same. And the numbers of disks, and what cannot be attached here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <libxl.h>
#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/disk_spec.h"
#include "host/config/vdev.h"
#include "shim/types.h"

static FILE *nowhere;

static enum disk_format format_of(libxl_disk_format format)
{
	switch (format) {
	case LIBXL_DISK_FORMAT_RAW:
		return DISK_RAW;
	case LIBXL_DISK_FORMAT_QCOW:
		return DISK_QCOW;
	case LIBXL_DISK_FORMAT_QCOW2:
		return DISK_QCOW2;
	case LIBXL_DISK_FORMAT_QED:
		return DISK_QED;
	case LIBXL_DISK_FORMAT_VHD:
		return DISK_VHD;
	case LIBXL_DISK_FORMAT_EMPTY:
		return DISK_EMPTY;
	default:
		fail_msg("a format %d of libxl", format);
		return DISK_RAW;
	}
}

static const char *backend_of(libxl_disk_backend backend)
{
	switch (backend) {
	case LIBXL_DISK_BACKEND_PHY:
		return "phy";
	case LIBXL_DISK_BACKEND_TAP:
		return "tap";
	case LIBXL_DISK_BACKEND_QDISK:
		return "qdisk";
	case LIBXL_DISK_BACKEND_STANDALONE:
		return "standalone";
	default:
		return NULL;
	}
}

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* libxl's default, libxl__device_disk_setdefault(): whatever can be written. */
static bool discards(const libxl_device_disk *theirs)
{
	if (libxl_defbool_is_default(theirs->discard_enable))
		return theirs->readwrite;
	return libxl_defbool_val(theirs->discard_enable);
}

static void compare(const char *spec, const struct disk_config *ours, libxl_device_disk *theirs)
{
	if (!same_string(ours->target, theirs->pdev_path) ||
	    !same_string(ours->vdev, theirs->vdev) || !same_string(ours->script, theirs->script) ||
	    !same_string(ours->backendtype, backend_of(theirs->backend)) ||
	    ours->format != format_of(theirs->format) || ours->readonly == !!theirs->readwrite ||
	    ours->cdrom != !!theirs->is_cdrom || ours->direct_io_safe != theirs->direct_io_safe ||
	    ours->discard != discards(theirs))
		fail_msg("'%s': target '%s' and '%s', vdev '%s' and '%s', format %s, readonly %d, "
			 "cdrom %d and %d, discard %d and %d",
			 spec, ours->target, theirs->pdev_path, ours->vdev, theirs->vdev,
			 disk_format_name(ours->format), ours->readonly, ours->cdrom,
			 theirs->is_cdrom, ours->discard, discards(theirs));
}

/* The parts are one specification, as arguments of block-attach are. Is it one? */
static bool check(const char *const *parts, unsigned nr)
{
	XLU_Config *xlu = xlu_cfg_init(nowhere, "test");
	struct disk_config ours;
	libxl_device_disk theirs;
	struct problem p;
	int us, them;

	libxl_device_disk_init(&theirs);
	them = xlu_disk_parse(xlu, (int)nr, parts, &theirs);
	us = disk_spec_read(parts, nr, &ours, &p);
	if (!us != !them)
		fail_msg("'%s'...: libxlutil %s it, we %s it (%s)", parts[0],
			 them ? "refuses" : "takes", us ? "refuse" : "take", us ? p.text : "");
	if (!us)
		compare(parts[0], &ours, &theirs);
	disk_config_free(&ours);
	libxl_device_disk_dispose(&theirs);
	xlu_cfg_destroy(xlu);
	return !us;
}

/* What xl-disk-configuration(5) and old configuration files have. */
static void documented_ones(void **state)
{
	static const char *const good[] = {
		"/dev/vg/guest-volume,,hda",
		"/dev/vg/guest-volume,raw,hda,rw",
		"format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume",
		"raw:/dev/vg/guest-volume,hda,w",
		"/root/image.iso,,hdc,cdrom",
		"/root/image.iso,,hdc,,cdrom",
		"/root/image.iso,raw,hdc,devtype=cdrom",
		"format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso",
		"raw:/root/image.iso,hdc:cdrom,ro",
		"backendtype=phy,vdev=xvdb,access=w,target=/dev/vg/guest-volume",
		"devtype=cdrom,,,hdc",
		",,hdc:cdrom,r",
		",hdc:cdrom,r",
		"vdev=hdc,access=r,devtype=cdrom,target=",
		",empty,hdc:cdrom,r",
		"vdev=hdc,access=r,devtype=cdrom,format=empty",
		"vdev=hdc,access=r,devtype=cdrom",
		"iscsi:iqn.2001-05.com.equallogic:0-8a0906,xvda,w",
		"vdev=xvda,access=w,script=block-iscsi,target=iqn.2001-05.com:0-8a",
		"drbd:app01,hda,w",
		"cdrom,no-discard,vdev=hda,target=/some/disk/image.iso",
		"tap:aio:/srv/a.img,xvda,w",
		"tap2:qcow2:/srv/a.img,xvda,w",
		"file:/srv/a.img,xvda1,w",
		"phy:vg/volume,sda1,r",
		"host:volume,,xvda",
	};
	static const char *const bad[] = {
		"",
		"foo",
		"foo=bar",
		"/a,raw,xvda,rwx",
		"/a,ext4,xvda",
		"/a,raw,xvda,rw,more",
		"nfs:/a,xvda,w",
		"vdev=xvda,vdev=xvdb,target=/a",
		"qcow2:raw:/a,xvda",
		"vdev=xvda",
		"devtype=tape,vdev=st0,target=/a",
		"backendtype=nbd,vdev=xvda,target=/a",
		"specification=nvme,vdev=xvda,target=/a",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(check(&good[i], 1));
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(check(&bad[i], 1));
}

/* block-attach's words are one specification. */
static void in_several_parts(void **state)
{
	static const char *const words[] = {"format=raw", "vdev=hda", "access=rw", "discard",
					    "target=/dev/vg/guest-volume"};

	(void)state;
	assert_true(check(words, ARRAY_SIZE(words)));
	assert_false(check(words, 1));
}

/* Repeatable, unlike rand()'s seed of the day. */
static unsigned pick(uint32_t *seed, unsigned n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static void random_ones(void **state)
{
	static const char *const words[] = {
		"",
		"/a",
		"raw",
		"qcow2",
		"empty",
		"xvda",
		"hdc:cdrom",
		"sdb:disk",
		"w",
		"r",
		"ro",
		"rw",
		"cdrom",
		"discard",
		"no-discard",
		"direct-io-safe",
		"vdev=xvdb",
		"vdev=",
		"format=raw",
		"format=",
		"format=qed",
		"access=r",
		"access=",
		"access=x",
		"devtype=cdrom",
		"devtype=disk",
		"devtype=x",
		"script=s",
		"backend=d",
		"backendtype=phy",
		"backendtype=tap",
		"target=/b",
		"target=",
		"phy:/c",
		"file:",
		"tap:aio:/d",
		"qcow2:/e",
		"raw:",
		"nbd:x",
		"nfs:/x",
		"a:b",
		"x=y",
		"cdrom ",
		" qcow",
		" ",
		"specification=xen",
		"access=rw",
		"raw:qcow:/f",
		"aio:raw:/g",
		"hdc:",
	};
	uint32_t seed = 1;
	unsigned taken = 0;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char text[256] = "";
		const char *spec = text;
		unsigned n = 1 + pick(&seed, 5);

		for (unsigned i = 0; i < n; i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 i ? "," : "", words[pick(&seed, ARRAY_SIZE(words))]);
		taken += check(&spec, 1);
	}
	/* Both outcomes have been seen often. */
	assert_true(taken > 200 && taken < 19000);
}

static void numbers_of_disks(void **state)
{
	static const struct {
		const char *vdev;
		uint32_t devid;
	} good[] = {
		{"xvda", 51712},
		{"xvda1", 51713},
		{"xvda15", 51727},
		{"xvda16", 1u << 28 | 16},
		{"xvdp", 202 << 8 | 15 << 4},
		{"xvdq", 1u << 28 | 16 << 8},
		{"xvdz3", 1u << 28 | 25 << 8 | 3},
		{"xvdaa", 1u << 28 | 26 << 8},
		{"xvdba2", 1u << 28 | 52 << 8 | 2},
		{"d0p1", 51713},
		{"d0p0", 51712},
		{"d17p200", 1u << 28 | 17 << 8 | 200},
		{"d0x10p0x1", 1u << 28 | 16 << 8 | 1},
		{"d1048575p255", 1u << 28 | 1048575u << 8 | 255},
		{"hda", 768},
		{"hdb1", 833},
		{"hdc", 5632},
		{"hdd63", 5759},
		{"sda", 2048},
		{"sdp15", 2303},
		{"51712", 51712},
		{"0xca00", 51712},
		{"2147483647", 2147483647},
	};
	static const char *const bad[] = {
		"",        "xvd",        "xvd1",    "xvda0",      "xvda01",
		"xvda256", "xvda1x",     "hde",     "hda64",      "sdq",
		"sda16",   "vda",        "d0",      "d0p256",     "d-1p0",
		"d0p1x",   "dp",         "nvme0n1", "d1048576p0", "XVDA",
		"xvdA",    "2147483648", "-1",      "1x",         "xvdzzzzzzzzzzzzzzzzzzzzzzz",
	};
	uint32_t devid;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		if (vdev_devid(good[i].vdev, &devid) || devid != good[i].devid)
			fail_msg("%s is not %u", good[i].vdev, good[i].devid);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (!vdev_devid(bad[i], &devid))
			fail_msg("%s is %u", bad[i], devid);
}

static void what_cannot_be_attached(void **state)
{
	static const struct {
		const char *spec, *reason;
	} bad[] = {
		{"/a,,vda", "is not a name of a disk"},
		{"drbd:a,xvda,w", "hotplug scripts (block-drbd)"},
		{"/a,,xvda,w,backend=disks", "no driver domains such as 'disks'"},
		{"specification=virtio,vdev=xvda,target=/a", "only specification=xen"},
		{",empty,xvda,w", "only a cdrom can be empty"},
		{"/a,empty,xvda,cdrom", "it is said to be empty, and has the target '/a'"},
		{"vdev=xvda,target=", "no target"},
	};
	struct disk_config disk;
	const char *spec = "/a,raw,xvda,w,backend=Domain-0";
	struct problem p;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(disk_spec_parse(&bad[i].spec, 1, &disk, &p), -1);
		if (!strstr(p.text, bad[i].reason))
			fail_msg("%s: %s", bad[i].spec, p.text);
		disk_config_free(&disk);
	}
	assert_int_equal(disk_spec_parse(&spec, 1, &disk, &p), 0);
	assert_int_equal(disk.devid, 51712);
	disk_config_free(&disk);
	spec = ",,hdc:cdrom,r";
	assert_int_equal(disk_spec_parse(&spec, 1, &disk, &p), 0);
	assert_null(disk.target);
	assert_int_equal(disk.format, DISK_EMPTY);
	disk_config_free(&disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documented_ones),
		cmocka_unit_test(in_several_parts),
		cmocka_unit_test(random_ones),
		cmocka_unit_test(numbers_of_disks),
		cmocka_unit_test(what_cannot_be_attached),
	};
	int failed;

	nowhere = fopen("/dev/null", "w");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fclose(nowhere);
	return failed;
}
