/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_image_revocation.c -- what an image says of authorities and of quarantine: the
 * compiler writes it, and every field of it that is spoiled is refused. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/image_check.h"
#include "proto/limits.h"
#include "sample.h"

static uint8_t *bytes;
static size_t bytes_len;
static struct image im;

static int
setup(void **state)
{
	struct policy *p = sample_revocation();

	(void)state;
	im = sample_image(p, NULL, &bytes, &bytes_len);
	policy_free(p);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(bytes);
	return 0;
}

struct spoiled {
	uint8_t *data;
	struct image_header *h;
};

static struct spoiled
spoil(void)
{
	struct spoiled s = { .data = malloc(bytes_len) };

	assert_non_null(s.data);
	memcpy(s.data, bytes, bytes_len);
	s.h = (struct image_header *)(void *)s.data;
	return s;
}

static void *
record(struct spoiled *s, enum image_section section, uint32_t index)
{
	const struct image_section_ref *r = &s->h->sections[section];

	assert_true(index < r->n);
	return s->data + r->offset + (size_t)index * r->record;
}

/* Frees the copy. */
static void
refused(struct spoiled *s, const char *want)
{
	const char *why;
	struct image out;

	image_digest(s->h, s->h->digest);
	assert_int_equal(image_open(s->data, bytes_len, &out, &why), -EBADMSG);
	assert_string_equal(why, want);
	free(s->data);
}

/* One line per rule: which field gets which value, and what is said. */
#define SPOIL(section, index, type, field, value, want) do {	\
	struct spoiled s_ = spoil();				\
	struct type *r_ = record(&s_, section, index);		\
	r_->field = (value);					\
	refused(&s_, want);					\
} while (0)

#define AUTHORITY(field, value, want) SPOIL(IMAGE_AUTHORITIES, 1, image_authority, field, value, want)
#define SOURCE(index, field, value, want) SPOIL(IMAGE_SOURCES, index, image_source, field, value, want)
#define CLASS(index, field, value, want) SPOIL(IMAGE_CLASSES, index, image_class, field, value, want)

static uint32_t
index_of(const char *name)
{
	const struct image_class *c = image_class_named(&im, name);

	assert_non_null(c);
	return (uint32_t)(c - im.classes);
}

static void
test_authority(void **state)
{
	const char *range = "an authority's refresh or when_stale is out of range";
	const char *times = "an authority's times are out of range";

	(void)state;
	assert_int_equal(im.authorities[1].issuers.n, 4);
	assert_int_equal(im.authorities[1].restrict_class, image_class_named(&im, "limited")->number);
	AUTHORITY(when_stale, WHEN_STALE_QUARANTINE + 1, range);
	AUTHORITY(when_unchecked, WHEN_STALE_QUARANTINE + 1, range);
	AUTHORITY(flags, AUTHORITY_FLAGS + 1, range);
	AUTHORITY(refresh_s, LIMIT_REFRESH_SECONDS + 1, range);
	AUTHORITY(skew_s, LIMIT_REFRESH_SECONDS + 1, times);
	AUTHORITY(grace_s, LIMIT_REFRESH_SECONDS + 1, times);
	AUTHORITY(max_age_s, LIMIT_REFRESH_SECONDS + 1, times);
	AUTHORITY(max_age_s, 0, times);
	AUTHORITY(issuers.n, LIMIT_ISSUERS_PER_AUTHORITY + 1, "an authority's certificates are out of range");
	AUTHORITY(issuers.first, 0, "an authority's certificates are out of range");
	AUTHORITY(sources.first, 0, "an authority's sources are out of range");
	AUTHORITY(restrict_class, 0, "an authority restricts to no class, or names one for nothing");
	AUTHORITY(when_stale, WHEN_STALE_KEEP, "an authority restricts to no class, or names one for nothing");
	AUTHORITY(restrict_class, 99, "an authority restricts to what is no class");
	AUTHORITY(restrict_class, image_class_named(&im, "sensor/quarantine")->number,
	    "an authority restricts to what is no class");
	SPOIL(IMAGE_ISSUERS, 1, image_issuer, role, ISSUER_CRL, "an authority's certificates are not in order");
	SPOIL(IMAGE_ISSUERS, 4, image_issuer, role, ISSUER_OCSP + 1, "an authority's certificates are not in order");
}

