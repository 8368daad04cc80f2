/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one event loop of a guest's process: file descriptors and what to do when they are ready.
 * All functions but loop_stop are for the loop's own thread (or before it runs).
 */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop {
	int epoll_fd, stop_fd;
	bool stopped;
};

/* One watched descriptor; owned by the caller, must stay in place while it is watched. */
struct watch {
	int fd;
	void (*ready)(void *opaque, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, ... */
	void *opaque;
};

/* 0 or -errno. */
int loop_init(struct loop *loop);
void loop_destroy(struct loop *loop);

/* Watch w->fd for `events` (level-triggered). 0 or -errno (-EPERM: such a file is always ready). */
int loop_watch(struct loop *loop, struct watch *w, uint32_t events);
/* Change what is waited for; 0 events pause the watch, for errors and hang-ups, too. */
void loop_rearm(struct loop *loop, struct watch *w, uint32_t events);
void loop_unwatch(struct loop *loop, struct watch *w);

/*
 * A timer of the loop: *w becomes a timerfd (CLOCK_MONOTONIC, the caller's to close), off, that
 * calls ready when it has fired. 0 or -errno.
 */
int loop_timer_open(struct loop *loop, struct watch *w,
		    void (*ready)(void *opaque, uint32_t events), void *opaque);
/* Fire once in `ns` (0: never), instead of whenever it was set to. Any thread. */
void loop_timer_set(struct watch *w, uint64_t ns);
/* In ready(): has it fired, and not been set anew since? */
bool loop_timer_fired(struct watch *w);

/*
 * An event of other threads to the loop (event.h): *w becomes an eventfd (the caller's to close)
 * that is ready when it has been raised. 0 or -errno.
 */
int loop_event_open(struct loop *loop, struct watch *w,
		    void (*ready)(void *opaque, uint32_t events), void *opaque);

/*
 * The user has had enough: *w becomes a signalfd (the caller's to close) that is ready when SIGINT,
 * SIGTERM, SIGHUP or SIGQUIT comes, which are blocked from now on, in threads that begin later,
 * too. SIGPIPE is ignored. 0 or -errno.
 */
int loop_signals_open(struct loop *loop, struct watch *w,
		      void (*ready)(void *opaque, uint32_t events), void *opaque);

/* Serve until loop_stop, which any thread may call, before or while the loop runs. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
