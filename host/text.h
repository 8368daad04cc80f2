/* SPDX-License-Identifier: BSD-2-Clause */
/* Identifiers as people and the store write them. */
#ifndef HOST_TEXT_H
#define HOST_TEXT_H

#include <stdint.h>
#include <stdio.h>

#define UUID_TEXT 37 /* bytes, with the 0 at the end */
#define MAC_TEXT  18

static inline const char *uuid_text(char text[UUID_TEXT], const uint8_t u[16])
{
	snprintf(text, UUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
		 u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
		 u[15]);
	return text;
}

static inline const char *mac_text(char text[MAC_TEXT], const uint8_t m[6])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	return text;
}

#endif
