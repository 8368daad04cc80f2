// SPDX-License-Identifier: BSD-2-Clause
/*
 * Commands about the guest itself. docs/control-protocol.md says what each takes and answers; those
 * about devices are in device_commands.c.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/config/config_json.h"
#include "host/guest/process.h"
#include "host/kvm/usage.h"
#include "host/text.h"
#include "shim/vcpu_run.h"

static struct vm *vm_of(struct guest *g)
{
	return g->machine ? &g->machine->vm : NULL;
}

/*
 * What it is and does.
 */

static void count_unknown(void *opaque, const char *name, uint32_t calls, bool implemented)
{
	json_t *counts = opaque;
	json_int_t before = json_integer_value(json_object_get(counts, name));

	if (!implemented && calls)
		json_object_set_new(counts, name, json_integer(before + calls));
}

static json_t *unknown_hypercalls(struct vm *vm)
{
	json_t *counts = json_object();

	for (unsigned i = 0; vm && i < vm->nr_vcpus; i++)
		hypercall_counts_visit(vm->vcpus[i].vcpu, count_unknown, counts);
	return counts;
}

/* One of xl's letters. */
static const char *state_letter(const struct guest *g, bool running)
{
	if (g->end == GUEST_CRASH || g->end == GUEST_WATCHDOG)
		return "c";
	if (g->end == GUEST_DESTROYED)
		return "d";
	if (g->end != GUEST_RUNS)
		return "s";
	if (g->paused)
		return "p";
	return running ? "r" : "b";
}

/* As Xen numbers it; null while it runs, or is gone for another reason. */
static json_t *shutdown_reason(const struct guest *g)
{
	static const int reasons[] = {
		[GUEST_POWEROFF] = SHUTDOWN_poweroff, [GUEST_REBOOT] = SHUTDOWN_reboot,
		[GUEST_SUSPEND] = SHUTDOWN_suspend,   [GUEST_CRASH] = SHUTDOWN_crash,
		[GUEST_WATCHDOG] = SHUTDOWN_watchdog, [GUEST_SOFT_RESET] = SHUTDOWN_soft_reset,
	};

	if (g->end == GUEST_RUNS || g->end == GUEST_DESTROYED)
		return json_null();
	return json_integer(reasons[g->end]);
}

/* Those that the guest was asked to take offline are looked at twice. */
static void usage_of(const struct guest *g, struct vm_vcpu *vv, struct vcpu_usage *u)
{
	vcpu_usage(vv, u);
	if (u->online && !u->running && vv->vcpu->id >= g->vcpus_online && g->end == GUEST_RUNS)
		u->online = !vcpu_is_off(vv);
}

/* The configuration with what has become of it since: so xl tells it. */
static json_t *config_now(const struct guest *g)
{
	json_t *o = guest_config_json(g->config), *disks = json_array(), *nics = json_array();

	for (unsigned i = 0; i < g->nr_disks; i++)
		json_array_append_new(disks, disk_config_json(g->disks[i]->config));
	for (unsigned i = 0; i < g->nr_nics; i++)
		json_array_append_new(nics, nic_config_json(g->nics[i]->config));
	json_object_set_new(o, "disk", disks);
	json_object_set_new(o, "vif", nics);
	json_object_set_new(o, "memory", json_integer((json_int_t)(g->memory_target >> 20)));
	json_object_set_new(o, "vcpus", json_integer(g->vcpus_online));
	return o;
}

