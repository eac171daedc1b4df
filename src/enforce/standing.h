/* SPDX-License-Identifier: GPL-2.0-or-later */
/* standing.h -- what is known of one device beside its policy: why it is in
 * quarantine or restricted, what waits behind the brake, and what an operator
 * said. Pure: what each word of cordon-pki or of an operator makes of it. */
#ifndef CORDON_ENFORCE_STANDING_H
#define CORDON_ENFORCE_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "proto/messages.h"

/* What a revocation rests on. The same in all of this is the same evidence. */
struct evidence {
	int64_t revoked_at;
	uint32_t authority;
	uint32_t reason;	/* RFC 5280 5.3.1 CRLReason */
	uint8_t serial_len;
	uint8_t serial[20];
	uint8_t pad[3];
};

#define REASON_HOLD 6		/* RFC 5280 5.3.1 certificateHold: the only one that ends */
#define EVIDENCE_SEEN 4		/* as many as a device may have certificates */

/* By which words an operator quarantined it. */
enum operator_way {
	WAY_DEVICE	= 1 << 0,
	WAY_SERIAL	= 1 << 1,	/* it has a certificate that an operator revoked */
	WAYS		= 3,
};

struct standing {
	uint32_t number;	/* device */
	uint32_t cause;		/* bits of enum station_cause that are in force */
	uint32_t pending;	/* that wait behind the brake */
	uint32_t dismissed;	/* that an operator dismissed or overrode: of CAUSE_REVOKED what is in `seen' */
	int64_t since;		/* of the causes in force, or of the first that waits */
	/* CAUSE_REVOKED, in force or waiting: */
	struct evidence by;	/* the gravest */
	uint32_t kind;		/* enum pki_evidence */
	uint32_t n_seen;
	struct evidence seen[EVIDENCE_SEEN];	/* all that was said */
	uint8_t crl_number_len;
	uint8_t crl_number[20];
	uint8_t pad[3];
	/* CAUSE_OPERATOR: */
	uint32_t ways;		/* bits of enum operator_way */
	uint32_t operator_reason;	/* CRLReason, where the operator gave one */
	int64_t said_at;
	int64_t until;		/* wall clock; 0: without end */
	int64_t until_boot;	/* not before this time since boot, */
	uint8_t boot_id[BOOT_ID_LEN];	/* of this boot */
	struct ctl_who who;
	char words[200];
};
static_assert(sizeof(struct standing) == 568, "disk");

/* Is anything known of it at all? */
static inline bool
standing_says(const struct standing *s)
{
	return (s->cause | s->pending | s->dismissed) != 0;
}

static inline bool
standing_quarantines(const struct standing *s)
{
	return (s->cause & CAUSE_QUARANTINE) != 0;
}

bool evidence_same(const struct evidence *, const struct evidence *);

/* What a verified finding makes of it; *out in force, as far as it acts. */
enum found {
	FOUND_NOTHING,		/* it is known */
	FOUND_MORE,		/* to be written down, and no more */
	FOUND_ACTS,		/* a cause that was not in force: for the brake to judge */
};
enum found standing_found(const struct standing *have, const struct pki_revoke *, struct standing *out);

/* The same causes wait instead. */
void standing_wait(struct standing *, uint32_t causes);

/* A cause that cordon-pki says is no more: true where that counts. What stands on
 * hold ends by itself only while every finding is a hold of that authority, and
 * it does not want an operator for that (manual). */
bool standing_cleared(const struct standing *have, const struct pki_clear *, bool manual, struct standing *out);

/* An operator takes causes away, in force or waiting; cordon-pki's evidence for
 * them never acts again while it is the same. false: none of them was there. */
bool standing_lifted(const struct standing *have, uint32_t causes, struct standing *out);

/* What waits takes effect. false: nothing does. */
bool standing_confirmed(const struct standing *have, struct standing *out);

/* What waits never will. false: nothing does. */
bool standing_dismissed(const struct standing *have, struct standing *out);

/* An operator's quarantine. */
struct operator_word {
	enum operator_way way;
	uint32_t reason;
	int64_t until;		/* 0: without end */
	struct ctl_who who;
	const char *words;
};
/* false: it says nothing new. */
bool standing_ordered(const struct standing *have, const struct operator_word *,
    const uint8_t boot_id[BOOT_ID_LEN], const struct clock_view *now, struct standing *out);

/* Milliseconds until the operator's cause ends by itself; 0: it has ended, -1:
 * it does not end. The wall clock decides, but it never ends before so much time
 * has passed since boot as there was left: a clock that jumps ahead ends nothing. */
int64_t standing_left(const struct standing *, const uint8_t boot_id[BOOT_ID_LEN], const struct clock_view *now);

/* At another boot: from here on that is counted anew, from the wall clock and
 * never more than the operator gave it. */
void standing_anchor(struct standing *, const uint8_t boot_id[BOOT_ID_LEN], const struct clock_view *now);

/* Two of one device, as when it comes back: all causes of both. */
void standing_join(struct standing *, const struct standing *more);

#endif
