/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.c -- the CA's side and the appliance's side of a test, in one process. Has
 * no judgement of its own: what tests find was judged by what they test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "world.h"

#define MUST(x) do { if (!(x)) { fprintf(stderr, "world.c:%d: %s\n", __LINE__, #x); abort(); } } while (0)

static const struct inventory_key hash_key = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } };

/* ---- what the administrator has ----------------------------------------- */

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	MUST(w != NULL);
	bytes_octet(&w->text, 0);
	bytes_octet(&w->blobs, 0);
	w->clock = (struct pki_clock){ .wall_ms = NOW, .boot_ms = HOUR, .trusted = true };
	return w;
}

void
world_free(struct world *w)
{
	uint32_t i, j;

	for (i = 0; i < w->n_cas; i++) {
		for (j = 0; j < w->cas[i].n_keys; j++)
			EVP_PKEY_free(w->cas[i].keys[j]);
		bytes_free(&w->cas[i].name);
		free(w->said[i]);
	}
	for (i = 0; i < w->n_series; i++) {
		series_crl_done(&w->series[i].full);
		series_crl_done(&w->series[i].delta);
	}
	trust_free(w->trust);
	authorities_free(w->all);
	bytes_free(&w->blobs);
	bytes_free(&w->text);
	free(w);
}

static void
extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	MUST(ext != NULL && X509_add_ext(x, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

struct signing {
	const struct bytes *subject, *issuer;
	EVP_PKEY *key, *by;
	uint8_t serial;
	bool ca;
	const char *point;
	int64_t not_after;
};

static X509_NAME *
name_of(const struct bytes *der)
{
	const uint8_t *p = der->p;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der->n);

	MUST(name != NULL);
	return name;
}

/* Its place in the blobs. */
static uint32_t
certify(struct world *w, const struct signing *s, uint32_t *len)
{
	X509_NAME *subject = name_of(s->subject), *issuer = name_of(s->issuer);
	X509 *x = X509_new();
	uint8_t *der = NULL;
	uint32_t at = (uint32_t)w->blobs.n;
	char point[300];
	int n;

	MUST(x != NULL && X509_set_version(x, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(x), s->serial) == 1);
	MUST(X509_set_subject_name(x, subject) == 1 && X509_set_issuer_name(x, issuer) == 1);
	MUST(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)((NOW - 365 * DAY) / 1000)) != NULL);
	MUST(ASN1_TIME_set(X509_getm_notAfter(x),
		 (time_t)((s->not_after != 0 ? s->not_after : NOW + 365 * DAY) / 1000)) != NULL);
	MUST(X509_set_pubkey(x, s->key) == 1);
	extend(x, NID_basic_constraints, s->ca ? "critical,CA:TRUE" : "CA:FALSE");
	snprintf(point, sizeof(point), "URI:%s", s->point != NULL ? s->point : "");
	if (s->point != NULL)
		extend(x, NID_crl_distribution_points, point);
	MUST(X509_sign(x, s->by, EVP_sha256()) > 0);
	MUST((n = i2d_X509(x, &der)) > 0);
	bytes_add(&w->blobs, der, (size_t)n);
	*len = (uint32_t)n;
	OPENSSL_free(der);
	X509_NAME_free(subject);
	X509_NAME_free(issuer);
	X509_free(x);
	return at;
}

static void
issuer_add(struct world *w, uint32_t ca, uint32_t role, const struct signing *s)
{
	struct image_issuer *i = &w->issuers[w->n_issuers].issuer;

	MUST(w->n_issuers < WORLD_ISSUERS);
	i->certificate = certify(w, s, &i->certificate_len);
	i->role = role;
	w->issuers[w->n_issuers++].ca = ca;
}

uint32_t
world_ca(struct world *w, const char *common, uint32_t parent, uint8_t serial)
{
	struct world_ca *c = &w->cas[w->n_cas];
	struct image_authority *a = &w->authorities[w->n_cas];
	uint32_t at = w->n_cas++;

	MUST(at < WORLD_CAS);
	snprintf(c->common, sizeof(c->common), "%s", common);
	make_name(&c->name, 0x0c, "Test", common);
	c->keys[c->n_keys++] = make_key("P-256");
	a->number = at + 1;
	a->name = (uint32_t)w->text.n;
	bytes_add(&w->text, common, strlen(common) + 1);
	a->refresh_s = 3600;
	a->skew_s = 300;
	a->grace_s = a->max_age_s = 86400;
	a->sources.n = 1;
	world_cross(w, at, 0, parent == NOBODY ? at : parent, serial);
	return at;
}

