/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_parse.c -- an OCSP response in strict DER (RFC 6960 4.2.1). Takes apart and
 * counts; must not judge what it says. */
#include <errno.h>
#include <string.h>

#include "pki/crl_parts.h"
#include "pki/der.h"
#include "pki/ocsp_parts.h"

#define OID(bytes) bytes, sizeof(bytes) - 1

static const char basic_oid[] = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01";
static const char nonce_oid[] = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02";

/* ---- parts -------------------------------------------------------------- */

/* RFC 6960 4.2.2.1: GeneralizedTime as in RFC 5280. */
static int
time_get(struct buf *b, int64_t *out)
{
	struct buf content;

	if (der_expect(b, DER_GENTIME, &content) < 0)
		return -EBADMSG;
	return der_time(DER_GENTIME, content.data + content.pos, buf_left(&content), out);
}

/* How many elements with that tag it consists of; -EBADMSG, or -E2BIG above max. */
static int
count(struct buf list, uint8_t tag, size_t max)
{
	struct buf one;
	size_t n;

	for (n = 0; buf_left(&list) > 0; n++) {
		if (n == max)
			return -E2BIG;
		if (der_expect(&list, tag, &one) < 0)
			return -EBADMSG;
	}
	return 0;
}

static enum source_error
limited(int rc, const char *large, const char **why)
{
	if (rc == -E2BIG)
		*why = large;
	return rc == 0 ? E_NONE : rc == -E2BIG ? E_TOO_BIG : E_DER;
}

/* RFC 8954 2.1: the nonce is an OCTET STRING in the extension's. */
static enum source_error
nonce_parse(struct buf value, struct ocsp_response *r)
{
	if (r->has_nonce || der_expect(&value, DER_OCTETS, &r->nonce) < 0 || buf_left(&value) != 0 ||
	    buf_left(&r->nonce) == 0 || buf_left(&r->nonce) > OCSP_NONCE_MAX)
		return E_DER;
	r->has_nonce = true;
	return E_NONE;
}

/* Extensions; r: of the response, where a nonce may be. */
static enum source_error
extensions_parse(struct buf wrapped, struct ocsp_response *r, const char **why)
{
	struct buf exts, ext, oid, flag, value;
	uint8_t critical;
	unsigned n;

	*why = "RFC 6960 4.4: malformed extensions";
	if (der_expect(&wrapped, DER_SEQUENCE, &exts) < 0 || buf_left(&wrapped) != 0)
		return E_DER;
	for (n = 0; buf_left(&exts) > 0; n++) {
		critical = 0;
		if (n == CRL_EXT_COUNT || der_expect(&exts, DER_SEQUENCE, &ext) < 0 ||
		    der_expect(&ext, DER_OID, &oid) < 0)
			return E_DER;
		if (der_next(&ext) == DER_BOOLEAN &&
		    (der_expect(&ext, DER_BOOLEAN, &flag) < 0 || buf_left(&flag) != 1 ||
			buf_get_u8(&flag, &critical) < 0 || (critical != 0 && critical != 0xff)))
			return E_DER;
		if (der_expect(&ext, DER_OCTETS, &value) < 0 || buf_left(&ext) != 0)
			return E_DER;
		if (r != NULL && der_equals(&oid, OID(nonce_oid))) {
			if (nonce_parse(value, r) != E_NONE)
				return E_DER;
		} else if (critical != 0) {
			*why = "RFC 6960 4.4: unknown critical extension";
			return E_CRITICAL;
		}
	}
	return E_NONE;
}

/* ---- one certificate's status ------------------------------------------- */

