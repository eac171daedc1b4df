/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_scan.c -- the push parser's ends: takes bytes in pieces, holds together
 * what came apart, and says the verdict. What was found stays inside until then. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pki/crl_state.h"
#include "pki/name.h"

int
crl_scan_stop(struct crl_scan *s, enum source_error error, const char *why)
{
	s->state = S_REFUSED;
	s->v.error = error;
	s->v.why = why;
	s->v.offset = s->pos;
	return -EBADMSG;
}

/* ---- life --------------------------------------------------------------- */

/* Without leave for SHA-1 there need be none: some systems have it switched off. */
static int
hashes(const struct crl_scan *s)
{
	return s->setup.allow_sha1 ? SIGALG_HASHES : SIGALG_SHA1;
}

struct crl_scan *
crl_scan_new(const struct crl_scan_setup *setup)
{
	static const char *const names[SIGALG_HASHES] = { "SHA256", "SHA384", "SHA512", "SHA1" };
	struct crl_scan *s;
	size_t certs = inventory_count(setup->inventory);
	int i;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->setup = *setup;
	s->filter = certs > 0 ? inventory_filter(setup->inventory) : NULL;
	if (certs > 0 && (s->staged = calloc(certs, sizeof(*s->staged))) == NULL)
		goto fail;
	for (i = 0; i < hashes(s); i++) {
		s->md[i] = EVP_MD_CTX_new();
		s->md_kind[i] = EVP_MD_fetch(NULL, names[i], NULL);
		if (s->md[i] == NULL || s->md_kind[i] == NULL)
			goto fail;
	}
	crl_scan_reset(s);
	if (s->state == S_REFUSED)
		goto fail;
	return s;
fail:
	crl_scan_free(s);
	return NULL;
}

void
crl_scan_free(struct crl_scan *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < SIGALG_HASHES; i++) {
		EVP_MD_CTX_free(s->md[i]);
		EVP_MD_free(s->md_kind[i]);
	}
	free(s->staged);
	free(s);
}

void
crl_scan_reset(struct crl_scan *s)
{
	int i;

	memset(&s->v, 0, sizeof(s->v));
	s->state = S_PREAMBLE;
	s->verified = s->finished = s->foreign = s->named_issuer = false;
	s->next_seen = false;
	s->pos = s->received = s->outer_end = s->signed_end = s->list_end = s->to_hash = 0;
	s->alg_len = s->issuer_len = s->signature_len = s->last_name_len = 0;
	s->need = s->carry_len = 0;
	if (s->staged != NULL)
		memset(s->staged, 0, inventory_count(s->setup.inventory) * sizeof(*s->staged));
	s->v.reasons = CRL_REASONS_ALL;
	/* All begin here, so that none allocates when the CRL names one. */
	for (i = 0; i < hashes(s); i++)
		if (EVP_DigestInit_ex2(s->md[i], s->md_kind[i], NULL) != 1)
			(void)crl_scan_stop(s, E_SIGALG, "no digest available");
}

void
crl_scan_again(struct crl_scan *s)
{
	crl_scan_reset(s);
	s->v.vouched = true;
}

/* ---- feeding ------------------------------------------------------------ */

static void
hash(struct crl_scan *s, const uint8_t *p, size_t n)
{
	if (n > s->to_hash)
		n = s->to_hash;
	if (n > 0 && EVP_DigestUpdate(s->md[s->alg.hash], p, n) != 1)
		(void)crl_scan_stop(s, E_SIGALG, "no digest available");
	s->to_hash -= n;
}

/* Take from input what the element in carry still needs. True: it is whole. */
static bool
carry_fill(struct crl_scan *s, const uint8_t **in, size_t *left)
{
	size_t n = s->need - s->carry_len;

	if (n > *left)
		n = *left;
	memcpy(s->carry + s->carry_len, *in, n);
	s->carry_len += n;
	*in += n;
	*left -= n;
	return s->carry_len == s->need;
}

int
crl_scan_feed(struct crl_scan *s, const void *data, size_t len)
{
	const uint8_t *in = data, *p;
	size_t left = len, avail, used;
	enum crl_scan_state before;
	int rc = 0;

	s->received += len;
	hash(s, in, len);
	while (s->state != S_REFUSED) {
		if (s->carry_len > 0 && !carry_fill(s, &in, &left))
			break;
		p = s->carry_len > 0 ? s->carry : in;
		avail = s->carry_len > 0 ? s->carry_len : left;
		used = 0;
		before = s->state;
		rc = crl_scan_step(s, p, avail, &used);
		if (rc == -ENODATA) {
			if (s->carry_len > 0)
				continue;
			/* The start of an element stays until the rest comes. */
			if (left > 0)
				memcpy(s->carry, in, left);
			s->carry_len = left;
			break;
		}
		if (rc < 0)
			break;
		if (before == S_PREAMBLE && s->to_hash > 0) {
			/* Only now it is known how to hash what came so far. */
			hash(s, p + s->v.signed_offset, avail - s->v.signed_offset);
			if (s->carry_len > 0)
				hash(s, in, left);
		}
		s->pos += used;
		if (s->carry_len > 0) {
			/* Steps that only change state leave the element to the next. */
			if (used > 0)
				s->carry_len = 0;
		} else {
			in += used;
			left -= used;
		}
	}
	return s->state == S_REFUSED ? -EBADMSG : 0;
}

void
crl_scan_refuse(struct crl_scan *s, enum source_error error, const char *why)
{
	if (s->state != S_REFUSED)
		(void)crl_scan_stop(s, error, why);
	s->verified = false;
}

/* ---- the verdict -------------------------------------------------------- */