static void command_info(struct guest *g, struct control_call *call)
{
	const struct guest_config *c = g->config;
	struct domain_memory memory = {0};
	struct vm *vm = vm_of(g);
	unsigned online = 0;
	uint64_t time_ns = 0;
	uint64_t exits = 0;
	bool running = false;
	char uuid[UUID_TEXT], store[192];

	for (unsigned i = 0; vm && i < vm->nr_vcpus; i++) {
		struct vcpu_usage u;

		usage_of(g, &vm->vcpus[i], &u);
		online += u.online;
		time_ns += u.time_ns;
		exits += vm->vcpus[i].exits;
		running |= u.running;
	}
	if (vm)
		domain_memory(&vm->domain, &memory);
	snprintf(store, sizeof(store), "%s/xenstored", g->folder.path);
	control_answer(
		call,
		json_pack(
			"{s:i, s:s, s:s, s:s, s:i, s:s, s:o, s:I, s:I, s:i, s:i, s:I, s:I, s:I, s:s, "
			"s:s, s:s, s:o, s:o, s:o, s:o}",
			"domid", g->folder.domid, "name", c->name, "uuid", uuid_text(uuid, c->uuid),
			"type", guest_type_name(c->type), "pid", (int)getpid(), "state",
			state_letter(g, running), "shutdown_reason", shutdown_reason(g),
			"memory_kib",
			(json_int_t)memory.pages * (json_int_t)(GUEST_PAGE_SIZE >> 10),
			"maxmem_kib", (json_int_t)(c->maxmem >> 10), "vcpus", c->maxvcpus,
			"vcpus_online", online, "cpu_time_ns", (json_int_t)time_ns, "exits",
			(json_int_t)exits, "uptime_ns", (json_int_t)(clock_now_ns() - g->started),
			"xenstore", store, "console", g->tty.path, "console_log", g->tty.log.path,
			"config", config_now(g), "disks", guest_disks_json(g), "nics",
			guest_nics_json(g), "hypercalls", unknown_hypercalls(vm)));
}

static const char *vcpu_letter(const struct guest *g, const struct vcpu_usage *u)
{
	if (!u->online || g->end != GUEST_RUNS)
		return "-";
	if (g->paused)
		return "p";
	return u->running ? "r" : "b";
}

static void command_vcpus(struct guest *g, struct control_call *call)
{
	struct vm *vm = vm_of(g);
	json_t *all = json_array();

	for (unsigned i = 0; vm && i < vm->nr_vcpus; i++) {
		struct vcpu_usage u;

		usage_of(g, &vm->vcpus[i], &u);
		json_array_append_new(all,
				      json_pack("{s:i, s:b, s:s, s:i, s:I}", "vcpu", i, "online",
						u.online, "state", vcpu_letter(g, &u), "cpu", u.cpu,
						"time_ns", (json_int_t)u.time_ns));
	}
	control_answer(call, all);
}

/* Number 0 is the primary one, channels come after it. */
static void command_console(struct guest *g, struct control_call *call)
{
	json_int_t n = json_integer_value(json_object_get(call->request, "number"));
	const struct guest_channel *c;

	if (!n) {
		control_answer(call, json_pack("{s:s}", "pty", g->tty.path));
		return;
	}
	if (n < 0 || n > g->nr_channels) {
		control_fail(call, "%s has no console %lld: %u channels are in its configuration",
			     g->config->name, (long long)n, g->nr_channels);
		return;
	}
	c = &g->channels[n - 1];
	if (c->config->path)
		control_fail(call, "console %lld of %s is a socket: %s", (long long)n,
			     g->config->name, c->config->path);
	else
		control_answer(call, json_pack("{s:s}", "pty", c->tty.path));
}

/* The guest stands still meanwhile, and so does this loop. */
static void command_dump_core(struct guest *g, struct control_call *call)
{
	struct vm *vm = vm_of(g);
	int rc;

	if (!vm || call->nr_fds != 1) {
		control_fail(call, "dump-core needs a guest and the descriptor of a file");
		return;
	}
	if (g->end == GUEST_RUNS) {
		vm_pause_begin(vm);
		vm_pause_wait(vm);
	}
	rc = guest_core_dump(call->fds[0], vm);
	if (g->end == GUEST_RUNS)
		vm_resume(vm);
	if (rc)
		control_fail(call, "cannot write the core of %s: %s", g->config->name,
			     strerror(-rc));
	else
		control_answer(call, NULL);
}

static void command_dmesg(struct guest *g, struct control_call *call)
{
	json_t *text;

	pthread_mutex_lock(&g->dmesg_lock);
	text = json_stringn(g->dmesg, g->dmesg_len);
	if (json_is_true(json_object_get(call->request, "clear")))
		g->dmesg_len = 0;
	pthread_mutex_unlock(&g->dmesg_lock);
	if (text)
		control_answer(call, text);
	else
		control_fail(call, "what the guest said is no UTF-8");
}

/*
 * What happens to it.
 */

