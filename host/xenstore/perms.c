// SPDX-License-Identifier: BSD-2-Clause
#include "host/xenstore/perms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char right_letters[] = "nrwb";

struct perms *perms_new(unsigned n)
{
	struct perms *p = malloc(sizeof(*p) + n * sizeof(p->list[0]));

	if (!p)
		return NULL;
	p->refs = 1;
	p->n = n;
	return p;
}

struct perms *perms_get(struct perms *p)
{
	p->refs++;
	return p;
}

void perms_put(struct perms *p)
{
	if (p && !--p->refs)
		free(p);
}

struct perms *perms_with_owner(struct perms *p, domid_t owner)
{
	struct perms *mine;

	if (p->list[0].domid == owner)
		return perms_get(p);
	mine = perms_new(p->n);
	if (!mine)
		return NULL;
	memcpy(mine->list, p->list, p->n * sizeof(p->list[0]));
	mine->list[0].domid = owner;
	return mine;
}

static bool is(const struct caller *who, domid_t domid)
{
	return domid == who->domid || (who->has_target && domid == who->target);
}

unsigned perms_rights(const struct perms *p, const struct caller *who)
{
	if (who->privileged || is(who, p->list[0].domid))
		return RIGHT_READ | RIGHT_WRITE | RIGHT_OWNER;
	for (unsigned i = 1; i < p->n; i++)
		if (!p->list[i].ignored && is(who, p->list[i].domid))
			return p->list[i].right;
	return p->list[0].right;
}

size_t perm_to_string(const struct perm *p, char out[PERM_STRING_MAX])
{
	return snprintf(out, PERM_STRING_MAX, "%c%u", right_letters[p->right & 3], p->domid) + 1;
}

int perm_from_string(const char *s, struct perm *p)
{
	const char *letter = *s ? strchr(right_letters, *s) : NULL;
	char *end;
	unsigned long domid;

	if (!letter || s[1] < '0' || s[1] > '9')
		return -EINVAL;
	domid = strtoul(s + 1, &end, 10);
	if (*end)
		return -EINVAL;
	if (domid >= DOMID_FIRST_RESERVED)
		return -ENOENT;
	*p = (struct perm){.domid = domid, .right = letter - right_letters};
	return 0;
}
