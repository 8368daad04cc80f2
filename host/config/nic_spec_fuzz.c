// SPDX-License-Identifier: BSD-2-Clause
/* Network specifications. */
#include <stdlib.h>
#include <string.h>

#include "host/config/nic_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct nic_config *n)
{
	if ((n->mode == NIC_BRIDGE) != (n->bridge != NULL) || (n->mac[0] & 1))
		abort();
	for (unsigned i = 0; i < n->nr_forwards; i++)
		if (!n->forwards[i].host_port || !n->forwards[i].guest_port || n->mode != NIC_USER)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	const char *spec = text;
	struct nic_config n;
	struct problem p;

	if (!text)
		return 0;
	if (!nic_spec_parse(&spec, 1, &n, NULL, &p))
		check(&n);
	nic_config_free(&n);
	free(text);
	return 0;
}
