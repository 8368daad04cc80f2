// SPDX-License-Identifier: BSD-2-Clause
/* XENMEM_exchange, which Xen never carries out for such guests: what it answers, in which order. */
#include "shim/fake_reservation.h"
#include "shim/fake_test.h"

static long exchange(struct fake *f, const struct call *in, const struct call *out,
		     uint64_t *exchanged)
{
	struct xen_memory_exchange native = {native_of(in), native_of(out), *exchanged};
	struct xen_memory_exchange_x86_32 compat = {compat_of(in), compat_of(out), *exchanged};
	long rc;

	if (f->long_mode) {
		rc = fake_op(f, __HYPERVISOR_memory_op, XENMEM_exchange, &native, sizeof(native));
		*exchanged = native.nr_exchanged;
	} else {
		rc = fake_op(f, __HYPERVISOR_memory_op, XENMEM_exchange, &compat, sizeof(compat));
		*exchanged = compat.nr_exchanged;
	}
	return rc;
}

static void exchanges(void **state)
{
	static const struct {
		struct call in, out;
		uint64_t before;
		long rc;
		uint64_t after;
	} cases[] = {
		{{8, 0, 0, DOMID_SELF, 0}, {8, 0, 0, DOMID_SELF, 0}, 0, -XEN_EOPNOTSUPP, 0},
		{{8, 0, 0, DOMID_SELF, 0}, {1, 3, 0, DOMID_SELF, 0}, 0, -XEN_EOPNOTSUPP, 0},
		{{1, 3, 0, DOMID_SELF, 0}, {8, 0, 0, DOMID_SELF, 0}, 0, -XEN_EOPNOTSUPP, 0},
		{{8, 0, 0, DOMID_SELF, 0}, {8, 0, 0, DOMID_SELF, 0}, 5, -XEN_EOPNOTSUPP, 5},
		{{8, 0, 0, DOMID_SELF, 0}, {8, 0, 0, DOMID_SELF, 0}, 8, 0, 8},
		{{0, 0, 0, DOMID_SELF, 0}, {0, 0, 0, DOMID_SELF, 0}, 0, 0, 0},
		{{8, 0, 0, DOMID_SELF, 0}, {8, 0, 0, DOMID_SELF, 0}, 9, -XEN_EINVAL, 9},
		{{8, 0, 0, DOMID_SELF, 0}, {7, 0, 0, DOMID_SELF, 0}, 0, -XEN_EINVAL, 0},
		{{8, 0, 0, DOMID_SELF, 0}, {8, 0, 0, FAKE_DOMID, 0}, 0, -XEN_EINVAL, 0},
		{{1, 10, 0, DOMID_SELF, 0}, {1, 10, 0, DOMID_SELF, 0}, 0, -XEN_EPERM, 0},
		{{1, ~0u, 0, DOMID_SELF, 0}, {1, 0, 0, DOMID_SELF, 0}, 0, -XEN_EPERM, 0},
		{{1, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, 0, -XEN_EPERM, 0},
		{{1, 0, 0, 99, 0}, {1, 0, 0, 99, 0}, 0, -XEN_ESRCH, 0},
		{{1, 0, 0, DOMID_SELF, 0},
		 {1, 0, XENMEMF_exact_node(1), DOMID_SELF, 0},
		 0,
		 -XEN_EINVAL,
		 0},
		{{1, 0, 0, DOMID_SELF, FAKE_HOLE}, {1, 0, 0, DOMID_SELF, 0}, 0, -XEN_EFAULT, 0},
	};
	struct fake *f = *state;

	for (unsigned i = 0; i < 8; i++)
		write_frame(f, LIST, i, SOMEWHERE + i);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_snapshot *before = fake_snapshot(f);
		uint64_t exchanged = cases[i].before;

		assert_int_equal(exchange(f, &cases[i].in, &cases[i].out, &exchanged), cases[i].rc);
		assert_int_equal(exchanged, cases[i].after);
		assert_null(fake_changed(f, before));
	}
}

/* What is not there cannot be exchanged either, and that is said first. */
static void exchange_of_nothing(void **state)
{
	static const uint64_t frames[] = {RAM_END, FAKE_HOLE / GUEST_PAGE_SIZE, UINT32_MAX,
					  SOMEWHERE};
	struct call one = {.nr = 1, .domid = DOMID_SELF};
	struct fake *f = *state;
	uint64_t exchanged = 0;

	assert_int_equal(reservation_remove(&f->domain, &frames[3], 1, 0), 1);
	for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
		write_frame(f, LIST, 0, frames[i]);
		assert_refused(f, exchange(f, &one, &one, &exchanged), XEN_EINVAL);
	}
	if (f->long_mode) {
		write_frame(f, LIST, 0, UINT64_MAX);
		assert_refused(f, exchange(f, &one, &one, &exchanged), XEN_EINVAL);
	}
	assert_refused(f,
		       fake_call(f, __HYPERVISOR_memory_op, from(XENMEM_exchange, 1), FAKE_ARG, 0),
		       XEN_EINVAL);
}

/* 32-bit callers are told in another order, and a chunk that was begun is an error. */
static void exchange_by_halves(void **state)
{
	struct call in = {.nr = 8, .domid = DOMID_SELF};
	struct call out = {.nr = 1, .order = 3, .domid = DOMID_SELF};
	struct call large = {.nr = 2, .order = 10, .domid = DOMID_SELF};
	struct fake *f = *state;
	uint64_t exchanged = 5;

	for (unsigned i = 0; i < 8; i++)
		write_frame(f, LIST, i, SOMEWHERE + i);
	assert_int_equal(exchange(f, &in, &out, &exchanged),
			 f->long_mode ? -XEN_EOPNOTSUPP : -XEN_EINVAL);
	assert_int_equal(exchanged, f->long_mode ? 0 : 5);
	exchanged = 0;
	assert_int_equal(exchange(f, &in, &large, &exchanged),
			 f->long_mode ? -XEN_EPERM : -XEN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(exchanges),
		TEST_BOTH(exchange_of_nothing),
		TEST_BOTH(exchange_by_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
