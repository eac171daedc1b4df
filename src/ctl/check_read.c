/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_read.c -- read a body that may hold several CRLs, and find out whose each
 * is. Runs in the child: whatever the bytes do, they do it there. Memory does not
 * grow with a CRL, unless it is signed with Ed25519 or Ed448. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "ctl/check.h"
#include "pki/crl_input.h"
#include "pki/der.h"
#include "pki/name.h"

#define PIECE 65536
#define PROGRESS_STEP (8U << 20)
/* A CRL's issuer and algorithm stand in front: a name of 4096 octets at most. */
#define HEAD_MAX 8192

/* What begins a CRL, as far as it can be told without a verdict. */
struct head {
	struct crl_name issuer;
	char algorithm[64];
	bool whole_message;	/* Ed25519, Ed448: they sign the message, not its hash */
};

struct reader {
	struct check_run *run;
	check_crl_fn *fn;
	uint32_t n;
	/* the CRL that is being read */
	uint8_t bytes[HEAD_MAX];
	size_t n_bytes;
	struct head head;
	char issuer[CHECK_NAME];
	struct crl_scan *scans[CHECK_SCANS];
	uint32_t authorities[CHECK_SCANS];
	size_t n_scans;
	uint8_t *message;
	size_t message_len, message_room;
	bool begun;
};