void
world_cross(struct world *w, uint32_t ca, uint32_t key, uint32_t parent, uint8_t serial)
{
	struct signing s = { .subject = &w->cas[ca].name, .issuer = &w->cas[parent].name,
		.key = w->cas[ca].keys[key], .by = w->cas[parent].keys[0], .serial = serial, .ca = true };

	if (parent == ca)
		s.by = s.key;
	issuer_add(w, ca, ISSUER_OWN, &s);
}

uint32_t
world_roll(struct world *w, uint32_t ca)
{
	struct world_ca *c = &w->cas[ca];

	MUST(c->n_keys < WORLD_KEYS);
	c->keys[c->n_keys] = make_key("P-256");
	world_cross(w, ca, c->n_keys, ca, (uint8_t)(200 + c->n_keys));
	return c->n_keys++;
}

void
world_delegate(struct world *w, uint32_t ca, uint32_t other)
{
	uint32_t i;

	for (i = 0; i < w->n_issuers; i++) {
		if (w->issuers[i].ca != other || w->issuers[i].issuer.role != ISSUER_OWN)
			continue;
		MUST(w->n_issuers < WORLD_ISSUERS);
		w->issuers[w->n_issuers] = w->issuers[i];
		w->issuers[w->n_issuers].ca = ca;
		w->issuers[w->n_issuers++].issuer.role = ISSUER_CRL;
		return;
	}
	MUST(false);
}

void
world_sources(struct world *w, uint32_t ca, uint32_t n)
{
	w->authorities[ca].sources.n = n;
}

uint32_t
world_device(struct world *w)
{
	MUST(w->n_devices < WORLD_DEVICES);
	w->devices[w->n_devices].number = 100 + w->n_devices;
	return w->n_devices++;
}

void
world_serial(struct world *w, uint32_t device, uint32_t ca, uint8_t serial)
{
	struct image_certificate *c = &w->certs[w->n_certs].certificate;

	MUST(w->n_certs < WORLD_CERTS);
	c->authority = ca + 1;
	c->serial_len = 1;
	c->serial[0] = serial;
	w->certs[w->n_certs++].device = device;
}

void
world_cert(struct world *w, uint32_t device, uint32_t ca, uint8_t serial, const struct world_cert *o)
{
	static const struct world_cert plain;
	struct bytes name = { 0 };
	struct signing s = { .subject = &name, .issuer = &w->cas[ca].name, .serial = serial };
	uint32_t i, own = 0;
	EVP_PKEY *made = NULL;

	o = o != NULL ? o : &plain;
	make_name(&name, 0x0c, "Test", "device");
	s.key = o->own != NULL ? o->own : (made = make_key("P-256"));
	s.by = w->cas[ca].keys[o->key];
	s.ca = o->ca;
	s.point = o->point;
	s.not_after = o->not_after;
	world_serial(w, device, ca, serial);
	w->certs[w->n_certs - 1].certificate.chain =
	    certify(w, &s, &w->certs[w->n_certs - 1].certificate.chain_len);
	/* which of the authority's certificates has that key: they come in the order of the keys */
	for (i = 0; i < w->n_issuers; i++) {
		const uint8_t *p = w->blobs.p + w->issuers[i].issuer.certificate;
		X509 *x;

		if (w->issuers[i].ca != ca || w->issuers[i].issuer.role != ISSUER_OWN)
			continue;
		own++;
		MUST((x = d2i_X509(NULL, &p, (long)w->issuers[i].issuer.certificate_len)) != NULL);
		if (EVP_PKEY_eq(X509_get0_pubkey(x), s.by) == 1 &&
		    w->certs[w->n_certs - 1].certificate.issuer == 0)
			w->certs[w->n_certs - 1].certificate.issuer = own;
		X509_free(x);
	}
	EVP_PKEY_free(made);
	bytes_free(&name);
}

/* ---- the appliance ------------------------------------------------------ */

static uint32_t
issuers_sort(struct world *w)
{
	uint32_t ca, role, i, n = 0;

	for (ca = 0; ca < w->n_cas; ca++) {
		w->authorities[ca].issuers.first = n;
		for (role = ISSUER_OWN; role <= ISSUER_OCSP; role++)
			for (i = 0; i < w->n_issuers; i++)
				if (w->issuers[i].ca == ca && w->issuers[i].issuer.role == role)
					w->sorted[n++] = w->issuers[i].issuer;
		w->authorities[ca].issuers.n = n - w->authorities[ca].issuers.first;
	}
	return n;
}

