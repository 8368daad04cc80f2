// SPDX-License-Identifier: BSD-2-Clause
/* The wire protocol: framing, every command's answer, and every error that it has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/xenstore/test_conn.h"

static void framing(void **state)
{
	struct test_conns *t = *state;
	const struct {
		struct xsd_sockmsg header;
		char payload[6];
	} request = {{XS_WRITE, XS_WRITE + 1000, 0, 5}, "/a\0vw"};
	const char *bytes = (const char *)&request;

	/* Byte by byte. */
	for (size_t i = 0; i < sizeof(request.header) + 5; i++) {
		expect_nothing(&t->tool);
		assert_int_equal(conn_input(&t->tool, bytes + i, 1), 1);
	}
	assert_int_equal(t->woken, 1);
	expect(&t->tool, XS_WRITE, Z("OK"));
	get(&t->tool, XS_READ, 0, Z("/a"), B("vw"));
	expect_nothing(&t->tool);
}

static void two_in_one(void **state)
{
	struct test_conns *t = *state;
	char both[2 * (sizeof(struct xsd_sockmsg) + 2)];
	const struct xsd_sockmsg header = {XS_MKDIR, XS_MKDIR + 1000, 0, 2};

	memcpy(both, &header, sizeof(header));
	memcpy(both + sizeof(header), "/", 2);
	memcpy(both + sizeof(both) / 2, both, sizeof(both) / 2);
	assert_int_equal(conn_input(&t->tool, both, sizeof(both)), sizeof(both));
	expect(&t->tool, XS_MKDIR, Z("OK"));
	expect(&t->tool, XS_MKDIR, Z("OK"));
}

/* Then nothing that follows makes sense. */
static void payload_too_long(void **state)
{
	struct test_conns *t = *state;
	const struct xsd_sockmsg header = {XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1};

	assert_int_equal(conn_input(&t->one, (const char *)&header, sizeof(header)),
			 sizeof(header));
	assert_int_equal(t->one.failed, XENSTORE_ERROR_PROTO);
	assert_false(conn_wants_input(&t->one));
	assert_int_equal(conn_input(&t->one, "x", 1), 0);
	conn_reset(&t->one);
	ok(&t->one, XS_RESET_WATCHES, 0, Z(""));
}

static void unknown_commands(void **state)
{
	struct test_conns *t = *state;

	refused(&t->tool, XS_TYPE_COUNT, 0, Z("/"), "ENOSYS");
	refused(&t->tool, XS_SET_TARGET + 1, 0, Z("/"), "ENOSYS"); /* was RESTRICT */
	refused(&t->tool, XS_WATCH_EVENT, 0, Z("/"), "ENOSYS");
	refused(&t->tool, XS_ERROR, 0, Z("/"), "ENOSYS");
	refused(&t->tool, XS_INVALID, 0, Z("/"), "ENOSYS");
	refused(&t->one, UINT32_MAX, 0, Z("/"), "ENOSYS");
}

static void privileged_commands(void **state)
{
	struct test_conns *t = *state;
	static const uint32_t commands[] = {XS_CONTROL, XS_INTRODUCE,
					    XS_RELEASE, XS_IS_DOMAIN_INTRODUCED,
					    XS_RESUME,  XS_SET_TARGET};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		refused(&t->one, commands[i], 0, Z("1"), "EACCES");
}

static void reads_and_writes(void **state)
{
	struct test_conns *t = *state;
	char big[3 + XENSTORE_PAYLOAD_MAX];

	ok(&t->tool, XS_WRITE, 0, B("/a/b\0value"));
	get(&t->tool, XS_READ, 0, Z("/a/b"), B("value"));
	get(&t->tool, XS_READ, 0, Z("/a"), B(""));
	ok(&t->tool, XS_WRITE, 0, Z("/a/b\0with\0zeros"));
	get(&t->tool, XS_READ, 0, Z("/a/b"), Z("with\0zeros"));
	ok(&t->tool, XS_WRITE, 0, Z("/a/b"));
	get(&t->tool, XS_READ, 0, Z("/a/b"), B(""));
	memcpy(big, "/a", 3);
	memset(big + 3, 'x', sizeof(big) - 3);
	ok(&t->tool, XS_WRITE, 0, big, XENSTORE_PAYLOAD_MAX);
	get(&t->tool, XS_READ, 0, Z("/a"), big + 3, XENSTORE_PAYLOAD_MAX - 3);
	refused(&t->tool, XS_READ, 0, Z("/none"), "ENOENT");
	refused(&t->tool, XS_READ, 0, B("/a"), "EINVAL"); /* no 0 */
	refused(&t->tool, XS_READ, 0, Z("/a\0"), "EINVAL");
	refused(&t->tool, XS_READ, 0, B(""), "EINVAL");
	refused(&t->tool, XS_WRITE, 0, B("/a"), "EINVAL");
	refused(&t->tool, XS_WRITE, 0, B(""), "EINVAL");
	refused(&t->tool, XS_WRITE, 0, Z("/a b\0x"), "EINVAL");
	refused(&t->tool, XS_READ, 0, Z("@releaseDomain"), "EINVAL");
}

