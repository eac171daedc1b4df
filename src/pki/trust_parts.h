/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust_parts.h -- what the files of trust share; for them only. */
#ifndef CORDON_PKI_TRUST_PARTS_H
#define CORDON_PKI_TRUST_PARTS_H

#include "pki/trust.h"

/* Why something is revoked: whose CRL says what of which certificate. */
struct blame {
	unsigned strength;	/* reason_strength; 0: it is not */
	unsigned excuse;	/* reason_excuse, the worst of all that is said */
	uint8_t reason;
	uint8_t evidence;	/* enum pki_evidence */
	bool delta;
	uint32_t authority;	/* index */
	uint32_t subject;
	uint32_t series;	/* TRUST_NONE: a responder */
	int64_t at;
};

/* A key of an authority, at the index of the first certificate with it. */
struct node {
	struct blame blame;	/* of the best path to an anchor: none, and the key is good */
	bool clean;		/* a path to an anchor on which each certificate is proven clean, or its issuer
				 * has no sources at all */
	bool all_clean;		/* without that exception */
};

struct taint {
	uint8_t key[16];
	struct blame blame;
};

struct trust {
	const struct authorities *all;
	const struct trust_input *in;	/* while it judges */
	struct trust_verdict *verdicts;
	struct node *nodes;		/* by certificate */
	bool *anchors;			/* by certificate: paths end there */
	struct finding *found;		/* by subject, authority after authority */
	uint32_t *first_found;		/* by authority: where its own begin */
	uint32_t *first_weight;		/* the same, and one behind the last */
	struct series_weight *weights;
	struct subject_ref *chain;	/* subjects on which the authorities' keys depend */
	uint32_t n_chain;
	struct taint *taints;		/* sorted by key, each key once */
	uint32_t n_taints, taints_room;
	struct pki_authority *reports;
	uint32_t *unrevoked;		/* by authority, as of trust_decide */
	struct pki_revoke *tighten;
	struct pki_clear *loosen;
	size_t tighten_room, loosen_room;
};

static inline struct finding *
trust_found(const struct trust *t, uint32_t authority, uint32_t subject)
{
	return &t->found[t->first_found[authority] + subject];
}

static inline const struct trust_said *
trust_saying(const struct trust_input *in, uint32_t authority, uint32_t subject)
{
	const struct trust_said *said = in->ocsp != NULL ? in->ocsp[authority].said : NULL;

	return said != NULL && said[subject].what != SAID_NOTHING ? &said[subject] : NULL;
}

/* What is certainly past: without a clock that somebody vouches for, the floor. */
int64_t trust_proven_now(const struct pki_clock *);

/* trust.c: what CRLs and responders say of one certificate, into `found`. */
void trust_find(struct trust *, uint32_t authority, uint32_t subject);
/* What is found of it as blame. */
void trust_listing(const struct trust *, uint32_t authority, uint32_t subject, struct blame *);

/* The worse one stays, and of the excuses the worse one. */
void blame_worsen(struct blame *, const struct blame *by);

/* trust_graph.c */
int trust_graph_init(struct trust *);
int trust_taint(struct trust *, uint32_t authority, uint32_t subject);
void trust_taints_sort(struct trust *);
const struct blame *trust_tainted(const struct trust *, const uint8_t key[16]);
/* Weights and nodes, until they agree with each other. 0 or -ENOMEM. */
int trust_graph_judge(struct trust *);
/* The key that signed a subject: its blame, and whether its path is clean. */
void trust_issuer(const struct trust *, uint32_t authority, const struct subject *, struct node *out);

/* trust_devices.c: verdicts and reports from all that was found. */
void trust_devices_judge(struct trust *);

#endif
