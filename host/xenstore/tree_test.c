// SPDX-License-Identifier: BSD-2-Clause
/* Paths, permissions, and the tree with its snapshots and books. */
#include "host/xenstore/tree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/xenstore/path.h"

static void legal_paths(void **state)
{
	static const char *const good[] = {"/", "/a", "/a/b", "/local/domain/0/x-y_Z@9"};
	static const char *const bad[] = {"",       "a",    "//",      "/a/", "/a//b",
					  "/a b",   "/a.b", "/a\n",    "@a",  "/\xc3\xa4",
					  "/a:b/c", "/a/",  "/a/b/c//"};
	char path[XENSTORE_ABS_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(path_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(path_valid(bad[i]));
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[XENSTORE_ABS_PATH_MAX] = '\0';
	assert_true(path_valid(path));
	path[XENSTORE_ABS_PATH_MAX] = 'x';
	path[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	assert_false(path_valid(path));
}

static void relations(void **state)
{
	(void)state;
	assert_int_equal(path_parent_len("/"), 1);
	assert_int_equal(path_parent_len("/a"), 1);
	assert_int_equal(path_parent_len("/a/bc"), 2);
	assert_true(path_within("/a", "/"));
	assert_true(path_within("/", "/"));
	assert_true(path_within("/a", "/a"));
	assert_true(path_within("/a/b", "/a"));
	assert_false(path_within("/ab", "/a"));
	assert_false(path_within("/a", "/a/b"));
	assert_false(path_within("@introduceDomain", "/"));
	assert_int_equal(path_levels("/", "/"), 0);
	assert_int_equal(path_levels("/a/b", "/"), 2);
	assert_int_equal(path_levels("/a/b", "/a"), 1);
	assert_int_equal(path_levels("/a/b/c/d", "/a"), 3);
}

static void rights(void **state)
{
	const struct perm list[] = {{5, STORE_NONE, false},
				    {6, STORE_READ, false},
				    {7, STORE_READ_WRITE, true},
				    {8, STORE_WRITE, false},
				    {6, STORE_WRITE, false}};
	struct perms *p = perms_new(5);
	struct caller who = {.domid = 5};
	const unsigned all = RIGHT_READ | RIGHT_WRITE | RIGHT_OWNER;

	(void)state;
	assert_non_null(p);
	memcpy(p->list, list, sizeof(list));
	assert_int_equal(perms_rights(p, &who), all);
	who.domid = 6; /* the first entry counts */
	assert_int_equal(perms_rights(p, &who), RIGHT_READ);
	who.domid = 7;
	assert_int_equal(perms_rights(p, &who), 0);
	who.domid = 9;
	assert_int_equal(perms_rights(p, &who), 0);
	who.has_target = true;
	who.target = 8;
	assert_int_equal(perms_rights(p, &who), RIGHT_WRITE);
	who.target = 5;
	assert_int_equal(perms_rights(p, &who), all);
	who = (struct caller){.domid = 0, .privileged = true};
	assert_int_equal(perms_rights(p, &who), all);
	perms_put(p);
}

static void perm_strings(void **state)
{
	static const char *const good[] = {"n0", "r1", "w32751", "b7"};
	static const char *const bad[] = {"", "r", "x1", "r1 ", "r-1", "rr", "r0x5", "r+1"};
	char out[PERM_STRING_MAX];
	struct perm p;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(perm_from_string(good[i], &p), 0);
		assert_int_equal(perm_to_string(&p, out), strlen(good[i]) + 1);
		assert_string_equal(out, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(perm_from_string(bad[i], &p), -EINVAL);
	assert_int_equal(perm_from_string("r32752", &p), -ENOENT);
	assert_int_equal(perm_from_string("r99999999999999999999", &p), -ENOENT);
}

struct subject {
	uint64_t generation;
	struct tree tree;
};

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));

	*state = s;
	return s && !tree_init(&s->tree, &s->generation) ? 0 : -1;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	tree_destroy(&s->tree);
	free(s);
	return 0;
}

static void create(struct tree *t, const char *path, const char *value)
{
	struct blob *b = blob_new(value, strlen(value));

	assert_non_null(b);
	assert_int_equal(tree_create(t, path, b, NULL), 0);
	blob_put(b);
	assert_true(tree_check(t));
}

static void set(struct tree *t, const char *path, const char *value)
{
	struct blob *b = blob_new(value, strlen(value));

	assert_non_null(b);
	assert_int_equal(tree_set_value(t, path, b), 0);
	blob_put(b);
	assert_true(tree_check(t));
}

static const char *get(const struct tree *t, const char *path)
{
	const struct node *n = tree_find(t, path);

	return n ? n->value->bytes : NULL;
}

static void creates_the_way(void **state)
{
	struct subject *s = *state;
	size_t len;

	create(&s->tree, "/a/b/c", "v");
	assert_string_equal(get(&s->tree, "/a/b/c"), "v");
	assert_string_equal(get(&s->tree, "/a/b"), "");
	assert_string_equal(get(&s->tree, "/a"), "");
	assert_null(tree_find(&s->tree, "/a/b/c/d"));
	assert_null(tree_find(&s->tree, "/a/bb"));
	assert_int_equal(tree_owned(&s->tree, 0).nodes, 4);
	assert_ptr_equal(tree_nearest(&s->tree, "/a/b/x/y", &len), tree_find(&s->tree, "/a/b"));
	assert_int_equal(len, 4);
	assert_ptr_equal(tree_nearest(&s->tree, "/x", &len), s->tree.root);
	assert_int_equal(len, 1);
}

/* Children are found among many, and stand sorted. */
static void many_children(void **state)
{
	struct subject *s = *state;
	char path[32];

	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/d/n%d", i * 7919 % 500);
		create(&s->tree, path, path);
	}
	assert_int_equal(tree_find(&s->tree, "/d")->nr_children, 500);
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/d/n%d", i);
		assert_string_equal(get(&s->tree, path), path);
	}
	for (int i = 0; i < 500; i += 2) {
		snprintf(path, sizeof(path), "/d/n%d", i);
		assert_int_equal(tree_remove(&s->tree, path), 0);
		assert_true(tree_check(&s->tree));
		assert_null(tree_find(&s->tree, path));
	}
	assert_int_equal(tree_find(&s->tree, "/d")->nr_children, 250);
	assert_int_equal(tree_owned(&s->tree, 0).nodes, 252);
}

