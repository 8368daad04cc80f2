// SPDX-License-Identifier: BSD-2-Clause
#include "host/loader/hypercall_patch.h"

#include <stdbool.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "host/loader/hypercall_scan.h"

/*
 * x86 code read from a wrong offset falls into step with the true instructions after a few of them.
 * So the code before a place is read from each of many offsets, far enough away to have fallen into
 * step. If the place is where an instruction starts, nearly all of these ways arrive exactly there;
 * if it is in the middle of one, they pass over it; if it is in data, many die at what is no
 * instruction. On 20,000 instructions of a real kernel that had been made a vmcall this found
 * 99.9 %, and took 6 of 20,000 places inside instructions for one.
 */
#define WINDOW   72 /* bytes before the place that are read */
#define APPROACH 24 /* nearer than this no way begins */
#define NEAR     3  /* instructions before and after the place that must be plausible */

struct insn {
	uint8_t length; /* 0: no instruction */
	bool plausible, last;
};

struct judge {
	ZydisDecoder decoder;
	const uint8_t *text;
	size_t size;
};

/* What data reads as, and code around a hypercall does not have. */
static bool is_odd(ZydisMnemonic mnemonic)
{
	switch (mnemonic) {
	case ZYDIS_MNEMONIC_AAM:
	case ZYDIS_MNEMONIC_ARPL:
	case ZYDIS_MNEMONIC_CMC:
	case ZYDIS_MNEMONIC_ENTER:
	case ZYDIS_MNEMONIC_INSB:
	case ZYDIS_MNEMONIC_INSD:
	case ZYDIS_MNEMONIC_INT1:
	case ZYDIS_MNEMONIC_JRCXZ:
	case ZYDIS_MNEMONIC_LAHF:
	case ZYDIS_MNEMONIC_OUTSB:
	case ZYDIS_MNEMONIC_OUTSD:
	case ZYDIS_MNEMONIC_SAHF:
	case ZYDIS_MNEMONIC_SCASD:
	case ZYDIS_MNEMONIC_STD:
	case ZYDIS_MNEMONIC_XLAT:
		return true;
	default:
		return false;
	}
}

static bool is_end(ZydisMnemonic mnemonic)
{
	return mnemonic == ZYDIS_MNEMONIC_RET || mnemonic == ZYDIS_MNEMONIC_JMP ||
	       mnemonic == ZYDIS_MNEMONIC_INT3 || mnemonic == ZYDIS_MNEMONIC_UD2;
}

static struct insn decode(const struct judge *j, size_t at)
{
	const uint8_t *bytes = j->text + at;
	ZydisDecodedInstruction d;
	bool zeros, x87;

	if (!ZYAN_SUCCESS(
		    ZydisDecoderDecodeInstruction(&j->decoder, NULL, bytes, j->size - at, &d)))
		return (struct insn){0};
	zeros = d.length == 2 && !bytes[0] && !bytes[1];
	x87 = d.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (d.opcode & 0xf8) == 0xd8;
	return (struct insn){
		.length = d.length,
		.plausible = !zeros && !x87 && !is_odd(d.mnemonic),
		.last = is_end(d.mnemonic),
	};
}

/* The code before a place: what is at each distance from it, and how many ways come through. */
struct approach {
	unsigned reach; /* the largest distance */
	struct insn at[WINDOW + 1];
	uint8_t ways[WINDOW + 1]; /* ways[0] arrive */
	unsigned passing, dead;
};

static void read_approach(const struct judge *j, size_t place, struct approach *a)
{
	*a = (struct approach){.reach = place < WINDOW ? place : WINDOW};
	for (unsigned distance = a->reach; distance; distance--) {
		struct insn insn;

		/* At the range's start an instruction starts for sure. */
		if (distance >= APPROACH || distance == place)
			a->ways[distance]++;
		if (!a->ways[distance])
			continue;
		insn = decode(j, place - distance);
		a->at[distance] = insn;
		if (!insn.length)
			a->dead += a->ways[distance];
		else if (insn.length > distance)
			a->passing += a->ways[distance];
		else
			a->ways[distance - insn.length] += a->ways[distance];
	}
}