static void relative_paths(void **state)
{
	struct test_conns *t = *state;
	char path[XENSTORE_REL_PATH_MAX + 2];

	ok(&t->tool, XS_WRITE, 0, B("/local/domain/1/x\0one"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/local/domain/1\0n1"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/local/domain/1/x\0n1"));
	get(&t->one, XS_READ, 0, Z("x"), B("one"));
	ok(&t->tool, XS_WRITE, 0, B("x\0zero"));
	get(&t->tool, XS_READ, 0, Z("/local/domain/0/x"), B("zero"));
	refused(&t->one, XS_READ, 0, Z(""), "EINVAL");
	refused(&t->one, XS_READ, 0, Z("x/"), "EINVAL");
	memset(path, 'y', sizeof(path));
	path[XENSTORE_REL_PATH_MAX] = '\0';
	ok(&t->tool, XS_MKDIR, 0, path, XENSTORE_REL_PATH_MAX + 1);
	refused(&t->one, XS_READ, 0, path, XENSTORE_REL_PATH_MAX + 1, "ENOENT");
	path[XENSTORE_REL_PATH_MAX] = 'y';
	path[XENSTORE_REL_PATH_MAX + 1] = '\0';
	refused(&t->one, XS_READ, 0, path, sizeof(path), "EINVAL");
}

static void absolute_paths(void **state)
{
	struct test_conns *t = *state;
	char path[XENSTORE_ABS_PATH_MAX + 2];

	memset(path, 'y', sizeof(path));
	path[0] = '/';
	path[XENSTORE_ABS_PATH_MAX] = '\0';
	ok(&t->tool, XS_MKDIR, 0, path, XENSTORE_ABS_PATH_MAX + 1);
	get(&t->tool, XS_READ, 0, path, XENSTORE_ABS_PATH_MAX + 1, B(""));
	path[XENSTORE_ABS_PATH_MAX] = 'y';
	path[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	refused(&t->tool, XS_MKDIR, 0, path, sizeof(path), "EINVAL");
}

static void directories(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_WRITE, 0, B("/d/b\0x"));
	ok(&t->tool, XS_MKDIR, 0, Z("/d/a"));
	ok(&t->tool, XS_MKDIR, 0, Z("/d/b"));
	get(&t->tool, XS_READ, 0, Z("/d/b"), B("x"));
	get(&t->tool, XS_DIRECTORY, 0, Z("/d"), Z("a\0b"));
	get(&t->tool, XS_DIRECTORY, 0, Z("/d/a"), B(""));
	refused(&t->tool, XS_DIRECTORY, 0, Z("/none"), "ENOENT");
	refused(&t->tool, XS_DIRECTORY, 0, B("/d"), "EINVAL");
	refused(&t->tool, XS_MKDIR, 0, Z("/d/"), "EINVAL");
	refused(&t->tool, XS_MKDIR, 0, B("/d"), "EINVAL");
}

