// SPDX-License-Identifier: BSD-2-Clause
/*
 * Preloaded into Debian's own xenstored, so that it runs where there is no Xen: the libraries with
 * which it speaks to the hypervisor say that all is well, and domain 0's ring is a page of
 * nobody's. Prototypes are as the public headers of those libraries have them, with void for types
 * that nobody looks into.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static int handle; /* something to point to */

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags);
int xc_interface_close(void *xch);
int xc_domain_getinfo(void *xch, uint32_t first, unsigned max, void *info);
void *xengnttab_open(void *logger, unsigned flags);
int xengnttab_close(void *xgt);
int xengnttab_set_max_grants(void *xgt, uint32_t count);
void *xenevtchn_open(void *logger, unsigned flags);
int xenevtchn_fd(void *xce);
int xenevtchn_bind_virq(void *xce, unsigned virq);
int xenevtchn_bind_interdomain(void *xce, uint32_t domid, uint32_t port);
int xenevtchn_notify(void *xce, uint32_t port);

void *xc_interface_open(void *logger, void *dombuild_logger, unsigned flags)
{
	(void)logger, (void)dombuild_logger, (void)flags;
	return &handle;
}

int xc_interface_close(void *xch)
{
	(void)xch;
	return 0;
}

/* There is no domain but 0, which it knows already. */
int xc_domain_getinfo(void *xch, uint32_t first, unsigned max, void *info)
{
	(void)xch, (void)first, (void)max, (void)info;
	return 0;
}

void *xengnttab_open(void *logger, unsigned flags)
{
	(void)logger, (void)flags;
	return &handle;
}

int xengnttab_close(void *xgt)
{
	(void)xgt;
	return 0;
}

int xengnttab_set_max_grants(void *xgt, uint32_t count)
{
	(void)xgt, (void)count;
	return 0;
}

void *xenevtchn_open(void *logger, unsigned flags)
{
	(void)logger, (void)flags;
	return &handle;
}

int xenevtchn_fd(void *xce)
{
	static int fd = -1;

	(void)xce;
	if (fd < 0)
		fd = eventfd(0, EFD_CLOEXEC);
	return fd;
}

int xenevtchn_bind_virq(void *xce, unsigned virq)
{
	(void)xce, (void)virq;
	return 1;
}

int xenevtchn_bind_interdomain(void *xce, uint32_t domid, uint32_t port)
{
	(void)xce, (void)domid, (void)port;
	return 2;
}

int xenevtchn_notify(void *xce, uint32_t port)
{
	(void)xce, (void)port;
	return 0;
}

/* A file with this content. */
static int file_of(const void *content, size_t len)
{
	int fd = memfd_create("fake-xen", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, content, len) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		return -1;
	return fd;
}

int open(const char *path, int flags, ...)
{
	static const char page[4096];
	int (*next)(const char *, int, ...) =
		(int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	va_list ap;
	int mode;

	if (!strcmp(path, "/proc/xen/xsd_port"))
		return file_of("1", 1);
	if (!strcmp(path, "/proc/xen/xsd_kva"))
		return file_of(page, sizeof(page));
	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	return next(path, flags, mode);
}
