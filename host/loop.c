// SPDX-License-Identifier: BSD-2-Clause
#include "host/event.h"
#include "host/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

int loop_init(struct loop *loop)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	int rc;

	loop->stopped = false;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->stop_fd < 0 || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->stop_fd, &ev)) {
		rc = -errno;
		loop_destroy(loop);
		return rc;
	}
	return 0;
}

void loop_destroy(struct loop *loop)
{
	if (loop->stop_fd >= 0)
		close(loop->stop_fd);
	close(loop->epoll_fd);
}

int loop_watch(struct loop *loop, struct watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev))
		return -errno;
	if (!events)
		loop_unwatch(loop, w);
	return 0;
}

void loop_rearm(struct loop *loop, struct watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	/* A paused watch is none at all: epoll tells of errors and hang-ups even unasked. */
	if (!events)
		loop_unwatch(loop, w);
	else if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) && errno == ENOENT)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, w->fd, &ev);
}

void loop_unwatch(struct loop *loop, struct watch *w)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
}

int loop_timer_open(struct loop *loop, struct watch *w,
		    void (*ready)(void *opaque, uint32_t events), void *opaque)
{
	*w = (struct watch){
		.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.ready = ready,
		.opaque = opaque,
	};
	return w->fd < 0 ? -errno : loop_watch(loop, w, EPOLLIN);
}

void loop_timer_set(struct watch *w, uint64_t ns)
{
	const struct itimerspec spec = {.it_value = {ns / NS_PER_S, ns % NS_PER_S}};

	timerfd_settime(w->fd, 0, &spec, NULL);
}

bool loop_timer_fired(struct watch *w)
{
	uint64_t times;

	return read(w->fd, &times, sizeof(times)) == sizeof(times);
}

int loop_event_open(struct loop *loop, struct watch *w,
		    void (*ready)(void *opaque, uint32_t events), void *opaque)
{
	*w = (struct watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), ready, opaque};
	return w->fd < 0 ? -errno : loop_watch(loop, w, EPOLLIN);
}

int loop_signals_open(struct loop *loop, struct watch *w,
		      void (*ready)(void *opaque, uint32_t events), void *opaque)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	*w = (struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), ready, opaque};
	return w->fd < 0 ? -errno : loop_watch(loop, w, EPOLLIN);
}

void loop_run(struct loop *loop)
{
	struct epoll_event ev;

	while (!loop->stopped) {
		struct watch *w;

		/* One at a time: a second one may be what the first one's callback unwatches. */
		if (epoll_wait(loop->epoll_fd, &ev, 1, -1) != 1)
			continue;
		w = ev.data.ptr;
		if (w)
			w->ready(w->opaque, ev.events);
		else
			loop->stopped = true;
	}
}

void loop_stop(struct loop *loop)
{
	event_raise(loop->stop_fd);
}
