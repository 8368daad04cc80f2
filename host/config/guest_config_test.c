// SPDX-License-Identifier: BSD-2-Clause
/*
 * What golden files cannot show: reading from files, what is random, and the syntax against
 * libxlutil, Xen's own parser, by texts put together at random.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/config/guest_config.h"
#include "host/config/syntax.h"
#include "shim/types.h"

static FILE *nowhere;
static struct problem p;

static void ignore(void *opaque, const char *line)
{
	(void)opaque;
	(void)line;
}

static const struct config_warnings quiet = {ignore, NULL};

static void what_is_random(void **state)
{
	char *arguments[] = {"name=n", "kernel=k", "vif=['','mac=00:16:3e:00:00:01']"};
	struct guest_config a, b;

	(void)state;
	assert_int_equal(guest_config_read(&a, NULL, arguments, 3, &quiet, &p), 0);
	assert_int_equal(guest_config_read(&b, NULL, arguments, 3, &quiet, &p), 0);
	assert_memory_not_equal(a.uuid, b.uuid, 16);
	assert_int_equal(a.uuid[6] >> 4, 4);
	assert_int_equal(a.uuid[8] >> 6, 2);
	assert_memory_not_equal(a.nics[0].mac, b.nics[0].mac, 6);
	assert_memory_equal(a.nics[1].mac, b.nics[1].mac, 6);
	guest_config_free(&a);
	guest_config_free(&b);
}

static void files(void **state)
{
	char path[] = "/tmp/xenolith-config-test-XXXXXX";
	char *arguments[] = {"memory=64"};
	int fd = mkstemp(path);
	struct guest_config c;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "name='f'\nkernel='k'\nuuid='%032d'\n", 7), 60);
	assert_int_equal(guest_config_read(&c, path, arguments, 1, &quiet, &p), 0);
	assert_string_equal(c.file, path);
	assert_int_equal(c.memory, 64 << 20);
	guest_config_free(&c);

	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	assert_int_equal(guest_config_read(&c, path, arguments, 1, &quiet, &p), -1);
	assert_non_null(strstr(p.text, "larger than 1 MiB"));
	close(fd);
	unlink(path);
	assert_int_equal(guest_config_read(&c, path, arguments, 1, &quiet, &p), -1);
	assert_non_null(strstr(p.text, path));
	assert_non_null(strstr(p.text, "No such file"));
	assert_int_equal(guest_config_read(&c, "/", arguments, 1, &quiet, &p), -1);
	assert_non_null(strstr(p.text, "cannot read /"));
}

/* Arguments alone, as Solo5's tests start guests. */
static void nothing_but_arguments(void **state)
{
	char *arguments[] = {"name=\"test\"", "type=pvh", "kernel='k'", "memory=32",
			     "cmdline=\"a=b\""};
	struct guest_config c;

	(void)state;
	assert_int_equal(guest_config_read(&c, "/dev/null", arguments, 5, &quiet, &p), 0);
	assert_string_equal(c.name, "test");
	assert_int_equal(c.type, GUEST_PVH);
	assert_string_equal(c.cmdline, "a=b");
	guest_config_free(&c);
}

static bool is_preserve(enum guest_action action)
{
	return action == ACTION_PRESERVE;
}

static void each_end_has_an_action(void **state)
{
	static char *const ends[] = {"on_poweroff='preserve'",   "on_reboot='preserve'",
				     "on_crash='preserve'",      "on_watchdog='preserve'",
				     "on_soft_reset='preserve'", "on_crash='destroy'"};
	struct guest_config c;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
		char *arguments[] = {"name=n", "kernel=k", ends[i]};

		assert_int_equal(guest_config_read(&c, NULL, arguments, 3, &quiet, &p), 0);
		assert_int_equal(guest_config_has_action(&c, is_preserve), i < 5);
		guest_config_free(&c);
	}
}

static void too_many_settings(void **state)
{
	static char text[4 * (CONFIG_SETTINGS_MAX + 1) + 1];
	struct config_syntax s = {0};

	(void)state;
	for (unsigned i = 0; i <= CONFIG_SETTINGS_MAX; i++)
		memcpy(text + 4 * i, "a=1\n", 4);
	assert_int_equal(config_syntax_parse(&s, "f", text, 4 * CONFIG_SETTINGS_MAX, &p), 0);
	config_syntax_free(&s);
	assert_int_equal(config_syntax_parse(&s, "f", text, sizeof(text) - 1, &p), -1);
	config_syntax_free(&s);
}

