/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.c -- the schedule of one source. Knows no sockets and no files. */
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "pki/source.h"

const char *
source_error_name(enum source_error error)
{
	static const char *const names[SOURCE_ERRORS] = {
		[E_NONE] = "E_NONE", [E_FETCH] = "E_FETCH", [E_EMPTY] = "E_EMPTY",
		[E_NOT_CRL] = "E_NOT_CRL", [E_TRUNC] = "E_TRUNC", [E_TRAILING] = "E_TRAILING",
		[E_DER] = "E_DER", [E_SIG] = "E_SIG", [E_SIGALG] = "E_SIGALG", [E_WEAK] = "E_WEAK",
		[E_SIGNER] = "E_SIGNER", [E_CRITICAL] = "E_CRITICAL", [E_IDP] = "E_IDP",
		[E_DUP_EXT] = "E_DUP_EXT", [E_DELTA] = "E_DELTA", [E_ROLLBACK] = "E_ROLLBACK",
		[E_EQUIVOCATION] = "E_EQUIVOCATION", [E_TOO_BIG] = "E_TOO_BIG", [E_CACHE] = "E_CACHE",
		[E_DISK] = "E_DISK", [E_APPLY] = "E_APPLY", [E_FUTURE] = "E_FUTURE",
		[E_SIGNER_EXPIRED] = "E_SIGNER_EXPIRED", [E_SIGNER_REVOKED] = "E_SIGNER_REVOKED",
		[E_SCOPE] = "E_SCOPE", [E_BASE] = "E_BASE", [E_UNREVOKED] = "E_UNREVOKED",
		[E_MARK] = "E_MARK", [E_PRIVATE] = "E_PRIVATE",
	};

	return error < SOURCE_ERRORS && names[error] != NULL ? names[error] : "?";
}

