/* SPDX-License-Identifier: GPL-2.0-or-later */
/* revocation.c -- what cordond keeps about revocation beside the standings: found at
 * the start, and forgotten with the policy it was about. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "enforce/cordond.h"

#define ASK_TICKS 6	/* between two times that cordon-pki is asked about the same newcomers */

void
revocation_forget(struct cordond *d)
{
	const struct image *im = &d->enforcer.policy.image;
	struct revocation *r = &d->revocation;
	uint32_t n = im->n[IMAGE_AUTHORITIES];

	findings_empty(&r->findings);
	free(r->checks);
	r->checks = NULL;
	free(r->authorities);
	r->authorities = calloc((size_t)n + 1, sizeof(*r->authorities));
	for (uint32_t i = 0; r->authorities != NULL && i < n; i++)
		r->authorities[i].authority = im->authorities[i].number;
}

int
revocation_init(struct cordond *d)
{
	struct revocation *r = &d->revocation;
	uint32_t damaged = 0;
	int rc;

	r->lookup.candidate.fd = -1;
	if ((rc = brake_load(&r->brake, d->enforcer.dirfd, d->change.boot_id)) < 0)
		log_error(rc, "what the brake counts cannot be read: it begins to count anew");
	if ((rc = serials_load(&r->serials, d->enforcer.dirfd, &damaged)) < 0)
		return rc;	/* what operators revoked is not forgotten */
	if (damaged > 0)
		log_warn(0, "%u damaged record(s) of certificates that operators revoked passed over", damaged);
	revocation_forget(d);
	until_begin(d);
	return 0;
}

void
revocation_done(struct cordond *d)
{
	struct revocation *r = &d->revocation;

	if (r->lookup.candidate.data != NULL)
		loaded_policy_done(&r->lookup.candidate);
	if (r->lookup.timer != NULL)
		event_free(r->lookup.timer);
	if (r->until_timer != NULL)
		event_free(r->until_timer);
	free(r->lookup.news);
	findings_done(&r->lookup.held);
	findings_done(&r->findings);
	brake_done(&r->brake);
	serials_done(&r->serials);
	free(r->authorities);
	free(r->checks);
}

static bool
has_newcomers(const struct enforcer *e)
{
	for (uint32_t i = 0; i < e->policy.image.n[IMAGE_DEVICES]; i++)
		if (e->standings[i] != NULL && (e->standings[i]->cause & CAUSE_NEW) != 0)
			return true;
	return false;
}

void
revocation_tick(struct cordond *d)
{
	struct revocation *r = &d->revocation;

	if (r->lookup.asked || !has_newcomers(&d->enforcer)) {
		r->ask_ticks = 0;
	} else if (r->looked == d->enforcer.policy.revision) {
		lookup_let_out(d);
	} else if (++r->ask_ticks >= ASK_TICKS) {	/* it could not look them up, and said so */
		r->ask_ticks = 0;
		tell_pki(&d->workers[SLOT_PKI]);
	}
}