/* All names of a list that does not fit into one answer, piece by piece. */
static void directory_in_parts(void **state)
{
	struct test_conns *t = *state;
	char path[64], part[XENSTORE_PAYLOAD_MAX + 1], generation[24] = "";
	unsigned offset = 0, names = 0, parts = 0;
	uint32_t type, len, head;
	bool last = false;

	for (int i = 0; i < 600; i++) {
		int n = snprintf(path, sizeof(path), "/d/name-%06d", i);

		ok(&t->tool, XS_MKDIR, 0, path, n + 1);
	}
	refused(&t->tool, XS_DIRECTORY, 0, Z("/d"), "E2BIG");
	while (!last) {
		int n = snprintf(path, sizeof(path), "/d%c%u", 0, offset);

		ask(&t->tool, XS_DIRECTORY_PART, 0, path, n + 1);
		len = take(&t->tool, &type, part);
		assert_int_equal(type, XS_DIRECTORY_PART);
		head = strlen(part) + 1;
		if (parts++)
			assert_string_equal(part, generation);
		snprintf(generation, sizeof(generation), "%s", part);
		for (uint32_t at = head; at < len; at += strlen(part + at) + 1) {
			last = !part[at];
			if (last)
				break;
			snprintf(path, sizeof(path), "name-%06u", names++);
			assert_string_equal(part + at, path);
			offset += strlen(part + at) + 1;
		}
	}
	assert_int_equal(names, 600);
	assert_true(parts > 1);
	ok(&t->tool, XS_MKDIR, 0, Z("/d/another"));
	ask(&t->tool, XS_DIRECTORY_PART, 0, Z("/d\0000"));
	take(&t->tool, &type, part);
	assert_string_not_equal(part, generation);
	/* Behind the end: an empty list. */
	ask(&t->tool, XS_DIRECTORY_PART, 0, Z("/d\000999999"));
	len = take(&t->tool, &type, part);
	assert_int_equal(len, strlen(part) + 2);
	refused(&t->tool, XS_DIRECTORY_PART, 0, Z("/d"), "EINVAL");
	refused(&t->tool, XS_DIRECTORY_PART, 0, Z("/d\0000\0"), "EINVAL");
	refused(&t->tool, XS_DIRECTORY_PART, 0, Z("/d\000-1"), "EINVAL");
	refused(&t->tool, XS_DIRECTORY_PART, 0, Z("/none\0000"), "ENOENT");
}

static void removal(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_WRITE, 0, B("/a/b/c\0x"));
	ok(&t->tool, XS_RM, 0, Z("/a/none")); /* its parent is there */
	refused(&t->tool, XS_RM, 0, Z("/none/none"), "ENOENT");
	refused(&t->tool, XS_RM, 0, Z("/a/b/none/none"), "ENOENT");
	ok(&t->tool, XS_RM, 0, Z("/a/b"));
	refused(&t->tool, XS_READ, 0, Z("/a/b/c"), "ENOENT");
	get(&t->tool, XS_DIRECTORY, 0, Z("/a"), B(""));
	refused(&t->tool, XS_RM, 0, Z("/"), "EINVAL");
	refused(&t->tool, XS_RM, 0, Z("/a/"), "EINVAL");
	refused(&t->tool, XS_RM, 0, B("/a"), "EINVAL");
	ok(&t->tool, XS_RM, 0, Z("/none"));
}

static void permissions(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_WRITE, 0, B("/a\0x"));
	get(&t->tool, XS_GET_PERMS, 0, Z("/a"), Z("n0"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0b1\0r2\0w0"));
	get(&t->tool, XS_GET_PERMS, 0, Z("/a"), Z("b1\0r2\0w0"));
	refused(&t->tool, XS_GET_PERMS, 0, Z("/none"), "ENOENT");
	refused(&t->tool, XS_GET_PERMS, 0, B("/a"), "EINVAL");
	refused(&t->tool, XS_SET_PERMS, 0, Z("/none\0n0"), "ENOENT");
	refused(&t->tool, XS_SET_PERMS, 0, Z("/a"), "EINVAL");
	refused(&t->tool, XS_SET_PERMS, 0, B("/a\0n0"), "EINVAL");
	refused(&t->tool, XS_SET_PERMS, 0, Z("/a\0x0"), "EINVAL");
	refused(&t->tool, XS_SET_PERMS, 0, Z("/a\0n"), "EINVAL");
	refused(&t->tool, XS_SET_PERMS, 0, Z("/a\0n9"), "ENOENT"); /* there is no such domain */
	refused(&t->tool, XS_SET_PERMS, 0, Z("/a\0n40000"), "ENOENT");
	/* What is given to one who is not there is nobody's, even if he comes. */
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0n1\0r2\0r9"));
	get(&t->tool, XS_GET_PERMS, 0, Z("/a"), Z("n1\0r2\0r9"));
	get(&t->two, XS_READ, 0, Z("/a"), B("x"));
}

static void rights(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_WRITE, 0, B("/a/secret/x\0v"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0r0"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a/secret/x\0n0\0w1"));
	/* Who may read the parent may know that it is not there, or that he has no right. */
	refused(&t->one, XS_READ, 0, Z("/a/none"), "ENOENT");
	refused(&t->one, XS_READ, 0, Z("/a/secret"), "EACCES");
	refused(&t->one, XS_READ, 0, Z("/a/secret/none"), "EACCES");
	refused(&t->one, XS_READ, 0, Z("/none"), "EACCES");
	refused(&t->one, XS_READ, 0, Z("/"), "EACCES");
	refused(&t->one, XS_MKDIR, 0, Z("/a/new"), "EACCES");
	refused(&t->one, XS_RM, 0, Z("/a/secret"), "EACCES");
	refused(&t->one, XS_GET_PERMS, 0, Z("/a/secret"), "EACCES");
	refused(&t->one, XS_WRITE, 0, B("/a\0x"), "EACCES");
	/* He may write, and cannot read what he has written. */
	ok(&t->one, XS_WRITE, 0, B("/a/secret/x\0new"));
	refused(&t->one, XS_READ, 0, Z("/a/secret/x"), "EACCES");
	get(&t->tool, XS_READ, 0, Z("/a/secret/x"), B("new"));
	refused(&t->one, XS_SET_PERMS, 0, Z("/a/secret/x\0n0\0b1"), "EACCES");
	refused(&t->two, XS_WRITE, 0, B("/a/secret/x\0x"), "EACCES");
	ok(&t->one, XS_RM, 0, Z("/a/secret/x"));
	refused(&t->tool, XS_READ, 0, Z("/a/secret/x"), "ENOENT");
}

