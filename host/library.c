// SPDX-License-Identifier: BSD-2-Clause
#include "host/library.h"

#include <dlfcn.h>

int library_load(const struct library *lib, void **functions, struct problem *p)
{
	void *handle = dlopen(lib->file, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return problem(p, "cannot load %s, of Debian's package %s: install that (%s)",
			       lib->file, lib->package, dlerror());
	for (unsigned i = 0; i < lib->nr_names; i++) {
		functions[i] = dlsym(handle, lib->names[i]);
		if (!functions[i])
			return problem(p,
				       "%s is not what this needs, its package %s is too old: %s",
				       lib->file, lib->package, dlerror());
	}
	return 0;
}
