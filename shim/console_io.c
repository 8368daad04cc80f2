// SPDX-License-Identifier: BSD-2-Clause
#include "shim/console_io.h"

#include "shim/domain.h"
#include "shim/guest_access.h"

/* console_io(cmd, count, buffer): copied in pieces; what comes before a bad page is written. */
static long consoleio_write(struct vcpu *v, const struct hypercall *h)
{
	char piece[128];
	uint64_t from = h->args[2];
	uint32_t left = h->args[1];

	while (left > 0) {
		size_t n = left < sizeof(piece) ? left : sizeof(piece);

		if (guest_read(v, piece, gva(from), n))
			return -XEN_EFAULT;
		v->domain->ops->console_write(v->domain, piece, n);
		from += n;
		left -= n;
	}
	return 0;
}

/* Reading the hypervisor's console is for domain 0. */
static long consoleio_read(struct vcpu *v, const struct hypercall *h)
{
	(void)v;
	(void)h;
	return -XEN_EPERM;
}

const struct suboperation console_io_ops[] = {
	SUBOP(CONSOLEIO_write, consoleio_write),
	SUBOP(CONSOLEIO_read, consoleio_read),
};
const unsigned console_io_ops_count = ARRAY_SIZE(console_io_ops);