static void
test_ocsp(void **state)
{
	const char *range = "an authority's OCSP is out of range";

	(void)state;
	AUTHORITY(ocsp.devices, OCSP_ALL + 1, range);
	AUTHORITY(ocsp.devices, OCSP_OFF, "OCSP is off and says something");
	AUTHORITY(ocsp.url, 0, range);
	AUTHORITY(ocsp.url, UINT32_MAX, range);
	AUTHORITY(ocsp.refresh_s, 0, range);
	AUTHORITY(ocsp.refresh_s, LIMIT_REFRESH_SECONDS + 1, range);
	AUTHORITY(ocsp.max_age_s, 0, range);
	AUTHORITY(ocsp.max_age_s, LIMIT_REFRESH_SECONDS + 1, range);
	AUTHORITY(ocsp.need_nonce, 2, range);
	AUTHORITY(ocsp.unknown, WHEN_STALE_QUARANTINE + 1, range);
	SPOIL(IMAGE_AUTHORITIES, 0, image_authority, ocsp.url, 1, "OCSP is off and says something");
}

/* The first authority has one source; line-ca has its base, the base's delta, and one
 * that stood in devices' certificates. */
static void
test_sources(void **state)
{
	const char *limits = "a source's limits are out of range", *text = "a source's text is out of range";
	const char *base = "a source's base is none";

	(void)state;
	assert_int_equal(im.n[IMAGE_SOURCES], 4);
	assert_int_equal(im.sources[2].base, 1);
	SOURCE(1, flags, SOURCE_FLAGS + 1, "a source is not valid");
	SOURCE(1, base, 1, base);
	SOURCE(2, base, 0, base);	/* another authority's */
	SOURCE(2, base, 2, base);
	SOURCE(2, base, 3, base);
	SOURCE(1, refresh_s, 0, limits);
	SOURCE(1, refresh_s, LIMIT_REFRESH_SECONDS + 1, limits);
	SOURCE(1, max_bytes, 0, limits);
	SOURCE(1, max_bytes, LIMIT_CRL_BYTES + 1, limits);
	SOURCE(1, timeout_s, 0, limits);
	SOURCE(1, timeout_s, LIMIT_FETCH_SECONDS + 1, limits);
	SOURCE(1, pin, UINT32_MAX, text);
	SOURCE(1, proxy, UINT32_MAX, text);
	SOURCE(1, no_proxy, UINT32_MAX, text);
	SOURCE(1, hosts, UINT32_MAX, text);
	SOURCE(1, proxy, im.sources[1].hosts, "a source's proxy is none");
	SOURCE(1, ca_len, LIMIT_FETCH_CA + 1, "a source's CA is out of range");
	SOURCE(1, ca, 1, "a source's CA is out of range");
	SOURCE(1, urls.n, LIMIT_URLS_PER_SOURCE + 1, "a source's addresses are out of range");
	SOURCE(1, where.file, UINT32_MAX, "a source is not valid");
}