void
source_id(const char *authority, const char *url, char out[SOURCE_ID_LEN])
{
	uint8_t digests[2 * SHA256_DIGEST_LENGTH], digest[SHA256_DIGEST_LENGTH];
	size_t i;

	/* Of two digests, so that no name can run into the URL. */
	SHA256((const uint8_t *)authority, strlen(authority), digests);
	SHA256((const uint8_t *)url, strlen(url), digests + SHA256_DIGEST_LENGTH);
	SHA256(digests, sizeof(digests), digest);
	for (i = 0; i < (SOURCE_ID_LEN - 1) / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

uint64_t
source_server(const char *url)
{
	const char *slashes = strstr(url, "://");
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint64_t server;
	size_t n;

	if (strncmp(url, "file:", 5) == 0 || slashes == NULL)
		return 0;
	n = (size_t)(slashes - url) + 3;
	n += strcspn(url + n, "/?#");
	SHA256((const uint8_t *)url, n, digest);
	memcpy(&server, digest, sizeof(server));
	return server | 1;
}

/* 0 .. span-1 */
static int64_t
spread(int64_t span, uint32_t random)
{
	return span <= 0 ? 0 : (int64_t)(((uint64_t)span * random) >> 32);
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool
in_force(const struct source *s)
{
	return s->view.state == SOURCE_FRESH || s->view.state == SOURCE_DUE;
}

/* ---- from policy to policy ---------------------------------------------- */

static void
inherit_validators(struct source *s, const struct source *before)
{
	uint32_t i, j;

	for (i = 0; i < s->n_urls; i++) {
		for (j = 0; j < before->n_urls; j++) {
			if (strcmp(s->urls[i].text, before->urls[j].text) != 0)
				continue;
			memcpy(s->urls[i].etag, before->urls[j].etag, sizeof(s->urls[i].etag));
			memcpy(s->urls[i].last_modified, before->urls[j].last_modified,
			    sizeof(s->urls[i].last_modified));
		}
	}
}

void
source_inherit(struct source *s, const struct source *before)
{
	struct source now = *before;

	inherit_validators(s, before);
	now.index = s->index;
	now.authority = s->authority;
	now.authority_number = s->authority_number;
	now.flags = s->flags;
	now.base = s->base;
	now.refresh_ms = s->refresh_ms;
	now.transfer_ms = s->transfer_ms;
	now.n_urls = s->n_urls;
	now.urls = s->urls;
	now.url = 0;
	if (now.answered >= now.n_urls)
		now.answered = 0;
	now.busy = now.fetching = now.again = false;
	now.tell = true;
	*s = now;
}

/* ---- when --------------------------------------------------------------- */

void
source_start(struct source *s, bool known, const struct clock_view *now, uint32_t random)
{
	s->next_try_boot = now->boot_ms + (known ? spread(least(s->refresh_ms, SOURCE_FIRST_MS), random) : 0);
	s->tell = true;
}

bool
source_next_url(struct source *s)
{
	if (s->url + 1 >= s->n_urls)
		return false;
	s->url++;
	return true;
}

/* Full jitter: anything up to a bound that doubles with each failure. */
static int64_t
back_off(const struct source *s, uint32_t failures, uint32_t random)
{
	int64_t cap = least(s->refresh_ms, in_force(s) ? SOURCE_CAP_MS : SOURCE_CAP_STALE_MS);
	int64_t bound = SOURCE_BACKOFF_MS;
	uint32_t i;

	for (i = 1; i < failures && bound < cap; i++)
		bound *= 2;
	return 1 + spread(least(bound, cap), random);
}

void
source_failed(struct source *s, enum source_error error, uint32_t detail, uint32_t retry_after_s,
    const struct clock_view *now, uint32_t random)
{
	int64_t wait, asked = (int64_t)retry_after_s * 1000;

	s->failures++;
	s->error = error;
	s->detail = detail;
	s->slow = true;
	s->url = 0;
	/* What a server sent was no good: its "unchanged" would be no better. */
	if (error != E_FETCH && error != E_APPLY && error != E_PRIVATE)
		s->no_validators = true;
	wait = back_off(s, s->failures, random);
	asked = least(asked, in_force(s) ? SOURCE_CAP_MS : SOURCE_CAP_STALE_MS);
	s->next_try_boot = now->boot_ms + (asked > wait ? asked : wait);
	s->tell = true;
}

/* In time before what we have runs out, and as often as the administrator wants.
 * Published at a steady pace, the next one comes a refresh after the last. */
static int64_t
until_refresh(const struct source *s, const struct clock_view *now, uint32_t random)
{
	const struct source_view *v = &s->view;
	int64_t wait = s->refresh_ms, lead, left, next;

	next = v->this_update + s->refresh_ms - now->wall_ms;
	if (v->this_update != 0 && next > 0 && next < wait)
		wait = next > s->refresh_ms / 10 ? next : s->refresh_ms / 10;
	if (v->this_update != 0 && v->next_update > v->this_update) {
		lead = (v->next_update - v->this_update) / 10;
		lead = lead > SOURCE_LEAD_MS ? lead : SOURCE_LEAD_MS;
		left = v->next_update - lead - now->wall_ms;
		/* Its last hour has begun, and the next one is not there yet. */
		if (left <= 0)
			return least(wait, back_off(s, 1 + s->failures, random));
		wait = least(wait, left);
	}
	return wait - spread(wait / 10, random);
}

void
source_succeeded(struct source *s, enum source_error note, bool unchanged, const struct clock_view *now,
    uint32_t random)
{
	bool late = source_state(s, now) != SOURCE_FRESH;

	s->failures = 0;
	s->error = note;
	s->detail = 0;
	s->slow = false;
	/* "Unchanged" while something new should be there: ask for all of it next time. */
	s->no_validators = unchanged && (late || s->no_validators);
	s->answered = s->url;
	s->url = 0;
	s->confirmed_boot = now->boot_ms;
	s->confirmed_wall = now->wall_ms;
	s->next_try_boot = now->boot_ms + until_refresh(s, now, random);
	s->tell = true;
}

void
source_postponed(struct source *s, bool gave_way, const struct clock_view *now)
{
	s->url = 0;
	s->slow = s->slow || gave_way;
	s->next_try_boot = now->boot_ms + least(SOURCE_SLOTLESS_MS, s->refresh_ms);
	s->tell = true;
}

void
source_now(struct source *s, const struct clock_view *now)
{
	/* A transfer under way may have begun before. */
	if (s->busy)
		s->again = true;
	s->next_try_boot = now->boot_ms;
}

void
source_refresh(struct source *s, const struct clock_view *now)
{
	s->failures = 0;
	source_now(s, now);
}

void
source_idle(struct source *s, const struct clock_view *now)
{
	s->busy = s->fetching = false;
	if (s->again)
		s->next_try_boot = now->boot_ms;
	s->again = false;
	s->tell = true;
}

bool
source_wants_fetch(const struct source *s, const struct clock_view *now)
{
	return !s->busy && now->boot_ms >= s->next_try_boot;
}

int64_t
source_wait(const struct source *s, const struct clock_view *now, int64_t max)
{
	int64_t left = s->next_try_boot - now->boot_ms;

	if (s->busy)
		return max;
	return left <= 0 ? 0 : least(left, max);
}

/* ---- how it stands ------------------------------------------------------ */

enum source_state
source_state(const struct source *s, const struct clock_view *now)
{
	if (s->view.state != SOURCE_FRESH)
		return s->view.state;
	/* A tenth of grace: refreshes are spread, and one takes its time. */
	if (s->confirmed_boot == 0 || now->boot_ms - s->confirmed_boot > s->refresh_ms + s->refresh_ms / 10)
		return SOURCE_DUE;
	return SOURCE_FRESH;
}

bool
source_may_validate(const struct source *s, const struct clock_view *now)
{
	enum source_state state = source_state(s, now);

	return (state == SOURCE_FRESH || state == SOURCE_DUE) && !s->no_validators;
}

void
source_report(const struct source *s, const struct clock_view *now, struct pki_source *out)
{
	const struct source_view *v = &s->view;

	memset(out, 0, sizeof(*out));
	out->source = s->index;
	out->authority = s->authority_number;
	out->state = source_state(s, now);
	out->error = s->error;
	out->detail = s->detail;
	out->entries = v->entries > UINT32_MAX ? UINT32_MAX : (uint32_t)v->entries;
	out->hits = v->hits;
	out->fetching = s->fetching;
	out->this_update = v->this_update;
	out->next_update = v->next_update;
	out->last_success = s->confirmed_wall;
	out->last_try = s->last_try_wall;
	out->next_try = now->wall_ms + (s->next_try_boot - now->boot_ms);
	out->last_change = v->received_at;
	out->bytes = v->bytes;
	out->transfer_ms = s->transfer_took_ms;
	out->failures = s->failures;
	out->rollbacks = s->rollbacks;
	out->url = s->answered;
	out->series = v->series;
	out->warnings = v->warnings;
	out->delta = v->delta;
	out->number_len = v->number_len;
	memcpy(out->number, v->number, sizeof(out->number));
}
