// SPDX-License-Identifier: BSD-2-Clause
#include "shim/vcpu_context.h"

#include "shim/domain.h"
#include "shim/x86.h"

#define ATTR_S      (1u << 4)
#define ATTR_DPL(a) ((a) >> 5 & 3)
#define ATTR_P      (1u << 7)
#define ATTR_G      (1u << 11)
#define ATTR_UNUSED 0xf000u

/* Of the type of a code or data segment, and the type of a TSS in use. */
#define TYPE(a)        ((a)&0xf)
#define TYPE_ACCESSED  1u
#define TYPE_WRITABLE  2u /* of code: readable */
#define TYPE_CODE      8u
#define TYPE_TSS_AVAIL 9u
#define TYPE_TSS_BUSY  11u

enum kind { CODE, STACK, DATA, TASK };

static bool type_fits(enum kind kind, uint16_t attr)
{
	bool code = attr & TYPE_CODE, writable = attr & TYPE_WRITABLE;

	switch (kind) {
	case CODE:
		return code;
	case STACK:
		return !code && writable;
	case DATA:
		return !code || writable;
	case TASK:
		return TYPE(attr) == TYPE_TSS_BUSY;
	}
	return false;
}

/* No segment at all is right for data only. */
static bool segment_fits(enum kind kind, const struct vcpu_segment *s)
{
	if (s->attr & ATTR_UNUSED)
		return false;
	if (!s->attr)
		return kind == DATA;
	if (!(s->attr & ATTR_S) != (kind == TASK) || !(s->attr & ATTR_P))
		return false;
	return type_fits(kind, s->attr);
}

/* A CPU that has loaded a segment has marked it. */
static struct vcpu_segment loaded(enum kind kind, uint32_t base, uint32_t limit, uint16_t attr)
{
	if (attr & ATTR_P)
		attr |= kind == TASK ? TYPE_TSS_BUSY ^ TYPE_TSS_AVAIL : TYPE_ACCESSED;
	return (struct vcpu_segment){base, limit, attr};
}

static uint32_t last_byte(const struct vcpu_segment *s)
{
	return s->attr & ATTR_G ? s->limit << 12 | 0xfff : s->limit;
}

/* More privileged code may use it. */
static bool data_may_be_loaded(const struct vcpu_segment *s, const struct vcpu_segment *cs)
{
	return !(s->attr & ATTR_P) || ATTR_DPL(s->attr) <= ATTR_DPL(cs->attr);
}

static bool segments_fit(const struct vcpu_context *c)
{
	return segment_fits(CODE, &c->cs) && segment_fits(DATA, &c->ds) &&
	       segment_fits(STACK, &c->ss) && segment_fits(DATA, &c->es) &&
	       segment_fits(TASK, &c->tr) && c->rip <= last_byte(&c->cs) &&
	       ATTR_DPL(c->ss.attr) == ATTR_DPL(c->cs.attr) && data_may_be_loaded(&c->ds, &c->cs) &&
	       data_may_be_loaded(&c->es, &c->cs);
}

static int from_32(const struct vcpu_hvm_x86_32 *r, struct vcpu_context *c)
{
	*c = (struct vcpu_context){
		.rax = r->eax,
		.rcx = r->ecx,
		.rdx = r->edx,
		.rbx = r->ebx,
		.rsp = r->esp,
		.rbp = r->ebp,
		.rsi = r->esi,
		.rdi = r->edi,
		.rip = r->eip,
		.rflags = r->eflags,
		.cr0 = r->cr0,
		.cr3 = r->cr3,
		.cr4 = r->cr4,
		.efer = r->efer,
		.cs = loaded(CODE, r->cs_base, r->cs_limit, r->cs_ar),
		.ds = loaded(DATA, r->ds_base, r->ds_limit, r->ds_ar),
		.ss = loaded(STACK, r->ss_base, r->ss_limit, r->ss_ar),
		.es = loaded(DATA, r->es_base, r->es_limit, r->es_ar),
		.tr = loaded(TASK, r->tr_base, r->tr_limit, r->tr_ar),
	};
	if (r->pad1 || r->pad2[0] || r->pad2[1] || r->pad2[2])
		return -XEN_EINVAL;
	if (!segments_fit(c) || (c->efer & EFER_LMA && !(c->efer & EFER_LME)))
		return -XEN_EINVAL;
	return 0;
}

static bool canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* Flat segments, as long mode takes them. */
static int from_64(const struct vcpu_hvm_x86_64 *r, struct vcpu_context *c)
{
	const struct vcpu_segment data = {.limit = UINT32_MAX, .attr = 0xc93};

	*c = (struct vcpu_context){
		.rax = r->rax,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rbx = r->rbx,
		.rsp = r->rsp,
		.rbp = r->rbp,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.rip = r->rip,
		.rflags = r->rflags,
		.cr0 = r->cr0,
		.cr3 = r->cr3,
		.cr4 = r->cr4,
		.efer = r->efer,
		.cs = {.limit = UINT32_MAX, .attr = 0xa9b},
		.ds = data,
		.ss = data,
		.es = data,
		.tr = {.limit = 0x67, .attr = 0x8b},
	};
	if (!canonical(r->rip) || !(r->cr0 & CR0_PG) || !(r->cr4 & CR4_PAE) ||
	    !(r->efer & EFER_LME))
		return -XEN_EINVAL;
	return 0;
}

int vcpu_context_check(const struct domain *d, const struct vcpu_hvm_context *guest,
		       struct vcpu_context *out)
{
	int rc = -XEN_EINVAL;

	if (guest->pad)
		return rc;
	if (guest->mode == VCPU_HVM_MODE_32B)
		rc = from_32(&guest->cpu_regs.x86_32, out);
	else if (guest->mode == VCPU_HVM_MODE_64B)
		rc = from_64(&guest->cpu_regs.x86_64, out);
	if (rc)
		return rc;
	if (out->efer & EFER_LME)
		out->efer |= EFER_LMA;
	return out->cr4 & ~d->cr4_valid || out->efer & ~d->efer_valid ? -XEN_EINVAL : 0;
}