bool guest_still_runs(const struct guest *g, struct control_call *call)
{
	if (g->machine && g->end == GUEST_RUNS)
		return true;
	control_fail(call, "%s has ended (%s)", g->config->name, guest_end_name(g->end));
	return false;
}

static void command_pause(struct guest *g, struct control_call *call)
{
	if (!guest_still_runs(g, call))
		return;
	if (!g->paused) {
		vm_pause_begin(vm_of(g));
		vm_pause_wait(vm_of(g));
	}
	g->paused = true;
	control_answer(call, NULL);
}

static void command_unpause(struct guest *g, struct control_call *call)
{
	if (!guest_still_runs(g, call))
		return;
	if (g->paused)
		vm_resume(vm_of(g));
	g->paused = false;
	control_answer(call, NULL);
}

static bool has_feature(struct guest *g, const char *reason)
{
	char path[128];
	uint64_t feature;

	snprintf(path, sizeof(path), "/local/domain/%u/control/feature-%s", g->folder.domid,
		 reason);
	return !store_read_uint(g->store, path, &feature) && feature == 1;
}

static void command_shutdown(struct guest *g, struct control_call *call)
{
	static const char *const reasons[] = {"poweroff", "reboot", "suspend", "halt"};
	const char *reason = json_string_value(json_object_get(call->request, "reason"));

	for (unsigned i = 0; reason && i < ARRAY_SIZE(reasons); i++) {
		if (strcmp(reason, reasons[i]))
			continue;
		if (!guest_still_runs(g, call))
			return;
		/* Kernels before Linux 4.20 and others say nothing, and listen all the same. */
		if (!strcmp(reason, "suspend") && !has_feature(g, reason)) {
			control_fail(call, "%s does not offer to suspend itself", g->config->name);
			return;
		}
		guest_node_writef(g, "control/shutdown", "%s", reason);
		control_answer(call, NULL);
		return;
	}
	control_fail(call, "shutdown needs a reason: poweroff, reboot, suspend or halt");
}

static void command_destroy(struct guest *g, struct control_call *call)
{
	/* Answered when it is gone, as `wait` is. */
	call->kept = g->destroyers;
	g->destroyers = call;
	guest_destroy(g);
}

static void command_wait(struct guest *g, struct control_call *call)
{
	call->kept = g->waiters;
	g->waiters = call;
}

void guest_tell_waiters(struct guest *g, const char *action)
{
	struct control_call *call;

	while ((call = g->waiters)) {
		g->waiters = call->kept;
		control_answer(call, json_pack("{s:s, s:s}", "reason", guest_end_name(g->end),
					       "action", action));
	}
	while ((call = g->destroyers)) {
		g->destroyers = call->kept;
		control_answer(call, NULL);
	}
}

int guest_rename(struct guest *g, const char *name, struct problem *p)
{
	char *copy = strdup(name);

	if (!copy)
		return problem(p, "no memory for the name");
	if (guest_folder_rename(&g->folder, name, p)) {
		free(copy);
		return -1;
	}
	free(g->config->name);
	g->config->name = copy;
	if (g->domain_shown)
		guest_node_writef(g, "name", "%s", copy);
	return 0;
}

static void command_rename(struct guest *g, struct control_call *call)
{
	const char *name = json_string_value(json_object_get(call->request, "name"));
	struct problem p;

	if (!name)
		control_fail(call, "rename needs a name");
	else if (guest_name_check(name, &p) || guest_rename(g, name, &p))
		control_fail(call, "%s", p.text);
	else
		control_answer(call, NULL);
}

/*
 * What it has.
 */

bool guest_number_argument(struct control_call *call, const char *name, int64_t max, int64_t *n)
{
	const json_t *value = json_object_get(call->request, name);

	*n = json_integer_value(value);
	if (json_is_integer(value) && *n >= 0 && *n <= max)
		return true;
	control_fail(call, "%s needs \"%s\", a number", call->command, name);
	return false;
}

static bool size_argument(struct control_call *call, const char *name, uint64_t *size)
{
	int64_t n;

	if (!guest_number_argument(call, name, INT64_MAX, &n))
		return false;
	*size = n;
	return true;
}