void
check_copy(char *out, size_t size, const char *text)
{
	size_t len = text != NULL ? strnlen(text, size - 1) : 0;

	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

/* ---- the head ----------------------------------------------------------- */

static void
name_text(const struct crl_name *name, char *out, size_t size)
{
	const uint8_t *p = name->der;
	X509_NAME *x = name->der != NULL ? d2i_X509_NAME(NULL, &p, (long)name->len) : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	/* RFC 2253's form; characters beyond ASCII as they are, controls escaped. */
	if (x != NULL && bio != NULL &&
	    X509_NAME_print_ex(bio, x, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_read(bio, out, (int)size - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
	X509_NAME_free(x);
}

static void
algorithm_read(struct head *h, const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &p, (long)len);
	const ASN1_OBJECT *oid;
	int nid;

	if (alg == NULL)
		return;
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	nid = OBJ_obj2nid(oid);
	h->whole_message = nid == NID_ED25519 || nid == NID_ED448;
	if (OBJ_obj2txt(h->algorithm, sizeof(h->algorithm), oid, nid == NID_undef) <= 0)
		h->algorithm[0] = '\0';
	X509_ALGOR_free(alg);
}

/* CertificateList, tbsCertList, version, signature, issuer: RFC 5280 5.1. Only to
 * choose who is asked; the scan judges. */
static void
head_read(const uint8_t *p, size_t n, struct head *h)
{
	struct der_head d;
	size_t at = 0;
	int i;

	memset(h, 0, sizeof(*h));
	for (i = 0; i < 2; i++) {
		if (der_peek(p + at, n - at, &d) < 0 || d.tag != DER_SEQUENCE)
			return;
		at += d.head_len;
	}
	if (der_peek(p + at, n - at, &d) == 0 && d.tag == DER_INTEGER && d.len < n - at - d.head_len)
		at += d.head_len + (size_t)d.len;
	if (der_peek(p + at, n - at, &d) < 0 || d.tag != DER_SEQUENCE || d.len >= n - at - d.head_len)
		return;
	algorithm_read(h, p + at, d.head_len + (size_t)d.len);
	at += d.head_len + (size_t)d.len;
	if (der_peek(p + at, n - at, &d) < 0 || d.tag != DER_SEQUENCE || d.len > n - at - d.head_len)
		return;
	h->issuer = (struct crl_name){ p + at, d.head_len + (size_t)d.len };
}

/* ---- who is asked ------------------------------------------------------- */

static bool
may_issue(const struct check_authority *a, const struct crl_name *issuer)
{
	size_t i;

	if (issuer->der == NULL)
		return false;
	for (i = 0; i < a->n_signers; i++)
		if (name_equal(a->signers[i].name, a->signers[i].name_len, issuer->der, issuer->len))
			return true;
	return false;
}

static int
add_scan(struct reader *r, uint32_t index)
{
	const struct check *k = r->run->check;
	const struct check_authority *a = index != CHECK_NONE ? &k->list[index] : NULL;
	struct crl_scan_setup setup = { .max_size = LIMIT_CRL_BYTES };

	if (a != NULL)
		setup = (struct crl_scan_setup){ .names = a->names, .n_names = a->n_names, .signers = a->signers,
			.n_signers = a->n_signers, .max_size = a->max_bytes, .allow_sha1 = a->allow_sha1,
			.inventory = a->index != CHECK_NONE ? k->all->authorities[a->index].inventory : NULL };
	if ((r->scans[r->n_scans] = crl_scan_new(&setup)) == NULL)
		return -ENOMEM;
	r->authorities[r->n_scans++] = index;
	return 0;
}

/* Each authority that it may be of; nobody of that name: for what is wrong with it. */
static int
begin_scans(struct reader *r)
{
	const struct check *k = r->run->check;
	uint32_t i;
	size_t n;
	int rc = 0;

	r->begun = true;
	head_read(r->bytes, r->n_bytes, &r->head);
	name_text(&r->head.issuer, r->issuer, sizeof(r->issuer));
	for (i = 0; i < k->n_list && r->n_scans < CHECK_SCANS && rc == 0; i++)
		if (may_issue(&k->list[i], &r->head.issuer))
			rc = add_scan(r, i);
	if (rc == 0 && r->n_scans == 0)
		rc = add_scan(r, CHECK_NONE);
	for (n = 0; n < r->n_scans && rc == 0; n++)
		(void)crl_scan_feed(r->scans[n], r->bytes, r->n_bytes);
	return rc;
}

/* ---- its bytes ---------------------------------------------------------- */

static int
keep_message(struct reader *r, const uint8_t *p, size_t n)
{
	size_t room = r->message_room;
	uint8_t *more;

	while (room - r->message_len < n)
		room = room != 0 ? 2 * room : PIECE;
	if (room != r->message_room) {
		if (room > 2 * LIMIT_CRL_BYTES || (more = realloc(r->message, room)) == NULL)
			return -ENOMEM;
		r->message = more;
		r->message_room = room;
	}
	memcpy(r->message + r->message_len, p, n);
	r->message_len += n;
	return 0;
}

static int
begin(void *arg, uint32_t n)
{
	struct reader *r = arg;

	r->n = n;
	r->n_bytes = r->message_len = 0;
	r->begun = false;
	return 0;
}

/* Not 0 once all scans have refused it: the rest need not be read. */
static int
feed_scans(struct reader *r, const uint8_t *p, size_t n)
{
	bool going = false;
	size_t i;

	if (r->head.whole_message && keep_message(r, p, n) < 0)
		return -ENOMEM;
	for (i = 0; i < r->n_scans; i++)
		going |= crl_scan_feed(r->scans[i], p, n) == 0;
	return going ? 0 : -EBADMSG;
}

static int
der(void *arg, const uint8_t *p, size_t n)
{
	struct reader *r = arg;
	size_t part;

	if (r->begun)
		return feed_scans(r, p, n);
	part = n < HEAD_MAX - r->n_bytes ? n : HEAD_MAX - r->n_bytes;
	memcpy(r->bytes + r->n_bytes, p, part);
	r->n_bytes += part;
	if (r->n_bytes < HEAD_MAX)
		return 0;
	if (begin_scans(r) < 0 || (r->head.whole_message && keep_message(r, r->bytes, r->n_bytes) < 0))
		return -ENOMEM;
	return part < n ? feed_scans(r, p + part, n - part) : 0;
}

/* ---- its end ------------------------------------------------------------ */

static enum source_error
finish(struct reader *r, struct crl_scan *scan)
{
	const struct crl_verdict *v = crl_scan_verdict(scan);

	if (!crl_scan_needs_message(scan))
		return crl_scan_finish(scan, NULL, 0);
	if (v->signed_offset > r->message_len || v->signed_len > r->message_len - v->signed_offset)
		return crl_scan_finish(scan, NULL, 0);
	return crl_scan_finish(scan, r->message + v->signed_offset, (size_t)v->signed_len);
}

static void
fill(struct reader *r, struct check_report *out, const struct crl_verdict *v)
{
	memset(out, 0, sizeof(*out));
	out->n = r->n;
	out->error = v->error;
	out->authority = out->signer = CHECK_NONE;
	out->warnings = v->warnings;
	out->scope = v->scope;
	out->reasons = v->reasons;
	out->version = v->version;
	out->delta = v->delta;
	out->freshest = v->freshest;
	out->offset = v->offset;
	out->size = v->size;
	out->entries = v->entries;
	out->this_update = v->this_update;
	out->next_update = v->next_update;
	out->number_len = v->number_len;
	out->base_len = v->base_len;
	memcpy(out->number, v->number, sizeof(out->number));
	memcpy(out->base, v->base, sizeof(out->base));
	check_copy(out->why, sizeof(out->why), v->why);
	check_copy(out->issuer, sizeof(out->issuer), r->issuer);
	check_copy(out->algorithm, sizeof(out->algorithm), r->head.algorithm);
}

static bool
lists_any(const struct crl_scan *scan)
{
	struct crl_hit hit;
	size_t pos = 0;

	return crl_scan_hit(scan, &pos, &hit);
}

/* Those that verify it, one that lists any of ours first. */
static void
finish_all(struct reader *r, enum source_error error, const char *why, struct check_found *found)
{
	size_t i, at;

	found->n = 0;
	for (i = 0; i < r->n_scans; i++) {
		if (error != E_NONE)
			crl_scan_refuse(r->scans[i], error, why);
		if (finish(r, r->scans[i]) != E_NONE)
			continue;
		at = found->n++;
		if (at > 0 && lists_any(r->scans[i]) && !lists_any(found->scans[0])) {
			found->scans[at] = found->scans[0];
			found->authorities[at] = found->authorities[0];
			at = 0;
		}
		found->scans[at] = r->scans[i];
		found->authorities[at] = r->authorities[i];
	}
}

static void
end(void *arg, enum source_error error, const char *why)
{
	const struct crl_signer *signer;
	struct reader *r = arg;
	struct check_report report;
	struct check_found found;
	size_t i;

	if (!r->begun && begin_scans(r) == 0 && r->head.whole_message)
		(void)keep_message(r, r->bytes, r->n_bytes);
	finish_all(r, error, why, &found);
	if (found.n > 0) {
		fill(r, &report, crl_scan_verdict(found.scans[0]));
		report.authority = found.authorities[0];
		report.signer = (uint32_t)crl_scan_verdict(found.scans[0])->signer;
		signer = &r->run->check->list[report.authority].signers[report.signer];
		name_text(&(struct crl_name){ signer->name, signer->name_len }, report.signed_by, sizeof(report.signed_by));
		r->fn(r->run, &report, &found);
	} else if (r->n_scans > 0) {
		fill(r, &report, crl_scan_verdict(r->scans[0]));
		report.authority = r->authorities[0];
		r->fn(r->run, &report, NULL);
	}
	for (i = 0; i < r->n_scans; i++)
		crl_scan_free(r->scans[i]);
	r->n_scans = 0;
}

void
check_read(struct check_run *run, int fd, check_crl_fn *fn, struct check_end *out)
{
	static const struct crl_input_taker taker = { .begin = begin, .der = der, .end = end };
	static uint8_t piece[PIECE];
	static struct reader r;
	static struct crl_input in;
	uint64_t told = 0;
	ssize_t n;

	memset(&r, 0, sizeof(r));
	memset(out, 0, sizeof(*out));
	r.run = run;
	r.fn = fn;
	crl_input_init(&in, &taker, &r);
	run->bytes = 0;
	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			out->error = E_FETCH;
			check_copy(out->why, sizeof(out->why), strerror(errno));
			break;
		}
		run->bytes += (uint64_t)n;
		if (run->bytes - told >= PROGRESS_STEP) {
			told = run->bytes;
			check_send(run, FRAME_PROGRESS, &told, sizeof(told), NULL, 0);
		}
		if (crl_input_feed(&in, piece, (size_t)n) != 0)
			break;
	}
	if (out->error == E_NONE) {
		out->error = crl_input_finish(&in);
		check_copy(out->why, sizeof(out->why), in.why);
	}
	out->detail = in.detail;
	out->crls = in.n;
	out->bytes = run->bytes;
	free(r.message);
}
