/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_subjects.c -- from a policy image to authorities, signers and the certificates
 * that CRLs speak about: how they hang together, and what a large fleet costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <malloc.h>

#include "pki/authority_parts.h"
#include "world.h"

#define POINT "http://ca.example/one.crl"

static const struct inventory_key hash_key = { { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3 } };

static void
test_hierarchy(void **state)
{
	struct world *w = world_new();
	uint32_t root = world_ca(w, "root", NOBODY, 1), sub = world_ca(w, "sub", root, 2), d = world_device(w);
	const struct authority *r, *s;
	const struct trust_certificate *c;

	(void)state;
	world_roll(w, root);
	world_cert(w, d, sub, 11, &(struct world_cert){ .point = POINT });
	world_serial(w, d, root, 12);
	world_start(w);
	r = &w->all->authorities[root];
	s = &w->all->authorities[sub];
	assert_int_equal(r->n_certificates, 2);
	assert_int_equal(r->n_signers, 2);
	assert_int_equal(s->n_signers, 1);
	/* the root's own are anchors; the other one is its subject */
	assert_true(w->all->certificates[r->first_certificate].anchor);
	c = &w->all->certificates[s->first_certificate];
	assert_false(c->anchor);
	assert_int_equal(c->parent, root);
	assert_int_equal(c->parent_certificate, r->first_certificate);
	assert_int_equal(r->n_subjects, 2);
	assert_int_equal(c->subject, 1);
	assert_int_equal(r->subjects[1].flags, SUBJECT_CA | SUBJECT_KNOWN | SUBJECT_ISSUES);
	assert_int_equal(r->subjects[1].serial[0], 2);
	assert_int_equal(r->subjects[1].device, s->first_certificate);
	assert_memory_equal(r->subjects[1].key, c->key, sizeof(r->subjects[1].key));
	/* the device's */
	assert_int_equal(s->subjects[0].flags, SUBJECT_KNOWN);
	assert_int_equal(s->subjects[0].issuer, s->first_certificate);
	assert_int_equal(s->subjects[0].n_points, 1);
	assert_int_equal(s->subjects[0].not_after, NOW + 365 * DAY);
	assert_int_equal(s->subjects[0].not_before, NOW - 365 * DAY);
	assert_int_equal(r->subjects[0].flags, 0);
	assert_int_equal(r->subjects[0].issuer, TRUST_NONE);
	assert_int_equal(r->subjects[0].place, 1);
	assert_int_equal(w->all->devices[0].number, 100);
	assert_int_equal(w->all->devices[0].n, 2);
	assert_int_equal(w->all->refs[0].authority, sub);
	assert_int_equal(w->all->refs[1].authority, root);
	assert_int_equal(inventory_count(r->inventory), 2);
	world_free(w);
}

/* One key with two certificates is one signer; a name alone makes no parent. */
static void
test_one_key_two_certificates(void **state)
{
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), b = world_ca(w, "two", NOBODY, 1), sub = world_ca(w, "sub", a, 2);
	const struct authority *s;
	uint32_t which;

	(void)state;
	world_cross(w, sub, 0, b, 3);
	world_delegate(w, a, b);
	/* an impostor of "one": the name is the same, the key is not */
	world_ca(w, "one", NOBODY, 1);
	world_start(w);
	s = &w->all->authorities[sub];
	assert_int_equal(s->n_certificates, 2);
	assert_int_equal(s->n_signers, 1);
	assert_int_equal(w->all->certificates[s->first_certificate].parent, a);
	assert_int_equal(w->all->certificates[s->first_certificate + 1].parent, b);
	assert_int_equal(w->all->certificates[s->first_certificate + 1].node, s->first_certificate);
	assert_int_equal(w->all->authorities[3].n_subjects, 0);
	assert_int_equal(w->all->authorities[a].n_signers, 2);
	assert_int_equal(w->all->authorities[a].signed_by[1].role, ISSUER_CRL);
	assert_int_equal(authority_signer_find(&w->all->authorities[a],
			     w->all->authorities[b].signed_by[0].key_digest, &which), 0);
	assert_int_equal(which, 1);
	assert_true(authority_signer_find(s, w->all->authorities[b].signed_by[0].key_digest, &which) < 0);
	world_free(w);
}

/* One that cannot be read takes nothing from the others. */
static void
test_unreadable(void **state)
{
	struct world *w = world_new();
	uint32_t a = world_ca(w, "one", NOBODY, 1), b = world_ca(w, "two", NOBODY, 1), d = world_device(w);

	(void)state;
	world_cert(w, d, a, 11, NULL);
	world_cert(w, d, b, 12, NULL);
	w->blobs.p[w->issuers[0].issuer.certificate + 4] ^= 0xff;
	w->blobs.p[w->certs[0].certificate.chain + 4] ^= 0xff;
	world_start(w);
	assert_int_equal(w->all->authorities[a].n_signers, 0);
	assert_null(w->all->authorities[a].subject.der);
	assert_int_equal(w->all->authorities[a].subjects[0].flags, 0);
	assert_int_equal(w->all->authorities[a].subjects[0].issuer, TRUST_NONE);
	assert_int_equal(w->all->authorities[b].n_signers, 1);
	world_judge(w);
	assert_int_equal(trust_verdicts(w->trust)[d].check, CHECK_UNCHECKED | CHECK_CHAIN_UNKNOWN);
	world_free(w);
}

