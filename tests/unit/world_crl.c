/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world_crl.c -- a CRL on its way from the CA's pen into a series, by the same steps
 * as in cordon-pki: scan, find the series, judge, take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

#define MUST(x) do { if (!(x)) { fprintf(stderr, "world_crl.c:%d: %s\n", __LINE__, #x); abort(); } } while (0)

static size_t last;

/* ---- the CA ------------------------------------------------------------- */

static void
time_text(int64_t ms, char out[16])
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	MUST(gmtime_r(&t, &tm) != NULL && strftime(out, 16, "%Y%m%d%H%M%SZ", &tm) == 15);
}

static void
number_extension(struct bytes *out, const char *oid, bool critical, uint32_t number)
{
	uint8_t value[7] = { 0x02, 5, 0, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number };
	size_t skip = 0;

	/* as few octets as DER wants */
	while (skip < 4 && value[2 + skip] == 0 && (value[3 + skip] & 0x80) == 0)
		skip++;
	value[skip] = 0x02;
	value[skip + 1] = (uint8_t)(5 - skip);
	make_extension(out, oid, 3, critical, value + skip, 7 - skip);
}

static void
idp(struct bytes *out, const struct world_crl *c)
{
	struct bytes seq = { 0 }, name = { 0 }, full = { 0 }, whole = { 0 };
	uint8_t reasons[3] = { 7, 0, 0 };
	unsigned bit;

	for (bit = 0; bit < 9; bit++)
		if ((c->reasons >> bit & 1) != 0)
			reasons[1 + bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	if (c->point != NULL) {
		bytes_element(&name, 0x86, c->point, strlen(c->point));
		bytes_element(&full, 0xa0, name.p, name.n);
		bytes_element(&seq, 0xa0, full.p, full.n);
	}
	if (c->users)
		bytes_element(&seq, 0x81, "\xff", 1);
	if (c->cas)
		bytes_element(&seq, 0x82, "\xff", 1);
	if (c->reasons != 0)
		bytes_element(&seq, 0x83, reasons, 3);
	if (c->indirect)
		bytes_element(&seq, 0x84, "\xff", 1);
	if (seq.n > 0) {
		bytes_element(&whole, 0x30, seq.p, seq.n);
		EXTENSION(out, OID_IDP, true, whole.p, whole.n);
	}
	bytes_free(&seq);
	bytes_free(&name);
	bytes_free(&full);
	bytes_free(&whole);
}

static void
entry(const struct world *w, struct bytes *out, const struct world_entry *e)
{
	uint8_t reason[3] = { 0x0a, 1, (uint8_t)e->reason }, serial[2] = { 0, e->serial };
	struct bytes exts = { 0 }, name = { 0 }, names = { 0 };
	bool pad = (e->serial & 0x80) != 0;

	if (e->reason >= 0)
		EXTENSION(&exts, OID_REASON, false, reason, sizeof(reason));
	if (e->issuer != 0) {
		bytes_element(&name, 0xa4, w->cas[e->issuer - 1].name.p, w->cas[e->issuer - 1].name.n);
		bytes_element(&names, 0x30, name.p, name.n);
		EXTENSION(&exts, OID_ISSUER, true, names.p, names.n);
	}
	make_entry_with(out, pad ? serial : serial + 1, pad ? 2 : 1, "260501000000Z",
	    exts.n > 0 ? &exts : NULL);
	bytes_free(&exts);
	bytes_free(&name);
	bytes_free(&names);
}

static void
write_crl(const struct world *w, uint32_t ca, const struct world_crl *c, struct bytes *out)
{
	const struct world_ca *signer = &w->cas[c->signer != 0 ? c->signer - 1 : ca];
	struct bytes entries = { 0 }, exts = { 0 };
	struct make m = { .key = signer->keys[c->key], .alg = "ecdsa-sha256", .name = &signer->name,
		.no_number = true };
	char begin[16], end[16];
	size_t i;

	for (i = 0; i < 12 && c->entries[i].serial != 0; i++)
		entry(w, &entries, &c->entries[i]);
	if (c->content != 0)
		entry(w, &entries, &(struct world_entry){ .serial = c->content, .reason = -1 });
	if (c->number != 0)
		number_extension(&exts, OID_NUMBER, false, c->number);
	if (c->base != 0)
		number_extension(&exts, OID_DELTA, true, c->base);
	idp(&exts, c);
	time_text(NOW + c->at, begin);
	time_text(NOW + c->at + (c->lasts != 0 ? c->lasts : 7 * DAY), end);
	m.this_update = begin;
	m.next_update = c->lasts == -1 ? "" : end;
	m.entries = entries.n > 0 ? &entries : NULL;
	m.extensions = exts.n > 0 ? &exts : NULL;
	make_crl(&m, out);
	bytes_free(&entries);
	bytes_free(&exts);
}

/* ---- the appliance ------------------------------------------------------ */

static struct series *
series_for(struct world *w, uint32_t ca, const struct crl_verdict *v)
{
	const struct authority *a = &w->all->authorities[ca];
	struct series *s;

	for (last = 0; last < w->n_series; last++) {
		s = &w->series[last];
		if (s->authority == ca && s->signer == v->signer &&
		    memcmp(s->scope_digest, v->scope_digest, sizeof(s->scope_digest)) == 0)
			return s;
	}
	MUST(w->n_series < WORLD_SERIES);
	s = &w->series[w->n_series++];
	s->authority = ca;
	s->signer = (uint32_t)v->signer;
	memcpy(s->key_digest, a->signed_by[v->signer].key_digest, KEY_DIGEST_LEN);
	memcpy(s->scope_digest, v->scope_digest, sizeof(s->scope_digest));
	s->covers_all = w->covers_all;
	s->full.source = s->delta.source = 0;
	return s;
}

static enum source_error
take(struct world *w, uint32_t ca, const struct crl_scan *scan)
{
	const struct crl_verdict *v = crl_scan_verdict(scan);
	const struct authority *a = &w->all->authorities[ca];
	struct series *s = series_for(w, ca, v);
	struct series_crl *crl = v->delta ? &s->delta : &s->full;
	enum source_error delta = E_NONE;
	struct crl_judgement j;
	bool quietly = false;
	const char *why;

	if (v->delta)
		delta = series_take_delta(s, v, s->key_digest, &quietly, &why);
	if (quietly || (delta == E_DELTA && v->number_len == 0))
		return delta;
	j = crl_judge(v, s->key_digest, &crl->highwater, a->rules.skew_ms,
	    trust_signer(w->trust, ca, s->signer, &w->clock), &w->clock);
	if (!j.apply)
		return j.error;
	MUST(j.install && series_crl_take(crl, scan) == 0);
	if (j.mark)
		crl_highwater_raise(&crl->highwater, v, s->key_digest);
	/* the same again is no younger for that */
	if (!j.same)
		crl->verified_boot = w->clock.boot_ms;
	if (j.mark && v->this_update <= pki_clock_now(&w->clock) && v->this_update > w->clock.floor_ms)
		w->clock.floor_ms = v->this_update;
	return j.error != E_NONE ? j.error : delta;
}

enum source_error
world_take(struct world *w, uint32_t ca, const uint8_t *der, size_t len)
{
	const struct authority *a = &w->all->authorities[ca];
	struct crl_scan_setup setup = { .inventory = a->inventory, .names = &a->subject, .n_names = 1,
		.signers = a->signers, .n_signers = a->n_signers, .max_size = 1 << 20 };
	struct crl_scan *scan;
	enum source_error error;

	MUST((scan = crl_scan_new(&setup)) != NULL);
	(void)crl_scan_feed(scan, der, len);
	error = crl_scan_finish(scan, NULL, 0);
	if (error == E_NONE)
		error = take(w, ca, scan);
	crl_scan_free(scan);
	return error;
}

enum source_error
world_crl(struct world *w, uint32_t ca, const struct world_crl *c)
{
	struct bytes der = { 0 };
	enum source_error error;

	write_crl(w, ca, c, &der);
	error = world_take(w, ca, der.p, der.n);
	bytes_free(&der);
	return error;
}

struct series *
world_last(struct world *w)
{
	return &w->series[last];
}
