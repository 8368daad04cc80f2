/* SPDX-License-Identifier: BSD-2-Clause */
/* What unit tests on fake_cpu.h have in common. */
#ifndef SHIM_PV_FAKE_CPU_TEST_H
#define SHIM_PV_FAKE_CPU_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "shim/pv/arch.h"
#include "shim/pv/fake_cpu.h"
#include "shim/pv/traps.h"

static inline int fresh_cpu(void **state)
{
	static struct fake_cpu f;

	fake_cpu_init(&f);
	*state = &f;
	return 0;
}

#define TEST(function) cmocka_unit_test_setup(function, fresh_cpu)

#define code(f, ...)                                      \
	do {                                              \
		const uint8_t code_[] = {__VA_ARGS__};    \
		fake_cpu_code((f), code_, sizeof(code_)); \
	} while (0)

static inline uint64_t word_at(struct fake_cpu *f, uint64_t va)
{
	uint64_t word;

	memcpy(&word, fake_cpu_at(f, va), sizeof(word));
	return word;
}

static inline void to_user_mode(struct fake_cpu *f)
{
	f->v.kernel_mode = f->kernel_base = false;
}

/* A handler for each vector, that says which. */
static inline uint64_t handler_of(unsigned vector)
{
	return 0xffffffff81000000 + vector * 0x100;
}

static inline void set_handlers(struct fake_cpu *f)
{
	for (unsigned n = 0; n < 256; n++)
		f->v.traps[n].address = handler_of(n);
}

static inline void exception(struct fake_cpu *f, unsigned vector, uint32_t error, uint64_t cr2)
{
	f->r.vector = vector;
	f->r.error = error;
	pv_exception(&f->v, &f->r, cr2);
}

/* The guest's next exception is this one, with this error code or (-1) none. */
#define assert_raised(f, vector, error_code)                                 \
	do {                                                                 \
		const int64_t error_ = (error_code);                         \
                                                                             \
		assert_null((f)->v.dying);                                   \
		assert_true((f)->v.bounce.wanted);                           \
		assert_int_equal((f)->v.bounce.address, handler_of(vector)); \
		assert_int_equal((f)->v.bounce.has_error, error_ >= 0);      \
		if (error_ >= 0)                                             \
			assert_int_equal((f)->v.bounce.error, error_);       \
	} while (0)

#endif
