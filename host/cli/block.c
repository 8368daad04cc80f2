// SPDX-License-Identifier: BSD-2-Clause
/*
 * block-attach, block-list, block-detach, block-resize, cd-insert and cd-eject.
 *
 * The guest's process may open no files once the guest runs, so the image is opened here, and goes
 * along as descriptors.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/backend/block/block.h"
#include "host/cli/program.h"
#include "host/config/config_json.h"
#include "host/config/disk_spec.h"
#include "host/config/vdev.h"

/* The same disk in one specification, with the target's full path: its process is elsewhere. */
static char *whole_spec(const struct disk_config *d)
{
	char *path = d->target ? realpath(d->target, NULL) : NULL, *spec;
	int rc;

	rc = asprintf(&spec, "format=%s,vdev=%s,access=%s,devtype=%s,%s%s%s%s,target=%s",
		      disk_format_name(d->format), d->vdev, d->readonly ? "ro" : "rw",
		      d->cdrom ? "cdrom" : "disk", d->discard ? "discard" : "no-discard",
		      d->direct_io_safe ? ",direct-io-safe" : "",
		      d->backendtype ? ",backendtype=" : "", d->backendtype ? d->backendtype : "",
		      path ? path : "");
	free(path);
	return rc < 0 ? NULL : spec;
}

/* command: block-attach or cd-insert. */
static int attach(const char *domain, const char *command, const struct disk_config *d)
{
	struct control_guest guest = find_guest(domain);
	int fds[BLOCK_IMAGE_FDS], status;
	struct problem p;
	unsigned nr_fds;
	char *spec;

	if (block_image_prepare(d, fds, &nr_fds, &p))
		return fail(&p);
	spec = whole_spec(d);
	status = order_with(&guest, json_pack("{s:s, s:s}", "command", command, "disk", spec), fds,
			    nr_fds);
	free(spec);
	while (nr_fds)
		close(fds[--nr_fds]);
	return status;
}

static int block_attach_main(int argc, char **argv)
{
	struct disk_config d;
	struct problem p;
	int status;

	only_arguments(argc, argv, &block_attach_command, 2, argc);
	if (disk_spec_parse((const char *const *)argv + optind + 1, argc - optind - 1, &d, &p))
		status = fail(&p);
	else if (program.dry_run)
		status = print_dry_run("disk", disk_config_json(&d));
	else
		status = attach(argv[optind], "block-attach", &d);
	disk_config_free(&d);
	return status;
}

/* xl's columns; what it calls the handle is the guest's domid. */
static void print_header(void)
{
	printf("%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n", "Vdev", "BE", "handle", "state", "evt-ch",
	       "ring-ref", "BE-path");
}

static void print_disk(const struct control_guest *guest, const json_t *d)
{
	printf("%-5lld %-3lld %-6u %-5lld %-6lld %-8lld %-30s\n", number_of(d, "devid", -1),
	       number_of(d, "backend_id", 0), guest->domid, number_of(d, "state", -1),
	       number_of(d, "event_channel", -1), number_of(d, "ring_ref", -1),
	       string_of(d, "backend_path"));
}

static int block_list_main(int argc, char **argv)
{
	only_arguments(argc, argv, &block_list_command, 1, argc);
	return print_lists(argv + optind, argc - optind, "block-list", print_header, print_disk);
}

/* The number of the disk that is named so; if it is no name of one, the program ends. */
static json_int_t disk_number(const char *name)
{
	uint32_t devid;

	if (vdev_devid(name, &devid))
		exit(failf("'%s' is not the name or the number of a disk, such as xvda or 51712",
			   name));
	return devid;
}

