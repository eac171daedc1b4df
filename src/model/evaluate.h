/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evaluate.h -- what becomes of a packet: runs the rules of a ruleset as
 * nf_tables does. It knows no policy of its own: rules come from
 * ruleset_each_rule, and what a set holds from the elements_of_* that fill the
 * kernel's sets. tests/differential compares it with a kernel. */
#ifndef CORDON_MODEL_EVALUATE_H
#define CORDON_MODEL_EVALUATE_H

#include "model/ruleset.h"

/* What a packet does not have; a rule that asks for it ends. */
enum packet_lack {
	LACK_ETHER	= 1 << 0,	/* no frame: the appliance made it */
	LACK_PROTOCOL	= 1 << 1,	/* IPv6 whose headers lead nowhere */
	LACK_TRANSPORT	= 1 << 2,	/* a fragment but the first; too short for a port or a type */
	LACK_DPORT	= 1 << 3,	/* ends behind its source port */
};

/* Zero what does not apply. Integers are the host's, addresses in network order. */
struct packet {
	enum chain_hook hook;		/* forward, input or output */
	uint8_t family;			/* AF_INET, AF_INET6 */
	uint8_t protocol;		/* behind all extension headers */
	uint8_t lack;			/* bits of enum packet_lack */
	uint8_t icmp_type, icmp_code;
	uint8_t tcp_flags;
	uint8_t hoplimit;		/* IPv6 */
	uint8_t pkttype;		/* 0 to us, 1 broadcast, 2 multicast, 3 to another host */
	uint8_t ether[6];		/* the frame's source */
	uint8_t src[16], dst[16];
	uint16_t sport, dport;		/* protocols without ports have none, whatever is here */
	const char *iif, *oif;		/* "" where there is none */
	uint32_t iif_index, oif_index;
	uint32_t mark, priority;	/* as somebody before us left them */
	/* what conntrack says */
	uint32_t ct_state;		/* one bit of enum ct_state_mask; 0: untracked */
	bool reply;			/* against the direction of its flow */
	bool confirmed;			/* an earlier packet of its flow went through */
	uint32_t ct_mark;
	int64_t time_s;			/* since 1970, UTC */
};

/* Sets that packets fill are no function of the policy. All false: new to
 * them, and never full or beyond a rate. */
struct dynamic {
	bool known;			/* seen before: SEEN and the keys of refusals have it */
	bool full;			/* no room for a new key, in any of them */
	bool over_budget;		/* more new refused keys than a device may make */
	bool stranger_over_budget;
	bool crowded;			/* more connections than a device may have */
	bool sampled_out;		/* a known key was told of a moment ago */
	bool over_rate;			/* more new connections a second than its class may make */
	/* Who keeps what packets put in answers for each key; NULL: the above, for all. */
	struct dynamic (*of)(void *arg, const struct element *key);
	void *arg;
};

enum verdict_kind { VERDICT_DROP, VERDICT_ACCEPT, VERDICT_REJECT };

struct verdict {
	enum verdict_kind kind;
	bool by_policy;			/* no rule decided, but the base chain's policy */
	bool saved;			/* ct_mark was written */
	uint32_t ct_mark;		/* of the flow, afterwards */
	uint32_t mark;			/* of the packet, afterwards */
	uint32_t logged;		/* bit k: told to NFLOG as enum log_group k */
	uint32_t counted;		/* bit k: enum counter_kind k */
	struct chain_ref chain;		/* in which it was decided */
	bool newly_refused;		/* the staged policy would refuse what this one admits, */
	bool newly_allowed;		/* or the other way round: counted, nothing else */
};

/* ---- the way there ------------------------------------------------------ */

enum trace_kind {
	TRACE_CHAIN,	/* entered */
	TRACE_SET,	/* asked, with the answer */
	TRACE_ADD,	/* a set that packets fill was given a key; found: the rule goes on */
	TRACE_MARK,	/* the packet is now known as this */
	TRACE_VERDICT,
};

struct trace_step {
	enum trace_kind kind;
	int depth;			/* of the chain */
	struct chain_ref chain;		/* where we are */
	unsigned rule;			/* its rule, from 1; 0: none */
	const struct expr *expr;	/* TRACE_SET, TRACE_ADD: what asks */
	const struct element *key;	/* TRACE_SET, TRACE_ADD: what was asked for */
	const struct element *found;	/* TRACE_SET: the element, or NULL */
	bool passed;			/* TRACE_SET, TRACE_ADD: the rule goes on */
	uint32_t mark;			/* TRACE_MARK */
	enum verdict_kind verdict;	/* TRACE_VERDICT */
};

/* What it points to is the evaluator's, until it returns. */
typedef void trace_fn(void *arg, const struct trace_step *);

/* ---- running it --------------------------------------------------------- */

struct evaluator;

/* Borrows the ruleset, its image and stations. Nothing is made in advance: what
 * a packet asks for is kept for the next one. NULL: out of memory. */
struct evaluator *evaluator_new(const struct ruleset *);
void evaluator_free(struct evaluator *);

/* A device's station or its class changed: forget what was kept. */
void evaluator_forget(struct evaluator *);

/* dynamic and trace may be NULL. 0, -ENOMEM, or -EINVAL (a hook that has no base
 * chain; a rule or set that this does not know; chains nested too deep). */
int evaluate(struct evaluator *, const struct packet *, const struct dynamic *, trace_fn *trace, void *arg,
    struct verdict *);

/* Does the set hold this key? The element, kept until evaluator_forget, or
 * NULL. Not of sets that packets fill. 0, -ENOMEM or -EINVAL. */
int evaluator_lookup(struct evaluator *, const struct element *key, const struct element **found);

#endif