static char *
long_text(size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

/* What no admin can write, since the reader would have refused it. *at: takes text. */
static void
source_text(struct policy *p, char **at, char *text, const char *want)
{
	struct mistakes *m = calloc(1, sizeof(*m));
	uint8_t *out = NULL;
	struct image opened;
	const char *why = "";
	size_t len;

	assert_non_null(m);
	free(*at);
	*at = text;
	assert_int_equal(compile_policy(p, NULL, m, &out, &len), 0);
	assert_int_equal(image_open(out, len, &opened, &why), want == NULL ? 0 : -EBADMSG);
	if (want != NULL)
		assert_string_equal(why, want);
	free(out);
	policy_free(p);
	mistakes_done(m);
	free(m);
}

static void
test_source_text(void **state)
{
	const char *wrong = "a source's text is out of range";
	struct policy *p;

	(void)state;
	/* Whatever a certificate says, it leads to no file. */
	p = sample_revocation();
	source_text(p, &p->authorities[1].sources[2].urls[0], strdup("file:///etc/shadow"),
	    "a source's address is not valid");
	p = sample_revocation();
	source_text(p, &p->authorities[1].sources[0].hosts, strdup("a\"; key = \"b"), wrong);
	p = sample_revocation();
	source_text(p, &p->authorities[1].sources[0].hosts, long_text(LIMIT_URL - 1), NULL);
	p = sample_revocation();
	source_text(p, &p->authorities[1].sources[0].hosts, long_text(LIMIT_URL), wrong);
	p = sample_revocation();
	source_text(p, &p->authorities[1].sources[0].no_proxy, long_text(LIMIT_URL), wrong);
	p = sample_revocation();
	source_text(p, &p->authorities[1].sources[0].pin, long_text(LIMIT_PIN - 1), NULL);
	p = sample_revocation();
	source_text(p, &p->authorities[1].sources[0].pin, long_text(LIMIT_PIN), wrong);
}

static void
test_certificates(void **state)
{
	const char *none = "a certificate's issuer is none";
	const struct image_device *d = image_device_named(&im, "sensor-1");
	uint32_t second = d->certificates.first + 1;

	(void)state;
	assert_int_equal(d->flags, DEVICE_CRITICAL);
	assert_int_equal(d->certificates.n, 2);
	assert_int_equal(im.certificates[second].issuer, 2);
	SPOIL(IMAGE_CERTIFICATES, second, image_certificate, issuer, 3, none);	/* who signs CRLs for it */
	SPOIL(IMAGE_CERTIFICATES, second, image_certificate, issuer, 5, none);
	SPOIL(IMAGE_CERTIFICATES, second - 1, image_certificate, issuer, 1, none);	/* a serial alone */
	SPOIL(IMAGE_CERTIFICATES, second, image_certificate, authority, 1, none);
}

static void
test_quarantine(void **state)
{
	const char *more = "a class's quarantine does more than one", *none = "a class's quarantine is none, or another one's";
	const struct image_class *q = image_class_named(&im, "sensor/quarantine");
	uint32_t sensor = index_of("sensor"), hidden = index_of("sensor/quarantine");
	uint32_t sub = image_class_named(&im, "sub-sensor/quarantine")->number;

	(void)state;
	assert_int_equal(im.classes[sensor].quarantine, q->number);
	assert_int_equal(q->hints, CLASS_QUARANTINE);
	assert_int_equal(im.n[IMAGE_CLASSES], 7);
	assert_int_equal(image_declared_classes(&im), 4);
	assert_int_equal(q->named, 0);
	CLASS(hidden, mode, MODE_AUDIT, more);
	CLASS(hidden, refuse, REFUSE_REJECT, more);
	CLASS(hidden, rate, 1, more);
	CLASS(hidden, quarantine, sub, more);
	CLASS(hidden, hints, CLASS_QUARANTINE | CLASS_INBOUND, more);
	CLASS(hidden, name, im.classes[sensor].name, more);
	CLASS(hidden, hints, 0, "a class's name is not valid");
	CLASS(hidden, named, 1, "a class is not marked as named, or is without reason");
	CLASS(sensor, quarantine, 0, "a quarantine belongs to no class");
	CLASS(sensor, quarantine, sub, none);
	CLASS(sensor, quarantine, 99, none);
	CLASS(sensor, quarantine, image_class_named(&im, "limited")->number, none);
	CLASS(index_of("limited"), quarantine, q->number, none);
	CLASS(0, quarantine, q->number, none);
	CLASS(0, hints, CLASS_QUARANTINE, "there are too many classes, or quarantine is missing");
	SPOIL(IMAGE_DEVICES, 0, image_device, class_number, q->number, "a device's class is none");
	SPOIL(IMAGE_RULES, q->rules.first, image_rule, direction, REACH_IN, "a rule of quarantine comes in, or not always");
	SPOIL(IMAGE_RULES, q->rules.first, image_rule, schedule, 1, "a rule of quarantine comes in, or not always");
	SPOIL(IMAGE_RULE_BOXES, im.rules[q->rules.first].boxes.first, image_rule_box, peer, 1,
	    "a rule of quarantine names a class");
	SPOIL(IMAGE_REACHES, q->reaches.first, image_reach, schedule, 1, "quarantine reaches more than addresses");
	SPOIL(IMAGE_REACHES, q->reaches.first, image_reach, peer, 1, "quarantine reaches more than addresses");
}

/* A class with quarantine as its peer would open it to others. */
static void
test_no_peer(void **state)
{
	const struct image_class *s = image_class_named(&im, "sensor"), *q = image_class_named(&im, "sensor/quarantine");
	uint32_t i = s->reaches.first, k;

	(void)state;
	while (im.reaches[i].peer == 0)
		i++;
	SPOIL(IMAGE_REACHES, i, image_reach, peer, q->number, "a reach's peer is no class");
	for (k = im.rules[s->rules.first].boxes.first; im.rule_boxes[k].peer == 0; k++)
		;
	SPOIL(IMAGE_RULE_BOXES, k, image_rule_box, peer, q->number, "a rule names a class that is none");
}

/* ---- what the compiler makes of it --------------------------------------- */

static bool
reaches(const struct image_class *c, const char *address, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_parse(address, &a), 0);
	for (uint32_t i = 0; i < c->reaches.n; i++) {
		const struct image_reach *r = &im.reaches[c->reaches.first + i];

		for (uint32_t k = 0; k < r->boxes.n; k++) {
			const struct image_box *b = &im.boxes[r->boxes.first + k];

			if (b->family == a.family && b->low <= port && b->high >= port &&
			    memcmp(b->first, a.bytes, 16) <= 0 && memcmp(b->last, a.bytes, 16) >= 0)
				return true;
		}
	}
	return false;
}

