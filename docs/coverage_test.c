// SPDX-License-Identifier: BSD-2-Clause
/* docs/abi-coverage.md against the dispatch tables and against what Xen offers. */
#include "docs/coverage_rows.h"
#include "shim/hypercall.h"
#include "xen-abi/xen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE     "docs/abi-coverage.md"
#define MAX_ROWS 1024
#define CELLS    4

/* What follows is not about operations. */
#define END_OF_ROWS "# With KVM's Xen support"

/* One row of the page. */
struct line {
	unsigned int number; /* in the file, from 1 */
	unsigned int nr;     /* of its section */
	char text[256];      /* owns what the cells point to */
	char *cell[CELLS];   /* operation, PV, HVM, since */
};

static struct line page[MAX_ROWS];
static size_t page_rows;

/* Every difference is told before the test fails. */
static int differences;

/* line 0: no line of the page is at fault, or none is there. */
static void differs(unsigned int line, const char *name, const char *how)
{
	if (line)
		print_error("%s:%u: %s: %s\n", PAGE, line, name, how);
	else
		print_error("%s: %s: %s\n", PAGE, name, how);
	differences++;
}

/* Cut "| a | b | c | d |" into its cells; false when it has another number of them. */
static bool cut(struct line *row)
{
	char *at = row->text + 1;

	for (int i = 0; i < CELLS; i++) {
		char *end = strchr(at, '|');

		if (!end || at[0] != ' ' || end - at < 2 || end[-1] != ' ')
			return false;
		end[-1] = '\0';
		row->cell[i] = at + 1;
		at = end + 1;
	}
	return *at == '\0';
}

static void read_heading(const char *text, unsigned int number, unsigned int *nr)
{
	const struct hypercall_family *family;
	char name[64];

	if (sscanf(text, "## %u %63s", nr, name) != 2) {
		differs(number, text, "is no heading of the form \"## number name\"");
		return;
	}
	family = hypercall_family(*nr);
	if (!family || !family->name || strcmp(family->name, name) != 0)
		differs(number, name, "is not the name of this hypercall number");
}

static void read_row(const char *text, unsigned int number, unsigned int nr)
{
	struct line *row = &page[page_rows];

	if (strncmp(text, "| operation |", 13) == 0 || strncmp(text, "|---", 4) == 0)
		return;
	assert_true(page_rows < MAX_ROWS);
	row->number = number;
	row->nr = nr;
	snprintf(row->text, sizeof(row->text), "%s", text);
	if (cut(row))
		page_rows++;
	else
		differs(number, text, "is no row of four cells");
}

static int read_page(void **state)
{
	unsigned int number = 0, nr = 0;
	char *text = NULL;
	size_t size = 0;
	FILE *file = fopen(PAGE, "r");

	(void)state;
	if (!file) {
		print_error("%s: cannot be opened from here\n", PAGE);
		return -1;
	}
	while (getline(&text, &size, file) >= 0) {
		text[strcspn(text, "\n")] = '\0';
		number++;
		if (strcmp(text, END_OF_ROWS) == 0)
			break;
		if (strncmp(text, "## ", 3) == 0)
			read_heading(text, number, &nr);
		else if (text[0] == '|')
			read_row(text, number, nr);
	}
	free(text);
	fclose(file);
	return 0;
}

static void title_of(const struct coverage_row *row, char *title, size_t size)
{
	snprintf(title, size, "%s%s%s", row->name, row->part ? ": " : "",
		 row->part ? row->part : "");
}

static const struct line *find_line(const struct coverage_row *row)
{
	const struct line *found = NULL;
	char title[128];

	title_of(row, title, sizeof(title));
	for (size_t i = 0; i < page_rows; i++) {
		if (page[i].nr != row->nr || strcmp(page[i].cell[0], title) != 0)
			continue;
		if (found)
			differs(page[i].number, title, "stands there twice");
		found = &page[i];
	}
	return found;
}

/* Is there a handler for this operation of such a guest? */
static bool implemented(const struct coverage_row *row, enum domain_type type)
{
	const struct hypercall_family *family = hypercall_family(row->nr);

	if (!family)
		return false;
	if (family->ops && row->op < 0)
		return true;
	return hypercall_served_by(family, type, row->op);
}

static bool is(const char *cell, const char *word)
{
	return strcmp(cell, word) == 0;
}

/* A row is there for all that Xen offers, and for nothing else. */
static void rows_of_xen(void **state)
{
	char title[128];

	(void)state;
	for (size_t i = 0; i < coverage_rows_count; i++) {
		title_of(&coverage_rows[i], title, sizeof(title));
		if (!find_line(&coverage_rows[i]))
			differs(0, title, "has no row in the section of its hypercall");
	}
	for (size_t i = 0; i < page_rows; i++) {
		bool known = false;

		for (size_t j = 0; j < coverage_rows_count && !known; j++)
			known = find_line(&coverage_rows[j]) == &page[i];
		if (!known)
			differs(page[i].number, page[i].cell[0], "is no operation of Xen");
	}
	assert_int_equal(differences, 0);
}