static void command_mem_set(struct guest *g, struct control_call *call)
{
	uint64_t target;

	if (!size_argument(call, "target", &target) || !guest_still_runs(g, call))
		return;
	target &= ~(uint64_t)(GUEST_PAGE_SIZE - 1);
	if (!target || target > g->config->maxmem) {
		control_fail(call,
			     "%llu KiB is out of range: %s may have up to %llu KiB, its maxmem",
			     (unsigned long long)target >> 10, g->config->name,
			     (unsigned long long)g->config->maxmem >> 10);
		return;
	}
	g->memory_target = target;
	domain_set_memory_target(&vm_of(g)->domain, target >> GUEST_PAGE_SHIFT);
	guest_node_writef(g, "memory/target", "%llu", (unsigned long long)target >> 10);
	control_answer(call, NULL);
}

/* How much mem-set may ask for: the RAM that the guest was built with, or less. */
static void command_mem_max(struct guest *g, struct control_call *call)
{
	struct domain_memory memory;
	uint64_t max;

	if (!size_argument(call, "max", &max) || !guest_still_runs(g, call))
		return;
	domain_memory(&vm_of(g)->domain, &memory);
	if (max < g->memory_target || max > memory.ram << GUEST_PAGE_SHIFT) {
		control_fail(
			call,
			"%s may have from %llu KiB, its target, to %llu KiB, with which it was "
			"built: %llu KiB is out of range",
			g->config->name, (unsigned long long)g->memory_target >> 10,
			(unsigned long long)memory.ram << GUEST_PAGE_SHIFT >> 10,
			(unsigned long long)max >> 10);
		return;
	}
	g->config->maxmem = max;
	control_answer(call, NULL);
}

static void command_vcpu_set(struct guest *g, struct control_call *call)
{
	uint64_t online;

	if (!size_argument(call, "online", &online) || !guest_still_runs(g, call))
		return;
	if (!online || online > g->config->maxvcpus) {
		control_fail(call, "%s has 1 to %u vCPUs: %llu is out of range", g->config->name,
			     g->config->maxvcpus, (unsigned long long)online);
		return;
	}
	g->vcpus_online = online;
	guest_write_vcpus(g);
	control_answer(call, NULL);
}

static void command_sysrq(struct guest *g, struct control_call *call)
{
	const char *key = json_string_value(json_object_get(call->request, "key"));

	if (!key || strlen(key) != 1 || !isalnum((unsigned char)*key)) {
		control_fail(call, "sysrq needs a key, one letter or digit");
		return;
	}
	if (!guest_still_runs(g, call))
		return;
	guest_node_writef(g, "control/sysrq", "%s", key);
	control_answer(call, NULL);
}

static void command_trigger(struct guest *g, struct control_call *call)
{
	const char *what = json_string_value(json_object_get(call->request, "trigger"));
	json_int_t vcpu = json_integer_value(json_object_get(call->request, "vcpu"));
	struct vm *vm = vm_of(g);

	if (!what || strcmp(what, "nmi") != 0) {
		control_fail(call, "trigger: only \"nmi\" reaches a PVH guest");
		return;
	}
	if (!guest_still_runs(g, call))
		return;
	if (vcpu < 0 || vcpu >= vm->nr_vcpus) {
		control_fail(call, "%s has no vCPU %lld", g->config->name, (long long)vcpu);
		return;
	}
	vm_nmi(vm->vcpus[vcpu].vcpu);
	control_answer(call, NULL);
}

static const struct command {
	const char *name;
	void (*run)(struct guest *g, struct control_call *call);
} commands[] = {
	{"info", command_info},         {"vcpus", command_vcpus},
	{"console", command_console},   {"dmesg", command_dmesg},
	{"pause", command_pause},       {"unpause", command_unpause},
	{"shutdown", command_shutdown}, {"destroy", command_destroy},
	{"wait", command_wait},         {"rename", command_rename},
	{"mem-max", command_mem_max},   {"mem-set", command_mem_set},
	{"vcpu-set", command_vcpu_set}, {"sysrq", command_sysrq},
	{"trigger", command_trigger},   {"dump-core", command_dump_core},
};

void guest_command(void *opaque, struct control_call *call)
{
	struct guest *g = opaque;

	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, call->command)) {
			commands[i].run(g, call);
			return;
		}
	}
	if (!guest_device_command(g, call))
		control_fail(call, "there is no command \"%s\"", call->command);
}
