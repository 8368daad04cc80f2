// SPDX-License-Identifier: BSD-2-Clause
/*
 * Golden files. golden/pass-NAME.cfg is a good configuration, and its .ok has the warnings and what
 * was understood, as JSON; golden/fail-NAME.cfg is refused, and its .ok has the reason. Lines of a
 * .cfg that begin with "#! " are KEY=VALUE arguments. GOLDEN_UPDATE=1 writes the .ok files anew,
 * for a look at their difference.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config/config_json.h"
#include "host/config/guest_config.h"

#define GOLDEN        "host/config/golden/"
#define ARGUMENTS_MAX 8

static char out[1 << 16];
static size_t out_size;

static void warn(void *opaque, const char *line)
{
	(void)opaque;
	out_size += snprintf(out + out_size, sizeof(out) - out_size, "warning: %s\n", line);
}

static size_t read_all(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return 0;
	n = fread(to, 1, size, f);
	fclose(f);
	assert_true(n < size);
	return n;
}

static unsigned find_arguments(const char *text, char **arguments)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, "#! ")); at++) {
		assert_true(n < ARGUMENTS_MAX);
		arguments[n++] = strndup(at + 3, strcspn(at + 3, "\n"));
	}
	return n;
}

/* What the file leads to, into `out`. */
static void parse(const char *name, bool pass)
{
	static const struct config_warnings w = {warn, NULL};
	char path[512], text[8192], *arguments[ARGUMENTS_MAX], *json;
	struct guest_config c;
	struct problem p;
	unsigned nr;
	size_t size;
	json_t *o;

	snprintf(path, sizeof(path), GOLDEN "%s", name);
	size = read_all(path, text, sizeof(text) - 1);
	text[size] = '\0';
	nr = find_arguments(text, arguments);
	out_size = 0;
	if (guest_config_parse(&c, name, text, size, arguments, nr, &w, &p)) {
		if (pass)
			fail_msg("%s is refused: %s", name, p.text);
		out_size = snprintf(out, sizeof(out), "%s\n", p.text);
	} else {
		if (!pass)
			fail_msg("%s is taken", name);
		o = guest_config_json(&c);
		json = json_dumps(o, JSON_INDENT(2));
		out_size += snprintf(out + out_size, sizeof(out) - out_size, "%s\n", json);
		free(json);
		json_decref(o);
		guest_config_free(&c);
	}
	while (nr)
		free(arguments[--nr]);
}

static void compare(const char *name)
{
	static char expected[sizeof(out)];
	char path[512];
	size_t size;

	snprintf(path, sizeof(path), GOLDEN "%.*s.ok", (int)strlen(name) - 4, name);
	if (getenv("GOLDEN_UPDATE")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fwrite(out, 1, out_size, f);
		fclose(f);
		return;
	}
	size = read_all(path, expected, sizeof(expected) - 1);
	expected[size] = '\0';
	out[out_size] = '\0';
	if (strcmp(out, expected))
		fail_msg("%s: got\n%swhere %s has\n%s", name, out, path, expected);
}

static unsigned test_all(const char *prefix, bool pass)
{
	DIR *dir = opendir(GOLDEN);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		const char *end = strrchr(e->d_name, '.');

		if (strncmp(e->d_name, prefix, strlen(prefix)) || !end || strcmp(end, ".cfg"))
			continue;
		parse(e->d_name, pass);
		compare(e->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

static void good_files_are_understood(void **state)
{
	(void)state;
	assert_true(test_all("pass-", true) >= 10);
}

static void bad_files_are_refused(void **state)
{
	(void)state;
	assert_true(test_all("fail-", false) >= 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_files_are_understood),
		cmocka_unit_test(bad_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