static int block_detach_main(int argc, char **argv)
{
	static const struct option words[] = {
		{"force", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
	bool force = false, late;
	struct control_guest guest;
	const char *vdev;
	int status;

	while (next_option(argc, argv, &block_detach_command, "f", words, 2, 2) != -1)
		force = true;
	guest = find_guest(argv[optind]);
	vdev = argv[optind + 1];
	status = order_within(&guest,
			      json_pack("{s:s, s:I, s:b, s:s}", "command", "block-detach", "devid",
					disk_number(vdev), "force", (int)force, "vdev", vdev),
			      DETACH_PATIENCE_S, &late);
	if (late)
		failf("%s has not let go of %s within %d s, and will when nothing uses it there "
		      "any more; --force does not wait",
		      guest.name, vdev, DETACH_PATIENCE_S);
	return status;
}

/*
 * cd-insert and cd-eject: another medium in a CD drive.
 */

static int change_medium(const char *domain, const char *vdev, const char *target)
{
	char *spec;
	struct disk_config d = {0};
	struct problem p;
	int status;

	if (asprintf(&spec, "vdev=%s,access=ro,devtype=cdrom,target=%s", vdev, target) < 0)
		return failf("out of memory");
	status = disk_spec_parse((const char *const *)&spec, 1, &d, &p)
			 ? fail(&p)
			 : attach(domain, "cd-insert", &d);
	disk_config_free(&d);
	free(spec);
	return status;
}

static int cd_insert_main(int argc, char **argv)
{
	only_arguments(argc, argv, &cd_insert_command, 3, 3);
	return change_medium(argv[optind], argv[optind + 1], argv[optind + 2]);
}

static int cd_eject_main(int argc, char **argv)
{
	only_arguments(argc, argv, &cd_eject_command, 2, 2);
	return change_medium(argv[optind], argv[optind + 1], "");
}

static int block_resize_main(int argc, char **argv)
{
	only_arguments(argc, argv, &block_resize_command, 2, 2);
	return order(argv[optind], json_pack("{s:s, s:I}", "command", "block-resize", "devid",
					     disk_number(argv[optind + 1])));
}

const struct command block_attach_command = {
	.name = "block-attach",
	.arguments = "DOMAIN SPECIFICATION...",
	.summary = "give a guest another disk",
	.main = block_attach_main,
	.dry_run = true,
	.help = "The specification is as in the configuration file: xl-disk-configuration(5).\n\n"
		"Try: xenolith block-attach guest /srv/data.img,raw,xvdb,w\n",
};

const struct command block_list_command = {
	.name = "block-list",
	.arguments = "DOMAIN...",
	.summary = "list the disks of guests",
	.main = block_list_main,
	.help = "State 4 is connected (public header io/xenbus.h). 'list --json' says more.\n\n"
		"Try: xenolith block-list guest\n",
};

const struct command block_detach_command = {
	.name = "block-detach",
	.arguments = "[-f] DOMAIN DISK",
	.summary = "take a disk from a guest",
	.main = block_detach_main,
	.help = "  -f, --force   without waiting for the guest to let it go; else that may take 10 s\n\n"
		"Try: xenolith block-detach guest xvdb\n",
};

const struct command cd_insert_command = {
	.name = "cd-insert",
	.arguments = "DOMAIN DISK FILE",
	.summary = "put a CD image into a guest's drive",
	.main = cd_insert_main,
	.help = "DISK is one that the configuration has with devtype=cdrom, empty or not.\n\n"
		"Try: xenolith cd-insert guest hdc /srv/install.iso\n",
};

const struct command cd_eject_command = {
	.name = "cd-eject",
	.arguments = "DOMAIN DISK",
	.summary = "take the CD image out of a guest's drive",
	.main = cd_eject_main,
	.help = "Try: xenolith cd-eject guest hdc\n",
};

const struct command block_resize_command = {
	.name = "block-resize",
	.arguments = "DOMAIN DISK",
	.summary = "tell a guest that a disk's file has another size",
	.main = block_resize_main,
	.help = "For raw files and block devices that have grown while the guest runs.\n\n"
		"Try: truncate -s +1G data.img && xenolith block-resize guest xvdb\n",
};
