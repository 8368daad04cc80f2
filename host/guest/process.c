// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/process.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "host/guest/sandbox.h"

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

const char *guest_end_name(enum guest_end end)
{
	static const char *const names[] = {
		[GUEST_RUNS] = "running",        [GUEST_POWEROFF] = "poweroff",
		[GUEST_REBOOT] = "reboot",       [GUEST_SUSPEND] = "suspend",
		[GUEST_CRASH] = "crash",         [GUEST_WATCHDOG] = "watchdog",
		[GUEST_DESTROYED] = "destroyed",
	};

	return names[end];
}

/*
 * The machine.
 */

/* On any thread. */
static void machine_ended(void *opaque)
{
	struct guest *g = opaque;
	uint64_t one = 1;

	if (write(g->ended.fd, &one, sizeof(one)) < 0)
		return; /* it has been told already */
}

static void machine_reset(void *opaque)
{
	guest_devices_reset(opaque);
}

/* The oldest lines go when there is no more room. Any thread. */
static void machine_said(void *opaque, const char *line)
{
	struct guest *g = opaque;
	size_t len = strlen(line);

	pthread_mutex_lock(&g->dmesg_lock);
	while (g->dmesg_len + len + 1 > sizeof(g->dmesg)) {
		const char *next = memchr(g->dmesg, '\n', g->dmesg_len);
		size_t gone = next + 1 - g->dmesg;

		memmove(g->dmesg, g->dmesg + gone, g->dmesg_len - gone);
		g->dmesg_len -= gone;
	}
	memcpy(g->dmesg + g->dmesg_len, line, len);
	g->dmesg[g->dmesg_len + len] = '\n';
	g->dmesg_len += len + 1;
	pthread_mutex_unlock(&g->dmesg_lock);
}

static int create_machine(struct guest *g, struct problem *p)
{
	const struct guest_config *c = g->config;
	const struct machine_config config = {
		.device = c->device,
		.kernel = c->kernel,
		.initrd = c->ramdisk,
		.cmdline = c->cmdline,
		.accel = c->accel,
		.memory = c->memory,
		.max_memory = c->maxmem,
		.vcpus = c->maxvcpus,
		.in_fd = g->tty.master,
		.out_fd = g->tty.out,
		.domid = g->folder.domid,
		.uuid = c->uuid,
		.max_grant_frames = c->max_grant_frames,
		.max_maptrack_frames = c->max_maptrack_frames,
		.max_grant_version = c->max_grant_version,
		.store = g->store,
		.nobody_reads = true,
		.log_fd = g->tty.log.fd,
		.ended = machine_ended,
		.reset = machine_reset,
		.debug_line = machine_said,
		.opaque = g,
	};

	g->machine = calloc(1, sizeof(*g->machine));
	if (!g->machine)
		return problem(p, "no memory for the guest");
	if (!machine_create(g->machine, &config, &g->loop, p))
		return 0;
	free(g->machine);
	g->machine = NULL;
	return -1;
}

static int show_domain(struct guest *g, struct problem *p)
{
	int rc;

	g->memory_target = g->config->memory;
	g->vcpus_online = g->config->vcpus;
	g->domain_shown = true;
	rc = guest_nodes_write(g);
	if (rc)
		return problem(p, "cannot show the guest in its xenstore: %s", strerror(-rc));
	if (guest_devices_show(g, p))
		return -1;
	rc = store_introduce(g->store, g->folder.domid);
	return rc ? problem(p, "cannot introduce the guest to its xenstore: %s", strerror(-rc)) : 0;
}

/* Nothing of the machine is left, what the host has given stays. */
static void take_down(struct guest *g)
{
	if (!g->machine)
		return;
	vm_stop(&g->machine->vm);
	if (g->domain_shown) {
		guest_devices_hide(g);
		store_release(g->store, g->folder.domid);
		guest_nodes_remove(g);
		g->domain_shown = false;
	}
	machine_destroy(g->machine);
	free(g->machine);
	g->machine = NULL;
}

