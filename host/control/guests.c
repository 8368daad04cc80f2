// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which guests there are: the folders whose locks are held.
 *
 * A dead one's folder is emptied by way of a descriptor to it. A new guest may have taken the domid
 * meanwhile, but with a folder of its own, which rmdir() leaves alone as it is never empty.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "host/control/control.h"

/*
 * Is somebody there who holds it? Without a lock, nobody is. Two who look at the same time do not
 * take each other for the guest, which alone locks exclusively.
 */
static bool is_locked(int folder, int *lock_fd)
{
	*lock_fd = openat(folder, "lock", O_RDONLY | O_CLOEXEC);
	if (*lock_fd < 0)
		return errno != ENOENT;
	return flock(*lock_fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

static void empty_folder(int folder)
{
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(folder, e->d_name, 0);
	closedir(dir);
}

/* True: the folder's guest lives. Else the folder is removed. */
static bool lives(int run_dir, const char *name, int folder)
{
	int lock_fd;
	bool locked = is_locked(folder, &lock_fd);

	if (!locked) {
		empty_folder(folder);
		unlinkat(run_dir, name, AT_REMOVEDIR);
	}
	if (lock_fd >= 0)
		close(lock_fd);
	return locked;
}

static void read_name(int folder, struct control_guest *guest)
{
	int fd = openat(folder, "name", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, guest->name, sizeof(guest->name) - 1);

	if (fd >= 0)
		close(fd);
	guest->name[n < 0 ? 0 : n] = '\0';
	guest->name[strcspn(guest->name, "\n")] = '\0';
}

/* A domid, in the one form that we write. */
static bool is_domid(const char *name, domid_t *domid)
{
	unsigned n = 0;

	if (*name == '0')
		return false;
	for (const char *at = name; *at; at++) {
		if (!isdigit((unsigned char)*at) || at - name > 4)
			return false;
		n = n * 10 + (*at - '0');
	}
	*domid = n;
	return n && n < DOMID_FIRST_RESERVED;
}

/* False: it is none, or dead. */
static bool look_at(int run_dir, const char *run_path, const char *name,
		    struct control_guest *guest)
{
	int folder;
	bool is_one;

	if (!is_domid(name, &guest->domid))
		return false;
	folder = openat(run_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return false;
	snprintf(guest->folder, sizeof(guest->folder), "%s/%u", run_path, guest->domid);
	is_one = lives(run_dir, name, folder);
	if (is_one)
		read_name(folder, guest);
	close(folder);
	return is_one;
}

/* A folder whose process died while it made it; while none is being made, it did. */
static void remove_unfinished(int run_dir, const char *name)
{
	int lock_fd = openat(run_dir, "lock", O_RDONLY | O_CLOEXEC);

	if (lock_fd < 0)
		return;
	if (!flock(lock_fd, LOCK_EX | LOCK_NB)) {
		int folder = openat(run_dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (folder >= 0) {
			lives(run_dir, name, folder);
			close(folder);
		}
	}
	close(lock_fd);
}

static int by_domid(const void *a, const void *b)
{
	const struct control_guest *x = a, *y = b;

	return (int)x->domid - (int)y->domid;
}

static int collect(DIR *dir, const char *run_path, struct control_guest **guests, unsigned *count,
		   struct problem *p)
{
	struct dirent *e;

	while ((e = readdir(dir))) {
		struct control_guest guest, *more;

		if (!strncmp(e->d_name, "new-", 4)) {
			remove_unfinished(dirfd(dir), e->d_name);
			continue;
		}
		if (!look_at(dirfd(dir), run_path, e->d_name, &guest))
			continue;
		more = realloc(*guests, (*count + 1) * sizeof(**guests));
		if (!more)
			return problem(p, "out of memory");
		*guests = more;
		more[(*count)++] = guest;
	}
	return 0;
}

int control_guests(struct control_guest **guests, unsigned *count, struct problem *p)
{
	char run_path[128];
	DIR *dir;
	int rc;

	*guests = NULL;
	*count = 0;
	if (control_run_dir(run_path, sizeof(run_path), p))
		return -1;
	dir = opendir(run_path);
	if (!dir)
		return problem(p, "cannot read the runtime folder %s: %s", run_path,
			       strerror(errno));
	rc = collect(dir, run_path, guests, count, p);
	closedir(dir);
	if (rc) {
		free(*guests);
		*guests = NULL;
		return rc;
	}
	if (*count)
		qsort(*guests, *count, sizeof(**guests), by_domid);
	return 0;
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

int control_find(const char *domain, struct control_guest *guest, struct problem *p)
{
	struct control_guest *guests;
	bool found = false;
	unsigned count;

	if (control_guests(&guests, &count, p))
		return -1;
	for (unsigned i = 0; i < count && !found; i++) {
		if (is_number(domain))
			found = strtoul(domain, NULL, 10) == guests[i].domid;
		else
			found = !strcmp(domain, guests[i].name);
		if (found)
			*guest = guests[i];
	}
	free(guests);
	if (!found)
		return problem(p, "there is no guest '%s'; 'xenolith list' shows those that run",
			       domain);
	return 0;
}
