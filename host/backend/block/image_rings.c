// SPDX-License-Identifier: BSD-2-Clause
#include "host/backend/block/image_rings.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shim/types.h"

#define RING_ENTRIES 128

/* What a ring may be asked, and what may be registered with it. */
static const struct io_uring_restriction allowed[] = {
	{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READV},
	{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITEV},
	{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FSYNC},
	{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_FALLOCATE},
	{.opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_REGISTER_EVENTFD},
	{.opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_UNREGISTER_EVENTFD},
};

/* Debian's liburing declares functions for these, and has left them out. */
static bool restrict_ring(const struct io_uring *uring)
{
	return !syscall(SYS_io_uring_register, uring->ring_fd, IORING_REGISTER_RESTRICTIONS,
			allowed, ARRAY_SIZE(allowed)) &&
	       !syscall(SYS_io_uring_register, uring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL,
			0);
}

/* A ring that cannot be restricted is none. */
static bool open_ring(struct io_uring *uring)
{
	if (io_uring_queue_init(RING_ENTRIES, uring, IORING_SETUP_R_DISABLED))
		return false;
	if (restrict_ring(uring))
		return true;
	io_uring_queue_exit(uring);
	return false;
}

void image_rings_open(struct image_rings *rings, unsigned nr)
{
	rings->unused = NULL;
	for (unsigned i = 0; i < nr; i++) {
		struct image_ring *ring = calloc(1, sizeof(*ring));

		if (!ring || !open_ring(&ring->uring)) {
			free(ring);
			return;
		}
		image_rings_give_back(rings, ring);
	}
}

void image_rings_close(struct image_rings *rings)
{
	struct image_ring *ring;

	while ((ring = rings->unused)) {
		rings->unused = ring->next;
		io_uring_queue_exit(&ring->uring);
		free(ring);
	}
}

struct image_ring *image_rings_take(struct image_rings *rings, int kick)
{
	struct image_ring *ring = rings->unused;

	if (!ring || io_uring_register_eventfd(&ring->uring, kick))
		return NULL;
	rings->unused = ring->next;
	return ring;
}

void image_rings_give_back(struct image_rings *rings, struct image_ring *ring)
{
	ring->next = rings->unused;
	rings->unused = ring;
}
