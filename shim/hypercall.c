// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of hypercalls. A reader who wants to know how hypercall X works finds its family here
 * and opens that file; whoever adds a sub-operation touches that file, its test and the coverage
 * table, and nothing here.
 */
#include "shim/hypercall.h"

#include <stdio.h>

#include "shim/console_io.h"
#include "shim/domain.h"
#include "shim/grant_op.h"
#include "shim/hvm_op.h"
#include "shim/memory_op.h"
#include "shim/multicall.h"
#include "shim/physdev_op.h"
#include "shim/sched_op.h"
#include "shim/vm_assist.h"
#include "shim/xen_version.h"

#define FAMILY(hc, table, mask) \
	[__HYPERVISOR_##        \
		hc] = {.name = #hc, .ops = table, .ops_count = &table##_count, .cmd_mask = mask}
#define SINGLE(hc, fn)     [__HYPERVISOR_##hc] = {.name = #hc, .handler = {fn, fn}}
#define SINGLE_PVH(hc, fn) [__HYPERVISOR_##hc] = {.name = #hc, .handler = {fn, NULL}}
/* In the ABI, but not here, or not yet: -ENOSYS, counted by name. */
#define ENOSYS(hc) [__HYPERVISOR_##hc] = {.name = #hc}

static const struct hypercall_family families[HYPERCALL_MAX] = {
	ENOSYS(set_trap_table),
	ENOSYS(mmu_update),
	ENOSYS(set_gdt),
	ENOSYS(stack_switch),
	ENOSYS(set_callbacks),
	ENOSYS(fpu_taskswitch),
	ENOSYS(sched_op_compat),
	ENOSYS(platform_op),
	ENOSYS(set_debugreg),
	ENOSYS(get_debugreg),
	ENOSYS(update_descriptor),
	FAMILY(memory_op, memory_ops, MEMOP_CMD_MASK),
	SINGLE_PVH(multicall, do_multicall),
	ENOSYS(update_va_mapping),
	SINGLE(set_timer_op, do_set_timer_op),
	ENOSYS(event_channel_op_compat),
	FAMILY(xen_version, xen_version_ops, UINT32_MAX),
	FAMILY(console_io, console_io_ops, UINT32_MAX),
	ENOSYS(physdev_op_compat),
	FAMILY(grant_table_op, grant_table_ops, UINT32_MAX),
	SINGLE(vm_assist, do_vm_assist),
	ENOSYS(update_va_mapping_otherdomain),
	ENOSYS(iret),
	FAMILY(vcpu_op, vcpu_ops, UINT32_MAX),
	ENOSYS(set_segment_base),
	ENOSYS(mmuext_op),
	ENOSYS(xsm_op),
	ENOSYS(nmi_op),
	FAMILY(sched_op, sched_ops, UINT32_MAX),
	ENOSYS(callback_op),
	ENOSYS(xenoprof_op),
	FAMILY(event_channel_op, event_channel_ops, UINT32_MAX),
	FAMILY(physdev_op, physdev_ops, UINT32_MAX),
	FAMILY(hvm_op, hvm_ops, UINT64_MAX),
	ENOSYS(sysctl),
	ENOSYS(domctl),
	ENOSYS(kexec_op),
	ENOSYS(tmem_op),
	ENOSYS(argo_op),
	ENOSYS(xenpmu_op),
	ENOSYS(dm_op),
	ENOSYS(hypfs_op),
	ENOSYS(arch_0),
	ENOSYS(arch_1),
};

const struct hypercall_family *hypercall_family(uint64_t nr)
{
	return nr < HYPERCALL_MAX ? &families[nr] : NULL;
}

hypercall_handler hypercall_served_by(const struct hypercall_family *f, enum domain_type type,
				      uint64_t cmd)
{
	if (!f->ops)
		return f->handler[type];
	return cmd < *f->ops_count ? f->ops[cmd].handler[type] : NULL;
}

long hypercall_dispatch(struct vcpu *v, const struct hypercall *h)
{
	const struct hypercall_family *f = hypercall_family(h->nr);
	hypercall_handler handler;
	uint64_t cmd = 0;

	if (h->cpl)
		return -XEN_EPERM;
	if (!f) {
		v->counts.out_of_range++;
		return -XEN_ENOSYS;
	}
	if (f->ops)
		cmd = h->args[0] & f->cmd_mask;
	v->counts.calls[h->nr][cmd < SUBOP_MAX ? cmd : SUBOP_MAX - 1]++;

	handler = hypercall_served_by(f, v->domain->type, cmd);
	return handler ? handler(v, h) : -XEN_ENOSYS;
}

/* Write "family", "FAMILYOP_name" or "family/number" into name. */
static void describe(uint64_t nr, unsigned cmd, char *name, size_t size)
{
	const struct hypercall_family *f = &families[nr];
	const struct suboperation *op = NULL;

	if (f->ops && cmd < *f->ops_count && f->ops[cmd].name)
		op = &f->ops[cmd];
	if (!f->name)
		snprintf(name, size, "hypercall %u", (unsigned)nr);
	else if (op)
		snprintf(name, size, "%s", op->name);
	else if (f->ops)
		snprintf(name, size, "%s/%u%s", f->name, cmd, cmd == SUBOP_MAX - 1 ? "+" : "");
	else
		snprintf(name, size, "%s", f->name);
}

void hypercall_counts_visit(const struct vcpu *v,
			    void (*visit)(void *opaque, const char *name, uint32_t calls,
					  bool implemented),
			    void *opaque)
{
	char name[64];

	for (unsigned nr = 0; nr < HYPERCALL_MAX; nr++) {
		for (unsigned cmd = 0; cmd < SUBOP_MAX; cmd++) {
			uint32_t calls = v->counts.calls[nr][cmd];

			if (calls) {
				describe(nr, cmd, name, sizeof(name));
				visit(opaque, name, calls,
				      hypercall_served_by(&families[nr], v->domain->type, cmd));
			}
		}
	}
	if (v->counts.out_of_range)
		visit(opaque, "hypercall 64 and above", v->counts.out_of_range, false);
}
