/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_crl.c -- whatever a server sends as a CRL: no crash, one verdict whatever
 * the pieces, the fast reader agrees with the careful one, and no hit. Then as if
 * it had been verified: the same hits whatever the pieces, of entries that are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>

#include "pki/crl_fast.h"
#include "pki/crl_input.h"
#include "pki/crl_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)                                            \
	do {                                               \
		if (!(x)) {                                \
			fprintf(stderr, "not: %s\n", #x);  \
			abort();                           \
		}                                          \
	} while (0)

static struct crl_scan *scan;
/* an empty name: the one that mutations meet most easily */
static const uint8_t name[] = { 0x30, 0x00 };

static void
prepare(void)
{
	static const struct inventory_key key = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } };
	static struct inventory_cert certs[256];
	static struct crl_signer signer = { .name = name, .name_len = sizeof(name), .may_sign = true };
	static const struct crl_name own = { name, sizeof(name) };
	struct crl_scan_setup setup = { .names = &own, .n_names = 1, .signers = &signer, .n_signers = 1,
		.max_size = 1 << 24 };
	uint8_t octet;
	int i;

	for (i = 0; i < 256; i++) {
		octet = (uint8_t)i;
		serial_load(&certs[i].serial, &octet, 1);
		certs[i].cert = (uint32_t)i;
	}
	MUST((signer.key = EVP_EC_gen("P-256")) != NULL);
	setup.inventory = inventory_new(certs, 256, &key);
	MUST((scan = crl_scan_new(&setup)) != NULL);
}

static int
take(void *arg, const uint8_t *der, size_t n)
{
	return crl_scan_feed(arg, der, n);
}

static int
take_begin(void *arg, uint32_t n)
{
	if (n > 0)
		crl_scan_reset(arg);
	return 0;
}

static void
take_end(void *arg, enum source_error error, const char *why)
{
	if (error != E_NONE)
		crl_scan_refuse(arg, error, why);
}

static const struct crl_input_taker taker = { take_begin, take, take_end };

static void
run(const uint8_t *data, size_t size, size_t piece, struct crl_verdict *out)
{
	struct crl_input in;
	struct crl_hit hit;
	size_t at, n, pos = 0;

	crl_input_init(&in, &taker, scan);
	crl_scan_reset(scan);
	for (at = 0; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		if (crl_input_feed(&in, data + at, n) != 0)
			break;
	}
	if (crl_input_finish(&in) != E_NONE)
		crl_scan_refuse(scan, in.error, in.why);
	MUST(crl_scan_finish(scan, NULL, 0) != E_NONE);
	MUST(!crl_scan_hit(scan, &pos, &hit));
	*out = *crl_scan_verdict(scan);
}

/* By certificate; 0xff: none. Not more of them than entries that may be ours. */
static void
run_again(const uint8_t *data, size_t size, size_t piece, uint8_t reasons[256], struct crl_verdict *out)
{
	struct crl_hit hit;
	size_t at, n, pos = 0, hits = 0;

	crl_scan_again(scan);
	for (at = 0; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		if (crl_scan_feed(scan, data + at, n) != 0)
			break;
	}
	memset(reasons, 0xff, 256);
	*out = *crl_scan_verdict(scan);
	MUST(!crl_scan_hit(scan, &pos, &hit));
	(void)crl_scan_finish(scan, NULL, 0);
	*out = *crl_scan_verdict(scan);
	while (crl_scan_hit(scan, &pos, &hit)) {
		MUST(out->error == E_NONE && hit.cert < 256 && crl_reason_known((uint8_t)hit.reason));
		MUST(hit.reason != CRL_REASON_REMOVE || out->delta);
		reasons[hit.cert] = (uint8_t)hit.reason;
		hits++;
	}
	MUST(hits <= out->entries);
	MUST(out->error == E_NONE ? out->size == size : out->why != NULL);
}

static void
entries_agree(const uint8_t *data, size_t size)
{
	struct crl_entry fast, slow;
	const char *why;
	size_t total;

	if ((total = crl_entry_fast(data, size, &fast)) == 0)
		return;
	MUST(total <= size && crl_entry_parse(data, total, &slow, &why) == E_NONE);
	MUST(fast.serial == slow.serial && fast.serial_len == slow.serial_len);
	MUST(fast.date == slow.date && fast.date_tag == slow.date_tag);
	MUST(fast.reason == slow.reason && fast.warnings == slow.warnings);
	MUST(fast.extended == slow.extended && !slow.has_issuer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crl_verdict whole, pieces;
	uint8_t reasons[256], others[256];

	if (scan == NULL)
		prepare();
	run(data, size, size > 0 ? size : 1, &whole);
	run(data, size, 1 + size % 7, &pieces);
	/* PEM text that goes wrong stops the scanner at the piece it came with */
	if (size > 0 && data[0] == 0x30)
		MUST(whole.error == pieces.error && whole.offset == pieces.offset &&
		    whole.entries == pieces.entries);
	if (size > 0 && data[0] == 0x30) {
		run_again(data, size, size, reasons, &whole);
		run_again(data, size, 1 + size % 11, others, &pieces);
		MUST(memcmp(reasons, others, sizeof(reasons)) == 0);
		MUST(memcmp(&whole, &pieces, sizeof(whole)) == 0);
	}
	entries_agree(data, size);
	return 0;
}
