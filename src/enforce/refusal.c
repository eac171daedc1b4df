/* SPDX-License-Identifier: GPL-2.0-or-later */
/* refusal.c -- from the kernel's error to the line of the configuration and to
 * what an operator may do about it. */
#include "enforce/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "enforce/nft_subject.h"
#include "model/origin.h"

static void
what_to_do(int error, const struct nft_failure *failure, char *buf, size_t size)
{
	const char *advice;

	switch (error) {
	case EPERM:
		advice = "another program owns the table inet cordon: end that program (`nft list tables' names its owner)";
		break;
	case EEXIST:
	case ENOENT:
	case EBUSY:
		advice = "another program keeps changing the table inet cordon: `cordonctl policy verify' shows what differs";
		break;
	case ENOSPC:
	case ENFILE:
		advice = "the set is full: take devices or rules out";
		break;
	case ENOMEM:
		advice = "the kernel has no memory for it: free some and apply again";
		break;
	case EMSGSIZE:
		snprintf(buf, size, "it is larger than this system lets cordond send: sysctl net.core.wmem_max=%zu",
		    failure->needed);
		return;
	case ENOBUFS:
	case EAGAIN:
		advice = "the kernel's answers were lost: apply again";
		break;
	case ERESTART:
		advice = "other programs change rules all the time: apply again";
		break;
	case EOPNOTSUPP:
	case EINVAL:
	case ERANGE:
		advice = "this kernel does not know it: a newer kernel, or without this line";
		break;
	default:
		advice = "the log of cordond may say more";
		break;
	}
	snprintf(buf, size, "%s", advice);
}

/* What was refused; *origin: where it comes from. */
static void
describe(const struct nft_subject *s, const struct ruleset *rs, struct origin *origin, char *buf, size_t size)
{
	static const char *const kinds[] = {
		[SUBJECT_NONE] = "the change", [SUBJECT_TABLE] = "the table", [SUBJECT_SET] = "set",
		[SUBJECT_ELEMENT] = "an element of set", [SUBJECT_CHAIN] = "chain",
		[SUBJECT_RULE] = "a rule of chain", [SUBJECT_OBJECT] = "counter",
	};
	struct element e = { .key_len = 0 };
	char text[ELEMENT_STRLEN];
	struct chain_ref chain;

	memset(origin, 0, sizeof(*origin));
	snprintf(buf, size, "%s%s%s%s", s->removal ? "removing " : "", kinds[s->kind], s->name != NULL ? " " : "",
	    s->name != NULL ? s->name : "");
	if (s->name == NULL)
		return;
	if ((s->kind == SUBJECT_SET || s->kind == SUBJECT_ELEMENT) && origin_set(rs, s->name, &e.set) == 0) {
		origin_of_set(rs, &e.set, origin);
		if (s->key == NULL || s->key_len > KEY_MAX)
			return;
		memcpy(e.key, s->key, s->key_len);
		memcpy(e.key_end, s->key_end != NULL ? s->key_end : s->key, s->key_len);
		e.key_len = (uint8_t)((s->key_len + 3) / 4 * 4);
		origin_of_element(rs, &e, origin);
		snprintf(buf, size, "%selement %s of set %s", s->removal ? "removing " : "",
		    element_text(&e, "", text), s->name);
	} else if ((s->kind == SUBJECT_CHAIN || s->kind == SUBJECT_RULE) && origin_chain(rs, s->name, &chain) == 0) {
		origin_of_chain(rs, &chain, origin);
	}
}

void
refusal_say(const struct nft_batch *b, int rc, const struct nft_failure *failure, const struct ruleset *rs,
    char text[REFUSAL_LEN])
{
	char what[ELEMENT_STRLEN + 128], advice[192], where[160] = "";
	struct nft_subject subject;
	struct origin origin;
	size_t at = 0;
	uint32_t n;

	nft_subject(b, failure, &subject);
	describe(&subject, rs, &origin, what, sizeof(what));
	what_to_do(-rc, failure, advice, sizeof(advice));
	n = origin.n_where > ORIGIN_LINES ? ORIGIN_LINES : origin.n_where;
	for (uint32_t i = 0; i < (n > 0 ? n : 1) && at < REFUSAL_LEN; i++) {
		int w;

		if (n > 0)
			snprintf(where, sizeof(where), "%.120s:%u: ", image_text(rs->image, origin.where[i].file),
			    origin.where[i].line);
		w = snprintf(text + at, REFUSAL_LEN - at, "%s%sthe kernel refused this (%s: %s): %s", i > 0 ? "\n" : "",
		    where, what, strerror(-rc), advice);
		at += w > 0 ? (size_t)w : 0;
	}
}
