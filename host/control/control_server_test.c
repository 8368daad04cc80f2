// SPDX-License-Identifier: BSD-2-Clause
/* The guest's end of the control socket, with clients that the test plays. */
#include "host/control/control_server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/control/control.h"
#include "host/xenstore/test_loop.h"

struct subject {
	char folder[32], path[64];
	struct loop loop;
	struct control_server *server;
	struct control_call *kept; /* of the command "keep" */
	unsigned handled, fds;
	char content[8]; /* of the descriptor that came along */
	int client;
};

static void handle(void *opaque, struct control_call *call)
{
	struct subject *s = opaque;

	s->handled++;
	s->fds = call->nr_fds;
	if (call->nr_fds && pread(call->fds[0], s->content, sizeof(s->content) - 1, 0) < 0)
		s->content[0] = '\0';
	if (!strcmp(call->command, "keep"))
		s->kept = call;
	else if (!strcmp(call->command, "fail"))
		control_fail(call, "no %s today", "luck");
	else
		control_answer(call, json_pack("{s:s}", "did", call->command));
}

static int new_client(struct subject *s)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", s->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static int setup(void **state)
{
	struct subject *s = calloc(1, sizeof(*s));
	struct problem p;

	*state = s;
	snprintf(s->folder, sizeof(s->folder), "/tmp/control-test-XXXXXX");
	if (!mkdtemp(s->folder) || loop_init(&s->loop))
		return -1;
	snprintf(s->path, sizeof(s->path), "%s/control", s->folder);
	s->server = control_server_open(&s->loop, s->path, handle, s, &p);
	if (!s->server)
		return -1;
	s->client = new_client(s);
	alarm(20); /* a loop that does not stop is a failure */
	return 0;
}

static int teardown(void **state)
{
	struct subject *s = *state;

	alarm(0);
	if (s->client >= 0)
		close(s->client);
	control_server_close(s->server);
	loop_destroy(&s->loop);
	unlink(s->path);
	rmdir(s->folder);
	free(s);
	return 0;
}

static void say(struct subject *s, const char *text)
{
	assert_int_equal(send(s->client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	test_loop_settle(&s->loop);
}

static void expect(struct subject *s, const char *text)
{
	char answer[1024];
	ssize_t n = recv(s->client, answer, sizeof(answer) - 1, 0);

	assert_true(n > 0);
	answer[n] = '\0';
	assert_string_equal(answer, text);
}

static bool is_silent(struct subject *s)
{
	char byte;

	return recv(s->client, &byte, 1, MSG_PEEK) < 0;
}

static bool is_closed(struct subject *s)
{
	char byte;

	return recv(s->client, &byte, 1, MSG_PEEK) == 0;
}

static void answers(void **state)
{
	struct subject *s = *state;

	say(s, "{\"command\":\"pause\"}\n");
	expect(s, "{\"ok\":{\"did\":\"pause\"}}\n");
	say(s, "{\"command\":\"fail\"}\n");
	expect(s, "{\"error\":\"no luck today\"}\n");
}

static void lines_in_pieces_and_together(void **state)
{
	struct subject *s = *state;

	say(s, "{\"comm");
	assert_true(is_silent(s));
	say(s, "and\":\"a\"}\n{\"command\":\"b\"}\n{\"com");
	expect(s, "{\"ok\":{\"did\":\"a\"}}\n{\"ok\":{\"did\":\"b\"}}\n");
	say(s, "mand\":\"c\"}\n");
	expect(s, "{\"ok\":{\"did\":\"c\"}}\n");
}

static void nonsense_is_answered(void **state)
{
	struct subject *s = *state;
	char answer[256];

	say(s, "hello\n");
	assert_true(recv(s->client, answer, sizeof(answer), 0) > 0);
	assert_memory_equal(answer, "{\"error\":\"this is no JSON: ", 27);
	say(s, "[1]\n");
	expect(s, "{\"error\":\"a request is an object with a \\\"command\\\"\"}\n");
	say(s, "{\"command\":5}\n");
	expect(s, "{\"error\":\"a request is an object with a \\\"command\\\"\"}\n");
	assert_int_equal(s->handled, 0);
}

static void too_long_a_line_ends_it(void **state)
{
	struct subject *s = *state;
	char *line = malloc(CONTROL_LINE_MAX + 1);

	memset(line, ' ', CONTROL_LINE_MAX);
	line[CONTROL_LINE_MAX] = '\0';
	say(s, line);
	free(line);
	test_loop_settle(&s->loop);
	assert_true(is_closed(s));
}

static void answered_later(void **state)
{
	struct subject *s = *state;

	say(s, "{\"command\":\"keep\"}\n");
	assert_true(is_silent(s));
	say(s, "{\"command\":\"other\"}\n");
	expect(s, "{\"ok\":{\"did\":\"other\"}}\n");
	control_answer(s->kept, NULL);
	expect(s, "{\"ok\":true}\n");
}

static void answered_to_nobody(void **state)
{
	struct subject *s = *state;

	say(s, "{\"command\":\"keep\"}\n");
	close(s->client);
	s->client = -1;
	test_loop_settle(&s->loop);
	assert_null(s->kept->client);
	control_answer(s->kept, NULL);
}

static void descriptors_come_along(void **state)
{
	struct subject *s = *state;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char text[] = "{\"command\":\"take\"}\n", path[] = "/tmp/control-test-XXXXXX";
	struct iovec iov = {text, strlen(text)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *m = CMSG_FIRSTHDR(&msg);
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "inside", 6), 6);
	m->cmsg_level = SOL_SOCKET;
	m->cmsg_type = SCM_RIGHTS;
	m->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(m), &fd, sizeof(fd));
	assert_int_equal(sendmsg(s->client, &msg, 0), strlen(text));
	test_loop_settle(&s->loop);
	expect(s, "{\"ok\":{\"did\":\"take\"}}\n");
	assert_int_equal(s->fds, 1);
	assert_string_equal(s->content, "inside");
	/* They belong to that request alone. */
	say(s, "{\"command\":\"next\"}\n");
	assert_int_equal(s->fds, 0);
	close(fd);
	unlink(path);
}

static void only_for_its_user(void **state)
{
	struct subject *s = *state;
	struct stat st;

	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void path_too_long(void **state)
{
	struct subject *s = *state;
	struct problem p;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_null(control_server_open(&s->loop, path, handle, s, &p));
	assert_non_null(strstr(p.text, "XENOLITH_RUN_DIR"));
}

/* A client that asks and never reads costs no more than its room. */
static void who_does_not_read_is_dropped(void **state)
{
	struct subject *s = *state;
	const char *text = "{\"command\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n";
	unsigned asked = 0;

	while (send(s->client, text, strlen(text), MSG_NOSIGNAL) > 0) {
		test_loop_settle(&s->loop);
		assert_true(++asked < 100000);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers),
		TEST(lines_in_pieces_and_together),
		TEST(nonsense_is_answered),
		TEST(too_long_a_line_ends_it),
		TEST(answered_later),
		TEST(answered_to_nobody),
		TEST(descriptors_come_along),
		TEST(only_for_its_user),
		TEST(path_too_long),
		TEST(who_does_not_read_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
