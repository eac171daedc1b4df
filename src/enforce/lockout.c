/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lockout.c -- runs the candidate's own rules on the packets of one connection.
 * What it is told of the connection is a claim: it can keep a change from being
 * made, never make one. */
#include "enforce/lockout.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "model/evaluate.h"

static bool
dropped(struct evaluator *ev, struct packet *p, uint32_t ct_state)
{
	struct verdict v;

	p->ct_state = ct_state;
	return evaluate(ev, p, NULL, NULL, NULL, &v) < 0 || v.kind != VERDICT_ACCEPT;
}

bool
would_drop(const struct ruleset *rs, const struct ctl_connection *c)
{
	char interface[sizeof(c->interface) + 1] = "";
	struct packet p = {
		.hook = HOOK_INPUT,
		.family = c->family,
		.protocol = IPPROTO_TCP,
		.hoplimit = 64,
		.sport = c->client_port,
		.dport = c->server_port,
		.iif = interface,
		.oif = "",
		.iif_index = 1,
	};
	struct evaluator *ev;
	bool drops;

	memcpy(interface, c->interface, sizeof(c->interface));
	if ((c->family != AF_INET && c->family != AF_INET6) || interface[0] == '\0')
		return false;
	if (c->has_mac)
		memcpy(p.ether, c->mac, sizeof(p.ether));
	memcpy(p.src, c->client, sizeof(p.src));
	memcpy(p.dst, c->server, sizeof(p.dst));
	if ((ev = evaluator_new(rs)) == NULL)
		return true;
	/* Its mark is of rules that are no more: the packet is judged as one without. */
	drops = dropped(ev, &p, CTS_ESTABLISHED) || dropped(ev, &p, CTS_NEW);
	evaluator_free(ev);
	return drops;
}