/* What a domain makes is its own, with the other rights of the node above. */
static void inheritance(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_MKDIR, 0, Z("/a"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0r0\0b1\0w2"));
	ok(&t->one, XS_WRITE, 0, B("/a/b/c\0x"));
	get(&t->one, XS_GET_PERMS, 0, Z("/a/b"), Z("r1\0b1\0w2"));
	get(&t->one, XS_GET_PERMS, 0, Z("/a/b/c"), Z("r1\0b1\0w2"));
	get(&t->tool, XS_READ, 0, Z("/a/b/c"), B("x"));
	ok(&t->one, XS_SET_PERMS, 0, Z("/a/b\0n1\0r2"));
	refused(&t->one, XS_SET_PERMS, 0, Z("/a/b\0n2"), "EPERM");
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a/b\0n2"));
	refused(&t->one, XS_READ, 0, Z("/a/b"), "EACCES");
	/* A privileged one's belong to who had the node above. */
	ok(&t->tool, XS_MKDIR, 0, Z("/a/b/d"));
	get(&t->two, XS_GET_PERMS, 0, Z("/a/b/d"), Z("n2"));
}

static void domains(void **state)
{
	struct test_conns *t = *state;

	get(&t->one, XS_GET_DOMAIN_PATH, 0, Z("7"), Z("/local/domain/7"));
	get(&t->tool, XS_GET_DOMAIN_PATH, 0, Z("007"), Z("/local/domain/7"));
	refused(&t->one, XS_GET_DOMAIN_PATH, 0, B("7"), "EINVAL");
	refused(&t->one, XS_GET_DOMAIN_PATH, 0, Z("x"), "EINVAL");
	refused(&t->one, XS_GET_DOMAIN_PATH, 0, Z("65536"), "EINVAL");
	get(&t->tool, XS_IS_DOMAIN_INTRODUCED, 0, Z("1"), Z("T"));
	get(&t->tool, XS_IS_DOMAIN_INTRODUCED, 0, Z("9"), Z("F"));
	get(&t->tool, XS_IS_DOMAIN_INTRODUCED, 0, Z("32752"), Z("T")); /* DOMID_SELF */
	refused(&t->tool, XS_IS_DOMAIN_INTRODUCED, 0, B("1"), "EINVAL");
	ok(&t->tool, XS_RESUME, 0, Z("1"));
	refused(&t->tool, XS_RESUME, 0, Z("9"), "ENOENT");
	refused(&t->tool, XS_RESUME, 0, Z("0"), "EINVAL");
	assert_int_equal(store_introduce(t->store, 3), 0); /* without a connection */
	refused(&t->tool, XS_RESUME, 0, Z("3"), "EINVAL");
}

static void introduce_and_release(void **state)
{
	struct test_conns *t = *state;

	begin(&t->one);
	refused(&t->tool, XS_INTRODUCE, 0, Z("1\0001"), "EINVAL");
	refused(&t->tool, XS_INTRODUCE, 0, Z("1\0001\0000"), "EINVAL");
	refused(&t->tool, XS_INTRODUCE, 0, Z("9\0001\0002"), "EINVAL");
	ok(&t->tool, XS_INTRODUCE, 0, Z("1\0001\0002"));
	assert_true(t->one.reintroduced);
	refused(&t->tool, XS_RELEASE, 0, Z("0"), "EINVAL");
	refused(&t->tool, XS_RELEASE, 0, Z("9"), "ENOENT");
	refused(&t->tool, XS_RELEASE, 0, B("1"), "EINVAL");
	ok(&t->tool, XS_RELEASE, 0, Z("1"));
	get(&t->tool, XS_IS_DOMAIN_INTRODUCED, 0, Z("1"), Z("F"));
	assert_int_equal(t->one.nr_transactions, 0);
	assert_false(conn_wants_input(&t->one));
	refused(&t->tool, XS_RELEASE, 0, Z("1"), "ENOENT");
	refused(&t->tool, XS_INTRODUCE, 0, Z("1\0001\0002"), "EINVAL");
}

/* As the model of a guest's devices has it: the rights of its guest. */
static void targets(void **state)
{
	struct test_conns *t = *state;

	ok(&t->tool, XS_WRITE, 0, B("/a\0x"));
	ok(&t->tool, XS_SET_PERMS, 0, Z("/a\0n2"));
	refused(&t->one, XS_READ, 0, Z("/a"), "EACCES");
	refused(&t->tool, XS_SET_TARGET, 0, Z("1"), "EINVAL");
	refused(&t->tool, XS_SET_TARGET, 0, Z("1\0009"), "ENOENT");
	refused(&t->tool, XS_SET_TARGET, 0, Z("9\0001"), "ENOENT");
	refused(&t->tool, XS_SET_TARGET, 0, Z("x\0001"), "EINVAL");
	ok(&t->tool, XS_SET_TARGET, 0, Z("1\0002"));
	get(&t->one, XS_READ, 0, Z("/a"), B("x"));
	ok(&t->one, XS_SET_PERMS, 0, Z("/a\0r2"));
}

static void control(void **state)
{
	struct test_conns *t = *state;
	char got[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t type;

	ask(&t->tool, XS_CONTROL, 0, Z("help"));
	take(&t->tool, &type, got);
	assert_int_equal(type, XS_CONTROL);
	assert_non_null(strstr(got, "quota\t"));
	ok(&t->tool, XS_CONTROL, 0, Z("check"));
	ask(&t->tool, XS_CONTROL, 0, Z("quota"));
	take(&t->tool, &type, got);
	assert_non_null(strstr(got, "nodes            :     1000 Nodes per domain\n"));
	ask(&t->tool, XS_CONTROL, 0, Z("quota\0001"));
	take(&t->tool, &type, got);
	assert_non_null(strstr(got, "Domain 1:\nnodes           :        0\n"));
	ok(&t->tool, XS_CONTROL, 0, Z("quota\0set\0nodes\0001"));
	assert_int_equal(t->store->quotas.nodes, 1);
	refused(&t->tool, XS_CONTROL, 0, Z("quota\0set\0nodes\0000"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("quota\0set\0none\0001"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("quota\0set\0nodes"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("quota\0009"), "ENOENT");
	refused(&t->tool, XS_CONTROL, 0, Z("quota\0x"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("live-update\0-s"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("check\0x"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("help\0x"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("print"), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, B(""), "EINVAL");
	refused(&t->tool, XS_CONTROL, 0, Z("a\0b\0c\0d\0e\0f"), "EINVAL");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, test_conns_setup, test_conns_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(framing),
		TEST(two_in_one),
		TEST(payload_too_long),
		TEST(unknown_commands),
		TEST(privileged_commands),
		TEST(reads_and_writes),
		TEST(relative_paths),
		TEST(absolute_paths),
		TEST(directories),
		TEST(directory_in_parts),
		TEST(removal),
		TEST(permissions),
		TEST(rights),
		TEST(inheritance),
		TEST(domains),
		TEST(introduce_and_release),
		TEST(targets),
		TEST(control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