/*
 * Where an instruction's own bytes are none, few ways live: of those into a row of `call .`, which
 * Xen has among its alternatives, one in five.
 */
static bool most_arrive(const struct approach *a)
{
	unsigned arriving = a->ways[0], all = arriving + a->passing + a->dead;

	return !a->reach || (arriving && arriving >= 2 * a->passing && a->dead * 8 <= all * 7);
}

/* The distance of the instruction before the one at `distance`, by the most trodden way; or 0. */
static unsigned step_back(const struct approach *a, unsigned distance)
{
	unsigned best = 0;

	for (unsigned from = distance + 1; from <= a->reach; from++)
		if (a->at[from].length == from - distance &&
		    (!best || a->ways[from] > a->ways[best]))
			best = from;
	return best;
}

static bool plausible_before(const struct approach *a)
{
	unsigned distance = step_back(a, 0);

	for (unsigned i = 0; i < NEAR && distance; i++) {
		if (!a->at[distance].plausible)
			return false;
		distance = step_back(a, distance);
	}
	return true;
}

static bool plausible_after(const struct judge *j, size_t place)
{
	size_t at = place + HYPERCALL_BYTES;

	for (unsigned i = 0; i < NEAR && at < j->size; i++) {
		struct insn insn = decode(j, at);

		if (!insn.length || !insn.plausible)
			return false;
		if (insn.last)
			break;
		at += insn.length;
	}
	return true;
}

static bool judge_in(struct judge *j, ZydisMachineMode mode, ZydisStackWidth width, size_t place)
{
	struct approach approach;

	ZydisDecoderInit(&j->decoder, mode, width);
	ZydisDecoderEnableMode(&j->decoder, ZYDIS_DECODER_MODE_MINIMAL, ZYAN_TRUE);
	read_approach(j, place, &approach);
	return most_arrive(&approach) && plausible_before(&approach) && plausible_after(j, place);
}

/* The file's word size does not tell the code's: both occur in both. */
static bool is_instruction(struct judge *j, size_t place)
{
	return judge_in(j, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, place) ||
	       judge_in(j, ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32, place);
}

/* What a patched instruction is: in $port, %eax; nop. */
struct in_nop {
	uint8_t bytes[HYPERCALL_BYTES];
};

static struct in_nop in_nop(uint8_t port)
{
	return (struct in_nop){{0xe5, port, 0x90}};
}

static void patch(uint8_t *at, uint8_t port)
{
	const struct in_nop with = in_nop(port);

	memcpy(at, with.bytes, sizeof(with.bytes));
}

bool hypercall_is_patched(const uint8_t *at, uint8_t port)
{
	const struct in_nop with = in_nop(port);

	return !memcmp(at, with.bytes, sizeof(with.bytes));
}

unsigned hypercall_patch(uint8_t *text, size_t size, uint8_t port, struct patch_stats *stats)
{
	struct judge j = {.text = text, .size = size};
	unsigned before = stats->patched;
	size_t at = 0;

	while ((at = hypercall_scan(text, size, at)) < size) {
		if (is_instruction(&j, at)) {
			patch(text + at, port);
			stats->patched++;
			if (!stats->first)
				stats->first = text + at;
		} else {
			stats->rejected++;
		}
		at += HYPERCALL_BYTES;
	}
	return stats->patched - before;
}

unsigned kernel_patch_hypercalls(const struct kernel *k, const struct ram *ram, uint8_t port,
				 struct patch_stats *stats)
{
	struct kernel_text text;
	unsigned patched = 0;
	uint32_t next = 0;

	while (kernel_next_text(k, &next, &text)) {
		uint8_t *code = ram_at(ram, text.paddr, text.size);

		if (code)
			patched += hypercall_patch(code, text.size, port, stats);
	}
	return patched;
}
