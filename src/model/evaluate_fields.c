/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate_fields.c -- what a packet has in the fields that rules ask for. */
#include "model/evaluate_parts.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>

static bool
has_ports(const struct packet *p)
{
	switch (p->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		return (p->lack & (LACK_PROTOCOL | LACK_TRANSPORT)) == 0;
	default:
		return false;
	}
}

static bool
has_type(const struct packet *p, uint8_t protocol)
{
	return p->protocol == protocol && (p->lack & (LACK_PROTOCOL | LACK_TRANSPORT)) == 0;
}

bool
packet_is_tracked(const struct packet *p)
{
	return p->ct_state != 0 && p->ct_state != CTS_INVALID;
}

static bool
put(uint8_t *out, const void *value, size_t len, bool has)
{
	if (has)
		memcpy(out, value, len);
	return has;
}

static bool
put_port(uint8_t *out, uint16_t port, bool has)
{
	port = htons(port);
	return put(out, &port, sizeof(port), has);
}

static bool
put_time(uint8_t *out, int64_t time_s)
{
	uint64_t ns = htobe64((uint64_t)time_s * 1000000000U);

	return put(out, &ns, sizeof(ns), true);
}

static bool
put_u32(uint8_t *out, uint32_t value, bool has)
{
	return put(out, &value, sizeof(value), has);
}

bool
visit_field(const struct visit *v, enum field f, uint8_t *out)
{
	const struct packet *p = v->p;
	uint8_t reply = p->reply, reset = p->tcp_flags & 4;

	if (field_info(f)->family != 0 && field_info(f)->family != p->family)
		return false;
	switch (f) {
	case FIELD_ETHER_SADDR: return put(out, p->ether, sizeof(p->ether), (p->lack & LACK_ETHER) == 0);
	case FIELD_IP_SADDR: return put(out, p->src, 4, true);
	case FIELD_IP_DADDR: return put(out, p->dst, 4, true);
	case FIELD_IP6_SADDR: return put(out, p->src, 16, true);
	case FIELD_IP6_DADDR: return put(out, p->dst, 16, true);
	case FIELD_L4PROTO: return put(out, &p->protocol, 1, (p->lack & LACK_PROTOCOL) == 0);
	case FIELD_SPORT: return put_port(out, p->sport, has_ports(p));
	case FIELD_DPORT: return put_port(out, p->dport, has_ports(p) && (p->lack & LACK_DPORT) == 0);
	case FIELD_ICMP_TYPE: return put(out, &p->icmp_type, 1, has_type(p, IPPROTO_ICMP));
	case FIELD_ICMP6_TYPE: return put(out, &p->icmp_type, 1, has_type(p, IPPROTO_ICMPV6));
	case FIELD_ICMP_CODE: return put(out, &p->icmp_code, 1, has_type(p, IPPROTO_ICMP));
	case FIELD_ICMP6_CODE: return put(out, &p->icmp_code, 1, has_type(p, IPPROTO_ICMPV6));
	case FIELD_IIFNAME: return put(out, p->iif, strnlen(p->iif, 15), true);
	case FIELD_OIFNAME: return put(out, p->oif, strnlen(p->oif, 15), true);
	case FIELD_IIF: return put_u32(out, p->iif_index, true);
	case FIELD_OIF: return put_u32(out, p->oif_index, true);
	case FIELD_IP6_SADDR_NET: return put(out, p->src, 8, true);
	case FIELD_TCP_RESET: return put(out, &reset, 1, p->protocol == IPPROTO_TCP && has_ports(p));
	case FIELD_TIME: return put_time(out, p->time_s);
	case FIELD_CLASS: return put_u32(out, v->class_number, true);
	case FIELD_MARK: return put_u32(out, v->v.mark, true);
	case FIELD_NUMBER: return put_u32(out, v->v.mark & MARK_NUMBER_MASK, true);
	case FIELD_CT_MARK: return put_u32(out, v->v.ct_mark, packet_is_tracked(p));
	case FIELD_CT_CONFIRMED: return put_u32(out, p->confirmed ? 8 : 0, packet_is_tracked(p));
	case FIELD_CT_NUMBER: return put_u32(out, v->v.ct_mark & MARK_NUMBER_MASK, packet_is_tracked(p));
	case FIELD_NFPROTO: return put(out, &p->family, 1, true);
	case FIELD_PKTTYPE: return put(out, &p->pkttype, 1, true);
	case FIELD_CT_DIRECTION: return put(out, &reply, 1, packet_is_tracked(p));
	case FIELD_HOPLIMIT: return put(out, &p->hoplimit, 1, true);
	case FIELD_NONE:
	case FIELDS:
		break;
	}
	return false;
}

bool
visit_key(const struct visit *v, const struct expr *x, struct element *out)
{
	memset(out, 0, sizeof(*out));
	out->set = x->set;
	for (int i = 0; i < SET_FIELDS_MAX && x->fields[i] != FIELD_NONE; i++) {
		if (!visit_field(v, x->fields[i], out->key + out->key_len))
			return false;
		out->key_len = (uint8_t)(out->key_len + (field_info(x->fields[i])->len + 3) / 4 * 4);
	}
	return true;
}
