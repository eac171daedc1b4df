/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.c -- the order in which all is judged: first the authorities, since who is
 * revoked clears nobody, then every certificate, then the devices. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pki/trust_parts.h"

bool
trust_hear(struct trust_said *said, const struct trust_said *answer)
{
	if (said->what != SAID_NOTHING && answer->this_update < said->this_update)
		return false;
	/* Two answers of one moment: the worse one. */
	if (said->what == SAID_REVOKED && answer->this_update == said->this_update &&
	    answer->what != SAID_REVOKED)
		return false;
	*said = *answer;
	return true;
}

int64_t
trust_proven_now(const struct pki_clock *clock)
{
	return clock->trusted ? pki_clock_now(clock) : clock->floor_ms;
}

void
blame_worsen(struct blame *b, const struct blame *by)
{
	unsigned excuse = by->excuse > b->excuse ? by->excuse : b->excuse;

	if (by->strength > b->strength)
		*b = *by;
	b->excuse = excuse;
}

/* ---- one certificate ---------------------------------------------------- */

void
trust_find(struct trust *t, uint32_t authority, uint32_t subject)
{
	struct finding *f = trust_found(t, authority, subject);
	uint32_t first = t->first_weight[authority];

	series_find(t->weights + first, t->first_weight[authority + 1] - first,
	    &t->all->authorities[authority], subject, f);
}

void
trust_listing(const struct trust *t, uint32_t authority, uint32_t subject, struct blame *out)
{
	const struct finding *f = trust_found(t, authority, subject);
	const struct trust_said *said = trust_saying(t->in, authority, subject);
	struct blame b = { .authority = authority, .subject = subject };

	memset(out, 0, sizeof(*out));
	if (f->listed) {
		b.strength = reason_strength(f->reason);
		b.excuse = f->excuse;
		b.reason = f->reason;
		b.evidence = EVIDENCE_CERTIFICATE;
		b.delta = f->delta;
		b.series = f->series;
		b.at = f->at;
		*out = b;
	}
	if (said != NULL && said->what == SAID_REVOKED) {
		/* A reason that is none, or removeFromCRL: revoked, it says. */
		b.reason = said->reason > 10 || reason_strength(said->reason) == 0 ? 0 : said->reason;
		b.strength = reason_strength(b.reason);
		b.excuse = reason_excuse(b.reason);
		b.evidence = EVIDENCE_OCSP;
		b.delta = false;
		b.series = TRUST_NONE;
		b.at = said->revoked_at;
		blame_worsen(out, &b);
	}
}

/* ---- work space --------------------------------------------------------- */

struct trust *
trust_new(const struct authorities *all)
{
	struct trust *t;
	size_t subjects = 0;
	uint32_t i;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->all = all;
	t->verdicts = calloc((size_t)all->n_devices + 1, sizeof(*t->verdicts));
	t->nodes = calloc((size_t)all->n_certificates + 1, sizeof(*t->nodes));
	t->anchors = calloc((size_t)all->n_certificates + 1, sizeof(*t->anchors));
	t->first_found = calloc((size_t)all->n + 1, sizeof(*t->first_found));
	t->first_weight = calloc((size_t)all->n + 2, sizeof(*t->first_weight));
	t->reports = calloc((size_t)all->n + 1, sizeof(*t->reports));
	t->unrevoked = calloc((size_t)all->n + 1, sizeof(*t->unrevoked));
	for (i = 0; t->first_found != NULL && i < all->n; i++) {
		t->first_found[i] = (uint32_t)subjects;
		subjects += all->authorities[i].n_subjects;
	}
	t->found = calloc(subjects + 1, sizeof(*t->found));
	if (t->verdicts == NULL || t->nodes == NULL || t->anchors == NULL || t->first_found == NULL ||
	    t->first_weight == NULL || t->reports == NULL || t->unrevoked == NULL || t->found == NULL ||
	    trust_graph_init(t) < 0) {
		trust_free(t);
		return NULL;
	}
	return t;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	free(t->verdicts);
	free(t->nodes);
	free(t->anchors);
	free(t->found);
	free(t->first_found);
	free(t->first_weight);
	free(t->weights);
	free(t->chain);
	free(t->taints);
	free(t->reports);
	free(t->unrevoked);
	free(t->tighten);
	free(t->loosen);
	free(t);
}

/* ---- judging ------------------------------------------------------------ */

/* Authority by authority; how many of each stands before. */
static int
weights_group(struct trust *t)
{
	struct series_weight *w;
	uint32_t *next;
	uint32_t a;
	size_t i;

	if ((w = calloc(t->in->n_series + 1, sizeof(*w))) == NULL)
		return -ENOMEM;
	if ((next = calloc((size_t)t->all->n + 1, sizeof(*next))) == NULL) {
		free(w);
		return -ENOMEM;
	}
	free(t->weights);
	t->weights = w;
	memset(t->first_weight, 0, ((size_t)t->all->n + 2) * sizeof(*t->first_weight));
	for (i = 0; i < t->in->n_series; i++)
		if (t->in->series[i].authority < t->all->n)
			t->first_weight[t->in->series[i].authority + 1]++;
	for (a = 0; a < t->all->n; a++) {
		t->first_weight[a + 1] += t->first_weight[a];
		next[a] = t->first_weight[a];
	}
	for (i = 0; i < t->in->n_series; i++) {
		if ((a = t->in->series[i].authority) >= t->all->n)
			continue;
		w[next[a]].series = &t->in->series[i];
		w[next[a]++].index = (uint32_t)i;
	}
	free(next);
	return 0;
}

static int
find_all(struct trust *t)
{
	uint32_t a, s;
	int rc = 0;

	t->n_taints = 0;
	for (a = 0; a < t->all->n; a++) {
		for (s = 0; s < t->all->authorities[a].n_subjects && rc == 0; s++) {
			trust_find(t, a, s);
			rc = trust_taint(t, a, s);
		}
	}
	trust_taints_sort(t);
	return rc;
}

int
trust_judge(struct trust *t, const struct trust_input *in)
{
	int rc;

	t->in = in;
	memset(t->verdicts, 0, (size_t)t->all->n_devices * sizeof(*t->verdicts));
	if ((rc = weights_group(t)) == 0 && (rc = trust_graph_judge(t)) == 0 && (rc = find_all(t)) == 0)
		trust_devices_judge(t);
	t->in = NULL;
	return rc;
}

const struct trust_verdict *
trust_verdicts(const struct trust *t)
{
	return t->verdicts;
}

enum source_error
trust_signer(const struct trust *t, uint32_t authority, uint32_t signer, const struct pki_clock *clock)
{
	const struct authority *a = &t->all->authorities[authority];
	const struct authority_signer *by;
	int64_t now = pki_clock_now(clock);

	if (signer >= a->n_signers)
		return E_SIGNER_REVOKED;
	by = &a->signed_by[signer];
	if (t->nodes[t->all->certificates[by->certificate].node].blame.strength > 0)
		return E_SIGNER_REVOKED;
	if (now > by->not_after || now + a->rules.skew_ms < by->not_before)
		return E_SIGNER_EXPIRED;
	return E_NONE;
}

void
trust_report(const struct trust *t, uint32_t authority, struct pki_authority *out)
{
	*out = t->reports[authority];
	out->unrevoked = t->unrevoked[authority];
	if (out->unrevoked > 0)
		out->alarms |= ALARM_UNREVOKED;
}