/* What everybody may reach in quarantine, then what the class may, with those that it
 * extends; and nothing of what it may reach otherwise. */
static void
test_remedies(void **state)
{
	const struct image_class *q = image_class_named(&im, "sensor/quarantine");
	const struct image_class *sub = image_class_named(&im, "sub-sensor/quarantine");

	(void)state;
	assert_true(reaches(&im.classes[0], "192.0.2.80", 443));
	assert_false(reaches(&im.classes[0], "192.0.2.81", 80));
	assert_true(reaches(q, "192.0.2.80", 443));
	assert_true(reaches(q, "192.0.2.81", 80));
	assert_false(reaches(q, "192.0.2.82", 81));
	assert_false(reaches(q, "192.0.2.7", 443));
	assert_true(reaches(sub, "192.0.2.80", 443));
	assert_true(reaches(sub, "192.0.2.81", 80));
	assert_true(reaches(sub, "192.0.2.82", 81));
	assert_int_equal(image_class_named(&im, "gateway")->quarantine, 0);
	assert_int_equal(image_class_named(&im, "limited")->quarantine, 0);
}

/* A number once given is theirs, like that of any class. */
static void
test_numbers(void **state)
{
	struct policy *p = sample_revocation();
	struct image next;
	uint8_t *data;
	size_t len;

	(void)state;
	sample_remedy(&p->classes[1], "192.0.2.83", 83);
	sample_class(p, "aaa");
	next = sample_image(p, &im, &data, &len);
	assert_int_equal(image_class_named(&next, "sensor/quarantine")->number,
	    image_class_named(&im, "sensor/quarantine")->number);
	assert_int_equal(image_class_named(&next, "sensor")->number, image_class_named(&im, "sensor")->number);
	assert_true(image_class_named(&next, "aaa")->number >= im.header->next_class);
	assert_true(image_class_named(&next, "gateway/quarantine")->number >= im.header->next_class);
	free(data);
	policy_free(p);
}

/* ---- mistakes that only the compiler can see ------------------------------ */

struct wrong {
	const char *line;
	void (*make)(struct policy *);
};

static void
no_restrict_class(struct policy *p)
{
	free(p->authorities[1].restrict_class);
	p->authorities[1].restrict_class = NULL;
}

static void
unknown_restrict_class(struct policy *p)
{
	free(p->authorities[1].restrict_class);
	p->authorities[1].restrict_class = strdup("limitex");
}

static void
needless_restrict_class(struct policy *p)
{
	p->authorities[1].when_stale = WHEN_STALE_QUARANTINE;
}

static void
peer_in_quarantine(struct policy *p)
{
	sample_remedy(&p->classes[0], "class:gateway", 1);
}

