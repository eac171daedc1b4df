/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ocsp.c -- whatever a responder sends: no crash, always a reason, and never an
 * answer, since nobody signed these for us. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "pki/ocsp_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)                                            \
	do {                                               \
		if (!(x)) {                                \
			fprintf(stderr, "not: %s\n", #x);  \
			abort();                           \
		}                                          \
	} while (0)

static X509 *ca;

/* With a key that is always the same, so that inputs that are kept name it; nobody
 * has the private one. */
static void
prepare(void)
{
	static const uint8_t public[32] = { 9 };
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, sizeof(public));

	MUST(key != NULL && (ca = X509_new()) != NULL);
	MUST(X509_set_pubkey(ca, key) == 1);
	EVP_PKEY_free(key);
}

static bool
never(void *arg, const uint8_t *serial, size_t n)
{
	(void)arg;
	(void)serial;
	(void)n;
	return false;
}

/* Asked about the last certificate that it speaks about: so that the signature is
 * what it must fail at. */
static void
check_last(const uint8_t *data, size_t size)
{
	struct ocsp_question q = { .issuers = &ca, .n_issuers = 1, .responders = &ca, .n_responders = 1,
		.allow_sha1 = true };
	struct ocsp_policy p = { .now = { .wall_ms = 1768000000000 }, .skew_ms = 300000, .max_age_ms = 86400000,
		.revoked = never };
	struct ocsp_response r;
	struct ocsp_single single;
	struct ocsp_answer out;
	const char *why = NULL;
	uint32_t detail = 0;

	if (ocsp_response_parse(data, size, true, &r, &detail, &why) == E_NONE) {
		MUST(r.tbs >= data && r.tbs + r.tbs_len <= data + size);
		while (buf_left(&r.singles) > 0 && ocsp_single_parse(&r.singles, &single, &why) == E_NONE) {
			q.serial = single.serial.data + single.serial.pos;
			q.serial_len = buf_left(&single.serial);
		}
	}
	ocsp_response_check(data, size, &q, &p, &out);
	MUST(out.status == OCSP_NO_ANSWER && out.error != E_NONE && out.why != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (ca == NULL)
		prepare();
	check_last(data, size);
	return 0;
}
