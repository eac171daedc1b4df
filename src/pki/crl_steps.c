/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_steps.c -- a CRL, element by element (RFC 5280 5.1): each step takes one
 * thing from contiguous bytes. The list of entries is crl_list.c's. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "pki/crl_parts.h"
#include "pki/crl_state.h"
#include "pki/point.h"

/* ---- one element -------------------------------------------------------- */

int
crl_scan_element(struct crl_scan *s, const uint8_t *p, size_t avail, uint64_t limit, size_t max,
    struct der_head *h)
{
	uint64_t total;
	int rc;

	if (s->pos + 2 > limit)
		return crl_scan_stop(s, E_DER, "an element reaches beyond what holds it");
	/* What lies behind belongs to something else, and came or did not. */
	if (avail > limit - s->pos)
		avail = limit - s->pos;
	rc = der_peek(p, avail, h);
	if (rc == -EBADMSG)
		return crl_scan_stop(s, E_DER, "X.690 10.1: a length that is not definite and minimal");
	if (s->pos + h->head_len > limit)
		return crl_scan_stop(s, E_DER, "an element reaches beyond what holds it");
	if (rc < 0) {
		s->need = h->head_len;
		return rc;
	}
	total = h->head_len + h->len;
	if (total > limit - s->pos)
		return crl_scan_stop(s, E_DER, "an element reaches beyond what holds it");
	if (total > max)
		return crl_scan_stop(s, E_DER, "an element is larger than any real one");
	if (total > avail) {
		s->need = total;
		return -ENODATA;
	}
	return 0;
}

/* ---- steps: each takes one thing from p and says how much it used ------- */

static int
preamble_need(struct crl_scan *s, size_t n, size_t avail)
{
	s->need = n;
	return n > avail ? -ENODATA : 0;
}

static int
step_preamble(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	static const uint8_t version2[3] = { DER_INTEGER, 1, 1 };
	struct der_head outer, inner, alg;
	enum source_error error;
	struct buf content;
	size_t at;
	int rc;

	if ((rc = der_peek(p, avail, &outer)) == -ENODATA)
		return preamble_need(s, outer.head_len, avail);
	if (rc < 0 || outer.tag != DER_SEQUENCE)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1: not a CertificateList");
	s->outer_end = outer.head_len + outer.len;
	if (s->outer_end > s->setup.max_size)
		return crl_scan_stop(s, E_TOO_BIG, "larger than the limit");
	at = outer.head_len;
	rc = der_peek(p + at, avail - at, &inner);
	if (rc == -ENODATA)
		return preamble_need(s, at + inner.head_len, avail);
	if (rc < 0 || inner.tag != DER_SEQUENCE || at + inner.head_len + inner.len > s->outer_end)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1: not a CertificateList");
	s->v.signed_offset = at;
	s->v.signed_len = inner.head_len + inner.len;
	s->signed_end = at + s->v.signed_len;
	at += inner.head_len;
	if ((rc = preamble_need(s, at + 1, avail)) < 0)
		return rc;
	s->v.version = 1;
	if (p[at] == DER_INTEGER) {
		if ((rc = preamble_need(s, at + sizeof(version2), avail)) < 0)
			return rc;
		if (memcmp(p + at, version2, sizeof(version2)) != 0)
			return crl_scan_stop(s, E_DER, "RFC 5280 5.1.2.1: a version that is not 2");
		s->v.version = 2;
		at += sizeof(version2);
	}
	s->pos = at;
	rc = crl_scan_element(s, p + at, avail - at, s->signed_end, CRL_SIGALG_MAX, &alg);
	s->pos = 0;
	if (rc == -ENODATA)
		s->need += at;
	if (rc < 0)
		return rc;
	if (alg.tag != DER_SEQUENCE)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1.2.2: no AlgorithmIdentifier");
	s->alg_len = alg.head_len + alg.len;
	memcpy(s->alg_der, p + at, s->alg_len);
	buf_init(&content, p + at + alg.head_len, alg.len);
	if ((error = sigalg_parse(content, s->setup.allow_sha1, &s->alg, &s->v.why)) != E_NONE)
		return crl_scan_stop(s, error, s->v.why);
	s->to_hash = s->v.vouched ? 0 : s->v.signed_len;
	s->state = S_ISSUER;
	*used = at + s->alg_len;
	return 0;
}

static int
step_issuer(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	struct der_head h;
	int rc;

	if ((rc = crl_scan_element(s, p, avail, s->signed_end, CRL_NAME_MAX, &h)) < 0)
		return rc;
	if (h.tag != DER_SEQUENCE)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1.2.3: no issuer name");
	*used = s->issuer_len = h.head_len + h.len;
	memcpy(s->issuer, p, s->issuer_len);
	s->foreign = !crl_list_ours(s, p, s->issuer_len);
	s->state = S_THIS_UPDATE;
	return 0;
}

