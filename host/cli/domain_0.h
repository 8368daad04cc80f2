/* SPDX-License-Identifier: BSD-2-Clause */
/* The host as the domain that it is under Xen, for those who call this program xl. */
#ifndef HOST_CLI_DOMAIN_0_H
#define HOST_CLI_DOMAIN_0_H

#include <jansson.h>
#include <stdbool.h>

#define PROC_LINE_MAX 4096 /* bytes: the flags of a CPU are the longest */

/* What the command `info` of a guest's process would say of it. To be decref'ed. */
json_t *domain_0_info(void);

/* What follows `begin` in the first line of a file in /proc that begins so. False: there is none.
 */
bool proc_line(const char *path, const char *begin, char *rest, size_t size);

/* Of /proc/meminfo, in KiB; 0: it is not there. */
unsigned long long host_memory_kib(const char *field);

#endif
