// SPDX-License-Identifier: BSD-2-Clause
/*
 * The yardstick: what KVM itself takes for a guest's port write and the return to it, with a host
 * loop that does nothing else. Prints the least of several rounds' means in ticks:
 *	COST bare-exit	  a vCPU as the guests here have it: in long mode, with a local APIC in the
 *			  kernel and the features that KVM supports in its CPUID
 *	COST barest-exit  a vCPU fresh from reset, in real mode, with neither
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define ROUNDS     8
#define CALLS      500
#define PORT_COUNT 0x10
#define PORT_DONE  0x11

/* Read the TSC, write CALLS times to the port, write the ticks taken to the other port, again. */
static const uint8_t guest_64[] = {
	0xb9, CALLS & 0xff, CALLS >> 8, 0, 0, /* mov $CALLS, %ecx */
	0x0f, 0x31,                           /* rdtsc */
	0x89, 0xc3,                           /* mov %eax, %ebx */
	0xe6, PORT_COUNT,                     /* 1: out %al, $PORT_COUNT */
	0xff, 0xc9,                           /* dec %ecx */
	0x75, 0xfa,                           /* jnz 1b */
	0x0f, 0x31,                           /* rdtsc */
	0x29, 0xd8,                           /* sub %ebx, %eax */
	0xe7, PORT_DONE,                      /* out %eax, $PORT_DONE */
	0xeb, 0xe9,                           /* jmp to the start */
};

/* The same in real mode, with operand-size prefixes. */
static const uint8_t guest_16[] = {
	0x66, 0xb9,       CALLS & 0xff, CALLS >> 8, 0, 0, /* mov $CALLS, %ecx */
	0x0f, 0x31,                                       /* rdtsc */
	0x66, 0x89,       0xc3,                           /* mov %eax, %ebx */
	0xe6, PORT_COUNT,                                 /* 1: out %al, $PORT_COUNT */
	0x66, 0x49,                                       /* dec %ecx */
	0x75, 0xfa,                                       /* jnz 1b */
	0x0f, 0x31,                                       /* rdtsc */
	0x66, 0x29,       0xd8,                           /* sub %ebx, %eax */
	0x66, 0xe7,       PORT_DONE,                      /* out %eax, $PORT_DONE */
	0xeb, 0xe5,                                       /* jmp to the start */
};

/* Guest memory: the code, then page tables that map the first 2 MiB to themselves. */
#define PML4     0x1000
#define PDPT     0x2000
#define PD       0x3000
#define RAM_SIZE 0x4000

static int checked(int rc, const char *what)
{
	if (rc < 0)
		err(1, "%s", what);
	return rc;
}

static void *map(size_t size, int fd)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static void set_cpuid(int kvm, int vcpu)
{
	static union {
		struct kvm_cpuid2 head;
		uint8_t room[sizeof(struct kvm_cpuid2) + 256 * sizeof(struct kvm_cpuid_entry2)];
	} cpuid = {.head.nent = 256};

	checked(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "KVM_GET_SUPPORTED_CPUID");
	checked(ioctl(vcpu, KVM_SET_CPUID2, &cpuid), "KVM_SET_CPUID2");
}

static void enter_long_mode(struct kvm_sregs *s, uint8_t *ram)
{
	const uint64_t table = 0x3, large_page = 0x83;

	memcpy(ram + PML4, &(uint64_t){PDPT | table}, 8);
	memcpy(ram + PDPT, &(uint64_t){PD | table}, 8);
	memcpy(ram + PD, &(uint64_t){large_page}, 8);
	s->cr0 = 0x80010011; /* PG, WP, ET, PE */
	s->cr3 = PML4;
	s->cr4 = 0x20;   /* PAE */
	s->efer = 0x500; /* LME, LMA */
	s->cs = (struct kvm_segment){
		.limit = 0xffffffff, .type = 0xb, .present = 1, .l = 1, .s = 1, .g = 1};
	s->ds = s->es = s->ss = (struct kvm_segment){
		.limit = 0xffffffff, .type = 0x3, .present = 1, .db = 1, .s = 1, .g = 1};
}

static void enter_real_mode(struct kvm_sregs *s)
{
	s->cs.base = 0;
	s->cs.selector = 0;
}

/* Run the guest's rounds; the least number of ticks that one took. */
static uint32_t least_ticks(int vcpu, struct kvm_run *run)
{
	uint32_t ticks, least = UINT32_MAX;

	for (int round = 0; round < ROUNDS;) {
		checked(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO)
			errx(1, "unexpected exit reason %u", run->exit_reason);
		if (run->io.port != PORT_DONE)
			continue;
		memcpy(&ticks, (uint8_t *)run + run->io.data_offset, sizeof(ticks));
		if (ticks < least)
			least = ticks;
		round++;
	}
	return least;
}

static void measure(const char *name, bool whole)
{
	int kvm = checked(open("/dev/kvm", O_RDWR), "/dev/kvm");
	int vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	int run_size = checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	uint8_t *ram = map(RAM_SIZE, -1);
	struct kvm_userspace_memory_region region = {.memory_size = RAM_SIZE,
						     .userspace_addr = (uintptr_t)ram};
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP};
	struct kvm_regs regs = {.rflags = 2};
	struct kvm_sregs sregs;
	int vcpu;

	checked(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	if (whole)
		checked(ioctl(vm, KVM_ENABLE_CAP, &split), "KVM_CAP_SPLIT_IRQCHIP");
	vcpu = checked(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	checked(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	if (whole) {
		set_cpuid(kvm, vcpu);
		memcpy(ram, guest_64, sizeof(guest_64));
		enter_long_mode(&sregs, ram);
	} else {
		memcpy(ram, guest_16, sizeof(guest_16));
		enter_real_mode(&sregs);
	}
	checked(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	checked(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	printf("COST %s %u\n", name, least_ticks(vcpu, map(run_size, vcpu)) / CALLS);
}

int main(void)
{
	measure("bare-exit", true);
	measure("barest-exit", false);
	return 0;
}
