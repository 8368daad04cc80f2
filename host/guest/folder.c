// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/control/control.h"
#include "shim/types.h"

/* What may be in a guest's folder. */
static const char *const files[] = {"lock", "name", "control", "xenstored"};

static int open_run_dir(struct guest_folder *f, char *dir, size_t size, struct problem *p)
{
	char path[192];

	if (control_run_dir(dir, size, p))
		return -1;
	snprintf(path, sizeof(path), "%s/lock", dir);
	f->run_dir_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return f->run_dir_fd < 0 ? problem(p, "cannot open %s: %s", path, strerror(errno)) : 0;
}

/* While a domid or a name is being taken, others wait. */
static void lock_run_dir(const struct guest_folder *f)
{
	while (flock(f->run_dir_fd, LOCK_EX) && errno == EINTR)
		;
}

static void unlock_run_dir(const struct guest_folder *f)
{
	flock(f->run_dir_fd, LOCK_UN);
}

/* Under the run folder's lock. Also removes the folders of the dead. */
static int check_name(const char *name, domid_t but, struct problem *p)
{
	struct control_guest *guests;
	unsigned count;
	int rc = control_guests(&guests, &count, p);

	if (rc)
		return rc;
	for (unsigned i = 0; i < count && !rc; i++)
		if (guests[i].domid != but && !strcmp(guests[i].name, name))
			rc = problem(p,
				     "a guest named '%s' runs already (domain %u); destroy it, or "
				     "give this one another name",
				     name, guests[i].domid);
	free(guests);
	return rc;
}

/* The name is the first line: at each moment there is a whole one. */
static int write_name(const struct guest_folder *f, const char *name)
{
	char line[160];
	int len = snprintf(line, sizeof(line), "%s\n", name);

	if (len >= (int)sizeof(line))
		return -ENAMETOOLONG;
	return pwrite(f->name_fd, line, len, 0) == len && !ftruncate(f->name_fd, len) ? 0 : -errno;
}

static int open_in(const struct guest_folder *f, const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void remove_files(const char *folder)
{
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		char path[192];

		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* Under a name that is no domid: nobody looks at it until it is complete. */
static int make_folder(struct guest_folder *f, const char *dir, const char *name)
{
	snprintf(f->path, sizeof(f->path), "%s/new-%d", dir, (int)getpid());
	if (mkdir(f->path, 0700))
		return -errno;
	f->lock_fd = open_in(f, "lock");
	f->name_fd = open_in(f, "name");
	if (f->lock_fd < 0 || f->name_fd < 0 || flock(f->lock_fd, LOCK_EX | LOCK_NB))
		return -errno;
	return write_name(f, name);
}

/* The lowest domid that is free. */
static int take_domid(struct guest_folder *f, const char *dir)
{
	char path[sizeof(f->path)];

	for (domid_t domid = 1; domid < DOMID_FIRST_RESERVED; domid++) {
		snprintf(path, sizeof(path), "%s/%u", dir, domid);
		if (rename(f->path, path)) {
			if (errno == ENOTEMPTY || errno == EEXIST)
				continue;
			return -errno;
		}
		memcpy(f->path, path, sizeof(path));
		f->domid = domid;
		return 0;
	}
	return -ENOSPC;
}

static int claim(struct guest_folder *f, const char *dir, const char *name, struct problem *p)
{
	int rc;

	if (check_name(name, DOMID_INVALID, p))
		return -1;
	rc = make_folder(f, dir, name);
	if (!rc)
		rc = take_domid(f, dir);
	return rc ? problem(p, "cannot make %s: %s", f->path, strerror(-rc)) : 0;
}

int guest_folder_claim(struct guest_folder *f, const char *name, struct problem *p)
{
	char dir[128];
	int rc;

	*f = (struct guest_folder){.lock_fd = -1, .name_fd = -1};
	if (open_run_dir(f, dir, sizeof(dir), p))
		return -1;
	lock_run_dir(f);
	rc = claim(f, dir, name, p);
	unlock_run_dir(f);
	if (rc)
		guest_folder_release(f);
	return rc;
}

int guest_folder_rename(struct guest_folder *f, const char *name, struct problem *p)
{
	int rc;

	lock_run_dir(f);
	rc = check_name(name, f->domid, p);
	if (!rc && write_name(f, name))
		rc = problem(p, "cannot write %s/name: %s", f->path, strerror(errno));
	unlock_run_dir(f);
	return rc;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void guest_folder_release(struct guest_folder *f)
{
	/* Whose lock it is not, the folder is not. */
	if (f->lock_fd >= 0)
		remove_files(f->path);
	guest_folder_leave(f);
}

void guest_folder_leave(struct guest_folder *f)
{
	close_fd(&f->lock_fd);
	close_fd(&f->name_fd);
	close_fd(&f->run_dir_fd);
}