static void check_words(const struct coverage_row *row, const struct line *line)
{
	const char *pv = line->cell[1], *hvm = line->cell[2];

	if (row->offer & PV ? !is(pv, "yes") && !is(pv, "monitor") && !is(pv, "-ENOSYS")
			    : !is(pv, "n/a"))
		differs(line->number, line->cell[0],
			row->offer & PV ? "must say yes, monitor or -ENOSYS for PV"
					: "must say n/a for PV");
	if (row->offer & HVM ? !is(hvm, "yes") && !is(hvm, "-ENOSYS") : !is(hvm, "n/a"))
		differs(line->number, line->cell[0],
			row->offer & HVM ? "must say yes or -ENOSYS for HVM"
					 : "must say n/a for HVM");
	if ((is(hvm, "yes") || is(pv, "yes")) && (line->cell[3][0] < '0' || line->cell[3][0] > '9'))
		differs(line->number, line->cell[0], "must say since which release");
}

static void words(void **state)
{
	(void)state;
	for (size_t i = 0; i < coverage_rows_count; i++) {
		const struct line *line = find_line(&coverage_rows[i]);

		if (line)
			check_words(&coverage_rows[i], line);
	}
	assert_int_equal(differences, 0);
}

/* Of the kinds of guests. */
static const unsigned int cells[DOMAIN_TYPES] = {[DOMAIN_PV] = 1, [DOMAIN_PVH] = 2};

/* Does any of the cases of this operation say yes? The table has only one handler for them. */
static bool some_yes(const struct coverage_row *row, enum domain_type type)
{
	for (size_t i = 0; i < coverage_rows_count; i++) {
		const struct coverage_row *other = &coverage_rows[i];
		const struct line *line = find_line(other);

		if (other->nr == row->nr && other->op == row->op && line &&
		    is(line->cell[cells[type]], "yes"))
			return true;
	}
	return false;
}

static void check_handler(const struct coverage_row *row, enum domain_type type)
{
	const struct line *line = find_line(row);
	bool yes = some_yes(row, type), there = implemented(row, type);

	if (!line || (row->nr == __HYPERVISOR_hvm_op && type == DOMAIN_PV))
		return; /* some are there to say -EINVAL, as Xen does */
	if (yes && !there)
		differs(line->number, row->name, "says yes, but has no handler");
	else if (!yes && there)
		differs(line->number, row->name, "has a handler, but no row says yes");
}

/* The page says yes exactly where there is a handler. */
static void handlers(void **state)
{
	(void)state;
	for (size_t i = 0; i < coverage_rows_count; i++)
		for (unsigned int type = 0; type < DOMAIN_TYPES; type++)
			check_handler(&coverage_rows[i], type);
	assert_int_equal(differences, 0);
}

static const struct coverage_row *find_row(unsigned int nr, int op)
{
	for (size_t i = 0; i < coverage_rows_count; i++)
		if (coverage_rows[i].nr == nr && coverage_rows[i].op == op)
			return &coverage_rows[i];
	return NULL;
}

static void check_family(unsigned int nr, const struct hypercall_family *family)
{
	char message[128];
	bool any = false;

	for (size_t i = 0; i < coverage_rows_count; i++)
		any = any || coverage_rows[i].nr == nr;
	if (!any)
		differs(0, family->name,
			"is in the dispatch table, but not in docs/coverage_rows.c");
	for (unsigned int op = 0; family->ops && op < *family->ops_count; op++) {
		const char *name = family->ops[op].name;
		const struct coverage_row *row = find_row(nr, op);

		if (!name || (row && strcmp(row->name, name) == 0))
			continue;
		snprintf(message, sizeof(message), "sub-operation %u is called \"%s\", and %s here",
			 op, name, row ? row->name : "has no row");
		differs(0, family->name, message);
	}
}

/* The names and numbers of the dispatch tables are Xen's. */
static void names(void **state)
{
	(void)state;
	for (unsigned int nr = 0; nr < HYPERCALL_MAX; nr++) {
		const struct hypercall_family *family = hypercall_family(nr);

		if (family && family->name)
			check_family(nr, family);
	}
	assert_int_equal(differences, 0);
}

static int no_differences(void **state)
{
	(void)state;
	differences = 0;
	return 0;
}

/* Headings and rows that could not be read were counted while reading. */
static void form(void **state)
{
	(void)state;
	assert_int_equal(differences, 0);
	assert_true(page_rows > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(form),
		cmocka_unit_test_setup(rows_of_xen, no_differences),
		cmocka_unit_test_setup(words, no_differences),
		cmocka_unit_test_setup(handlers, no_differences),
		cmocka_unit_test_setup(names, no_differences),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
