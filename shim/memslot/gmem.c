// SPDX-License-Identifier: BSD-2-Clause
#include "shim/memslot/gmem.h"
int gmem_bind(struct memslots *slots, const struct memslot *slot)
{
	(void)slots;
	(void)slot;
	return -9;
}
void gmem_unbind(const struct memslot *slot)
{
	(void)slot;
}
