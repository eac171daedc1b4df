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

/* 0 .. span-1 */
static int64_t
spread(int64_t span, uint32_t random)
{
	return span <= 0 ? 0 : (int64_t)(((uint64_t)span * random) >> 32);
}

void
source_inherit(struct source *s, const struct source *before)
{
	struct source now = *before;

	now.index = s->index;
	now.authority = s->authority;
	now.authority_number = s->authority_number;
	now.refresh_ms = s->refresh_ms;
	now.busy = now.fetching = now.again = false;
	now.applied = false;
	now.tell = true;
	*s = now;
}

void
source_start(struct source *s, bool cached, const struct clock_view *now, uint32_t random)
{
	int64_t wait = s->refresh_ms < SOURCE_FIRST_MS ? s->refresh_ms : SOURCE_FIRST_MS;

	s->next_try_boot = now->boot_ms + (cached ? spread(wait, random) : 0);
	s->need_scan = cached;
	s->next_scan_boot = now->boot_ms;
	s->tell = true;
}

/* Full jitter: anything up to a bound that doubles with each failure. */
static int64_t
back_off(const struct source *s, uint32_t random)
{
	int64_t cap = s->refresh_ms < SOURCE_BACKOFF_CAP_MS ? s->refresh_ms : SOURCE_BACKOFF_CAP_MS;
	int64_t bound = SOURCE_BACKOFF_MS;
	uint32_t i;

	for (i = 1; i < s->failures && bound < cap; i++)
		bound *= 2;
	return 1 + spread(bound < cap ? bound : cap, random);
}

void
source_failed(struct source *s, enum source_error error, uint32_t detail, const struct clock_view *now,
    uint32_t random)
{
	s->failures++;
	s->error = error;
	s->detail = detail;
	/* What a server sent was no good: its "unchanged" would be no better. */
	if (error != E_FETCH && error != E_APPLY && error != E_DISK)
		s->no_validators = true;
	s->next_try_boot = now->boot_ms + back_off(s, random);
	s->tell = true;
}

void
source_succeeded(struct source *s, const struct clock_view *now, uint32_t random)
{
	s->failures = 0;
	s->error = E_NONE;
	s->detail = 0;
	s->no_validators = false;
	s->confirmed_boot = now->boot_ms;
	s->confirmed_wall = now->wall_ms;
	s->next_try_boot = now->boot_ms + s->refresh_ms - spread(s->refresh_ms / 10, random);
	s->tell = true;
}

void
source_scan_later(struct source *s, const struct clock_view *now, uint32_t random)
{
	s->failures++;
	s->need_scan = true;
	s->next_scan_boot = now->boot_ms + back_off(s, random);
	s->tell = true;
}

void
source_refresh(struct source *s, const struct clock_view *now)
{
	/* A transfer under way may have begun before the CRL was published. */
	if (s->busy)
		s->again = true;
	s->failures = 0;
	s->next_try_boot = now->boot_ms;
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

void
source_use(struct source *s, const struct crl_verdict *v, uint32_t hits)
{
	s->this_update = v->this_update;
	s->next_update = v->next_update;
	s->number_len = v->number_len;
	memcpy(s->number, v->number, sizeof(s->number));
	s->digest_len = v->digest_len;
	memcpy(s->digest, v->digest, sizeof(s->digest));
	s->entries = v->entries > UINT32_MAX ? UINT32_MAX : (uint32_t)v->entries;
	s->hits = hits;
	s->tell = true;
}

bool
source_wants_scan(const struct source *s, const struct clock_view *now)
{
	return !s->busy && s->need_scan && now->boot_ms >= s->next_scan_boot;
}

bool
source_wants_fetch(const struct source *s, const struct clock_view *now)
{
	return !s->busy && now->boot_ms >= s->next_try_boot && !source_wants_scan(s, now);
}

static int64_t
until(int64_t at_boot, const struct clock_view *now, int64_t max)
{
	int64_t left = at_boot - now->boot_ms;

	return left <= 0 ? 0 : left < max ? left : max;
}

int64_t
source_wait_scan(const struct source *s, const struct clock_view *now, int64_t max)
{
	return s->busy || !s->need_scan ? max : until(s->next_scan_boot, now, max);
}

int64_t
source_wait_fetch(const struct source *s, const struct clock_view *now, int64_t max)
{
	return s->busy || source_wants_scan(s, now) ? max : until(s->next_try_boot, now, max);
}

/* The time by the wall clock, but never before what we were shown: a router
 * without a battery starts in the past. */
static int64_t
best_time(const struct source *s, const struct clock_view *now)
{
	int64_t known = s->this_update;

	if (s->confirmed_boot != 0)
		known += now->boot_ms - s->confirmed_boot;
	return now->wall_ms > known ? now->wall_ms : known;
}

enum source_state
source_state(const struct source *s, const struct clock_view *now)
{
	int64_t confirmed = s->confirmed_boot != 0 ? now->boot_ms - s->confirmed_boot : INT64_MAX;

	return crl_state(s->this_update, s->next_update, best_time(s, now), confirmed, s->refresh_ms);
}

bool
source_may_validate(const struct source *s, const struct clock_view *now)
{
	enum source_state state = source_state(s, now);

	return (state == SOURCE_FRESH || state == SOURCE_DUE) && !s->no_validators && s->applied &&
	    !s->unsaved;
}

void
source_report(const struct source *s, const struct clock_view *now, struct pki_source *out)
{
	memset(out, 0, sizeof(*out));
	out->source = s->index;
	out->authority = s->authority_number;
	out->state = source_state(s, now);
	out->error = s->error;
	out->detail = s->detail;
	out->entries = s->entries;
	out->hits = s->hits;
	out->fetching = s->fetching;
	out->this_update = s->this_update;
	out->next_update = s->next_update;
	out->last_success = s->confirmed_wall;
	out->last_try = s->last_try_wall;
	out->next_try = now->wall_ms + (s->next_try_boot - now->boot_ms);
	out->number_len = s->number_len;
	memcpy(out->number, s->number, sizeof(out->number));
}
