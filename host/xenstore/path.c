// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/path.h"

#include <string.h>

#include "xen-abi/xen.h"

static bool legal(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '/' || c == '_' || c == '@';
}

bool path_valid(const char *path)
{
	size_t n = 0;

	if (path[0] != '/')
		return false;
	for (; path[n]; n++) {
		if (n == XENSTORE_ABS_PATH_MAX || !legal(path[n]))
			return false;
		if (n && path[n] == '/' && path[n - 1] == '/')
			return false;
	}
	return n == 1 || path[n - 1] != '/';
}

size_t path_parent_len(const char *path)
{
	size_t len = strrchr(path, '/') - path;

	return len ? len : 1;
}

bool path_within(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (len == 1 && top[0] == '/')
		return path[0] == '/';
	return !strncmp(path, top, len) && (!path[len] || path[len] == '/');
}

unsigned path_levels(const char *path, const char *top)
{
	const char *rest = path + (top[1] ? strlen(top) : 0);
	unsigned levels = 0;
	size_t len;

	while (path_step(&rest, &len))
		levels++;
	return levels;
}

const char *path_step(const char **rest, size_t *len)
{
	const char *name = *rest;

	while (*name == '/')
		name++;
	*len = strcspn(name, "/");
	*rest = name + *len;
	return *len ? name : NULL;
}
