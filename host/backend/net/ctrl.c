// SPDX-License-Identifier: BSD-2-Clause
/* The control ring (public header io/netif.h, "Control messages"). */
#include "host/backend/net/engine.h"

#define OK            XEN_NETIF_CTRL_STATUS_SUCCESS
#define BAD_PARAMETER XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define NOT_SUPPORTED XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED
#define TOO_LARGE     XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW

static uint32_t set_algorithm(struct net_engine *e, uint32_t algorithm)
{
	if (algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE &&
	    algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
		return BAD_PARAMETER;
	e->hash.algorithm = algorithm;
	return OK;
}

static uint32_t get_types(struct net_engine *e, uint32_t *types)
{
	if (e->hash.algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
		return NOT_SUPPORTED;
	*types = NET_HASH_TYPES;
	return OK;
}

static uint32_t set_types(struct net_engine *e, uint32_t types)
{
	if (types & ~NET_HASH_TYPES || e->hash.algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
		return BAD_PARAMETER;
	e->hash.types = types;
	return OK;
}

static uint32_t set_key(struct net_engine *e, grant_ref_t ref, uint32_t len)
{
	uint8_t key[NET_HASH_KEY_MAX] = {0};

	if (len > sizeof(key))
		return TOO_LARGE;
	if (len && grant_copy_from(e->domain, ref, 0, key, len) != GNTST_okay)
		return BAD_PARAMETER;
	memcpy(e->hash.key, key, sizeof(key));
	return OK;
}

static uint32_t set_mapping_size(struct net_engine *e, uint32_t size)
{
	if (size > NET_HASH_MAPPING_MAX)
		return BAD_PARAMETER;
	e->hash.mapping_size = size;
	memset(e->hash.mapping, 0, sizeof(e->hash.mapping));
	return OK;
}

static uint32_t set_mapping(struct net_engine *e, grant_ref_t ref, uint32_t nr, uint32_t first)
{
	uint32_t part[NET_HASH_MAPPING_MAX];

	if (nr > NET_HASH_MAPPING_MAX)
		return TOO_LARGE;
	if (first > e->hash.mapping_size || nr > e->hash.mapping_size - first)
		return BAD_PARAMETER;
	if (nr && grant_copy_from(e->domain, ref, 0, part, nr * sizeof(*part)) != GNTST_okay)
		return BAD_PARAMETER;
	for (uint32_t i = 0; i < nr; i++)
		if (part[i] >= e->guest.nr_queues)
			return BAD_PARAMETER;
	memcpy(&e->hash.mapping[first], part, nr * sizeof(*part));
	return OK;
}

static uint32_t serve(struct net_engine *e, const struct xen_netif_ctrl_request *r, uint32_t *data)
{
	switch (r->type) {
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
		return set_algorithm(e, r->data[0]);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
		return get_types(e, data);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
		return set_types(e, r->data[0]);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
		return set_key(e, r->data[0], r->data[1]);
	case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE:
		*data = NET_HASH_MAPPING_MAX;
		return OK;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
		return set_mapping_size(e, r->data[0]);
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		return set_mapping(e, r->data[0], r->data[1], r->data[2]);
	default:
		return NOT_SUPPORTED;
	}
}

enum net_step net_ctrl_step(struct net_engine *e)
{
	uint32_t waiting = net_ring_waiting(&e->ctrl);
	struct xen_netif_ctrl_response response = {0};
	struct xen_netif_ctrl_request request;

	if (!waiting)
		return NET_NOTHING;
	if (waiting > e->ctrl.entries)
		return net_engine_fail(e, "a control ring of %u slots has %u requests",
				       e->ctrl.entries, waiting);
	net_ring_peek(&e->ctrl, 0, &request, sizeof(request));
	response.id = request.id;
	response.type = request.type;
	response.status = serve(e, &request, &response.data);
	net_ring_answer(&e->ctrl, &response, sizeof(response));
	return NET_MOVED;
}
