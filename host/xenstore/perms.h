/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may do what with a node. The first entry is the owner's, and has the rights of all who have
 * no entry of their own.
 */
#ifndef HOST_XENSTORE_PERMS_H
#define HOST_XENSTORE_PERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/xenstore/store.h"

/* Rights, bits; the first two are those of enum store_right. */
#define RIGHT_READ  STORE_READ
#define RIGHT_WRITE STORE_WRITE
#define RIGHT_OWNER 4u

struct perm {
	domid_t domid;
	uint8_t right; /* enum store_right */
	/* There was no such domain when it was given: it is for no later one of that number. */
	bool ignored;
};

/* Counted, never changed. */
struct perms {
	unsigned refs, n; /* n > 0 */
	struct perm list[];
};

/* On whose behalf something is done. */
struct caller {
	domid_t domid;
	bool privileged; /* domain 0, whose rights and quotas have no end */
	bool has_target; /* SET_TARGET: it also has the rights of that domain */
	domid_t target;
	uint64_t held; /* bytes that are kept for it, besides its nodes */
};

/* With n entries, to be filled in. NULL: no memory. */
struct perms *perms_new(unsigned n);
struct perms *perms_get(struct perms *p);
void perms_put(struct perms *p); /* NULL: nothing */
/* The same for another owner: a new one or another reference. NULL: no memory. */
struct perms *perms_with_owner(struct perms *p, domid_t owner);

/* RIGHT_*. */
unsigned perms_rights(const struct perms *p, const struct caller *who);

/* As the wire has it: r, w, b or n and the domid. */
#define PERM_STRING_MAX sizeof("b65535")
/* Returns the length with the 0. */
size_t perm_to_string(const struct perm *p, char out[PERM_STRING_MAX]);
/* 0; -EINVAL: it is none; -ENOENT: no domain can have that number. */
int perm_from_string(const char *s, struct perm *p);

#endif
