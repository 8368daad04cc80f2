// SPDX-License-Identifier: BSD-2-Clause
/*
 * Debug registers: breakpoints of the guest's own addresses only; those on ports are ours to find
 * (emulate_io.c), because ports never get as far as the CPU.
 */
#include "shim/pv/arch.h"
#include "shim/pv/cpu_op.h"

#define RW_PORTS 2

static long write_control(struct pv_vcpu *v, uint64_t value)
{
	uint32_t ports = 0;

	if (value >> 32)
		return -XEN_EINVAL;
	value = (value & ~DR7_RESERVED_ZERO) | DR7_RESERVED_ONE;
	if (value & DR7_DETECT)
		return -XEN_EPERM;
	if (value & DR7_ENABLES) {
		for (unsigned n = 0; n < 4; n++) {
			if ((value >> (16 + n * 4) & 3) != RW_PORTS)
				continue;
			if (!(v->cr4 & CR4_DE))
				return -XEN_EPERM;
			ports |= value & 3u << n * 2;
		}
	}
	v->dr7_ports = ports;
	v->debug[7] = value & ~(uint64_t)ports;
	pv_load_debug(v);
	return 0;
}

static long write_status(struct pv_vcpu *v, uint64_t value)
{
	if (value >> 32)
		return -XEN_EINVAL;
	v->debug[6] = (value & ~DR6_RESERVED_ZERO) | DR6_RESERVED_ONE;
	pv_load_debug(v);
	return 0;
}

/* 4 and 5 are 6 and 7, unless the debugging extensions are on. */
static bool alias(const struct pv_vcpu *v, unsigned *reg)
{
	if (*reg != 4 && *reg != 5)
		return *reg < 8;
	*reg += 2;
	return !(v->cr4 & CR4_DE);
}

long pv_write_debugreg(struct pv_vcpu *v, unsigned reg, uint64_t value)
{
	if (!alias(v, &reg))
		return -XEN_ENODEV;
	if (reg == 6)
		return write_status(v, value);
	if (reg == 7)
		return write_control(v, value);
	if (!pv_address_guests(value))
		return -XEN_EPERM;
	v->debug[reg] = value;
	pv_load_debug(v);
	return 0;
}

long pv_read_debugreg(const struct pv_vcpu *v, unsigned reg, uint64_t *value)
{
	if (!alias(v, &reg))
		return -XEN_ENODEV;
	*value = v->debug[reg];
	if (reg == 7)
		*value |= v->dr7_ports;
	return 0;
}

long pv_op_set_debugreg(struct pv_vcpu *v, const uint64_t args[6])
{
	return pv_write_debugreg(v, (uint32_t)args[0], args[1]);
}

long pv_op_get_debugreg(struct pv_vcpu *v, const uint64_t args[6])
{
	uint64_t value;
	long error = pv_read_debugreg(v, (uint32_t)args[0], &value);

	return error ? error : (long)value;
}
