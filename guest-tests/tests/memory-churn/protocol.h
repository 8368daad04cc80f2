/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest (main.c) and the program that changes its memory (guest-tests/churn) have agreed
 * on. The guest carries out one command after the other; a page of RAM that stays where it is
 * serves as their mailbox. All addresses are guest-physical.
 */
#ifndef MEMORY_CHURN_PROTOCOL_H
#define MEMORY_CHURN_PROTOCOL_H

#include <stdint.h>

#define CHURN_MAILBOX 0x02000000u

/* Pages of RAM over which the host shows others. */
#define CHURN_COVERED       0x02010000u
#define CHURN_COVERED_PAGES 4u

/*
 * A 32-bit word in each of them: the upper half tells the page, the guest changes the lower half.
 * Each covered page has a word of its own, as two may show the same page of the host's.
 */
#define CHURN_TAG_RAM     0x5241u
#define CHURN_TAG_OVERLAY 0x4f00u /* and the number of the overlay */
#define CHURN_WORD(page)  (0x40u + 64 * (page))
#define CHURN_OVERLAY(page)                                                  \
	(1u + (page) / 2) /* the one that comes and goes over a covered page \
			   */
#define CHURN_SPARE_OVERLAY 3u
#define CHURN_OVERLAYS      4u /* number 0 is shared_info */

/* A slot that the host moves between two places of unlike alignment, and deletes, and makes anew.
 */
#define CHURN_WINDOW_A     0x10000000u
#define CHURN_WINDOW_B     0x10401000u
#define CHURN_WINDOW_PAGES 16u
#define CHURN_FILL_AT      0x40u
#define CHURN_COUNT_AT     0x80u

/* The argument of a hypercall, prepared by the host: HVMOP_get_param of the console's frame. */
#define CHURN_PARAM_AT   0x800u
#define CHURN_PARAM_PAGE 3u
#define CHURN_CALL_EVERY 16u /* turns of a loop */

/* Where VCPUOP_register_* puts the areas of the vCPU, from the window's start. */
#define CHURN_RUNSTATE_AT (12u * 4096 - 16) /* it crosses pages */
#define CHURN_TIME_AT     (13u * 4096 + 0x10)
#define CHURN_INFO_AT     (14u * 4096 + 0x340)

/* Other slots that come, go and move without being used. */
#define CHURN_OTHERS 0x20000000u

enum churn_command {
	CHURN_FILL = 1,    /* word CHURN_FILL_AT of each page: value + its number */
	CHURN_EXPECT,      /* it is there */
	CHURN_EXPECT_NONE, /* all ones are there */
	CHURN_CALL,        /* a hypercall with its argument in page CHURN_PARAM_PAGE: result */
	CHURN_COUNT, /* add 1 to word CHURN_COUNT_AT of each page, over and over, until stop */
	CHURN_COVERED_USE, /* write and read all covered pages, over and over, until stop */
	CHURN_COVERED_ARE, /* all show the page whose tag is `value`, with what was last written */
	CHURN_REGISTER,    /* vcpu_info, time and runstate areas: result */
	CHURN_AREAS_WIPE,  /* clear the clock's rate in both copies */
	CHURN_AREAS_LIVE,  /* wait until it is there again */
	CHURN_RUNSTATE,   /* register the runstate area again: result, and whether it was written */
	CHURN_EVENT,      /* send an event to itself: result */
	CHURN_EVENT_SEEN, /* the same, and vcpu_info says that one is pending */
	CHURN_END,
};

struct churn_mailbox {
	/* The host's: */
	uint32_t request; /* the number of the command that follows, counted up; written last */
	uint32_t command;
	uint32_t at;    /* an address */
	uint32_t pages; /* from there, a bit for each */
	uint32_t value;
	uint32_t stop;
	/* The guest's: */
	uint32_t done;  /* the number of the last command that has been carried out */
	uint32_t turns; /* of the loop at hand */
	uint32_t calls; /* hypercalls since the beginning */
	int32_t result;
	uint32_t wrong; /* how often something was not as it has to be */
};

#endif