static void
schedule_in_quarantine(struct policy *p)
{
	p->classes[0].quarantine[0].schedule = strdup("nightly");
}

static void
many_issuers(struct policy *p)
{
	while (p->authorities[1].n_issuers <= LIMIT_ISSUERS_PER_AUTHORITY)
		sample_issuer(&p->authorities[1], ISSUER_OCSP, (uint8_t)p->authorities[1].n_issuers);
}

static void
many_mirrors(struct policy *p)
{
	while (p->authorities[1].sources[1].n_urls <= LIMIT_URLS_PER_SOURCE)
		sample_mirror(&p->authorities[1].sources[1], "http://more.example/x.crl");
}

static void
many_certificates(struct policy *p)
{
	while (p->devices[1].n_certificates <= LIMIT_CERTIFICATES_PER_DEVICE)
		sample_certificate(&p->devices[1], "line-ca", (uint8_t)p->devices[1].n_certificates);
}

static void
same_certificate(struct policy *p)
{
	sample_certificate(&p->devices[1], "factory-ca", 0x50);
}

static void
many_rules(struct policy *p)
{
	while (p->classes[3].n_quarantine + 2 <= LIMIT_RULES_PER_CLASS)
		sample_remedy(&p->classes[3], "192.0.2.90", (uint16_t)p->classes[3].n_quarantine);
}

static void
test_mistakes(void **state)
{
	static const struct wrong wrong[] = {
		{ "authority \"line-ca\" restricts devices and does not say how", no_restrict_class },
		{ "class \"limitex\" is not declared: did you mean \"limited\"?", unknown_restrict_class },
		{ "authority \"line-ca\" has a restrict_class and never restricts", needless_restrict_class },
		{ "a quarantined device may reach no other device", peer_in_quarantine },
		{ "what a quarantined device may reach, it may reach always", schedule_in_quarantine },
		{ "authority \"line-ca\" has 17 certificates", many_issuers },
		{ "a source of authority \"line-ca\" has 9 addresses: at most 8", many_mirrors },
		{ "device \"sensor-2\" has 5 certificates: at most 4", many_certificates },
		{ "device \"sensor-2\" has the same certificate twice", same_certificate },
		{ "class \"sub-sensor/quarantine\" has 4097 rules, with those that it extends: at most 4096", many_rules },
	};
	struct mistakes *m = calloc(1, sizeof(*m));
	uint8_t *out = NULL;
	size_t len, i;

	(void)state;
	assert_non_null(m);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct policy *p = sample_revocation();

		wrong[i].make(p);
		mistakes_init(m);
		assert_int_equal(compile_policy(p, NULL, m, &out, &len), -EINVAL);
		if (m->n != 1 || strstr(m->lines[0], wrong[i].line) == NULL)
			print_message("%zu: %zu mistakes, %s\n", i, m->n, m->n > 0 ? m->lines[0] : "");
		assert_int_equal(m->n, 1);
		assert_non_null(strstr(m->lines[0], wrong[i].line));
		mistakes_done(m);
		policy_free(p);
	}
	free(m);
}

/* As many as there may be. */
static void
test_limits(void **state)
{
	struct policy *p = sample_revocation();
	struct image full;
	uint8_t *data;
	size_t len;

	(void)state;
	while (p->authorities[1].n_issuers < LIMIT_ISSUERS_PER_AUTHORITY)
		sample_issuer(&p->authorities[1], ISSUER_OCSP, (uint8_t)p->authorities[1].n_issuers);
	while (p->authorities[1].sources[1].n_urls < LIMIT_URLS_PER_SOURCE)
		sample_mirror(&p->authorities[1].sources[1], "http://more.example/x.crl");
	while (p->devices[1].n_certificates < LIMIT_CERTIFICATES_PER_DEVICE)
		sample_certificate(&p->devices[1], "line-ca", (uint8_t)p->devices[1].n_certificates);
	full = sample_image(p, NULL, &data, &len);
	assert_int_equal(full.authorities[1].issuers.n, LIMIT_ISSUERS_PER_AUTHORITY);
	free(data);
	policy_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authority),
		cmocka_unit_test(test_ocsp),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_source_text),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_no_peer),
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
