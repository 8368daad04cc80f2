/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kexec-test: what a Linux guest runs to go on as another kernel, by the system calls of kexec
 * themselves. Every function says on stderr what is wrong and ends the program.
 */
#ifndef GUEST_TESTS_KEXEC_KEXEC_H
#define GUEST_TESTS_KEXEC_KEXEC_H

#include <stddef.h>
#include <stdint.h>

/* A whole file, in memory that stays. */
struct file {
	uint8_t *bytes;
	size_t size;
};

struct file read_file(const char *path);
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/*
 * Load a 32-bit kernel with PVH's entry point, and behind it, for that kernel to boot, Linux (a
 * bzImage, by its 32-bit entry point): where the latter is, is in the former's command line.
 */
void load_between(const char *between, const char *kernel, const char *initrd, const char *cmdline);

/* Is /proc/vmcore the memory of a Linux that has crashed? Says what is in there. */
void check_vmcore(void);

/* trampoline.S: 64-bit code and its data, to be copied; it ends as PVH's entry state wants it. */
extern const uint8_t trampoline[], trampoline_entry[], trampoline_start_info[], trampoline_end[];

#endif
