// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/kexec/kexec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char usage[] =
	"usage: kexec-test load KERNEL INITRD CMDLINE           the next kernel\n"
	"       kexec-test load-crash KERNEL INITRD CMDLINE     the one for after a crash\n"
	"       kexec-test load-between BETWEEN KERNEL INITRD CMDLINE\n"
	"                                                       BETWEEN, 32-bit, boots KERNEL\n"
	"       kexec-test go                                   the next kernel starts\n"
	"       kexec-test vmcore                               check /proc/vmcore\n";

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "kexec-test: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* Files of sysfs do not tell their size. */
struct file read_file(const char *path)
{
	struct file f = {0};
	int fd = open_file(path);
	size_t room = 0;
	ssize_t n;

	do {
		if (f.size == room) {
			room = room ? 2 * room : 1 << 16;
			f.bytes = realloc(f.bytes, room);
			if (!f.bytes)
				die("%s: no memory", path);
		}
		n = read(fd, f.bytes + f.size, room - f.size);
		if (n < 0)
			die("%s: %s", path, strerror(errno));
		f.size += n;
	} while (n);
	close(fd);
	return f;
}

static void load(const char *kernel, const char *initrd, const char *cmdline, unsigned long flags)
{
	int kernel_fd = open_file(kernel), initrd_fd = open_file(initrd);

	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(cmdline) + 1, cmdline, flags))
		die("kexec_file_load %s: %s", kernel, strerror(errno));
}

static void go(void)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	die("reboot: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (argc == 5 && !strcmp(command, "load"))
		load(argv[2], argv[3], argv[4], 0);
	else if (argc == 5 && !strcmp(command, "load-crash"))
		load(argv[2], argv[3], argv[4], KEXEC_FILE_ON_CRASH);
	else if (argc == 6 && !strcmp(command, "load-between"))
		load_between(argv[2], argv[3], argv[4], argv[5]);
	else if (argc == 2 && !strcmp(command, "go"))
		go();
	else if (argc == 2 && !strcmp(command, "vmcore"))
		check_vmcore();
	else
		die("wrong usage\n%s", usage);
	return 0;
}