static void compare_value(const char *text, const XLU_Config *xlu, XLU_ConfigValue *theirs,
			  const struct config_value *ours)
{
	XLU_ConfigList *list;
	char *string;

	if (ours->kind == VALUE_LIST) {
		assert_int_equal(xlu_cfg_value_get_list(xlu, theirs, &list, 1), 0);
		for (unsigned i = 0; i < ours->nr_items; i++) {
			XLU_ConfigValue *item = xlu_cfg_get_listitem2(list, (int)i);

			assert_non_null(item);
			compare_value(text, xlu, item, &ours->items[i]);
		}
		assert_null(xlu_cfg_get_listitem2(list, (int)ours->nr_items));
		return;
	}
	assert_int_equal(xlu_cfg_value_get_string(xlu, theirs, &string, 1), 0);
	if (strcmp(string, ours->text))
		fail_msg("%s: '%s' and '%s'", text, string, ours->text);
}

static void compare(const char *text, XLU_Config *xlu, const struct config_syntax *s)
{
	for (const char *name = "a"; name; name = *name == 'a' ? "b" : NULL) {
		const struct config_setting *ours = config_syntax_find(s, name);
		XLU_ConfigList *list;
		const char *string;
		int them = xlu_cfg_get_list(xlu, name, &list, NULL, 1);

		if (!ours || ours->value.kind != VALUE_LIST) {
			them = xlu_cfg_get_string(xlu, name, &string, 1);
			if (!ours != !!them || (ours && strcmp(ours->value.text, string)))
				fail_msg("%s: not the same of %s", text, name);
			continue;
		}
		assert_int_equal(them, 0);
		for (unsigned i = 0; i < ours->value.nr_items; i++)
			compare_value(text, xlu, xlu_cfg_get_listitem2(list, (int)i),
				      &ours->value.items[i]);
		assert_null(xlu_cfg_get_listitem2(list, (int)ours->value.nr_items));
	}
}

/* Do both take it? */
static bool check(const char *text)
{
	XLU_Config *xlu = xlu_cfg_init(nowhere, "test");
	struct config_syntax s = {0};
	int them = xlu_cfg_readdata(xlu, text, (int)strlen(text));
	int us = config_syntax_parse(&s, "test", text, strlen(text), &p);

	if (!us != !them)
		fail_msg("libxlutil %s this, we do not (%s):\n%s", them ? "refuses" : "takes",
			 us ? p.text : "", text);
	if (!us)
		compare(text, xlu, &s);
	config_syntax_free(&s);
	xlu_cfg_destroy(xlu);
	return !us;
}

static unsigned pick(uint32_t *seed, unsigned n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

static void syntax_as_libxlutil_has_it(void **state)
{
	static const char *const words[] = {
		"a",  "b",         "=",
		"=",  "+=",        "[",
		"]",  ",",         ";",
		"\n", "\n",        " ",
		"\t", "'x'",       "\"y\"",
		"1",  "0x2f",      "# c\n",
		"''", "'\\n\\\\'", "a=1",
		"\n", "b='z'",     "\na=['1']",
		"\n", "b+='u'",    "\na+=[\"v\",]",
		"\n", "(\n",       "A\n",
	};
	uint32_t seed = 1;
	unsigned taken = 0;

	(void)state;
	for (unsigned round = 0; round < 30000; round++) {
		char text[256] = "";
		unsigned n = 1 + pick(&seed, 10);

		for (unsigned i = 0; i < n; i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s",
				 words[pick(&seed, ARRAY_SIZE(words))]);
		taken += check(text);
	}
	assert_true(taken > 1000 && taken < 29000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_random),
		cmocka_unit_test(files),
		cmocka_unit_test(nothing_but_arguments),
		cmocka_unit_test(each_end_has_an_action),
		cmocka_unit_test(too_many_settings),
		cmocka_unit_test(syntax_as_libxlutil_has_it),
	};
	int failed;

	nowhere = fopen("/dev/null", "w");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fclose(nowhere);
	return failed;
}