void
world_start(struct world *w)
{
	struct image *im = &w->image;
	uint32_t d, i, n = 0;

	im->n[IMAGE_ISSUERS] = issuers_sort(w);
	for (d = 0; d < w->n_devices; d++) {
		w->devices[d].certificates.first = n;
		for (i = 0; i < w->n_certs; i++)
			if (w->certs[i].device == d)
				w->by_device[n++] = w->certs[i].certificate;
		w->devices[d].certificates.n = n - w->devices[d].certificates.first;
	}
	im->text = (const char *)w->text.p;
	im->blobs = w->blobs.p;
	im->authorities = w->authorities;
	im->issuers = w->sorted;
	im->devices = w->devices;
	im->certificates = w->by_device;
	im->n[IMAGE_AUTHORITIES] = w->n_cas;
	im->n[IMAGE_DEVICES] = w->n_devices;
	im->n[IMAGE_CERTIFICATES] = n;
	MUST((w->all = authorities_new(im, &hash_key)) != NULL);
	MUST((w->trust = trust_new(w->all)) != NULL);
	for (i = 0; i < w->n_cas; i++) {
		w->said[i] = calloc((size_t)w->all->authorities[i].n_subjects + 1, sizeof(**w->said));
		MUST(w->said[i] != NULL);
		w->ocsp[i].said = w->said[i];
	}
}

void
world_said(struct world *w, uint32_t device, uint32_t at, enum trust_saying what, uint8_t reason,
    int64_t this_update)
{
	const struct subject_ref *ref = &w->all->refs[w->all->devices[device].first + at];
	struct trust_said said = { .what = (uint8_t)what, .reason = reason, .revoked_at = NOW - DAY,
		.this_update = this_update };

	(void)trust_hear(&w->said[ref->authority][ref->subject], &said);
}

static struct trust_input
input_of(struct world *w)
{
	return (struct trust_input){ .series = w->series, .n_series = w->n_series, .ocsp = w->ocsp,
		.settled = w->unsettled ? w->settled : NULL, .clock = w->clock };
}

static void
take_revoke(struct world *w, const struct pki_revoke *r)
{
	MUST(w->n_standings < WORLD_STANDINGS);
	w->standings[w->n_standings++] = (struct pki_standing){ .device = r->device, .cause = r->cause,
		.authority = r->authority, .reason = r->reason };
}

static void
take_clear(struct world *w, const struct pki_clear *c)
{
	size_t i, n = 0;

	for (i = 0; i < w->n_standings; i++) {
		struct pki_standing *s = &w->standings[i];

		if (s->device == c->device && s->authority == c->authority && s->cause == c->cause &&
		    (c->cause != CAUSE_REVOKED || s->reason == 6))
			continue;
		w->standings[n++] = *s;
	}
	w->n_standings = n;
}

void
world_judge(struct world *w)
{
	struct trust_input in = input_of(w);
	size_t i;

	MUST(trust_judge(w->trust, &in) == 0);
	MUST(trust_decide(w->trust, &in, w->standings, w->n_standings, &w->last) == 0);
	for (i = 0; i < w->last.n_tighten; i++)
		take_revoke(w, &w->last.tighten[i]);
	for (i = 0; i < w->last.n_loosen; i++)
		take_clear(w, &w->last.loosen[i]);
}

unsigned
world_check(const struct world *w, uint32_t device)
{
	return trust_verdicts(w->trust)[device].check & ~(unsigned)CHECK_CHAIN_UNKNOWN;
}

uint32_t
world_cause(const struct world *w, uint32_t device)
{
	uint32_t causes = 0;
	size_t i;

	for (i = 0; i < w->n_standings; i++)
		if (w->standings[i].device == w->devices[device].number)
			causes |= w->standings[i].cause;
	return causes;
}

uint32_t
world_reason(const struct world *w, uint32_t device)
{
	uint32_t reason = 99;
	size_t i;

	for (i = 0; i < w->n_standings; i++)
		if (w->standings[i].device == w->devices[device].number &&
		    w->standings[i].cause == CAUSE_REVOKED)
			reason = w->standings[i].reason;
	return reason;
}

void
world_report(const struct world *w, uint32_t ca, struct pki_authority *out)
{
	trust_report(w->trust, ca, out);
}