static int
step_time(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used, int64_t *out)
{
	struct der_head h;
	int rc;

	if ((rc = crl_scan_element(s, p, avail, s->signed_end, 32, &h)) < 0)
		return rc;
	if (der_time(h.tag, p + h.head_len, h.len, out) < 0)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1.2.4: a time in a form that is not allowed");
	*used = h.head_len + h.len;
	s->state = S_AFTER_TIME;
	return 0;
}

static int
step_after_time(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	struct der_head h;
	int rc;

	if (s->pos == s->signed_end) {
		s->state = S_SIGALG;
		return 0;
	}
	if ((rc = preamble_need(s, 1, avail)) < 0)
		return rc;
	if ((p[0] == DER_UTCTIME || p[0] == DER_GENTIME) && !s->next_seen && s->list_end == 0) {
		rc = step_time(s, p, avail, used, &s->v.next_update);
		s->next_seen = rc == 0;
		return rc;
	}
	if (p[0] == 0xa0) {
		s->state = S_EXTENSIONS;
		return 0;
	}
	if (p[0] != DER_SEQUENCE || s->list_end != 0)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1: something else where entries or extensions belong");
	/* Only the header: entries are taken one by one. */
	if ((rc = der_peek(p, avail, &h)) == -ENODATA)
		return preamble_need(s, h.head_len, avail);
	if (rc < 0 || s->pos + h.head_len + h.len > s->signed_end)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1: the list of entries does not fit");
	*used = h.head_len;
	s->list_end = s->pos + h.head_len + h.len;
	if (h.len == 0)
		s->v.warnings |= CRL_WARN_EMPTY_LIST;
	s->state = S_ENTRIES;
	return 0;
}

/* ---- the rest ----------------------------------------------------------- */

static int
step_extensions(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	enum source_error error;
	struct der_head h;
	int rc;

	if ((rc = crl_scan_element(s, p, avail, s->signed_end, CRL_EXT_MAX, &h)) < 0)
		return rc;
	*used = h.head_len + h.len;
	if (s->pos + *used != s->signed_end)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1: something follows the extensions");
	if (s->v.version == 1)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1.2.1: extensions in a version 1 CRL");
	error = crl_extensions_parse(p, *used, &s->v);
	if (error == E_NONE)
		point_of_crl(p, *used, s->issuer, s->issuer_len, &s->v);
	if (error != E_NONE)
		return crl_scan_stop(s, error, s->v.why);
	s->state = S_SIGALG;
	return 0;
}

static int
step_sigalg(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	struct der_head h;
	int rc;

	if ((rc = crl_scan_element(s, p, avail, s->outer_end, CRL_SIGALG_MAX, &h)) < 0)
		return rc;
	*used = h.head_len + h.len;
	/* RFC 5280 5.1.1.2: this field must be the one in the signed part. */
	if (*used != s->alg_len || memcmp(p, s->alg_der, *used) != 0)
		return crl_scan_stop(s, E_SIGALG, "RFC 5280 5.1.1.2: two different signature algorithms");
	s->state = S_SIGNATURE;
	return 0;
}

static int
step_signature(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	struct der_head h;
	struct buf content;
	uint8_t unused_bits = 0;
	int rc;

	if ((rc = crl_scan_element(s, p, avail, s->outer_end, CRL_SIGNATURE_MAX, &h)) < 0)
		return rc;
	*used = h.head_len + h.len;
	buf_init(&content, p + h.head_len, h.len);
	if (h.tag != DER_BIT_STRING || buf_get_u8(&content, &unused_bits) < 0 || unused_bits != 0)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1.1.3: no signature in octets");
	if (s->pos + *used != s->outer_end)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1: something follows the signature");
	s->signature_len = buf_left(&content);
	if (buf_get_bytes(&content, s->signature, s->signature_len) < 0)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1.1.3: no signature in octets");
	s->v.size = s->outer_end;
	s->state = S_END;
	return 0;
}

int
crl_scan_step(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	switch (s->state) {
	case S_PREAMBLE:
		return step_preamble(s, p, avail, used);
	case S_ISSUER:
		return step_issuer(s, p, avail, used);
	case S_THIS_UPDATE:
		return step_time(s, p, avail, used, &s->v.this_update);
	case S_AFTER_TIME:
		return step_after_time(s, p, avail, used);
	case S_ENTRIES:
		return crl_list_step(s, p, avail, used);
	case S_EXTENSIONS:
		return step_extensions(s, p, avail, used);
	case S_SIGALG:
		return step_sigalg(s, p, avail, used);
	case S_SIGNATURE:
		return step_signature(s, p, avail, used);
	case S_END:
		if (avail > 0)
			return crl_scan_stop(s, E_TRAILING, "something follows the CRL");
		return -ENODATA;
	case S_REFUSED:
		break;
	}
	return -EBADMSG;
}