static int
cert_id_parse(struct buf *single, struct ocsp_single *out)
{
	struct buf id, alg, oid, null;

	if (der_expect(single, DER_SEQUENCE, &id) < 0 || der_expect(&id, DER_SEQUENCE, &alg) < 0 ||
	    der_expect(&alg, DER_OID, &oid) < 0)
		return -EBADMSG;
	if (buf_left(&alg) > 0 &&
	    (der_expect(&alg, DER_NULL, &null) < 0 || buf_left(&null) != 0 || buf_left(&alg) != 0))
		return -EBADMSG;
	out->hash_known = true;
	if (der_equals(&oid, OID("\x2b\x0e\x03\x02\x1a")))
		out->hash = OCSP_BY_SHA1;
	else if (der_equals(&oid, OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01")))
		out->hash = OCSP_BY_SHA256;
	else
		out->hash_known = false;
	if (der_expect(&id, DER_OCTETS, &out->name_hash) < 0 ||
	    der_expect(&id, DER_OCTETS, &out->key_hash) < 0 ||
	    der_expect(&id, DER_INTEGER, &out->serial) < 0 || buf_left(&out->serial) == 0 ||
	    buf_left(&id) != 0)
		return -EBADMSG;
	return 0;
}

/* RevokedInfo; a reason that is none leaves it revoked all the same. */
static int
revoked_parse(struct buf info, struct ocsp_single *out)
{
	struct buf wrapped, code;
	uint8_t reason = 0;

	out->status = OCSP_REVOKED;
	if (time_get(&info, &out->revoked_at) < 0)
		return -EBADMSG;
	if (buf_left(&info) == 0)
		return 0;
	if (der_expect(&info, 0xa0, &wrapped) < 0 || buf_left(&info) != 0 ||
	    der_expect(&wrapped, DER_ENUMERATED, &code) < 0 || buf_left(&wrapped) != 0)
		return -EBADMSG;
	if (buf_left(&code) == 1 && buf_get_u8(&code, &reason) == 0 && crl_reason_known(reason) &&
	    reason != CRL_REASON_REMOVE)
		out->reason = reason;
	return 0;
}

static int
status_parse(struct buf *single, struct ocsp_single *out)
{
	struct buf content;
	uint8_t tag;

	if (der_get(single, &tag, &content) < 0)
		return -EBADMSG;
	if (tag == 0xa1)
		return revoked_parse(content, out);
	if ((tag != 0x80 && tag != 0x82) || buf_left(&content) != 0)
		return -EBADMSG;
	out->status = tag == 0x80 ? OCSP_GOOD : OCSP_UNKNOWN;
	return 0;
}

enum source_error
ocsp_single_parse(struct buf *singles, struct ocsp_single *out, const char **why)
{
	struct buf single, wrapped;

	memset(out, 0, sizeof(*out));
	*why = "RFC 6960 4.2.1: malformed SingleResponse";
	if (der_expect(singles, DER_SEQUENCE, &single) < 0 || cert_id_parse(&single, out) < 0 ||
	    status_parse(&single, out) < 0 || time_get(&single, &out->this_update) < 0)
		return E_DER;
	if (der_next(&single) == 0xa0 &&
	    (der_expect(&single, 0xa0, &wrapped) < 0 || time_get(&wrapped, &out->next_update) < 0 ||
		buf_left(&wrapped) != 0 || out->next_update < out->this_update))
		return E_DER;
	if (buf_left(&single) == 0)
		return E_NONE;
	if (der_expect(&single, 0xa1, &wrapped) < 0 || buf_left(&single) != 0)
		return E_DER;
	return extensions_parse(wrapped, NULL, why);
}

/* ---- the whole ---------------------------------------------------------- */

static int
responder_parse(struct buf *data, struct ocsp_response *r)
{
	struct buf wrapped, key;

	if (der_get(data, &r->responder_tag, &wrapped) < 0)
		return -EBADMSG;
	r->responder = wrapped;
	if (r->responder_tag == 0xa1)
		return 0;
	if (r->responder_tag != 0xa2 || der_expect(&wrapped, DER_OCTETS, &key) < 0 ||
	    buf_left(&wrapped) != 0)
		return -EBADMSG;
	r->responder = key;
	return 0;
}

/* ResponseData */
static enum source_error
data_parse(struct buf data, struct ocsp_response *r, const char **why)
{
	struct buf wrapped, version;
	enum source_error error;

	*why = "RFC 6960 4.2.1: malformed ResponseData";
	/* version 1 is the default and need not, by DER must not, be written */
	if (der_next(&data) == 0xa0 &&
	    (der_expect(&data, 0xa0, &wrapped) < 0 || der_expect(&wrapped, DER_INTEGER, &version) < 0 ||
		!der_equals(&version, "", 1) || buf_left(&wrapped) != 0))
		return E_DER;
	if (responder_parse(&data, r) < 0 || time_get(&data, &r->produced_at) < 0 ||
	    der_expect(&data, DER_SEQUENCE, &r->singles) < 0)
		return E_DER;
	error = limited(count(r->singles, DER_SEQUENCE, OCSP_SINGLES_MAX),
	    "the answer speaks about too many certificates", why);
	if (error != E_NONE || buf_left(&data) == 0)
		return error;
	if (der_expect(&data, 0xa1, &wrapped) < 0 || buf_left(&data) != 0)
		return E_DER;
	return extensions_parse(wrapped, r, why);
}

/* BasicOCSPResponse */
static enum source_error
basic_parse(struct buf basic, bool allow_sha1, struct ocsp_response *r, const char **why)
{
	struct buf data, alg, bits, wrapped;
	enum source_error error;
	uint8_t unused = 0;

	*why = "RFC 6960 4.2.1: malformed BasicOCSPResponse";
	r->tbs = basic.data + basic.pos;
	if (der_expect(&basic, DER_SEQUENCE, &data) < 0)
		return E_DER;
	r->tbs_len = (size_t)(basic.data + basic.pos - r->tbs);
	if (der_expect(&basic, DER_SEQUENCE, &alg) < 0 || der_expect(&basic, DER_BIT_STRING, &bits) < 0 ||
	    buf_get_u8(&bits, &unused) < 0 || unused != 0 || buf_left(&bits) > CRL_SIGNATURE_MAX)
		return E_DER;
	r->signature = bits.data + bits.pos;
	r->signature_len = buf_left(&bits);
	if (buf_left(&basic) > 0) {
		if (der_expect(&basic, 0xa0, &wrapped) < 0 || buf_left(&basic) != 0 ||
		    der_expect(&wrapped, DER_SEQUENCE, &r->certificates) < 0 || buf_left(&wrapped) != 0)
			return E_DER;
		error = limited(count(r->certificates, DER_SEQUENCE, OCSP_CERTS_MAX),
		    "too many certificates with the answer", why);
		if (error != E_NONE)
			return error;
	}
	if ((error = data_parse(data, r, why)) != E_NONE)
		return error;
	return sigalg_parse(alg, allow_sha1, &r->alg, why);
}

/* OCSPResponseStatus: nothing but "successful" comes with an answer. */
static enum source_error
status_error(uint8_t status, const char **why)
{
	static const char *const names[] = { NULL, "the responder says: malformed request",
		"the responder says: internal error", "the responder says: try later", NULL,
		"the responder says: sign your request", "the responder says: unauthorized" };

	*why = "the responder says nothing that is known";
	if (status < sizeof(names) / sizeof(names[0]) && names[status] != NULL)
		*why = names[status];
	return E_FETCH;
}

enum source_error
ocsp_response_parse(const uint8_t *bytes, size_t len, bool allow_sha1, struct ocsp_response *r,
    uint32_t *detail, const char **why)
{
	struct buf all, outer, code, wrapped, typed, oid, basic;
	uint8_t status = 0;

	memset(r, 0, sizeof(*r));
	buf_init(&r->certificates, bytes, 0);
	*why = "RFC 6960 4.2.1: malformed OCSPResponse";
	buf_init(&all, bytes, len);
	if (der_expect(&all, DER_SEQUENCE, &outer) < 0 || buf_left(&all) != 0 ||
	    der_expect(&outer, DER_ENUMERATED, &code) < 0 || buf_left(&code) != 1 ||
	    buf_get_u8(&code, &status) < 0)
		return E_DER;
	if (status != 0) {
		*detail = status;
		return status_error(status, why);
	}
	if (der_expect(&outer, 0xa0, &wrapped) < 0 || buf_left(&outer) != 0 ||
	    der_expect(&wrapped, DER_SEQUENCE, &typed) < 0 || buf_left(&wrapped) != 0 ||
	    der_expect(&typed, DER_OID, &oid) < 0 || der_expect(&typed, DER_OCTETS, &wrapped) < 0 ||
	    buf_left(&typed) != 0)
		return E_DER;
	if (!der_equals(&oid, OID(basic_oid))) {
		*why = "RFC 6960 4.2.1: no BasicOCSPResponse";
		return E_DER;
	}
	if (der_expect(&wrapped, DER_SEQUENCE, &basic) < 0 || buf_left(&wrapped) != 0)
		return E_DER;
	return basic_parse(basic, allow_sha1, r, why);
}