/* Cut anywhere it is refused with nothing changed; changed anywhere it does no harm. */
static void
test_foreign_octets(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "one", NOBODY, 1);
	const struct image_certificate *c = &w->certs[0].certificate;
	struct subject s, before;
	uint8_t *copy;
	size_t i;
	unsigned bit;

	(void)state;
	world_cert(w, world_device(w), ca, 11, &(struct world_cert){ .point = POINT });
	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < c->chain_len; i++) {
		copy = malloc(i + 1);
		memcpy(copy, w->blobs.p + c->chain, i);
		s = before;
		assert_true(subject_read(&s, copy, i) < 0);
		assert_memory_equal(&s, &before, sizeof(s));
		free(copy);
	}
	copy = malloc(c->chain_len);
	memcpy(copy, w->blobs.p + c->chain, c->chain_len);
	for (i = 0; i < c->chain_len; i++) {
		for (bit = 0; bit < 8; bit++) {
			copy[i] ^= (uint8_t)(1U << bit);
			memset(&s, 0, sizeof(s));
			if (subject_read(&s, copy, c->chain_len) == 0)
				assert_true(s.n_points <= SUBJECT_POINTS);
			copy[i] ^= (uint8_t)(1U << bit);
		}
	}
	free(copy);
	world_free(w);
}

/* ---- a large fleet ------------------------------------------------------ */

#define FLEET 100000U

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Where in a certificate its serial's four octets stand, and its key's. */
static uint8_t *
find(uint8_t *der, size_t len, const uint8_t *octets, size_t n)
{
	size_t i;

	for (i = 0; i + n <= len; i++)
		if (memcmp(der + i, octets, n) == 0)
			return der + i;
	fail();
	return NULL;
}

/* A CRL that lists all of them: how long until it is known what becomes of each? */
static void
all_listed(struct trust *trust, struct trust_input *in)
{
	struct series s = { .full = { .valid = true, .this_update = NOW - HOUR, .next_update = NOW + DAY,
		.reasons = REASONS_ALL, .n_hits = FLEET } };
	struct trust_input with = *in;
	struct trust_decision d;
	double start;
	uint32_t i;

	assert_non_null(s.full.hits = calloc(FLEET, sizeof(*s.full.hits)));
	for (i = 0; i < FLEET; i++)
		s.full.hits[i] = (struct crl_hit){ .cert = i, .reason = 1, .revoked_at = NOW - DAY };
	with.series = &s;
	with.n_series = 1;
	start = seconds();
	assert_int_equal(trust_judge(trust, &with), 0);
	assert_int_equal(trust_decide(trust, &with, NULL, 0, &d), 0);
	print_message("all of them compromised: judged and decided in %.3f s\n", seconds() - start);
	assert_int_equal(d.n_tighten, FLEET);
	assert_int_equal(d.n_loosen, 0);
	free(s.full.hits);
}

static void
test_large_fleet(void **state)
{
	struct world *w = world_new();
	uint32_t ca = world_ca(w, "one", NOBODY, 1), i, len;
	struct image_device *devices = calloc(FLEET, sizeof(*devices));
	struct image_certificate *certs = calloc(FLEET, sizeof(*certs));
	struct image im;
	struct authorities *all;
	struct trust *trust;
	struct trust_input in = { .clock = { .wall_ms = NOW, .trusted = true } };
	uint8_t *blobs, *serial;
	size_t before, used;
	double start, loaded, judged;

	(void)state;
	world_cert(w, world_device(w), ca, 0x5a, &(struct world_cert){ .point = POINT });
	len = w->certs[0].certificate.chain_len;
	world_start(w);
	blobs = malloc(w->blobs.n + (size_t)FLEET * len);
	assert_non_null(blobs);
	memcpy(blobs, w->blobs.p, w->blobs.n);
	for (i = 0; i < FLEET; i++) {
		uint8_t *der = blobs + w->blobs.n + (size_t)i * len;

		memcpy(der, w->blobs.p + w->certs[0].certificate.chain, len);
		/* another key: the octets behind the curve's name and the point's form */
		serial = find(der, len, (const uint8_t *)"\x03\x42\x00\x04", 4) + 4;
		memcpy(serial, &i, sizeof(i));
		devices[i] = (struct image_device){ .number = i + 1, .certificates = { i, 1 } };
		certs[i] = (struct image_certificate){ .authority = 1, .serial_len = 4, .issuer = 1,
			.chain = (uint32_t)(w->blobs.n + (size_t)i * len), .chain_len = len,
			.serial = { 1, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
	}
	im = w->image;
	im.blobs = blobs;
	im.devices = devices;
	im.certificates = certs;
	im.n[IMAGE_DEVICES] = im.n[IMAGE_CERTIFICATES] = FLEET;
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	start = seconds();
	assert_non_null(all = authorities_new(&im, &hash_key));
	loaded = seconds() - start;
	used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	assert_int_equal(all->authorities[0].n_subjects, FLEET);
	assert_int_equal(all->authorities[0].clones, 0);
	assert_int_equal(all->authorities[0].subjects[FLEET - 1].flags, SUBJECT_KNOWN);
	assert_memory_not_equal(all->authorities[0].subjects[0].key, all->authorities[0].subjects[1].key, 16);
	assert_non_null(trust = trust_new(all));
	start = seconds();
	assert_int_equal(trust_judge(trust, &in), 0);
	judged = seconds() - start;
	all_listed(trust, &in);
	print_message("%u certificates: read in %.2f s, %.1f octets each beside struct subject (%zu); judged in "
	    "%.3f s\n", FLEET, loaded, (double)used / FLEET - sizeof(struct subject), sizeof(struct subject),
	    judged);
	assert_true(used <= (size_t)FLEET * (sizeof(struct subject) + 96) + 65536);
#if !defined(__SANITIZE_ADDRESS__)
	assert_true(loaded < 2.0);
#endif
	trust_free(trust);
	authorities_free(all);
	free(blobs);
	free(devices);
	free(certs);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hierarchy),
		cmocka_unit_test(test_one_key_two_certificates),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_foreign_octets),
		cmocka_unit_test(test_large_fleet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
