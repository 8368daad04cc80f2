// SPDX-License-Identifier: BSD-2-Clause
#include "host/guest/process.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/backend/block/block.h"
#include "host/event.h"
#include "host/guest/sandbox.h"

void guest_destroy(struct guest *g)
{
	g->end = GUEST_DESTROYED;
	loop_stop(&g->loop);
}

static void signal_ready(void *opaque, uint32_t events)
{
	(void)events;
	guest_destroy(opaque);
}

static void ended_ready(void *opaque, uint32_t events)
{
	struct guest *g = opaque;

	(void)events;
	if (event_take(g->ended.fd))
		guest_machine_ended(g);
}

static int watch_events(struct guest *g, struct problem *p)
{
	int rc = loop_signals_open(&g->loop, &g->signals, signal_ready, g);

	if (!rc)
		rc = loop_event_open(&g->loop, &g->ended, ended_ready, g);
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
	if (!guest_config_has_action(g->config, guest_wants_core))
		return 0;
	return guest_core_open(&g->core, g->config->name, p);
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
	guest_take_down(g);
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
 * the end, and a core gets its name in its own.
 */
static int arm_sandbox(struct guest *g, struct problem *p)
{
	char run_dir[sizeof(g->folder.path)], core_dir[sizeof(g->core.path)];
	const char *folders[] = {run_dir, core_dir};
	const struct sandbox_config config = {
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
	block_load_libraries();
	if (open_all(g, p) || guest_bring_up(g, p) || arm_sandbox(g, p))
		return -1;
	return guest_start_machine(g, p);
}

int guest_run(struct guest_config *config, const struct guest_folder *folder, bool paused,
	      int successor_fd, void (*ready)(void *opaque), void *opaque, struct problem *p)
{
	struct guest *g = calloc(1, sizeof(*g));
	int rc;

	if (!g)
		return problem(p, "no memory for the guest");
	*g = (struct guest){
		.config = config,
		.folder = *folder,
		.tty = GUEST_TTY_CLOSED,
		.core = {.fd = -1},
		.ended = {.fd = -1},
		.signals = {.fd = -1},
		.paused = paused,
		.successor_fd = successor_fd,
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
