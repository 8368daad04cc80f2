/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `xenolith doctor`: the facts of host/kvm/probe.h in words, for people and for programs.
 *
 *   doctor.c         the command
 *   doctor_facts.c   the words for each fact, and what each guest type needs
 *   doctor_device.c  the device file: what is wrong with it and how to mend it
 *   doctor_text.c, doctor_json.c  the two forms of the report
 */
#ifndef HOST_CLI_DOCTOR_H
#define HOST_CLI_DOCTOR_H

#include "host/kvm/probe.h"

#include <stdio.h>

/* The exit status is the answer to "can PVH guests run here?". */
enum { DOCTOR_RUNS = 0, DOCTOR_LACKS = 1, DOCTOR_USAGE = 2 };

/* `xenolith doctor [--json | --features] [--device PATH]`; argv[0] is "doctor". An exit status. */
int doctor_main(int argc, char **argv);

/* Which guests cannot be without a fact: the bits of what it is for, 0 if all can. */
enum doctor_guest {
	DOCTOR_PVH = 0x1,
	DOCTOR_PV = 0x2, /* 64-bit ones, in ring 3 under a monitor in ring 0 */
	DOCTOR_32 = 0x4, /* 32-bit ones with paging */
};

struct doctor_fact {
	enum kvm_fact fact;
	unsigned need;      /* enum doctor_guest */
	const char *word;   /* for --features and JSON; stable */
	const char *title;  /* for people */
	const char *remedy; /* one or more lines, '\n' between them */
};

/* All facts, in the order of the report: KVM_FACT_COUNT entries. */
extern const struct doctor_fact doctor_facts[];

/* The state of one fact, e.g. "yes" or "no: the vCPU shut down"; and its stable word for JSON. */
const char *doctor_answer_text(enum kvm_answer answer);
const char *doctor_answer_word(enum kvm_answer answer);

/* Is the fact at `i` of doctor_facts in the way of every such guest? */
bool doctor_blocks(const struct kvm_facts *facts, int i, enum doctor_guest guest);
/* Does nothing of the host stand in the way? */
bool doctor_runs(const struct kvm_facts *facts, enum doctor_guest guest);

/* Name of KVM_XEN feature bit `bit`, or NULL for one that this release does not know. */
const char *doctor_xen_feature(int bit);

struct doctor_device {
	const char *word; /* stable, for JSON: "ok", "missing", ... */
	char state[256];  /* one line */
	char remedy[768]; /* lines, '\n' between them; empty when nothing is to be done */
	char mode[96];    /* as ls -l has it: "crw-rw---- root:kvm"; empty when there is no file */
};

void doctor_device(const struct kvm_facts *facts, struct doctor_device *device);

/* The report, whole. The stream's error indicator tells of failed writes. */
void doctor_text(FILE *out, const struct kvm_facts *facts);
void doctor_features(FILE *out, const struct kvm_facts *facts);

/* 0, or -1 when memory ran out. */
int doctor_json(FILE *out, const struct kvm_facts *facts);

#endif
