// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/loader/kernel.h"

static const char help[] =
	"usage: xenolith extract-kernel FILE OUT\n\n"
	"Write the ELF kernel inside FILE (a bzImage or a compressed ELF file) to OUT. A guest that is\n"
	"started often starts faster from OUT, as nothing has to be unpacked.\n";

int extract_kernel_main(int argc, char **argv)
{
	struct kernel kernel;
	struct problem p;
	int rc;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return 0;
	}
	if (argc != 3) {
		fprintf(stderr,
			"xenolith: extract-kernel takes FILE and OUT, not %d argument(s); "
			"see 'xenolith extract-kernel --help'\n",
			argc - 1);
		return EXIT_USAGE;
	}
	rc = kernel_open(&kernel, argv[1], &p);
	if (!rc) {
		rc = kernel_write_elf(&kernel, argv[2], &p);
		kernel_close(&kernel);
	}
	if (rc) {
		fprintf(stderr, "xenolith: %s\n", p.text);
		return EXIT_FAILED;
	}
	return 0;
}
