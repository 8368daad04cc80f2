// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/catch.h"
#include "guest-tests/lib/console.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/report.h"
#include "guest-tests/lib/segments.h"

/* guarded_call.S */
int trap_guarded_call(unsigned long *sp, void (*fn)(void *), void *arg);
void trap_unwind(unsigned long sp) __attribute__((noreturn));

irq_handler_fn *trap_handlers[NR_VECTORS];

static unsigned int handled[MAX_CPUS];

static struct catcher {
	bool armed;
	unsigned long sp;
	struct fault fault;
	struct trap_frame frame;
} catchers[MAX_CPUS];

unsigned int traps_handled(void)
{
	return READ_ONCE(handled[cpu_number()]);
}

const struct trap_frame *fault_frame(void)
{
	return &catchers[cpu_number()].frame;
}

static void report_unexpected(const struct trap_frame *f)
{
	catchers[cpu_number()].armed = false;
	console_flush();
	test_failure("unexpected vector %lu, error %#lx at %#lx (cs %#lx flags %#lx sp %#lx)",
		     f->vector, f->error, f->ip, f->cs, f->flags, f->sp);
	test_finish();
}

void trap_handle(struct trap_frame *f)
{
	irq_handler_fn *fn = trap_handlers[f->vector];
	struct catcher *c = &catchers[cpu_number()];

	handled[cpu_number()]++;
	if (fn) {
		fn(f);
		return;
	}
	if (!c->armed)
		report_unexpected(f);
	c->armed = false;
	c->frame = *f;
	c->fault = (struct fault){
		.hit = true,
		.vector = (unsigned int)f->vector,
		.error = f->error,
		.ip = f->ip,
		.ax = f->ax,
	};
	trap_unwind(c->sp);
}

struct fault catch_fault(void (*fn)(void *), void *arg)
{
	struct catcher *c = &catchers[cpu_number()];

	c->fault = (struct fault){0};
	c->armed = true;
	barrier();
	trap_guarded_call(&c->sp, fn, arg);
	c->armed = false;
	return c->fault;
}

struct msr_access {
	uint32_t msr;
	uint64_t value;
};

static void do_wrmsr(void *arg)
{
	struct msr_access *a = arg;

	wrmsr(a->msr, a->value);
}

static void do_rdmsr(void *arg)
{
	struct msr_access *a = arg;

	a->value = rdmsr(a->msr);
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	return catch_fault(do_wrmsr, &(struct msr_access){msr, value}).hit;
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	struct msr_access a = {.msr = msr};
	bool hit = catch_fault(do_rdmsr, &a).hit;

	if (!hit)
		*value = a.value;
	return hit;
}
