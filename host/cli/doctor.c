// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

static const char usage[] =
	"usage: xenolith doctor [--json | --features] [--device PATH]\n"
	"\n"
	"Tries out what this host's KVM can do and says which guests will run, and the\n"
	"remedy for each lack. Runs a dozen guests of a few instructions each; takes a\n"
	"second at most, needs no root, changes nothing.\n"
	"\n"
	"  --json           the report as JSON\n"
	"  --features       one word per line for each thing that works, for scripts:\n"
	"                   xenolith doctor --features | grep -qx run-pvh\n"
	"  --device PATH    the KVM device (default /dev/kvm)\n"
	"  --help           this text\n"
	"\n"
	"Exit status: 0 PVH guests will run here, 1 they will not, 2 wrong usage.\n";

enum format { TEXT, JSON, FEATURES };

static int report(enum format format, const char *path)
{
	struct kvm_facts facts;
	int failed = 0;

	probe_kvm(path, &facts);
	if (format == JSON)
		failed = doctor_json(stdout, &facts);
	else if (format == FEATURES)
		doctor_features(stdout, &facts);
	else
		doctor_text(stdout, &facts);

	if (fflush(stdout) != 0 || ferror(stdout) || failed) {
		fprintf(stderr, "xenolith: doctor: standard output: %s\n",
			failed ? "out of memory" : strerror(errno));
		return DOCTOR_LACKS;
	}
	return doctor_runs(&facts, DOCTOR_PVH) ? DOCTOR_RUNS : DOCTOR_LACKS;
}

int doctor_main(int argc, char **argv)
{
	enum { OPT_JSON = 256, OPT_FEATURES, OPT_DEVICE };
	static const struct option options[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"features", no_argument, NULL, OPT_FEATURES},
		{"device", required_argument, NULL, OPT_DEVICE},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *path = "/dev/kvm";
	enum format format = TEXT;
	int option;

	opterr = 0; /* one line, and that is ours */
	optind = 0; /* main() has been here already: start afresh (getopt(3), glibc) */
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case OPT_JSON:
			format = JSON;
			break;
		case OPT_FEATURES:
			format = FEATURES;
			break;
		case OPT_DEVICE:
			path = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return DOCTOR_RUNS;
		case ':':
			fprintf(stderr, "xenolith: doctor: '%s': needs a value, see --help\n",
				argv[optind - 1]);
			return DOCTOR_USAGE;
		default:
			fprintf(stderr, "xenolith: doctor: '%s': no such option, see --help\n",
				argv[optind - 1]);
			return DOCTOR_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "xenolith: doctor: '%s': takes no arguments, see --help\n",
			argv[optind]);
		return DOCTOR_USAGE;
	}
	return report(format, path);
}
