// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h> /* before the public headers, which then have xsd_errors */

#include "host/xenstore/wire.h"

#include <string.h>

#include "host/xenstore/state.h"

#define PRIVILEGED     1u
#define NO_TRANSACTION 2u /* tx_id does not count */

static const struct {
	wire_handler *handler;
	unsigned flags;
} commands[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {wire_control, PRIVILEGED},
	[XS_DIRECTORY] = {wire_directory, 0},
	[XS_READ] = {wire_read, 0},
	[XS_GET_PERMS] = {wire_get_perms, 0},
	[XS_WATCH] = {wire_watch, NO_TRANSACTION},
	[XS_UNWATCH] = {wire_unwatch, NO_TRANSACTION},
	[XS_TRANSACTION_START] = {wire_transaction_start, 0},
	[XS_TRANSACTION_END] = {wire_transaction_end, 0},
	[XS_INTRODUCE] = {wire_introduce, PRIVILEGED},
	[XS_RELEASE] = {wire_release, PRIVILEGED},
	[XS_GET_DOMAIN_PATH] = {wire_get_domain_path, 0},
	[XS_WRITE] = {wire_write, 0},
	[XS_MKDIR] = {wire_mkdir, 0},
	[XS_RM] = {wire_rm, 0},
	[XS_SET_PERMS] = {wire_set_perms, 0},
	[XS_IS_DOMAIN_INTRODUCED] = {wire_is_domain_introduced, PRIVILEGED},
	[XS_RESUME] = {wire_resume, PRIVILEGED},
	[XS_SET_TARGET] = {wire_set_target, PRIVILEGED},
	[XS_RESET_WATCHES] = {wire_reset_watches, 0},
	[XS_DIRECTORY_PART] = {wire_directory_part, 0},
};

static void answer_error(struct conn *c, int error)
{
	const char *name = "EINVAL"; /* for what has no name on the wire */
	struct message *m;

	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(*xsd_errors); i++)
		if (xsd_errors[i].errnum == error)
			name = xsd_errors[i].errstring;
	m = conn_answer(c, XS_ERROR, strlen(name) + 1);
	if (!m)
		return;
	memcpy(m->payload, name, strlen(name) + 1);
	conn_send(c, m);
}

/* In the order in which xenstored looks. */
static int serve(struct conn *c)
{
	const struct xsd_sockmsg *header = &c->header;
	struct request r = {
		.c = c,
		.view = {.store = c->store, .who = &c->who},
		.payload = c->payload,
		.len = header->len,
	};

	if (header->type >= XS_TYPE_COUNT || !commands[header->type].handler)
		return -ENOSYS;
	if (commands[header->type].flags & PRIVILEGED && !c->who.privileged)
		return -EACCES;
	if (header->tx_id && !(commands[header->type].flags & NO_TRANSACTION)) {
		r.view.transaction = conn_transaction(c, header->tx_id);
		if (!r.view.transaction)
			return -ENOENT;
	}
	return commands[header->type].handler(&r);
}

void wire_serve(struct conn *c)
{
	int rc = serve(c);

	if (rc)
		answer_error(c, -rc);
}

int wire_answer(struct request *r, const void *bytes, size_t len)
{
	struct message *m;

	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	m = conn_answer(r->c, r->c->header.type, len);
	if (!m)
		return 0;
	if (len)
		memcpy(m->payload, bytes, len);
	conn_send(r->c, m);
	return 0;
}

int wire_answer_string(struct request *r, const char *s)
{
	return wire_answer(r, s, strlen(s) + 1);
}

int wire_ok(struct request *r)
{
	return wire_answer_string(r, "OK");
}

unsigned wire_strings(const struct request *r, const char **strings, unsigned max)
{
	const char *s = r->payload, *end = r->payload + r->len, *zero;
	unsigned n = 0;

	while (s < end && (zero = memchr(s, 0, end - s))) {
		if (n < max)
			strings[n] = s;
		n++;
		s = zero + 1;
	}
	return n;
}

const char *wire_only_string(const struct request *r)
{
	/* There is a 0 behind the payload in any case. */
	return r->len && strlen(r->payload) + 1 == r->len ? r->payload : NULL;
}

int wire_path(const struct request *r, const char *path, char absolute[WIRE_PATH_SIZE])
{
	size_t home = strlen(r->c->home), len = strlen(path);

	if (path[0] == '/' || path[0] == '@') {
		if (len > XENSTORE_ABS_PATH_MAX)
			return -EINVAL;
		memcpy(absolute, path, len + 1);
		return 0;
	}
	if (len > XENSTORE_REL_PATH_MAX)
		return -EINVAL;
	memcpy(absolute, r->c->home, home);
	absolute[home] = '/';
	memcpy(absolute + home + 1, path, len + 1);
	return 0;
}

bool wire_number(const char *s, unsigned max, unsigned *value)
{
	unsigned long sum = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		sum = sum * 10 + (*s - '0');
		if (sum > max)
			return false;
	}
	*value = sum;
	return true;
}
