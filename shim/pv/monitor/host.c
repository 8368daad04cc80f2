// SPDX-License-Identifier: BSD-2-Clause
/* The ways out to the host. */
#include "shim/pv/monitor/percpu.h"

/* While it is out there, nobody waits for this vCPU's TLB. */
long host_hypercall(uint64_t nr, const uint64_t args[6])
{
	long result;

	go_away();
	result = exit_hypercall(nr, args);
	come_back();
	return result;
}

/* It is where others have called this vCPU down. */
void show_up(void)
{
	const uint64_t args[6] = {SCHEDOP_yield};
	uint32_t *wanted = &this_window()->wanted_outside;

	if (__atomic_load_n(wanted, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(wanted, 0, __ATOMIC_SEQ_CST))
		host_hypercall(__HYPERVISOR_sched_op, args);
}

/* Text for people, in one piece of the monitor's own memory, where the host finds it. */
struct message {
	unsigned length;
	char text[400];
};

static void put(struct message *m, const char *text)
{
	while (*text && m->length < sizeof(m->text))
		m->text[m->length++] = *text++;
}

static void put_number(struct message *m, const char *name, uint64_t value)
{
	char hex[17] = "";

	for (int i = 15; i >= 0; i--, value >>= 4)
		hex[i] = "0123456789abcdef"[value & 0xf];
	put(m, name);
	put(m, hex);
}

static void put_registers(struct message *m, const struct pv_regs *r)
{
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
		{"; vector ", r->vector}, {" error ", r->error},  {" rip ", r->rip},
		{" cs ", r->cs},          {" flags ", r->rflags}, {" rsp ", r->rsp},
		{" rax ", r->rax},        {" cr2 ", read_cr2()},  {" cr3 ", read_cr3()},
	};

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		put_number(m, all[i].name, all[i].value);
}

static void __attribute__((noreturn)) leave(uint16_t port, const struct message *m)
{
	uint32_t answer;

	for (;;)
		__asm__ volatile("in %w1, %0"
				 : "=a"(answer)
				 : "Nd"(port), "D"((uint64_t)m->length), "S"(m->text)
				 : "memory");
}

void monitor_panic(const char *what, const struct pv_regs *r)
{
	static struct message m;

	put(&m, what);
	put_registers(&m, r);
	leave(PV_PORT_PANIC, &m);
}

void guest_crash(const char *why, const struct pv_regs *r)
{
	static struct message m;

	put(&m, why);
	put_registers(&m, r);
	leave(PV_PORT_CRASH, &m);
}