static int bring_up(struct guest *g, struct problem *p)
{
	if (create_machine(g, p))
		return -1;
	if (show_domain(g, p)) {
		take_down(g);
		return -1;
	}
	if (g->paused)
		vm_pause_begin(&g->machine->vm);
	g->end = GUEST_RUNS;
	g->started = now_ns();
	return 0;
}

static int start_machine(struct guest *g, struct problem *p)
{
	if (!machine_start(g->machine, p))
		return 0;
	take_down(g);
	return -1;
}

/*
 * Its end.
 */

static enum guest_end machine_end(struct guest *g)
{
	struct problem p;

	if (machine_stop(g->machine, &p)) {
		/* KVM could not go on with what the guest did: for the user, its crash. */
		fprintf(stderr, "xenolith: %s\n", p.text);
		return GUEST_CRASH;
	}
	switch (g->machine->vm.shutdown_reason) {
	case SHUTDOWN_poweroff:
		return GUEST_POWEROFF;
	case SHUTDOWN_reboot:
		return GUEST_REBOOT;
	case SHUTDOWN_suspend:
		return GUEST_SUSPEND;
	case SHUTDOWN_watchdog:
		return GUEST_WATCHDOG;
	default:
		return GUEST_CRASH;
	}
}

static enum guest_action action_for(const struct guest *g)
{
	switch (g->end) {
	case GUEST_POWEROFF:
		return g->config->on_poweroff;
	case GUEST_REBOOT:
		return g->config->on_reboot;
	case GUEST_WATCHDOG:
		return g->config->on_watchdog;
	case GUEST_SUSPEND:
		return ACTION_PRESERVE;
	case GUEST_CRASH:
		return g->config->on_crash;
	default:
		return ACTION_DESTROY;
	}
}

static void restart(struct guest *g)
{
	struct problem p;

	take_down(g);
	g->paused = false;
	if (bring_up(g, &p) || start_machine(g, &p)) {
		fprintf(stderr, "xenolith: cannot restart %s: %s\n", g->config->name, p.text);
		loop_stop(&g->loop);
	}
}

static bool wants_core(enum guest_action action)
{
	return action == ACTION_COREDUMP_DESTROY || action == ACTION_COREDUMP_RESTART;
}

static void write_core(struct guest *g)
{
	struct problem p;

	if (guest_core_write(&g->core, &g->machine->vm, &p))
		fprintf(stderr, "xenolith: %s\n", p.text);
	else
		fprintf(stderr, "xenolith: its memory is in %s\n", g->core.path);
}

static void act(struct guest *g)
{
	enum guest_action action = action_for(g);

	if (wants_core(action))
		write_core(g);
	switch (action) {
	case ACTION_RESTART:
	case ACTION_COREDUMP_RESTART:
		guest_tell_waiters(g, "restart");
		restart(g);
		break;
	case ACTION_PRESERVE:
		guest_tell_waiters(g, "preserve");
		break;
	default:
		loop_stop(&g->loop);
		break;
	}
}

static void ended_ready(void *opaque, uint32_t events)
{
	struct guest *g = opaque;
	uint64_t count;

	(void)events;
	if (read(g->ended.fd, &count, sizeof(count)) < 0 || !g->machine || g->end != GUEST_RUNS)
		return;
	g->end = machine_end(g);
	console_flush(&g->machine->console);
	fprintf(stderr, "xenolith: domain %u, %s, has ended: %s\n", g->folder.domid,
		g->config->name, guest_end_name(g->end));
	act(g);
}

void guest_destroy(struct guest *g)
{
	g->end = GUEST_DESTROYED;
	loop_stop(&g->loop);
}

/*
 * The process.
 */

static void signal_ready(void *opaque, uint32_t events)
{
	(void)events;
	guest_destroy(opaque);
}

static int watch_signals(struct guest *g)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	g->signals =
		(struct watch){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), signal_ready, g};
	return g->signals.fd < 0 ? -errno : loop_watch(&g->loop, &g->signals, EPOLLIN);
}