bool
crl_scan_needs_message(const struct crl_scan *s)
{
	return s->state == S_END && !s->v.vouched && sigalg_takes_message(&s->alg);
}

/* The message that was hashed must be the one that is verified. */
static enum source_error
verify_message(struct crl_scan *s, const struct crl_signer *signer, const void *message, size_t len)
{
	uint8_t digest[CRL_DIGEST_MAX];
	unsigned n = 0;

	if (message == NULL || len != s->v.signed_len ||
	    EVP_Digest(message, len, digest, &n, s->md_kind[s->alg.hash], NULL) != 1 ||
	    n != s->v.digest_len || memcmp(digest, s->v.digest, n) != 0)
		return E_SIG;
	return sigalg_verify_whole(signer->key, message, len, s->signature, s->signature_len);
}

/* May that one have signed this CRL, and did it? */
static enum source_error
verify_by(struct crl_scan *s, const struct crl_signer *signer, const void *message, size_t len,
    const char **why)
{
	enum source_error error;

	if (!signer->may_sign) {
		*why = "RFC 5280 6.3.3 (f): the authority's keyUsage lacks cRLSign";
		return E_SIGNER;
	}
	/* RFC 5280 5.2.1: of several keys of one name, this tells which. */
	if (s->v.key_id_len > 0 && signer->key_id != NULL &&
	    (signer->key_id_len != s->v.key_id_len ||
		memcmp(signer->key_id, s->v.key_id, s->v.key_id_len) != 0)) {
		*why = "RFC 5280 5.2.1: the authorityKeyIdentifier names another key than the authority's";
		return E_SIGNER;
	}
	if ((error = sigalg_key_fits(&s->alg, signer->key, why)) != E_NONE)
		return error;
	*why = "the signature is not the authority's";
	if (sigalg_takes_message(&s->alg))
		return verify_message(s, signer, message, len);
	return sigalg_verify(&s->alg, signer->key, s->v.digest, s->v.digest_len, s->signature,
	    s->signature_len);
}

/* Any authorised key of that name may have signed (RFC 5280 5). Of several that
 * did not, the one that came closest is told about. */
static enum source_error
verify(struct crl_scan *s, const void *message, size_t len)
{
	static const uint8_t rank[SOURCE_ERRORS] = { [E_SIGALG] = 1, [E_WEAK] = 2, [E_SIG] = 3 };
	enum source_error error = E_SIGNER, got;
	const char *why;
	size_t i;

	s->v.why = "signed by somebody else than the authority";
	s->v.stranger = true;
	for (i = 0; i < s->setup.n_signers; i++) {
		const struct crl_signer *signer = &s->setup.signers[i];

		if (!name_equal(signer->name, signer->name_len, s->issuer, s->issuer_len))
			continue;
		s->v.stranger = false;
		got = verify_by(s, signer, message, len, &why);
		if (got != E_NONE && rank[got] < rank[error])
			continue;
		error = got;
		s->v.why = got == E_NONE ? NULL : why;
		s->v.signer = i;
		if (got == E_NONE)
			break;
	}
	return error;
}

/* What the list says only together with the extensions behind it. */
static enum source_error
whole(struct crl_scan *s)
{
	/* RFC 5280 5.3.1: only a delta takes entries off. */
	if (s->v.delta)
		s->v.warnings &= ~(uint32_t)CRL_WARN_REMOVE;
	/* Entries of other authorities only count where the CRL says so. */
	if (s->named_issuer && (s->v.scope & CRL_SCOPE_INDIRECT) == 0) {
		s->v.why = "RFC 5280 5.3.3: certificateIssuer in a CRL that is not indirect";
		return E_IDP;
	}
	return E_NONE;
}

enum source_error
crl_scan_finish(struct crl_scan *s, const void *message, size_t len)
{
	enum source_error error;
	unsigned n = 0;

	if (s->finished || s->state == S_REFUSED)
		return s->v.error;
	s->finished = true;
	if (s->state != S_END) {
		(void)crl_scan_stop(s, s->received == 0 ? E_EMPTY : E_TRUNC,
		    s->received == 0 ? "no bytes" : "the CRL ends too early");
		return s->v.error;
	}
	if ((error = whole(s)) != E_NONE) {
		(void)crl_scan_stop(s, error, s->v.why);
		return error;
	}
	if (s->v.vouched) {
		s->v.why = NULL;
		s->verified = true;
		return E_NONE;
	}
	if (EVP_DigestFinal_ex(s->md[s->alg.hash], s->v.digest, &n) != 1) {
		(void)crl_scan_stop(s, E_SIGALG, "no digest available");
		return s->v.error;
	}
	s->v.digest_len = (uint8_t)n;
	if ((error = verify(s, message, len)) != E_NONE) {
		(void)crl_scan_stop(s, error, s->v.why);
		return error;
	}
	s->verified = true;
	return E_NONE;
}

const struct crl_verdict *
crl_scan_verdict(const struct crl_scan *s)
{
	return &s->v;
}

bool
crl_scan_hit(const struct crl_scan *s, size_t *pos, struct crl_hit *out)
{
	const struct staged *st;

	/* Nothing of an unverified CRL leaves this file. */
	if (!s->verified)
		return false;
	for (; s->staged != NULL && *pos < inventory_count(s->setup.inventory); (*pos)++) {
		st = &s->staged[*pos];
		/* Nothing but a delta takes anything off. */
		if (!st->listed && !(st->removed && s->v.delta))
			continue;
		out->cert = inventory_cert(s->setup.inventory, *pos);
		out->reason = st->reason;
		out->revoked_at = st->at;
		(*pos)++;
		return true;
	}
	return false;
}
