// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/bzimage.h"

#include <string.h>

/* Offsets of the setup header's fields in the file. */
enum {
	SETUP_SECTS = 0x1f1,
	BOOT_FLAG = 0x1fe,
	HEADER_MAGIC = 0x202,
	VERSION = 0x206,
	PAYLOAD_OFFSET = 0x248,
	PAYLOAD_LENGTH = 0x24c,
	HEADER_END = 0x250,
};

#define SECTOR           512
#define DEFAULT_SECTORS  4
#define PAYLOAD_PROTOCOL 0x0208 /* the first version with a payload offset and length */

static uint32_t word(const uint8_t *bytes, unsigned at, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, bytes + at, size);
	return value;
}

bool bzimage_magic(const uint8_t *bytes, size_t size)
{
	return size >= VERSION + 2 && word(bytes, BOOT_FLAG, 2) == 0xaa55 &&
	       memcmp(bytes + HEADER_MAGIC, "HdrS", 4) == 0;
}

int bzimage_payload(const uint8_t *bytes, size_t size, const char *name, size_t *offset,
		    size_t *length, struct problem *p)
{
	unsigned version = word(bytes, VERSION, 2);
	uint64_t sectors = bytes[SETUP_SECTS];
	uint64_t start, bytes_long;

	if (version < PAYLOAD_PROTOCOL)
		return problem(p,
			       "%s: a bzImage of boot protocol %u.%02u does not say where its "
			       "kernel is (2.08 and later do); give the vmlinux",
			       name, version >> 8, version & 0xff);
	if (size < HEADER_END)
		return problem(p,
			       "%s: a bzImage of only %zu bytes; the file is truncated, fetch "
			       "it again",
			       name, size);
	if (!sectors)
		sectors = DEFAULT_SECTORS;
	/* The offset counts from the protected-mode code, behind boot sector and setup. */
	start = (1 + sectors) * SECTOR + word(bytes, PAYLOAD_OFFSET, 4);
	bytes_long = word(bytes, PAYLOAD_LENGTH, 4);
	if (!bytes_long)
		return problem(p, "%s: the bzImage holds no compressed kernel; give the vmlinux",
			       name);
	if (start > size || bytes_long > size - start)
		return problem(p,
			       "%s: the bzImage's kernel, %llu bytes at %#llx, passes the file's "
			       "end at %#zx; the file is truncated, fetch it again",
			       name, (unsigned long long)bytes_long, (unsigned long long)start,
			       size);
	*offset = start;
	*length = bytes_long;
	return 0;
}
