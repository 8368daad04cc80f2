// SPDX-License-Identifier: BSD-2-Clause
/*
 * The domain in the store: the nodes that libxl writes for a new domain, with its permissions
 * (docs/misc/xenstore-paths.pandoc of Xen; docs/xenstore.md).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/guest/process.h"
#include "host/text.h"

static void domain_path(const struct guest *g, char *path, size_t size, const char *name)
{
	snprintf(path, size, "/local/domain/%u%s%s", g->folder.domid, *name ? "/" : "", name);
}

int guest_node_writef(struct guest *g, const char *name, const char *fmt, ...)
{
	char path[256], value[1024];
	va_list args;

	domain_path(g, path, sizeof(path), name);
	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	return store_write(g->store, path, value);
}

/* A folder or node that is the guest's to read, or also to write. */
static int make(struct guest *g, const char *path, bool writable)
{
	const domid_t domid = g->folder.domid;
	const struct store_perm readable[] = {{0, STORE_NONE}, {domid, STORE_READ}};
	const struct store_perm owned[] = {{domid, STORE_NONE}};
	int rc = store_mkdir(g->store, path);

	if (rc)
		return rc;
	return writable ? store_set_perms(g->store, path, owned, ARRAY_SIZE(owned))
			: store_set_perms(g->store, path, readable, ARRAY_SIZE(readable));
}

static int make_node(struct guest *g, const char *name, bool writable)
{
	char path[256];

	domain_path(g, path, sizeof(path), name);
	return make(g, path, writable);
}

static int make_folders(struct guest *g)
{
	static const char *const readable[] = {"",        "cpu",   "memory", "device",
					       "control", "store", "console"};
	static const char *const writable[] = {
		"control/shutdown",
		"control/feature-poweroff",
		"control/feature-reboot",
		"control/feature-suspend",
		"control/sysrq",
		"device/suspend/event-channel",
		"data",
		"drivers",
		"feature",
		"attr",
		"error",
	};
	int rc = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(readable) && !rc; i++)
		rc = make_node(g, readable[i], false);
	for (unsigned i = 0; i < ARRAY_SIZE(writable) && !rc; i++)
		rc = make_node(g, writable[i], true);
	return rc;
}

/* Domain 0, as xen-init-dom0 writes it: who lists domains expects it. */
static int write_host(struct guest *g)
{
	int rc = store_write(g->store, "/local/domain/0/name", "Domain-0");

	return rc ? rc : store_write(g->store, "/local/domain/0/domid", "0");
}

static int write_vm(struct guest *g)
{
	const struct guest_config *c = g->config;
	char uuid[UUID_TEXT], vm[64], path[128];
	int rc;

	uuid_text(uuid, c->uuid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	rc = make(g, vm, false);
	snprintf(path, sizeof(path), "%s/uuid", vm);
	if (!rc)
		rc = store_write(g->store, path, uuid);
	snprintf(path, sizeof(path), "%s/name", vm);
	if (!rc)
		rc = store_write(g->store, path, c->name);
	snprintf(path, sizeof(path), "%s/image/ostype", vm);
	if (!rc)
		rc = store_write(g->store, path, c->type == GUEST_HVM ? "hvm" : "linux");
	snprintf(path, sizeof(path), "%s/start_time", vm);
	if (!rc)
		rc = store_writef(g->store, path, "%lld.00", (long long)time(NULL));
	return rc ? rc : guest_node_writef(g, "vm", "%s", vm);
}

int guest_write_vcpus(struct guest *g)
{
	int rc = 0;

	for (unsigned i = 0; i < g->config->maxvcpus && !rc; i++) {
		char name[64];

		snprintf(name, sizeof(name), "cpu/%u/availability", i);
		rc = guest_node_writef(g, name, "%s", i < g->vcpus_online ? "online" : "offline");
	}
	return rc;
}

static int write_domain(struct guest *g)
{
	const struct guest_config *c = g->config;
	int rc = guest_node_writef(g, "name", "%s", c->name);

	if (!rc)
		rc = guest_node_writef(g, "domid", "%u", g->folder.domid);
	if (!rc)
		rc = guest_node_writef(g, "control/platform-feature-multiprocessor-suspend", "1");
	if (!rc)
		rc = guest_node_writef(g, "control/platform-feature-xs_reset_watches", "1");
	if (!rc)
		rc = guest_node_writef(g, "memory/static-max", "%llu",
				       (unsigned long long)c->maxmem >> 10);
	if (!rc)
		rc = guest_node_writef(g, "memory/target", "%llu",
				       (unsigned long long)g->memory_target >> 10);
	return rc ? rc : guest_write_vcpus(g);
}

/* What xenconsole looks for, and a PV guest's console knows by its start_info. */
static int write_console(struct guest *g)
{
	const struct domain *d = &g->machine->vm.domain;
	int rc = guest_node_writef(g, "console/backend-id", "0");

	if (!rc)
		rc = guest_node_writef(g, "console/ring-ref", "%llu",
				       (unsigned long long)d->hvm_params[HVM_PARAM_CONSOLE_PFN]);
	if (!rc)
		rc = guest_node_writef(g, "console/port", "%u", g->machine->console.port);
	if (!rc)
		rc = guest_node_writef(g, "console/limit", "1048576");
	if (!rc)
		rc = guest_node_writef(g, "console/type", "xenconsoled");
	if (!rc)
		rc = guest_node_writef(g, "console/output", "pty");
	if (!rc)
		rc = guest_node_writef(g, "console/tty", "%s", g->tty.path);
	if (!rc)
		rc = guest_node_writef(g, "store/ring-ref", "%llu",
				       (unsigned long long)d->hvm_params[HVM_PARAM_STORE_PFN]);
	if (!rc)
		rc = guest_node_writef(g, "store/port", "%u",
				       store_ring_port(g->machine->store_ring));
	return rc;
}

int guest_nodes_write(struct guest *g)
{
	char path[64];
	int rc = write_host(g);

	if (!rc)
		rc = make_folders(g);
	if (!rc)
		rc = write_vm(g);
	if (!rc)
		rc = write_domain(g);
	if (!rc)
		rc = write_console(g);
	snprintf(path, sizeof(path), "/libxl/%u/type", g->folder.domid);
	if (!rc)
		rc = store_write(g->store, path, guest_type_name(g->config->type));
	return rc;
}

void guest_nodes_remove(struct guest *g)
{
	char path[128], uuid[UUID_TEXT];

	domain_path(g, path, sizeof(path), "");
	store_rm(g->store, path);
	snprintf(path, sizeof(path), "/libxl/%u", g->folder.domid);
	store_rm(g->store, path);
	uuid_text(uuid, g->config->uuid);
	snprintf(path, sizeof(path), "/vm/%s", uuid);
	store_rm(g->store, path);
}