/* The generation tells of value, permissions and children's names, and of nothing else. */
static void generations(void **state)
{
	struct subject *s = *state;
	uint64_t top, a;

	create(&s->tree, "/a/b", "");
	top = s->tree.root->generation;
	a = tree_find(&s->tree, "/a")->generation;
	set(&s->tree, "/a/b", "x");
	assert_int_equal(s->tree.root->generation, top);
	assert_int_equal(tree_find(&s->tree, "/a")->generation, a);
	create(&s->tree, "/a/c", "");
	assert_int_equal(s->tree.root->generation, top);
	assert_true(tree_find(&s->tree, "/a")->generation > a);
	a = tree_find(&s->tree, "/a")->generation;
	assert_int_equal(tree_remove(&s->tree, "/a/c"), 0);
	assert_true(tree_find(&s->tree, "/a")->generation > a);
}

static void clones_go_their_own_ways(void **state)
{
	struct subject *s = *state;
	struct tree clone;
	const struct node *shared;

	create(&s->tree, "/a/b/c", "old");
	create(&s->tree, "/x/y", "kept");
	assert_int_equal(tree_clone(&clone, &s->tree), 0);
	assert_ptr_equal(clone.root, s->tree.root);
	shared = tree_find(&s->tree, "/x");
	set(&s->tree, "/a/b/c", "new");
	create(&s->tree, "/a/b/d", "");
	assert_string_equal(get(&clone, "/a/b/c"), "old");
	assert_null(tree_find(&clone, "/a/b/d"));
	assert_ptr_equal(tree_find(&s->tree, "/x"), shared);
	assert_int_equal(tree_remove(&clone, "/x"), 0);
	assert_string_equal(get(&s->tree, "/x/y"), "kept");
	assert_true(tree_check(&clone));
	assert_true(tree_check(&s->tree));
	tree_destroy(&clone);
	assert_true(tree_check(&s->tree));
	assert_string_equal(get(&s->tree, "/a/b/c"), "new");
}

static void owners(void **state)
{
	struct subject *s = *state;
	struct blob *b = blob_new("1234", 4);
	struct perms *p = perms_new(2);
	const domid_t five = 5;

	assert_non_null(b);
	assert_non_null(p);
	p->list[0] = (struct perm){.domid = 7, .right = STORE_NONE};
	p->list[1] = (struct perm){.domid = 5, .right = STORE_READ};
	assert_int_equal(tree_create(&s->tree, "/a/b", b, &five), 0);
	assert_int_equal(tree_owned(&s->tree, 5).nodes, 2);
	assert_int_equal(tree_owned(&s->tree, 5).bytes,
			 node_size_of(4, 1, 0) + node_size_of(0, 1, 2));
	assert_int_equal(tree_find(&s->tree, "/a")->perms->list[0].domid, 5);
	assert_int_equal(tree_set_perms(&s->tree, "/a/b", p), 0);
	assert_int_equal(tree_owned(&s->tree, 5).nodes, 1);
	assert_int_equal(tree_owned(&s->tree, 7).nodes, 1);
	assert_true(tree_check(&s->tree));
	/* Who makes a node below gets the permissions, and, if he says so, is its owner. */
	assert_int_equal(tree_create(&s->tree, "/a/b/c", b, &five), 0);
	assert_int_equal(tree_find(&s->tree, "/a/b/c")->perms->n, 2);
	assert_int_equal(tree_find(&s->tree, "/a/b/c")->perms->list[0].domid, 5);
	assert_int_equal(tree_create(&s->tree, "/a/b/d", b, NULL), 0);
	assert_ptr_equal(tree_find(&s->tree, "/a/b/d")->perms, p);
	assert_int_equal(tree_remove(&s->tree, "/a"), 0);
	assert_int_equal(tree_owned(&s->tree, 5).nodes, 0);
	assert_int_equal(tree_owned(&s->tree, 7).bytes, 0);
	assert_true(tree_check(&s->tree));
	blob_put(b);
	perms_put(p);
}

/* As deep as a path can be, and gone again. */
static void deep(void **state)
{
	struct subject *s = *state;
	char path[XENSTORE_ABS_PATH_MAX + 1];

	for (unsigned i = 0; i < sizeof(path) - 1; i += 2)
		memcpy(path + i, "/a", 2);
	path[sizeof(path) - 1] = '\0';
	assert_true(path_valid(path));
	create(&s->tree, path, "bottom");
	assert_int_equal(tree_owned(&s->tree, 0).nodes, XENSTORE_ABS_PATH_MAX / 2 + 1);
	assert_int_equal(tree_remove(&s->tree, "/a"), 0);
	assert_true(tree_check(&s->tree));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_paths),
		cmocka_unit_test(relations),
		cmocka_unit_test(rights),
		cmocka_unit_test(perm_strings),
		TEST(creates_the_way),
		TEST(many_children),
		TEST(generations),
		TEST(clones_go_their_own_ways),
		TEST(owners),
		TEST(deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
