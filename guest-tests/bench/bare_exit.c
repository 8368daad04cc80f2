// SPDX-License-Identifier: BSD-2-Clause
/*
 * The yardstick: what KVM itself takes for a guest's port write and the return to it, with a host
 * loop that does nothing else. Prints "COST bare-exit ticks", the least of several rounds' means,
 * as hypercall-cost does.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define ROUNDS     8
#define CALLS      500
#define PORT_COUNT 0x10
#define PORT_DONE  0x11

/* Real mode: read the TSC, write CALLS times to the port, leave the ticks taken in edx:eax. */
static const uint8_t guest[] = {
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

int main(void)
{
	int kvm = checked(open("/dev/kvm", O_RDWR), "/dev/kvm");
	int vm = checked(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	int vcpu = checked(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	struct kvm_run *run = map(checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "size"), vcpu);
	uint8_t *ram = map(4096, -1);
	struct kvm_userspace_memory_region region = {.memory_size = 4096,
						     .userspace_addr = (uintptr_t)ram};
	struct kvm_regs regs = {.rflags = 2};
	struct kvm_sregs sregs;
	uint32_t best = UINT32_MAX;

	memcpy(ram, guest, sizeof(guest));
	checked(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory");
	checked(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	checked(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	checked(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");

	for (int round = 0; round < ROUNDS;) {
		uint32_t ticks;

		checked(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (run->exit_reason != KVM_EXIT_IO)
			errx(1, "unexpected exit reason %u", run->exit_reason);
		if (run->io.port != PORT_DONE)
			continue;
		memcpy(&ticks, (uint8_t *)run + run->io.data_offset, sizeof(ticks));
		if (ticks < best)
			best = ticks;
		round++;
	}
	printf("COST bare-exit %u\n", best / CALLS);
	return 0;
}
