// SPDX-License-Identifier: BSD-2-Clause
/*
 * A machine from its making to what follows its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/event.h"
#include "host/guest/process.h"

const char *guest_end_name(enum guest_end end)
{
	static const char *const names[] = {
		[GUEST_RUNS] = "running",          [GUEST_POWEROFF] = "poweroff",
		[GUEST_REBOOT] = "reboot",         [GUEST_SUSPEND] = "suspend",
		[GUEST_CRASH] = "crash",           [GUEST_WATCHDOG] = "watchdog",
		[GUEST_SOFT_RESET] = "soft_reset", [GUEST_DESTROYED] = "destroyed",
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

	event_raise(g->ended.fd);
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
		.pv = c->type == GUEST_PV,
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
		.soft_reset_ends = c->on_soft_reset != ACTION_SOFT_RESET,
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
void guest_take_down(struct guest *g)
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

int guest_bring_up(struct guest *g, struct problem *p)
{
	if (create_machine(g, p))
		return -1;
	if (show_domain(g, p)) {
		guest_take_down(g);
		return -1;
	}
	if (g->paused)
		vm_pause_begin(&g->machine->vm);
	g->end = GUEST_RUNS;
	g->started = clock_now_ns();
	return 0;
}

int guest_start_machine(struct guest *g, struct problem *p)
{
	if (!machine_start(g->machine, p))
		return 0;
	guest_take_down(g);
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
	case SHUTDOWN_soft_reset:
		return GUEST_SOFT_RESET;
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
	case GUEST_SOFT_RESET:
		return g->config->on_soft_reset;
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

	guest_take_down(g);
	g->paused = false;
	if (guest_bring_up(g, &p) || guest_start_machine(g, &p)) {
		fprintf(stderr, "xenolith: cannot restart %s: %s\n", g->config->name, p.text);
		loop_stop(&g->loop);
	}
}

bool guest_wants_core(enum guest_action action)
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

/* With the time behind it, as xl names what it keeps. */
static void rename_kept(struct guest *g)
{
	char name[200], when[32];
	time_t now = time(NULL);
	struct problem p;
	struct tm tm;

	strftime(when, sizeof(when), "%Y%m%dT%H%MZ", gmtime_r(&now, &tm));
	snprintf(name, sizeof(name), "%s-%s", g->config->name, when);
	if (guest_rename(g, name, &p))
		fprintf(stderr, "xenolith: %s\n", p.text);
}

/*
 * This one is kept for who wants to look at it, without devices and under another name; its
 * successor is started by a process that has waited for this.
 */
static void keep_and_succeed(struct guest *g)
{
	guest_devices_hide(g);
	guest_devices_close(g);
	rename_kept(g);
	guest_tell_waiters(g, "rename-restart");
	if (write(g->successor_fd, "", 1) != 1)
		fprintf(stderr, "xenolith: the process that was to start %s again is gone\n",
			g->config->name);
}

static void act(struct guest *g)
{
	enum guest_action action = action_for(g);

	if (guest_wants_core(action))
		write_core(g);
	switch (action) {
	case ACTION_RESTART:
	case ACTION_COREDUMP_RESTART:
		guest_tell_waiters(g, "restart");
		restart(g);
		break;
	case ACTION_RENAME_RESTART:
		keep_and_succeed(g);
		break;
	case ACTION_PRESERVE:
		guest_tell_waiters(g, "preserve");
		break;
	default:
		loop_stop(&g->loop);
		break;
	}
}

void guest_machine_ended(struct guest *g)
{
	if (!g->machine || g->end != GUEST_RUNS)
		return;
	g->end = machine_end(g);
	guest_finish_detaching(g);
	console_flush(&g->machine->console);
	store_domain_stopped(g->store, g->folder.domid);
	fprintf(stderr, "xenolith: domain %u, %s, has ended: %s\n", g->folder.domid,
		g->config->name, guest_end_name(g->end));
	act(g);
}
