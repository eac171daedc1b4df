/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show.c -- a disagreement, for somebody who has to find out who is right. */
#include "show.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "model/print.h"

static const char *const hooks[] = { [HOOK_NONE] = "-", [HOOK_INPUT] = "input", [HOOK_FORWARD] = "forward",
	[HOOK_OUTPUT] = "output" };
static const char *const verdicts[] = { [VERDICT_DROP] = "drop", [VERDICT_ACCEPT] = "accept",
	[VERDICT_REJECT] = "reject" };

static void
print_step(void *arg, const struct trace_step *t)
{
	char chain[CHAIN_NAMELEN], set[SET_NAMELEN];

	(void)arg;
	printf("  %*s", 2 * t->depth, "");
	switch (t->kind) {
	case TRACE_CHAIN:
		printf("%s\n", chain_name(&t->chain, chain));
		return;
	case TRACE_SET:
	case TRACE_ADD:
		printf("%u: %s%s%s:", t->rule, t->kind == TRACE_ADD ? "add to " : t->expr->negate ? "not in " : "in ",
		    set_name(&t->expr->set, set), t->passed ? "" : ": no");
		for (unsigned i = 0; i < t->key->key_len; i++)
			printf("%s%02x", i % 4 == 0 ? " " : "", t->key->key[i]);
		printf("\n");
		return;
	case TRACE_MARK:
		printf("%u: mark %#x\n", t->rule, t->mark);
		return;
	case TRACE_VERDICT:
		printf("%u: %s\n", t->rule, verdicts[t->verdict]);
		return;
	}
}

static void
print_packet(const struct seen *s)
{
	const struct packet *p = &s->packet;
	struct addr src = { .family = p->family }, dst = { .family = p->family };
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	memcpy(src.bytes, p->src, 16);
	memcpy(dst.bytes, p->dst, 16);
	printf("packet: %s%s, from %s to %s, in \"%s\" out \"%s\", protocol %u, ports %u %u, type %u, flags %#x, "
	    "hop limit %u, frame type %u, lack %#x\n", s->ours ? "" : "the router's own, ", hooks[p->hook],
	    addr_format(&src, a), addr_format(&dst, b), p->iif, p->oif, p->protocol, p->sport, p->dport,
	    p->icmp_type, p->tcp_flags, p->hoplimit, p->pkttype, p->lack);
	printf("  frame from %02x:%02x:%02x:%02x:%02x:%02x, conntrack state %#x%s, ct mark %#x\n  ", p->ether[0],
	    p->ether[1], p->ether[2], p->ether[3], p->ether[4], p->ether[5], p->ct_state,
	    p->reply ? " reply" : "", p->ct_mark);
	for (unsigned i = 0; i < s->len; i++)
		printf("%02x%s", s->head[i], i % 16 == 15 ? "\n  " : " ");
	printf("\n");
}

void
show_disagreement(const struct site *site, const struct ruleset *rs, struct evaluator *ev, const struct seen *s,
    const struct verdict *v)
{
	struct verdict again;

	printf("---- the policy\n");
	print_policy(&site->image, stdout);
	printf("---- stations\n");
	for (uint32_t i = 0; i < site->image.n[IMAGE_DEVICES]; i++)
		printf("%s: mark %#x%s\n", image_text(&site->image, site->image.devices[i].name),
		    station_mark(&rs->stations[i]), rs->stations[i].quarantined ? ", in quarantine" : "");
	printf("----\n");
	print_packet(s);
	printf("kernel: %s, ct mark %#x\nmodel: %s, ct mark %#x%s\nthe model's way:\n",
	    s->accepted ? "accept" : "drop", s->ct_mark, verdicts[v->kind], v->ct_mark, v->saved ? " (saved)" : "");
	evaluate(ev, &s->packet, NULL, print_step, NULL, &again);
}