static int watch_events(struct guest *g, struct problem *p)
{
	int rc = watch_signals(g);

	g->ended = (struct watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), ended_ready, g};
	if (!rc)
		rc = g->ended.fd < 0 ? -errno : loop_watch(&g->loop, &g->ended, EPOLLIN);
	return rc ? problem(p, "cannot watch events: %s", strerror(-rc)) : 0;
}

static int open_sockets(struct guest *g, struct problem *p)
{
	char path[192];

	snprintf(path, sizeof(path), "%s/xenstored", g->folder.path);
	g->socket = store_socket_open(g->store, &g->loop, path, p);
	if (!g->socket)
		return -1;
	snprintf(path, sizeof(path), "%s/control", g->folder.path);
	g->control = control_server_open(&g->loop, path, guest_command, g, p);
	return g->control ? 0 : -1;
}

static int open_core(struct guest *g, struct problem *p)
{
	const struct guest_config *c = g->config;

	if (!wants_core(c->on_poweroff) && !wants_core(c->on_reboot) && !wants_core(c->on_crash) &&
	    !wants_core(c->on_watchdog))
		return 0;
	return guest_core_open(&g->core, c->name, p);
}

/* All that the host gives, as long as it can still be opened. */
static int open_all(struct guest *g, struct problem *p)
{
	if (watch_events(g, p) || guest_tty_open(&g->tty, g->config->name, p) || open_core(g, p) ||
	    guest_devices_open(g, p))
		return -1;
	g->store = store_create(&g->loop, p);
	return g->store ? open_sockets(g, p) : -1;
}

/* Whoever waits is told last, when another guest of this name may start. */
static void close_all(struct guest *g)
{
	take_down(g);
	guest_devices_close(g);
	if (g->socket)
		store_socket_close(g->socket);
	if (g->store)
		store_destroy(g->store);
	guest_tty_close(&g->tty);
	guest_core_close(&g->core);
	guest_folder_release(&g->folder);
	guest_tell_waiters(g, "destroy");
	if (g->control)
		control_server_close(g->control);
	close(g->ended.fd);
	close(g->signals.fd);
}

/*
 * From now on nothing of the host's can be opened but to be read. The guest's folder is removed at
 * the end, and a core gets its name in its own. Disks' queues, made when frontends connect, have
 * rings.
 */
static int arm_sandbox(struct guest *g, struct problem *p)
{
	char run_dir[sizeof(g->folder.path)], core_dir[sizeof(g->core.path)];
	const char *folders[] = {run_dir, core_dir};
	const struct sandbox_config config = {
		.io_uring = true,
		.folders = folders,
		.nr_folders = g->core.fd >= 0 ? 2 : 1,
	};

	memcpy(run_dir, g->folder.path, sizeof(run_dir));
	memcpy(core_dir, g->core.path, sizeof(core_dir));
	folders[0] = dirname(run_dir);
	folders[1] = dirname(core_dir);
	return sandbox_arm(&config, p);
}

static int start(struct guest *g, struct problem *p)
{
	if (open_all(g, p) || bring_up(g, p) || arm_sandbox(g, p))
		return -1;
	return start_machine(g, p);
}

int guest_run(struct guest_config *config, const struct guest_folder *folder, bool paused,
	      void (*ready)(void *opaque), void *opaque, struct problem *p)
{
	struct guest *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return problem(p, "no memory for the guest");
	*g = (struct guest){
		.config = config,
		.folder = *folder,
		.tty = {.master = -1, .out = -1, .slave = -1, .log = {.fd = -1}},
		.core = {.fd = -1},
		.ended = {.fd = -1},
		.signals = {.fd = -1},
		.paused = paused,
	};
	pthread_mutex_init(&g->dmesg_lock, NULL);
	rc = loop_init(&g->loop);
	if (rc) {
		guest_folder_release(&g->folder);
		free(g);
		return problem(p, "cannot create an event loop: %s", strerror(-rc));
	}
	rc = start(g, p);
	if (!rc) {
		ready(opaque);
		loop_run(&g->loop);
	}
	close_all(g);
	loop_destroy(&g->loop);
	pthread_mutex_destroy(&g->dmesg_lock);
	free(g);
	return rc;
}
