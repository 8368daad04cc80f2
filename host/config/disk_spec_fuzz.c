// SPDX-License-Identifier: BSD-2-Clause
/* Disk specifications, in one part and cut into two at a line feed. */
#include <stdlib.h>
#include <string.h>

#include "host/config/disk_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *const *parts, unsigned nr)
{
	struct disk_config d;
	struct problem p;

	if (!disk_spec_parse(parts, nr, &d, &p)) {
		if (!d.vdev || !d.target != (d.format == DISK_EMPTY) || d.script ||
		    !disk_format_name(d.format) || (d.cdrom && !d.readonly))
			abort();
	}
	disk_config_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	const char *parts[2] = {text};
	char *cut;

	if (!text)
		return 0;
	check(parts, 1);
	cut = strchr(text, '\n');
	if (cut) {
		*cut = '\0';
		parts[1] = cut + 1;
		check(parts, 2);
	}
	free(text);
	return 0;
}
